"""The questions that a judge is asked about one cell, and what its replies come to.

A score or checklist judge is asked once a sample about each output; a pairwise judge twice, with the
output as text A and as text B beside the baseline's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.core.model import Completion, Request
from workbench.core.prompt import Prompt, Sampling
from workbench.core.rubric import Rubric
from workbench.engine.asking import call_seed
from workbench.engine.calls import CallDesk, storable
from workbench.engine.composing import Composer
from workbench.engine.judges import judge_sampling
from workbench.engine.using import UsedModel
from workbench.errors import ModelError, RunCancelled, WorkbenchError
from workbench.metrics import CellOutputs, Judgement
from workbench.metrics.judge import BETTER, FLIP, TIE, WORSE
from workbench.prompting.judged_text import shortened
from workbench.prompting.rubric import Verdict, judged_row, read_verdict, score_ends_at
from workbench.prompting.token_scores import ALTERNATIVES, expected_score

LOOK_AHEAD = 128
"""Questions whose cached completions are read in one query."""


@dataclass(frozen=True, slots=True)
class Question:
    """One call: a judge is asked about one output, or about two in one of both orders."""

    place: int
    sample: int
    texts: tuple[str, ...]
    swapped: bool
    request: Request
    key: str


@dataclass
class Heard:
    """What was heard of a cell's outputs, by place: verdicts by (sample, swapped), the end, an error."""

    verdicts: dict[int, dict[tuple[int, bool], Verdict]] = field(default_factory=dict)
    settled: dict[int, Judgement] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


class CellJudging:
    """One judge over one cell: which questions there are, and what was answered.

    Args:
        judge: the judge prompt, and its `rubric`.
        model: which model is asked.
        outputs: the cell's outputs.
        settings: of the judge metric: `samples`, `sampling`, `max_characters`.
        composer: makes messages.
        desk: answers calls.
    """

    def __init__(
        self,
        judge: Prompt,
        rubric: Rubric,
        model: UsedModel,
        outputs: CellOutputs,
        settings: Mapping[str, Any],
        composer: Composer,
        desk: CallDesk,
    ) -> None:
        self.judge, self.rubric, self.model, self.outputs = judge, rubric, model, outputs
        self.total = len(outputs)
        self.calls = self.cached_calls = 0
        self._samples = int(settings["samples"])
        self._most = int(settings["max_characters"])
        self._sampling: Sampling = judge_sampling(judge, model.spec, settings["sampling"])
        self._composer, self._desk = composer, desk
        self._orders = (False, True) if self.rubric.kind == "pairwise" else (False,)
        self._heard = Heard()
        self._finished = 0
        self._asked_s = time.monotonic()

    def questions(self) -> Iterator[Question]:
        """Every question, those of a block looked up in the cache together."""
        every = (question for place in range(self.total) for question in self._about(place))
        while block := [question for _, question in zip(range(LOOK_AHEAD), every, strict=False)]:
            self._desk.look_up([question.key for question in block])
            yield from block

    async def ask(self, question: Question) -> bool:
        """Asks one question and reads its verdict; True where the answer was there already."""
        cached = False
        self.calls += 1
        try:
            answered = await self._desk.call(self.model, question.request, question.sample, question.key)
            cached = answered.cached
            self.cached_calls += cached
            verdict = self._read(question, answered.completion)
        except RunCancelled:
            raise
        except WorkbenchError as error:
            verdict = Verdict(None, storable(str(error)))
            self._heard.failed[question.place] = verdict.reason
        heard = self._heard.verdicts.setdefault(question.place, {})
        heard[question.sample, question.swapped] = verdict
        self._finished += len(heard) == self._samples * len(self._orders)
        return cached

    def judgements(self) -> list[Judgement]:
        """What was made of each output, in order."""
        return [self._judgement(place) for place in range(self.total)]

    def progress(self, loading: str | None) -> str:
        """How far it is, in words."""
        if loading:
            return f"Loading {loading}"
        took_s = time.monotonic() - self._asked_s
        words = f"Judging {self._finished} of {self.total} with {self.judge.name}"
        if not self._finished or took_s < 1:
            return words
        left_s = took_s / self._finished * (self.total - self._finished)
        return f"{words}, {f'{left_s / 60:.0f} min' if left_s >= 60 else f'{left_s:.0f} s'} left"

    def _about(self, place: int) -> Iterator[Question]:
        """The questions about one output; none where it is settled without asking."""
        outputs = self.outputs
        texts: tuple[str, ...] = (outputs.texts[place],)
        if self.rubric.kind == "pairwise":
            settled, texts = self._beside_the_baseline(place)
            if settled is not None:
                self._settle(place, settled)
                return
        try:
            asked = [
                self._question(place, texts[::-1] if swapped else texts, swapped, sample)
                for swapped in self._orders
                for sample in range(self._samples)
            ]
        except WorkbenchError as error:  # it cannot be rendered, or its model cannot be used
            why = storable(str(error))
            self._settle(place, Judgement(None, why, why if isinstance(error, ModelError) else ""))
            return
        yield from asked

    def _beside_the_baseline(self, place: int) -> tuple[Judgement | None, tuple[str, ...]]:
        rivals = self.outputs.rivals
        if rivals is None:
            return Judgement(0.5, "The baseline, compared with itself."), ()
        rival, text = rivals[place], self.outputs.texts[place]
        if rival is None:
            return Judgement(None, "The baseline has no output for this row to compare with."), ()
        if rival == text:
            return Judgement(0.5, "The same text as the baseline's."), ()
        return None, (text, rival)

    def _settle(self, place: int, judgement: Judgement) -> None:
        self._heard.settled[place] = judgement
        self._finished += 1

    def _question(self, place: int, texts: tuple[str, ...], swapped: bool, sample: int) -> Question:
        outputs = self.outputs
        row = judged_row(
            self.judge,
            outputs.rows[place],
            texts,
            outputs.answers[place],
            outputs.raw_references[place],
            self._most,
        )
        messages = self._composer.messages(self.judge, row)
        sampling = self._sampling
        if sampling.temperature:
            seed = call_seed(sampling.seed or 0, sample, messages)
            sampling = sampling.model_copy(update={"seed": seed})
        alternatives = ALTERNATIVES if self.rubric.weighting == "tokens" else 0
        schema = self.judge.answer.schema_
        request = Request(messages, sampling, top_logprobs=alternatives, json_schema=schema)
        key = self._desk.key(self.model, request, sample)
        return Question(place, sample, texts, swapped, request, key)

    def _read(self, question: Question, completion: Completion) -> Verdict:
        shown = [shortened(text, self._most) for text in question.texts]
        shown.append(self.outputs.answers[question.place] or "")
        found = read_verdict(self.judge, completion.text, shown)
        if found.score is None:
            return Verdict(None, f"{found.reason}{_why_no_more(completion, self._sampling)}")
        if self.rubric.weighting != "tokens":
            return found
        low, high = self.rubric.range
        ends_at = score_ends_at(self.judge, completion.text)
        expected = None
        if completion.top_logprobs is not None and ends_at is not None:
            scale = range(int(low), int(high) + 1)
            expected = expected_score(completion.text, ends_at, completion.top_logprobs, scale)
        if expected is None:
            plainly = f"{found.score:g} as it was said: the model gave no token probabilities to weigh it by."
            return Verdict(found.score, _together(plainly, found.reason))
        weighed = f"{expected:.2f} by token probability, {found.score:g} as it was said."
        return Verdict(expected, _together(weighed, found.reason))

    def _judgement(self, place: int) -> Judgement:
        if place in self._heard.settled:
            return self._heard.settled[place]
        heard = self._heard.verdicts[place]
        samples = [
            _both_orders(heard[sample, False], heard[sample, True])
            if len(self._orders) > 1
            else heard[sample, False]
            for sample in range(self._samples)
        ]
        return replace(_mean(samples), failed=self._heard.failed.get(place, ""))


def _both_orders(first: Verdict, second: Verdict) -> Verdict:
    """Of the output as text A, then as text B; 1 where it is better, 0.5 where the orders disagree."""
    if first.score is None or second.score is None:
        return first if first.score is None else second
    turned = 1 - second.score
    said = _together(first.reason, second.reason)
    if first.score != turned:
        words = {1.0: "better", 0.0: "worse", 0.5: "a tie"}
        return Verdict(0.5, _together(f"{FLIP}: {words[first.score]} as A, {words[turned]} as B.", said))
    return Verdict(turned, _together({1.0: BETTER, 0.0: WORSE, 0.5: TIE}[turned], said))


def _mean(samples: Sequence[Verdict]) -> Judgement:
    scored = [one for one in samples if one.score is not None]
    if len(samples) == 1 or not scored:
        return Judgement(samples[0].score, samples[0].reason)
    scores = [one.score for one in scored if one.score is not None]
    counted = f"The mean of {len(samples)} samples: {', '.join(f'{score:.3g}' for score in scores)}"
    missing = len(samples) - len(scored)
    counted += f"; {missing} without a verdict." if missing else "."
    first = next((one for one in scored if one.reason.startswith(FLIP)), scored[0])
    return Judgement(sum(scores) / len(scores), _together(first.reason, counted))


def _why_no_more(completion: Completion, sampling: Sampling) -> str:
    if completion.finish_reason == "length":
        return f" (It was cut off after {sampling.max_tokens} tokens; allow more in `sampling`.)"
    return " (The provider's filter held the reply back.)" if completion.finish_reason == "filter" else ""


def _together(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
