"""Metrics over finished rows, with no model and no experiment: what `workbench score FILE` computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import isnan
from typing import Any

import numpy as np

from workbench.errors import MetricError, suggestion
from workbench.metrics.base import Metric
from workbench.metrics.cell_outputs import CellOutputs, ModelServices
from workbench.metrics.parallel import Spread
from workbench.metrics.registry import load_metric
from workbench.metrics.scores import Scores
from workbench.metrics.text import reference_texts, text_of

MOST_REASONS = 5

Read = Callable[[str], str | None]
OnTableRows = Callable[[str, int, int], None]


def score_table(
    rows: Sequence[Mapping[str, Any]],
    prediction: str,
    reference: str | None,
    metrics: Iterable[str | Mapping[str, Any] | Metric],
    read: Read | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    models: ModelServices | None = None,
    on_rows: OnTableRows | None = None,
) -> dict[str, Any]:
    """Score one column against another: a document ready for JSON.

    Args:
        rows: records with at least the two columns.
        prediction: column of the predictions.
        reference: column of the references; a cell may hold a list of acceptable ones. None where no
            metric needs it, or each names its own.
        metrics: names, mappings with settings, or loaded metrics.
        read: reads the answer out of a text (None: no answer found), applied to both columns. A
            reference it finds nothing in is kept as it is written. Metrics of the whole text see both
            columns as they are.
        models: who answers metrics that ask models.
        on_rows: told how far a slow metric is: its name, rows done, rows in all.

    Returns:
        {"rows": N, "metrics": {name: {"value", "low", "high", "n", "unscored", "reasons"}}}, with
        "signature" where the metric has one; NaN as None. `reasons` are those of the first five rows
        that are unscored for one, as {"row", "reason"}, rows counted from 1.

    Raises MetricError for a column that is not there, and for a metric that cannot be loaded or that
    needs references where there are none.
    """
    loaded = [spec if isinstance(spec, Metric) else load_metric(spec) for spec in metrics]
    names = [metric.name for metric in loaded]
    for place, metric in enumerate(loaded):
        if metric.name in names[:place]:
            raise MetricError(f"Metric '{metric.name}' is listed twice; give one another name with `as`.")
        if reference is None and metric.needs_reference and metric.reference_column is None:
            raise MetricError(f"Metric '{metric.name}' needs right answers; name their column as reference.")
    outputs = _outputs(rows, prediction, reference, read, models)
    report: dict[str, Any] = {}
    with Spread() as spread:
        scored = [_spread(metric, outputs, spread, on_rows) for metric in loaded]
    for metric, scores in zip(loaded, scored, strict=True):
        estimate = metric.estimate(scores, confidence=confidence, seed=seed)
        entry: dict[str, Any] = {
            "value": _finite(estimate.mean),
            "low": _finite(estimate.low),
            "high": _finite(estimate.high),
            "n": estimate.n,
            "unscored": len(rows) - estimate.n,
            "reasons": _reasons(scores),
        }
        signature = metric.signature()
        if signature is not None:
            entry["signature"] = signature
        report[metric.name] = entry
    return {"rows": len(rows), "metrics": report}


def _spread(metric: Metric, outputs: CellOutputs, spread: Spread, on_rows: OnTableRows | None) -> Scores:
    spread.on_rows = None if on_rows is None else partial(on_rows, metric.name)
    metric.spread = spread
    try:
        return metric.score_outputs(outputs)
    finally:
        metric.spread = None


def _outputs(
    rows: Sequence[Mapping[str, Any]],
    prediction: str,
    reference: str | None,
    read: Read | None,
    models: ModelServices | None,
) -> CellOutputs:
    """The rows as one cell's outputs, each of a row of its own."""
    said = [text_of(value) for value in _column(rows, prediction)]
    raw: list[Any] = [None] * len(rows) if reference is None else _column(rows, reference)
    answers, references = said, raw
    if read is not None:
        answers = [None if text is None else read(text) for text in said]
        references = [[read(text) or text for text in reference_texts(right)] for right in raw]
    return CellOutputs(
        answers=answers,
        references=references,
        raw_references=raw,
        texts=[text or "" for text in said],
        rows=rows,
        group=np.arange(len(rows), dtype=np.int64),
        models=models,
    )


def _reasons(scores: Scores) -> list[dict[str, Any]]:
    unscored = sorted(row for row in scores.reasons if isnan(scores.values[row]))
    return [{"row": row + 1, "reason": scores.reasons[row]} for row in unscored[:MOST_REASONS]]


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    known = {key for row in rows for key in row}
    if rows and name not in known:
        raise MetricError(f"There is no column '{name}'.{suggestion(name, sorted(known))}")
    return [row.get(name) for row in rows]


def _finite(number: float) -> float | None:
    return None if isnan(number) else number
