"""Few labels by people and many by a judge: a corrected mean, as honest as the people alone and tighter.

    >>> prediction_powered_mean(human=[4, 2, 5, 3, nan, nan], judge=[5, 3, 5, 4, 4, 2])
    PredictionPowered(value=3.09..., low=0.10..., high=6.08..., trust=0.32..., n=4, judged=2, human=3.5, ...)

The judge's own mean may be off by any bias. On the rows that people labelled too the bias is seen, and taken
off; how much the judge is trusted (λ, "power tuning") follows from how well it goes with the people, so
that a useless judge costs nothing. One value a row: average repeats and raters first.

Sources: Angelopoulos, Bates, Fannjiang, Jordan & Zrnic, "Prediction-powered inference", Science 382, 2023;
Angelopoulos, Duchi & Zrnic, "PPI++: Efficient Prediction-Powered Inference", 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import numpy.typing as npt

from workbench.statistics.quantiles import student_quantile, two_sided_z
from workbench.statistics.resampling import FloatArray


@dataclass(frozen=True)
class PredictionPowered:
    """A mean, or a difference of two, corrected by a judge.

    Attributes:
        value, low, high: the corrected estimate, in the unit of the people's labels.
        trust: λ, by how much a rise of the judge's mean by 1 moves the estimate; 0: it is not used.
        n: rows with a label by people and by the judge; judged: rows with the judge's alone.
        human, human_low, human_high: the same from the people's labels alone.
        judge: the judge's plain mean over all its rows, without a correction.
        worth: how many labels by people alone would give the same width; n where the judge is of no use.
    """

    value: float
    low: float
    high: float
    trust: float
    n: int
    judged: int
    human: float
    human_low: float
    human_high: float
    judge: float
    worth: float


def prediction_powered_mean(
    human: npt.ArrayLike, judge: npt.ArrayLike, *, confidence: float = 0.95, trust: float | None = None
) -> PredictionPowered:
    """The mean that people would give over all rows, from few of their labels and many of the judge's.

    Args:
        human: (rows), NaN where no person labelled the row. Rows without the judge's label are left out.
        judge: (rows), on any scale, NaN where it failed.
        trust: λ, when it is not to be tuned: 1 is plain PPI, 0 the people alone.

    With Y the labels and f the judge's on the n rows that have both, f' the judge's on the N others:

        θ = mean(Y) + λ (mean(f') - mean(f)),   Var θ = Var(Y - λ f) / n + λ² Var(f') / N
        λ = (Cov(Y, f) / n) / (Var(f) / n + Var(f') / N),  which makes Var θ least.

    The interval is θ ± t √Var θ, t Student's quantile with n - 2 degrees of freedom (n - 1 where λ is 0);
    NaN bounds with fewer than four labels (two). Raises ValueError for columns of different lengths.
    """
    two_sided_z(confidence)
    parts = [_part(human, judge, 1.0)]
    return _combined(parts, confidence, trust)


def prediction_powered_difference(
    human: npt.ArrayLike,
    judge: npt.ArrayLike,
    other_human: npt.ArrayLike,
    other_judge: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    trust: float | None = None,
) -> PredictionPowered:
    """By how much the second cell is better than the first: `prediction_powered_mean` of the difference.

    All four columns are of the same rows, NaN where there is no label. Rows labelled for both cells count
    as pairs, others for their cell alone: the variance is summed over rows, each with all that it adds.
    One λ for both cells makes it least.
    """
    two_sided_z(confidence)
    columns = [np.asarray(column).reshape(-1) for column in (human, judge, other_human, other_judge)]
    if len({len(column) for column in columns}) != 1:
        raise ValueError("labels of two cells are columns over the same rows")
    parts = [_part(human, judge, -1.0), _part(other_human, other_judge, 1.0)]
    return _combined(parts, confidence, trust)


@dataclass(frozen=True)
class _Part:
    """One cell's share in an estimate: means, and what each row adds to their error (rows)."""

    human: float
    correction: float
    judge: float
    of_human: FloatArray
    of_judge: FloatArray
    n: int
    judged: int


def _part(human: npt.ArrayLike, judge: npt.ArrayLike, sign: float) -> _Part:
    labels, judged = (np.asarray(column, dtype=np.float64).reshape(-1) for column in (human, judge))
    if len(labels) != len(judged):
        raise ValueError(f"{len(labels)} labels by people do not fit {len(judged)} by the judge")
    both = np.isfinite(labels) & np.isfinite(judged)
    alone = ~np.isfinite(labels) & np.isfinite(judged)
    n, further = int(both.sum()), int(alone.sum())
    of_human, of_judge = np.zeros(len(labels)), np.zeros(len(labels))
    if n:
        of_human[both] = sign * (labels[both] - labels[both].mean()) / n
    correction = 0.0
    if n and further:
        correction = sign * float(judged[alone].mean() - judged[both].mean())
        of_judge[both] = -sign * (judged[both] - judged[both].mean()) / n
        of_judge[alone] = sign * (judged[alone] - judged[alone].mean()) / further
    return _Part(
        human=sign * float(labels[both].mean()) if n else nan,
        correction=correction,
        judge=sign * float(judged[both | alone].mean()) if n + further else nan,
        of_human=of_human,
        of_judge=of_judge,
        n=n,
        judged=further,
    )


def _combined(parts: list[_Part], confidence: float, trust: float | None) -> PredictionPowered:
    n, judged = min(part.n for part in parts), min(part.judged for part in parts)
    human, correction = sum(part.human for part in parts), sum(part.correction for part in parts)
    judge = sum(part.judge for part in parts)
    of_human = np.sum([part.of_human for part in parts], axis=0)
    of_judge = np.sum([part.of_judge for part in parts], axis=0)
    useful = float(of_judge @ of_judge)
    if trust is None:
        trust = -float(of_human @ of_judge) / useful if useful > 0 and n > 3 else 0.0
    alone = _half_width(of_human, n, 1, confidence)
    half = _half_width(of_human + trust * of_judge, n, 2 if trust else 1, confidence)
    value = human + trust * correction
    error, error_alone = (
        float(np.sqrt(column @ column)) for column in (of_human + trust * of_judge, of_human)
    )
    return PredictionPowered(
        value=value,
        low=value - half,
        high=value + half,
        trust=trust,
        n=n,
        judged=judged,
        human=human,
        human_low=human - alone,
        human_high=human + alone,
        judge=judge,
        worth=n * (error_alone / error) ** 2 if error > 0 else float(n),
    )


def _half_width(adds: FloatArray, n: int, fitted: int, confidence: float) -> float:
    """Half the interval from what rows add to the error, `fitted` numbers having been fitted to n of them."""
    if n - fitted < 1 or (fitted > 1 and n < 4):
        return nan
    variance = float(adds @ adds) * n / (n - fitted)
    return student_quantile((1 + confidence) / 2, n - fitted) * sqrt(variance)
