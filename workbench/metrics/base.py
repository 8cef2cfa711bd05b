"""What a metric is: a named measure that gives each row a score and knows how to sum them up.

    >>> exact = load_metric("exact_match")
    >>> scores = exact.score(["42", "7", None], ["42", "8", "9"])
    >>> scores.values
    array([1., 0., 0.])
    >>> exact.estimate(scores)
    Estimate(mean=0.333..., low=0.061..., high=0.792..., n=3)

To write one, subclass `Metric`, decorate it with `@metric`, and give it `score_one`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from workbench import statistics
from workbench.errors import MetricError
from workbench.metrics.text import reference_texts, text_of

FloatArray = npt.NDArray[np.float64]
Kind = Literal["proportion", "mean", "corpus"]


@dataclass(frozen=True)
class Scores:
    """One cell's scores on one metric, in the order of its rows.

    Attributes:
        values: (n,) floats, one a row; NaN is "not scored" (no reference), which is not 0.
        sufficient: (n, k) floats for a corpus metric, NaN rows where `values` is NaN; their column
            sums over any set of rows give that set's corpus score through `Metric.aggregate`.
    """

    values: FloatArray
    sufficient: FloatArray | None = None


class Metric:
    """Base of every metric. Subclasses give `name`, the facts below and `score_one`.

    What is scored how:

    - A reference of None, "", NaN or an empty list leaves its row unscored: NaN, out of every mean.
    - A prediction of None means that no answer was found in the output. It is a wrong answer, never
      an unscored one: it gets `no_answer`, or is scored as an empty text where that is None.
    - A reference may be a text, a number, or a list of acceptable ones; the best match counts.

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
    """

    name: str
    description: ClassVar[str]
    direction: Literal["higher", "lower"] = "higher"
    range: tuple[float, float] = (0.0, 1.0)
    kind: ClassVar[Kind] = "mean"
    source: ClassVar[str] = ""
    needs_reference: ClassVar[bool] = True
    no_answer: ClassVar[float | None] = 0.0

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
        scored = self.score_rows(answers, accepted)
        values[rows] = scored.values
        if scored.sufficient is None:
            return Scores(values)
        sufficient = np.full((count, scored.sufficient.shape[1]), np.nan)
        sufficient[rows] = scored.sufficient
        return Scores(values, sufficient)

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Score clean rows: every prediction a text, every reference a list of texts.

        Override it to score many rows at once; otherwise `score_one` is called for each.
        """
        pairs = zip(predictions, references, strict=True)
        return Scores(np.array([self.score_one(p, r) for p, r in pairs], dtype=np.float64))

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
            return statistics.bootstrap_mean(scores.values, clusters, confidence, seed=seed)
        return statistics.bootstrap_statistic(
            scores.sufficient, self.aggregate, clusters, confidence, seed=seed
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
        if baseline.sufficient is None or candidate.sufficient is None:
            return statistics.compare_paired(
                baseline.values, candidate.values, clusters, confidence=confidence, seed=seed
            )
        return statistics.compare_corpus(
            baseline.sufficient,
            candidate.sufficient,
            self.aggregate,
            clusters,
            confidence=confidence,
            seed=seed,
        )


UNBOUNDED = (-inf, inf)
