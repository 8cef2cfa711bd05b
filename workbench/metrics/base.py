"""What a metric is: a named measure that gives each row a score and knows how to sum them up.

    >>> exact = load_metric("exact_match")
    >>> scores = exact.score(["42", "7", None], ["42", "8", "9"])
    >>> scores.values
    array([1., 0., 0.])
    >>> exact.estimate(scores)
    Estimate(mean=0.333..., low=0.017..., high=0.792..., n=3)

To write one, subclass `Metric`, decorate it with `@metric`, and give it `score_one`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import inf, nan
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from workbench import statistics
from workbench.errors import MetricError, Unscored
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.scores import FloatArray, Scores, aligned, joined
from workbench.metrics.text import reference_texts, text_of

Kind = Literal["proportion", "mean", "corpus"]
Reads = Literal["answer", "text"]
UNBOUNDED = (-inf, inf)


class RowScorer(Protocol):
    """Scores clean texts for a metric, elsewhere or in parts."""

    def score(self, metric: Metric, predictions: list[str], references: list[list[str]]) -> Scores:
        """What `metric.score_texts` gives."""


class Metric:
    """Base of every metric. Subclasses give `name`, the facts below and `score_one`.

    What is scored how:

    - A reference of None, "", NaN or an empty list leaves its row unscored: NaN, out of every mean.
    - A prediction of None means that no answer was found in the output. It is a wrong answer, never
      an unscored one: it gets `no_answer`, or is scored as an empty text where that is None.
    - A reference may be a text, a number, or a list of acceptable ones; the best match counts.
    - A row that raises is unscored with the reason; the other rows are scored. A metric says so on
      purpose by raising `Unscored`.

    Attributes:
        name: as it is written in experiments and on the command line.
        description: one sentence for menus.
        direction: whether "higher" or "lower" is better.
        range: the least and the greatest possible score, in the metric's own unit.
        kind: "proportion" (each score 0 or 1), "mean" (of the rows' scores), or "corpus" (a score
            of all rows together, which is not the mean of theirs).
        source: the paper or reference implementation that defines it.
        needs_reference: False for a metric of the prediction alone.
        no_answer: the score of a missing answer; None scores it as an empty text.
        reads: "answer" (what the answer rule read) or "text" (the whole output and the reference as
            it is written). Any metric's `of` setting changes it.
        reference_column: another column than the dataset's reference; any metric's `reference` setting.
        needs_outputs: whether it reads more of a cell than answers: whole texts, tokens, latency.
        asks_models: whether it asks a model, which only happens where calls are allowed.
        by_row: whether rows are scored apart from each other although `score_rows` is overridden.
        spec: as it was loaded, so that another process can load it too; None where it was not.
        spread: who scores texts when many rows take long; None: this process, all at once.
    """

    name: str
    description: ClassVar[str]
    direction: Literal["higher", "lower"] = "higher"
    range: tuple[float, float] = (0.0, 1.0)
    kind: Kind = "mean"
    source: ClassVar[str] = ""
    needs_reference: bool = True
    no_answer: float | None = 0.0
    reads: Reads = "answer"
    reference_column: str | None = None
    needs_outputs: bool = False
    asks_models: bool = False
    by_row: ClassVar[bool] = False
    spec: str | Mapping[str, Any] | None = None
    spread: RowScorer | None = None

    def check_references(self, references: Sequence[Any]) -> None:
        """Raises MetricError where these right answers cannot be measured, whatever the outputs will be."""

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """Score a whole cell. Override it to use more than predictions and references."""
        return self.score(*self.columns(outputs))

    def columns(self, outputs: CellOutputs) -> tuple[Sequence[str | None], Sequence[Any]]:
        """The predictions and references that the metric's `of` and `reference` settings ask for."""
        predictions: Sequence[str | None] = outputs.answers
        references = outputs.references
        if self.reads == "text":
            predictions, references = outputs.texts, outputs.raw_references
        if self.reference_column is not None:
            references = outputs.column(self.reference_column)
        return predictions, references

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Score each prediction against its reference; see the class for None and empty ones."""
        count = len(predictions)
        if references is None:
            if self.needs_reference:
                raise MetricError(f"Metric '{self.name}' needs a reference for each prediction.")
            references = [None] * count
        if len(references) != count:
            raise MetricError(
                f"Metric '{self.name}' got {count} predictions but {len(references)} references."
            )
        answers: list[str] = []
        accepted: list[list[str]] = []
        rows: list[int] = []
        values = np.full(count, np.nan)
        for row, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
            texts = reference_texts(reference)
            if self.needs_reference and not texts:
                continue
            answer = text_of(prediction)
            if answer is None and self.no_answer is not None:
                values[row] = self.no_answer
                continue
            answers.append(answer or "")
            accepted.append(texts)
            rows.append(row)
        score_texts = self.score_texts if self.spread is None else partial(self.spread.score, self)
        scored = score_texts(answers, accepted)
        values[rows] = scored.values
        reasons = {rows[place]: reason for place, reason in scored.reasons.items()}
        if scored.sufficient is None:
            return Scores(values, reasons=reasons)
        sufficient = np.full((count, scored.sufficient.shape[1]), np.nan)
        sufficient[rows] = scored.sufficient
        return Scores(values, sufficient, scored.blocks, reasons)

    def score_texts(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """All rows at once; where that raises, one by one, so that only the rows at fault go unscored."""
        try:
            return self.score_rows(predictions, references)
        except Exception as problem:
            _reason(problem)
        parts = []
        for prediction, accepted in zip(predictions, references, strict=True):
            try:
                parts.append(self.score_rows([prediction], [accepted]))
            except Exception as problem:
                parts.append(Scores(np.full(1, np.nan), reasons={0: _reason(problem)}))
        return joined(parts)

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Score clean rows: every prediction a text, every reference a list of texts.

        Override it to score many rows at once; otherwise `score_one` is called for each.
        """
        values = np.full(len(predictions), np.nan)
        reasons: dict[int, str] = {}
        for row, (prediction, accepted) in enumerate(zip(predictions, references, strict=True)):
            try:
                values[row] = self.score_one(prediction, accepted)
            except Exception as problem:
                reasons[row] = _reason(problem)
        return Scores(values, reasons=reasons)

    def score_one(self, prediction: str, references: list[str]) -> float:
        """The score of one prediction against its acceptable references (at least one)."""
        raise NotImplementedError(f"{type(self).__name__} gives neither score_one nor score_rows")

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """Corpus scores (...) from summed sufficient statistics (..., k)."""
        raise NotImplementedError(f"{type(self).__name__} is not a corpus metric")

    def signature(self) -> str | None:
        """How the score was computed, in the reference implementation's own notation, if it has one."""
        return None

    def value(self, scores: Scores) -> float:
        """The score of all rows together, without an interval; NaN when none was scored."""
        kept = ~np.isnan(scores.values)
        if not kept.any():
            return nan
        if scores.sufficient is None:
            return float(scores.values[kept].mean())
        return float(self.aggregate(scores.sufficient[kept].sum(axis=0)))

    def estimate(
        self,
        scores: Scores,
        clusters: npt.ArrayLike | None = None,
        confidence: float = 0.95,
        seed: int = 0,
    ) -> statistics.Estimate:
        """The cell's score with its interval: Wilson, bootstrap of the mean, or of the corpus.

        `clusters`: one id a row of `scores`, equal for repeats of the same dataset row.
        """
        if self.kind == "proportion":
            return statistics.proportion(scores.values, clusters, confidence)
        if scores.sufficient is None:
            return statistics.bootstrap_mean(
                scores.values, clusters, confidence, seed=seed, bounds=self.range
            )
        return statistics.bootstrap_statistic(
            scores.sufficient, self.aggregate, clusters, confidence, seed=seed, bounds=self.range
        )

    def compare(
        self,
        baseline: Scores,
        candidate: Scores,
        clusters: npt.ArrayLike | None = None,
        confidence: float = 0.95,
        seed: int = 0,
    ) -> statistics.PairedComparison:
        """Candidate - baseline over the rows both scored; the two must be in the same row order."""
        if len(baseline.values) != len(candidate.values):
            raise MetricError(
                f"Metric '{self.name}' compares row by row, but the baseline has "
                f"{len(baseline.values)} rows and the candidate {len(candidate.values)}."
            )
        baseline, candidate = aligned(baseline, candidate)
        if baseline.sufficient is None or candidate.sufficient is None:
            return statistics.compare_paired(
                baseline.values,
                candidate.values,
                clusters,
                confidence=confidence,
                seed=seed,
                bounds=self.range,
            )
        return statistics.compare_corpus(
            baseline.sufficient,
            candidate.sufficient,
            self.aggregate,
            clusters,
            confidence=confidence,
            seed=seed,
            bounds=self.range,
        )


def _reason(problem: Exception) -> str:
    """Why a row that raised is unscored; a MetricError that is about no single row goes on."""
    if isinstance(problem, Unscored):
        return str(problem)
    if isinstance(problem, MetricError):
        raise problem
    return f"{type(problem).__name__}: {problem}"
