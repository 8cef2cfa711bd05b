"""Metrics over finished rows, with no model and no experiment: what `workbench score FILE` computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan
from typing import Any

from workbench.errors import MetricError, suggestion
from workbench.metrics.base import Metric
from workbench.metrics.registry import load_metric
from workbench.metrics.text import reference_texts, text_of

Read = Callable[[str], str | None]


def score_table(
    rows: Sequence[Mapping[str, Any]],
    prediction: str,
    reference: str,
    metrics: Iterable[str | Mapping[str, Any] | Metric],
    read: Read | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Score one column against another: a document ready for JSON.

    Args:
        rows: records with at least the two columns.
        prediction: column of the predictions.
        reference: column of the references; a cell may hold a list of acceptable ones.
        metrics: names, mappings with settings, or loaded metrics.
        read: reads the answer out of a text (None: no answer found), applied to both columns. A
            reference it finds nothing in is kept as it is written.

    Returns:
        {"rows": N, "metrics": {name: {"value", "low", "high", "n"}}}, with "signature" where the
        metric has one; NaN as None.
    """
    predictions = [text_of(value) for value in _column(rows, prediction)]
    references: list[Any] = _column(rows, reference)
    if read is not None:
        predictions = [None if text is None else read(text) for text in predictions]
        references = [[read(text) or text for text in reference_texts(r)] for r in references]
    report: dict[str, Any] = {}
    for spec in metrics:
        metric = spec if isinstance(spec, Metric) else load_metric(spec)
        if metric.name in report:
            raise MetricError(f"Metric '{metric.name}' is listed twice; give one another name with `as`.")
        scores = metric.score(predictions, references)
        estimate = metric.estimate(scores, confidence=confidence, seed=seed)
        entry: dict[str, Any] = {
            "value": _finite(estimate.mean),
            "low": _finite(estimate.low),
            "high": _finite(estimate.high),
            "n": estimate.n,
        }
        signature = metric.signature()
        if signature is not None:
            entry["signature"] = signature
        report[metric.name] = entry
    return {"rows": len(rows), "metrics": report}


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    known = {key for row in rows for key in row}
    if rows and name not in known:
        raise MetricError(f"There is no column '{name}'.{suggestion(name, sorted(known))}")
    return [row.get(name) for row in rows]


def _finite(number: float) -> float | None:
    return None if isnan(number) else number
