"""Cleaning steps over items, one after the other, with what each of them does.

done = clean(items, ["white_space", "exact_duplicates", {"length": {"most": 4000}}])
done.kept                 ->  the items that stay, as they came out
done.outcomes[7]          ->  Outcome(item, reason="exact_duplicates", detail="repeats item 3")
done.reports[1].dropped   ->  12
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.core.collection import Item
from workbench.tuning.cleaning import Spec, Step, build_step, spec_name
from workbench.tuning.cleaning.base import Dropped

MOST_EXAMPLES = 20
LONGEST_SHOWN = 600
BEFORE_CHANGE = 80
"""Characters shown before the first that differs."""
EVERY = 500

OnProgress = Callable[[str, int, int], None]
"""Told the step's name, how many items it has seen, and how many there are."""


@dataclass(frozen=True, slots=True)
class StepExample:
    """What a step does to one item; long texts are cut to where they differ.

    Attributes:
        number: the item's.
        text: which of its texts: `completion`, `rejected`, `message 1` and on, `row` for the dataset's row
            that it came from, or `extra` for the rest.
        after: None where the item is dropped.
        detail: why it is dropped.
    """

    number: int
    text: str
    before: str
    after: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step does: `seen` are the items that the steps before it kept."""

    step: str
    settings: dict[str, Any]
    seen: int
    dropped: int
    changed: int
    examples: tuple[StepExample, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"examples": [asdict(example) for example in self.examples]}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item after cleaning; `reason` is the step that dropped it, or empty."""

    item: Item
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`outcomes` has one for every item that was given, in order; `reports` one for every step."""

    outcomes: tuple[Outcome, ...]
    reports: tuple[StepReport, ...]

    @property
    def kept(self) -> list[Item]:
        """The items that stay, with their texts as they came out."""
        return [outcome.item for outcome in self.outcomes if not outcome.reason]

    @property
    def dropped(self) -> int:
        """How many do not stay."""
        return sum(report.dropped for report in self.reports)

    @property
    def changed(self) -> int:
        """In how many of those that stay some text changed, counted once for every step."""
        return sum(report.changed for report in self.reports)


def clean(
    items: Sequence[Item],
    steps: Sequence[Spec],
    *,
    numbers: Sequence[int] | None = None,
    on_progress: OnProgress | None = None,
) -> Cleaned:
    """What the steps make of the items.

    Args:
        numbers: what the items are called in details and examples; default: their places, from 0.

    Raises UnknownName for a step that there is not, CollectionError for its settings.
    """
    built = [(spec_name(spec), build_step(spec)) for spec in steps]
    called = range(len(items)) if numbers is None else numbers
    outcomes = [Outcome(item) for item in items]
    reports = [_apply(name, one, outcomes, called, on_progress) for name, one in built]
    return Cleaned(tuple(outcomes), tuple(reports))


def cleaning_preview(
    items: Sequence[Item],
    steps: Sequence[Spec],
    *,
    numbers: Sequence[int] | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[StepReport, ...]:
    """What each step would drop and change, with examples; nothing is applied. Raises as `clean` does."""
    return clean(items, steps, numbers=numbers, on_progress=on_progress).reports


def _apply(
    name: str, step: Step, outcomes: list[Outcome], numbers: Sequence[int], on_progress: OnProgress | None
) -> StepReport:
    """Applies one step to the outcomes in place, and tells what it did."""
    places = [place for place, outcome in enumerate(outcomes) if not outcome.reason]
    given = [outcomes[place].item for place in places]
    dropped = changed = 0
    examples: list[StepExample] = []
    for done, (place, found) in enumerate(zip(places, step.outcomes(given), strict=True), 1):
        before = outcomes[place].item
        example: StepExample | None = None
        if isinstance(found, Dropped):
            dropped += 1
            detail = found.detail
            if found.repeats is not None:
                detail = f"{detail} item {numbers[places[found.repeats]]}".lstrip()
            outcomes[place] = Outcome(before, name, detail)
            if len(examples) < MOST_EXAMPLES:
                example = StepExample(
                    numbers[place], "completion", before.completion[:LONGEST_SHOWN], detail=detail
                )
        elif found is not before:
            changed += 1
            outcomes[place] = Outcome(found)
            if len(examples) < MOST_EXAMPLES:
                example = _changed(numbers[place], before, found)
        if example is not None:
            examples.append(example)
        if on_progress is not None and (done % EVERY == 0 or done == len(places)):
            on_progress(name, done, len(places))
    settings = step.model_dump(mode="json", exclude_defaults=True)
    return StepReport(name, settings, len(places), dropped, changed, tuple(examples))


def _changed(number: int, before: Item, after: Item) -> StepExample:
    """The first text of the item that differs, from a little before it does."""
    for text, old, new in _texts(before, after):
        if old != new:
            same = next(
                (place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
                min(len(old), len(new)),
            )
            start = max(0, same - BEFORE_CHANGE) if max(len(old), len(new)) > LONGEST_SHOWN else 0
            end = start + LONGEST_SHOWN
            return StepExample(number, text, old[start:end], new[start:end])
    return StepExample(
        number, "completion", before.completion[:LONGEST_SHOWN], after.completion[:LONGEST_SHOWN]
    )


def _texts(before: Item, after: Item) -> list[tuple[str, str, str]]:
    texts = [("completion", before.completion, after.completion)]
    texts.append(("rejected", before.rejected or "", after.rejected or ""))
    pairs = zip(before.messages, after.messages, strict=True)
    texts += [(f"message {n}", old["content"], new["content"]) for n, (old, new) in enumerate(pairs, 1)]
    for name, was, becomes in (("extra", before.extra, after.extra), ("row", before.row, after.row)):
        if was != becomes:
            old, new = (json.dumps(one, ensure_ascii=False) for one in (was, becomes))
            texts.append((name, old, new))
    return texts
