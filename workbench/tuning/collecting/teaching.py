"""What a picked text becomes: the messages of the prompt that is trained, and what should be answered.

Teacher(workspace, sources, teach="direct", reasoning="drop").item(Picked(…))
Item(messages=({"role": "user", "content": "The tram has 18 …"},), completion="Answer: 23", origin=Origin(…))
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Literal

from workbench.core.collection import Item, Origin
from workbench.core.model import ChatMessage
from workbench.core.prompt import AnswerRule, Prompt
from workbench.engine.answer_rules import answer_rule
from workbench.engine.composing import Composer
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError
from workbench.prompting.json_path import parse_path
from workbench.prompting.read import read_answer
from workbench.prompting.select import check_source
from workbench.tuning.collecting.candidates import Candidate, Place
from workbench.tuning.collecting.held_back import joined, overlapping
from workbench.tuning.collecting.merits import Merits
from workbench.tuning.collecting.picking import Picked
from workbench.tuning.collecting.sources import Source, prompt_columns

NO_PROMPT = "made by no single prompt"
NO_ANSWER = "no answer to keep"
NOT_READ_BACK = "answer not read back"
SAME_PAIR_WRITTEN = "chosen equals rejected"

OPEN_ENDED = "its prompt ends with the assistant's words"
MOST_PLACES = 1_000
"""The longest list that is written only to put an answer at its end."""

Reasoning = Literal["keep", "drop"]
Unfit = str
"""Why something picked cannot be taught."""


class Teacher:
    """Writes items for one collection; what rows have in common is composed once.

    Args:
        sources: the runs, each with the merits that its outputs were picked by, where they were.
        teach: the prompt of the library that is trained; None: the one that made each text.
        reasoning: `drop` keeps the answer alone, written as the trained prompt reads it.
        held_back: DATASET#SPLIT of rows that no taught message may show.

    Raises CollectionError for an ensemble to teach and for examples out of held-back rows, and PromptError
    for examples out of the rows at hand.
    """

    def __init__(
        self,
        workspace: Workspace,
        sources: list[Source],
        teach: str | None,
        reasoning: Reasoning,
        held_back: Sequence[str] = (),
    ) -> None:
        self._drop = reasoning == "drop"
        self._composers = {one.run: Composer(workspace.datasets, one.plan.dataset) for one in sources}
        self._composed: dict[tuple[str, int, str], tuple[ChatMessage, ...]] = {}
        self._sampling: dict[tuple[str, int], dict[str, Any]] = {}
        self._taught: Prompt | None = None
        if teach is not None:
            prompt = workspace.prompts.get(teach)
            if not isinstance(prompt, Prompt):
                raise CollectionError(
                    f"`teach: {teach}` is an ensemble, and one prompt is trained; name one of its members."
                )
            for source in sources:
                if prompt.examples is not None and not source.imported:
                    check_source(prompt.examples, f"{source.plan.dataset.name}#{source.plan.dataset.split}")
            self._taught = prompt
        for one in [self._taught] if self._taught else _prompts_of(sources):
            _check_examples(workspace, one, held_back)

    @property
    def taught(self) -> Prompt | None:
        """The prompt that is trained, where it is one for all."""
        return self._taught

    def item(self, picked: Picked, merits: Merits | None) -> Item | Unfit:
        """The item, or why there is none."""
        better, worse = picked.better, picked.worse
        prompt = self._taught or better.place.source.prompt(better.cell)
        if prompt is None:
            return NO_PROMPT
        completion = self._said(better, prompt.answer)
        if not completion[0]:
            return completion[1]
        rejected = None
        if worse is not None:
            other = self._said(worse, prompt.answer, is_worse=True)
            if not other[0]:
                return other[1]
            rejected = other[1]
            if rejected.strip() == completion[1].strip():
                return SAME_PAIR_WRITTEN
        place = better.place
        messages = self._messages(place, prompt)
        if messages[-1]["role"] == "assistant":
            return OPEN_ENDED
        return Item(
            messages=messages,
            completion=completion[1],
            rejected=rejected,
            label=picked.label,
            row=place.source.plan.dataset.rows[place.position],
            origin=self._origin(better, worse, merits),
        )

    def _messages(self, place: Place, prompt: Prompt) -> tuple[ChatMessage, ...]:
        key = (place.source.run, place.position, prompt.name)
        composed = self._composed.get(key)
        if composed is None:
            row = place.source.plan.dataset.rows[place.position]
            composed = self._composers[place.source.run].messages(prompt, row)
            self._composed[key] = composed
        return composed

    def _said(self, one: Candidate, rule: AnswerRule, is_worse: bool = False) -> tuple[bool, str]:
        """(True, the text to learn), or (False, why there is none)."""
        if not self._drop and (self._taught is None or is_worse):
            return True, one.text
        answer = one.answer
        if answer is None:
            answer = read_answer(self._own_rule(one), one.text)
        if not self._drop:
            again = read_answer(rule, one.text)
            # of an output that is an answer from end to end the taught prompt may read a part
            is_whole = answer is not None and answer.strip() == one.text.strip()
            same = answer is None or again == answer or (is_whole and again is not None)
            return (True, one.text) if same else (False, NOT_READ_BACK)
        if answer is None:
            return False, NO_ANSWER
        written = written_answer(rule, answer)
        return (False, NOT_READ_BACK) if written is None else (True, written)

    def _own_rule(self, one: Candidate) -> AnswerRule:
        prompts = dict(one.place.source.plan.prompts)
        return answer_rule(prompts[one.cell.prompt], prompts)

    def _origin(self, better: Candidate, worse: Candidate | None, merits: Merits | None) -> Origin:
        source = better.place.source
        dataset, cell = source.plan.dataset, better.cell
        scores: dict[str, float] = {}
        if merits is not None and better.kind != "correction":
            unit = better.place.position * source.plan.experiment.repeats + better.repeat
            for name, values in merits.scores.get(cell.index, {}).items():
                value = float(values[unit])
                if not math.isnan(value):
                    scores[name] = value
            if merits.raters and not math.isnan(better.value):
                scores.setdefault(merits.name, better.value)
        return Origin(
            kind=better.kind,
            run=source.run,
            cell=cell.index,
            dataset=dataset.name,
            split=dataset.split,
            row_id=better.place.row_id,
            repeat=better.repeat,
            prompt=cell.prompt,
            version=cell.version,
            model=cell.model,
            sampling=self._sampling_of(source, cell.index),
            scores=scores,
            raters=better.raters,
            rejected=None if worse is None else worse.cell.label,
        )

    def _sampling_of(self, source: Source, cell: int) -> dict[str, Any]:
        key = (source.run, cell)
        if key not in self._sampling:
            place = next(at for at, one in enumerate(source.plan.cells) if one.index == cell)
            self._sampling[key] = source.plan.sampling[place].stated()
        return self._sampling[key]


def _prompts_of(sources: Sequence[Source]) -> list[Prompt]:
    """The prompts that made the texts, each version once."""
    found = (source.prompt(cell) for source in sources for cell in source.cells)
    return list({one.version: one for one in found if one is not None}.values())


def _check_examples(workspace: Workspace, prompt: Prompt, held_back: Sequence[str]) -> None:
    """Raises CollectionError where a prompt's examples are rows that are kept for evaluation."""
    examples = prompt.examples
    if examples is None or examples.count == 0:
        return
    named = (examples.from_ or "").casefold()
    shown_of = next((split for split in held_back if split.casefold() == named), None)
    if shown_of is None and examples.rows:
        rows = [dict(row) for row in examples.rows]
        columns = tuple(sorted(prompt_columns([prompt], None)))
        texts = [joined(row, columns) for row in rows]
        found = overlapping(workspace, held_back, texts, {columns}, every_column=False)
        shown_of = next((one.split for one in found.values() if one.how == "same words"), None)
    if shown_of is not None:
        raise CollectionError(
            f"Prompt '{prompt.name}' shows examples out of '{shown_of}', which is kept for evaluation, and "
            "they would be learnt; teach a prompt without them (`teach: PROMPT`), collect from other prompts "
            "(`prompts: [...]`), or take its examples out of another split."
        )


def written_answer(rule: AnswerRule, answer: str) -> str | None:
    """The shortest text that the rule reads this answer out of; None where there is no such text.

    >>> written_answer(AnswerRule(after="Answer:", type="number"), "42")
    'Answer: 42'
    """
    for text in _as_json(rule.path, answer) if rule.type == "json" else [answer]:
        written = f"{rule.after} {text}" if rule.after else text
        if read_answer(rule, written) == answer:
            return written
    return None


def _as_json(path: str | None, answer: str) -> list[str]:
    """JSON documents that hold the answer at a path such as result.items[0].value, as a value and as text."""
    try:
        values: list[Any] = [json.loads(answer), answer]
    except ValueError:
        values = [answer]
    for step in reversed(parse_path(path)):
        if isinstance(step, int) and step > MOST_PLACES:
            return []
        values = [
            {step: value} if isinstance(step, str) else [None] * max(step, 0) + [value] for value in values
        ]
    return [json.dumps(value, ensure_ascii=False) for value in values]
