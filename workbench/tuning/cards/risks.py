"""What may go wrong with a tuned model, read from its data and its verdict, a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.core.collection import Item
from workbench.core.figures import signed_with_interval
from workbench.core.tuning import Recipe
from workbench.tuning.cleaning.pii_patterns import KINDS, masked
from workbench.tuning.verdict.records import TuningVerdict

FEW_ROWS = 100
"""Test rows under which an interval is wide."""
FEW_LEARNT = 50
LEAST_WORDS = 5
"""Words from which a text is long enough to tell one row from another."""
MORE_UNANSWERED = 0.02


def risk_sentences(
    recipe: Recipe,
    items: Sequence[Item],
    verdict: TuningVerdict | None,
    test_rows: Sequence[dict[str, object]],
) -> list[str]:
    """What a reader has to know before use.

    Args:
        items: what was learnt.
        test_rows: the rows that the verdict rests on.
    """
    return [*_of_verdict(verdict), *_of_data(recipe, items, test_rows), *_always()]


def contaminated(items: Iterable[Item], rows: Iterable[dict[str, object]]) -> int:
    """How many test rows hold a text of five words or more that stands word for word in what was shown."""
    shown = "\n".join(_plain(message["content"]) for item in items for message in item.messages)
    return sum(
        any(
            len(text.split()) >= LEAST_WORDS and text in shown
            for text in (_plain(value) for value in row.values() if isinstance(value, str))
        )
        for row in rows
    )


def personal(items: Iterable[Item]) -> int:
    """How many items hold what looks like personal data or a secret."""
    return sum(
        any(masked(text, KINDS) != text for text in (item.completion, *(m["content"] for m in item.messages)))
        for item in items
    )


def _of_verdict(verdict: TuningVerdict | None) -> Iterable[str]:
    if verdict is None:
        yield "The model was not measured against its base: nothing is known of what tuning gained or cost."
        return
    gap = verdict.headline.gap
    shown = signed_with_interval(gap.difference, gap.low, gap.high)
    if gap.verdict == "worse":
        yield f"It is worse than its base at what it was tuned for: {verdict.metric} {shown}."
    elif gap.verdict != "better":
        more = f" (about {gap.rows_needed:,} rows would tell)" if gap.rows_needed else ""
        yield f"It is not shown to be better than its base: {verdict.metric} {shown}, {gap.verdict}{more}."
    if verdict.rows < FEW_ROWS:
        yield f"The verdict rests on {verdict.rows:,} test rows: the intervals are wide."
    for one in verdict.forgetting:
        if one.gap.verdict == "worse":
            lost = signed_with_interval(one.gap.difference, one.gap.low, one.gap.high)
            yield f"It lost something on {one.dataset} (prompt {one.prompt}): {one.metric} {lost}."
    unsure = sum(one.gap.verdict == "undecided" for one in verdict.forgetting)
    if unsure:
        yield (
            f"In {unsure} of {len(verdict.forgetting)} comparisons on other tasks a loss can be neither "
            "shown nor ruled out."
        )
    for part in verdict.slices:
        if part.gap.verdict == "worse":
            yield f"It is worse than its base where {part.by} is {part.value}."
    yield from _of_outputs(verdict)


def _of_outputs(verdict: TuningVerdict) -> Iterable[str]:
    repeated = verdict.memorisation
    if repeated is not None and repeated.gap.verdict == "worse":
        yield (
            f"It repeats training text: {repeated.tuned.share.mean:.1%} of its outputs hold "
            f"{repeated.words} words in a row out of a training completion, "
            f"{repeated.base.share.mean:.1%} of its base's. Do not tune on text that must never "
            "come out again."
        )
    recalled = verdict.recall
    if recalled is not None and recalled.gap.low > 0:
        yield (
            f"It has learnt answers by heart: asked {recalled.questions:,} of the learnt questions, it gives "
            f"a learnt completion word for word in {recalled.tuned.mean:.1%} of them, its base in "
            f"{recalled.base.mean:.1%}."
        )
    if verdict.perplexity is not None and verdict.perplexity.gap.verdict == "worse":
        yield f"It finds held-out text ({verdict.perplexity.texts}) more surprising than its base does."
    if len(verdict.takes) == 2:
        before, after = (one.unanswered / one.outputs if one.outputs else 0.0 for one in verdict.takes)
        if after > before + MORE_UNANSWERED:
            yield (
                f"More of its outputs hold no answer that can be read: {after:.1%}, "
                f"{before:.1%} of its base's."
            )


def _of_data(recipe: Recipe, items: Sequence[Item], test_rows: Sequence[dict[str, object]]) -> Iterable[str]:
    found = personal(items)
    if found:
        yield (
            f"{found:,} of {len(items):,} training items hold what looks like personal data or a secret "
            "(addresses, phone or card numbers, keys); the cleaning step `pii` masks it."
        )
    seen = contaminated(items, test_rows)
    if seen:
        yield (
            f"{seen:,} of {len(test_rows):,} test rows hold text that was also shown in training: the "
            "results may flatter the model."
        )
    if recipe.collect is not None and recipe.collect.apart_from == ():
        yield "The training data was not held apart from any evaluation split."
    if 0 < len(items) < FEW_LEARNT:
        yield f"It learnt from {len(items):,} items only."
    made = sum(item.origin.kind == "output" for item in items)
    if made:
        yield (
            f"{made:,} of {len(items):,} items are outputs of models that a score picked: an answer may be "
            "right for wrong reasons, and what the score does not see was learnt with it."
        )


def _always() -> Iterable[str]:
    yield (
        "Measured is what stands in this card, on these data and prompts; other languages, topics and "
        "ways of asking, safety and fairness were not."
    )


def _plain(text: object) -> str:
    return " ".join(str(text).casefold().split())
