"""Checks put together into one pass or fail, with weights, thresholds and `not`.

{name: checks, as: acceptable, threshold: 0.7, checks: [
    {metric: exact_match, weight: 2}, {metric: {name: length, max: 50}},
    {metric: contains, not: true}, {metric: rouge_l, threshold: 0.5}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal

import numpy as np

from workbench.errors import MetricError, suggestion
from workbench.metrics.base import Metric
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.registry import load_metric, metric
from workbench.metrics.scores import FloatArray, Scores
from workbench.metrics.text import reference_texts

_KEYS = ("metric", "weight", "not", "threshold")
_LONGEST = 200  # characters of a check's own reason that are passed on


@dataclass(frozen=True)
class Check:
    """One part: a metric, how much it counts, and from which score on it passes.

    `threshold` is in the metric's own unit; None where a row is simply right or wrong, or where the
    check is only reported (weight 0).
    """

    metric: Metric
    weight: float = 1.0
    negated: bool = False
    threshold: float | None = None

    @property
    def label(self) -> str:
        """How reasons name it."""
        return f"not {self.metric.name}" if self.negated else self.metric.name

    def passed(self, values: FloatArray) -> np.ndarray:
        """Which rows pass, (n,) booleans; rows that are not scored do not."""
        edge = 1.0 if self.threshold is None else self.threshold
        met = values <= edge if self.metric.direction == "lower" else values >= edge
        return np.asarray(met != self.negated)

    def shares(self, values: FloatArray) -> FloatArray:
        """Each row's score between 0 (worst) and 1 (best): by the metric's range, else pass or fail."""
        low, high = self.metric.range
        if not (isfinite(low) and isfinite(high)):
            return self.passed(values).astype(np.float64)
        shares = np.clip((values - low) / (high - low), 0.0, 1.0)
        return 1 - shares if (self.metric.direction == "lower") != self.negated else shares

    def failure(self, value: float, reason: str) -> str:
        """A failed row in words, as in `rouge_l 0.31 (needs 0.5 or more)`."""
        words = self.label
        if self.threshold is not None:
            needed = {
                ("higher", False): "{:g} or more",
                ("lower", False): "{:g} or less",
                ("higher", True): "less than {:g}",
                ("lower", True): "more than {:g}",
            }[self.metric.direction, self.negated]
            words += f" {value:.4g} (needs {needed.format(self.threshold)})"
        return f"{words}: {reason[:_LONGEST]}" if reason else words


@metric
class Checks(Metric):
    """Pass or fail of several checks: 1 when all pass, or when their weighted mean reaches `threshold`.

    A check is `metric` (a name, or a mapping with its settings; checks may be nested), `weight` (1 by
    itself), `not` and `threshold`. It passes at its threshold or above (where less is better: or below);
    without one when it is 1, which only metrics of right or wrong may leave out. `not` turns pass and score
    round. Weight 0 always passes and is only reported. The score is the weighted mean of the checks'
    scores, each between 0 and 1 by its metric's range; one without bounds counts as pass or fail.

    A row that a check cannot score is unscored, unless that check has weight 0. `give: score` gives the
    mean itself in place of pass or fail. Range 0 to 1.
    """

    name = "checks"
    description = "Share of outputs that pass all of several checks, or enough of them by weight."
    source = "The rules by which promptfoo sums up a test's assertions."

    def __init__(
        self,
        checks: Sequence[Mapping[str, Any]] = (),
        threshold: float | None = None,
        give: Literal["pass", "score"] = "pass",
    ) -> None:
        if isinstance(checks, (str, Mapping)) or not isinstance(checks, Sequence) or not checks:
            raise MetricError(
                "Metric 'checks' needs a list of `checks`, such as checks: [{metric: exact_match}]."
            )
        if give not in ("pass", "score"):
            raise MetricError(f"Metric 'checks': `give` is pass or score, not '{give}'.")
        self.parts = [_check(place, written) for place, written in enumerate(checks, 1)]
        counted = [part.metric for part in self.parts if part.weight > 0]
        if not counted:
            raise MetricError(
                "Metric 'checks': every check has weight 0, so none can fail; give one a weight."
            )
        self.threshold = None if threshold is None else _number("`threshold`", threshold, 0.0, 1.0)
        self.give = give
        self.kind = "proportion" if give == "pass" else "mean"
        metrics = [part.metric for part in self.parts]
        self.needs_reference = any(one.needs_reference for one in counted)
        self.needs_outputs = any(one.needs_outputs or one.reads == "text" for one in metrics)
        self.asks_models = any(one.asks_models for one in metrics)

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Answers alone: they are taken for the whole outputs."""
        if references is None:
            if self.needs_reference:
                raise MetricError(f"Metric '{self.name}' needs a reference for each prediction.")
            references = [None] * len(predictions)
        if len(references) != len(predictions):
            raise MetricError(
                f"Metric '{self.name}' got {len(predictions)} predictions but {len(references)} references."
            )
        texts = ["" if text is None else str(text) for text in predictions]
        return self.score_outputs(CellOutputs(predictions, references, references, texts))

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """Pass or fail, or the weighted mean, for each output; reasons name the checks that failed."""
        scored = [self._part(part).score_outputs(outputs) for part in self.parts]
        counted = np.array([part.weight > 0 for part in self.parts])
        weights = np.array([part.weight for part in self.parts])
        values = np.stack([one.values for one in scored])
        passed = np.stack([part.passed(row) for part, row in zip(self.parts, values, strict=True)])
        shares = np.stack([part.shares(row) for part, row in zip(self.parts, values, strict=True)])
        unscored = np.isnan(values[counted]).any(axis=0)
        mean = (np.nan_to_num(shares[counted]) * weights[counted, None]).sum(axis=0) / weights.sum()
        # sums of weights such as 0.1 + 0.2 may not fail a threshold that they reach
        enough = passed[counted].all(axis=0) if self.threshold is None else mean >= self.threshold - 1e-12
        found = np.where(unscored, np.nan, enough if self.give == "pass" else mean)
        reasons = {}
        for row in np.flatnonzero(unscored | ~passed.all(axis=0)):
            why = self._why(int(row), scored, passed[:, row], bool(unscored[row]), outputs)
            if why:
                reasons[int(row)] = why
        failed = {row: error for one in scored for row, error in one.failed.items()}
        return Scores(found.astype(np.float64), reasons=reasons, failed=failed)

    def _part(self, part: Check) -> Metric:
        """A check's metric, told what this metric was told where the check says nothing."""
        if self.reads == "text":
            part.metric.reads = "text"
        if part.metric.reference_column is None:
            part.metric.reference_column = self.reference_column
        part.metric.spread = self.spread
        return part.metric

    def _why(
        self, row: int, scored: list[Scores], passed: np.ndarray, unscored: bool, outputs: CellOutputs
    ) -> str:
        failed, reported = [], []
        for part, scores, good in zip(self.parts, scored, passed, strict=True):
            value, reason = float(scores.values[row]), scores.reasons.get(row, "")
            if np.isnan(value):
                if part.weight > 0:
                    return f"{part.label}: {reason}" if reason else _nothing(part, row, outputs)
            elif not good and part.weight > 0:
                failed.append(part.failure(value, reason))
            elif not good and (part.threshold is not None or part.metric.kind == "proportion"):
                reported.append(part.failure(value, reason))
        return "; ".join(
            f"{words}: {', '.join(parts)}"
            for words, parts in (("failed", failed), ("only reported", reported))
            if parts
        )


def _check(place: int, written: Any) -> Check:
    where = f"Metric 'checks', check {place}"
    if isinstance(written, str):
        written = {"metric": written}
    if not isinstance(written, Mapping) or not written.get("metric"):
        raise MetricError(f"{where}: it needs a `metric`, such as {{metric: exact_match}}, not {written!r}.")
    for key in written:
        if key not in _KEYS:
            raise MetricError(
                f"{where}: there is no key '{key}'.{suggestion(str(key), _KEYS)} "
                "A metric's own settings stand inside `metric`."
            )
    negated, threshold = written.get("not", False), written.get("threshold")
    if not isinstance(negated, bool):
        raise MetricError(f"{where}: `not` is true or false, not {negated!r}.")
    part = Check(load_metric(written["metric"]), negated=negated)
    part = replace(part, weight=_number(f"check {place}: `weight`", written.get("weight", 1), 0.0))
    if threshold is not None:
        return replace(part, threshold=_number(f"check {place}: `threshold`", threshold))
    if part.metric.kind != "proportion" and part.weight > 0:
        raise MetricError(
            f"{where}: '{part.metric.name}' gives more than right or wrong; say with `threshold` from which "
            "score on it passes."
        )
    return part


def _number(what: str, value: Any, low: float = float("-inf"), high: float = float("inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        bounds = (
            f" from {low:g}" + (f" to {high:g}" if isfinite(high) else " upwards") if isfinite(low) else ""
        )
        raise MetricError(f"Metric 'checks', {what} is a number{bounds}, not {value!r}.")
    if not isfinite(value):
        raise MetricError(f"Metric 'checks', {what} must be finite.")
    return float(value)


def _nothing(part: Check, row: int, outputs: CellOutputs) -> str:
    """Why a check gave no score where it does not say so itself."""
    bare = part.metric.needs_reference and not reference_texts(outputs.references[row])
    return f"{part.label}: the row has no reference" if bare else f"{part.label}: not scored"
