"""What speaks against a training, found in its examples and settings before anything is loaded.

Finding("error", "collection", "2 of 50 pairs have the same text as chosen and as rejected …")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.core.collection import Item, Task
from workbench.core.tuning import TASK_OF, Train
from workbench.errors import TuningError
from workbench.tuning.checking.base import Base
from workbench.tuning.checking.choosing import training_examples
from workbench.tuning.checking.facts import DataFacts, asking, cut
from workbench.tuning.checking.trainable import adapted
from workbench.tuning.checking.zero_rows import zero_rows
from workbench.tuning.training.combinations import LOW_RANK, check_combination

Level = Literal["error", "warning", "note"]
FEW = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know before the start.

    Attributes:
        level: error: the training is refused; warning: it may well disappoint; note: good to know.
        field: of the recipe, such as `base`, `collection`, `batch`; what to change or look at.
        sentence: what was found and what to do.
    """

    level: Level
    field: str
    sentence: str


def item_findings(items: Sequence[Item], task: Task, train: Train) -> Iterator[Finding]:
    """What is wrong with the examples themselves."""
    if not items:
        yield Finding(
            "error",
            "collection",
            "There is nothing to learn from: no item is kept; accept some, or collect with a lower "
            "threshold.",
        )
        return
    wanted = TASK_OF[train.objective]
    if task != wanted:
        yield Finding(
            "error",
            "objective",
            f"The objective '{train.objective}' learns from a {wanted}, and the collection teaches a {task}; "
            "choose another of the two.",
        )
        return
    if task == "preference":
        yield from _equal_pairs(items)
    elif task == "label":
        yield from _one_label(items)
    else:
        yield from _one_text(items)
    empty = [item for item in items if not item.completion.strip()]
    if empty:
        yield Finding(
            "warning",
            "collection",
            f"{_count(empty, 'completion')} without text (the first {asking(empty[0])}): from them "
            "it learns to say nothing; reject them if that is not meant.",
        )
    if len(items) < FEW:
        yield Finding(
            "warning",
            "collection",
            f"{len(items)} example{'s are' if len(items) > 1 else ' is'} very few: a gain would be hard to "
            f"tell from chance; collect {FEW} or more.",
        )


def text_findings(base: Base, items: Sequence[Item]) -> Iterator[Finding]:
    """What the base's special tokens and chat template make of the texts."""
    chat = base.chat
    if chat.end_id is None:
        yield Finding(
            "error",
            "base",
            f"The tokenizer of '{base.name}' names no token that ends an answer, so that what is learnt "
            "could not end; add `eos_token` to its tokenizer_config.json.",
        )
    special = chat.special_texts
    inside = [
        (number, token)
        for number, item in enumerate(items)
        for token in sorted(special)
        if token in item.completion or token in (item.rejected or "")
    ]
    if inside:
        numbers = sorted({number for number, _ in inside})
        yield Finding(
            "warning",
            "collection",
            f"{_count(numbers, 'example')} with the text of a special token, such as '{inside[0][1]}' in "
            f"the one {asking(items[numbers[0]])}: it is read as the token itself; edit or reject what does "
            "not mean it.",
        )
    if items:
        messages = list(items[0].messages)
        opened = chat.text(messages)
        answer = {"role": "assistant", "content": items[0].completion}
        if not chat.text([*messages, answer], opened=False).startswith(opened):
            yield Finding(
                "note",
                "base",
                f"The chat template of '{base.name}' writes a conversation otherwise once it is answered; "
                "completions are learnt as they follow the open one.",
            )


def length_findings(base: Base, train: Train, facts: DataFacts) -> Iterator[Finding]:
    """Examples that are longer than what is read at once."""
    most = train.max_tokens
    if most is None or not facts.examples:
        return
    if facts.context is not None and most > facts.context:
        yield Finding(
            "error",
            "max_tokens",
            f"`max_tokens: {most}` is more than '{base.name}' reads at once ({facts.context:,} tokens); "
            "leave it out, or state no more than that.",
        )
    longer = facts.longer_than(most)
    if not longer:
        return
    found = (
        f"{longer:,} of {facts.examples:,} examples {'is' if longer == 1 else 'are'} longer than {most:,} "
        f"tokens (the longest has {facts.longest:,})"
    )
    more = "raise `max_tokens`, " if facts.context is None or facts.context > most else ""
    if longer == facts.examples:
        yield Finding(
            "error",
            "max_tokens",
            f"{found}, so nothing is left to learn; {more}use shorter texts or another base.",
        )
    elif train.too_long == "refuse":
        yield Finding(
            "error",
            "too_long",
            f"{found}; {more}reject them, or leave them out with `too_long: leave_out`.",
        )
    else:
        yield Finding("warning", "too_long", f"{found} and will be left out.")


def setting_findings(base: Base, train: Train, facts: DataFacts) -> Iterator[Finding]:
    """Settings that do not go together, or not with this base or this little data."""
    try:
        check_combination(train)
    except TuningError as problem:
        yield Finding("error", "method", str(problem))
    if train.method == "dora":
        yield from _without_length(base, train)
    if train.method in LOW_RANK and 0 < base.widths.hidden < train.rank:
        yield Finding(
            "warning",
            "rank",
            f"`rank: {train.rank}` is more than the base is wide ({base.widths.hidden}): no gain over less.",
        )
    if not facts.examples:
        return
    learnt = training_examples(train, facts)
    if train.validation and learnt == facts.examples:
        yield Finding(
            "warning",
            "validation",
            f"{facts.examples} examples are too few to hold some back: overfitting would not be seen, and it "
            "does not stop early.",
        )
    at_once = (train.batch or 1) * train.accumulate * train.processes
    if at_once > max(1, learnt):
        yield Finding(
            "warning",
            "batch",
            f"One step would take {at_once:,} examples and there are {learnt:,}: all of them make one step; "
            "use a smaller `batch`.",
        )


def _without_length(base: Base, train: Train) -> Iterator[Finding]:
    zeros = set(zero_rows(base))
    if not zeros:
        return
    names = ", ".join(sorted(zeros))
    here = f"'{base.name}' has rows of zeros in {names}, by whose length dora would divide"
    wanted = {layer.name.removesuffix(".weight").rpartition(".")[2] for layer in adapted(base, train)}
    if wanted & zeros:
        rest = sorted(wanted - zeros)
        other = f", or keep to the others with `targets: [{', '.join(rest)}]`" if rest else ""
        yield Finding("error", "method", f"{here}; use `method: lora`{other}.")
    else:
        trained = ", ".join(sorted(wanted))
        yield Finding("note", "targets", f"{here}: it leaves them as they are and trains {trained}.")


def refuse_errors(findings: Iterable[Finding]) -> None:
    """Raises TuningError with the sentences of the errors, if there are any."""
    errors = [one.sentence for one in findings if one.level == "error"]
    if errors:
        raise TuningError(" ".join(errors))


def _equal_pairs(items: Sequence[Item]) -> Iterator[Finding]:
    equal = [item for item in items if item.completion.strip() == (item.rejected or "").strip()]
    if equal:
        yield Finding(
            "error",
            "collection",
            f"{len(equal):,} of {len(items):,} pairs have the same text as chosen and as rejected (the first "
            f"{asking(equal[0])}), from which nothing is preferred; reject them in the collection.",
        )


def _one_label(items: Sequence[Item]) -> Iterator[Finding]:
    labels = {item.label for item in items}
    if len(labels) == 1:
        said, other = ("good", "bad") if labels == {True} else ("bad", "good")
        yield Finding(
            "error",
            "collection",
            f"Every completion is said to be {said}, and kto learns from the difference; add some that are "
            f"{other}, or learn the good ones with `objective: supervised`.",
        )


def _one_text(items: Sequence[Item]) -> Iterator[Finding]:
    texts = {item.completion.strip() for item in items}
    if len(items) > 1 and len(texts) == 1:
        shown = cut(texts.pop())
        yield Finding(
            "error",
            "collection",
            f"All {len(items):,} completions are the same text ('{shown}'): it would learn to say that to "
            "everything; collect outputs that differ.",
        )


def _count(several: Sequence[object], what: str) -> str:
    return f"{len(several):,} {what}{'' if len(several) == 1 else 's'}"
