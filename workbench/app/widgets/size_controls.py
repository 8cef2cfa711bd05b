"""What the Size page asks: by which metric and prompt, how much worse is good enough, what is counted.

Every choice stands in the URL: `/size?run=…&metric=exact_match&margin=0.02&cost=usd&hour=0.4`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose, segments
from workbench.app.widgets.size_axes import AXES
from workbench.app.widgets.size_words import higher_is_better
from workbench.core.run import Report

WIDTHS = (2.2, 1.6, 1.6)
CONFIDENCES = {"0.95": "95 %", "0.9": "90 %", "0.99": "99 %"}
"""The first is the default."""


@dataclass(frozen=True)
class Question:
    """How the question of size is put."""

    prompt: str | None
    metric: str
    margin: float
    """In the metric's own unit."""
    cost: str
    confidence: float
    machine_usd_per_hour: float | None


def question(table: Report, margin: float) -> Question:
    """Draws the controls below the choice of the run.

    Args:
        margin: the default, in the metric's own unit.
    """
    metrics = list(dict.fromkeys(metric for cell in table.cells for metric in cell.metrics))
    prompts = list(dict.fromkeys(cell.cell.prompt for cell in table.cells))
    by_prompt, by_metric, by_margin = st.columns(WIDTHS, vertical_alignment="bottom")
    with by_prompt:
        metric = state.choice(state.METRIC, metrics) or metrics[0]
        prompt = choose("Prompt", prompts, state.PROMPT, best_prompt(table, metric), sticky=False)
    with by_metric:
        metric = choose("Metric", metrics, state.METRIC) or metrics[0]
    with by_margin:
        margin = _margin(_is_share(table, metric), margin)
    by_cost, by_confidence, by_hour = st.columns(WIDTHS, vertical_alignment="bottom")
    with by_cost:
        cost = segments("What it takes", {key: axis.label for key, axis in AXES.items()}, state.COST)
    with by_confidence:
        confidence = choose(
            "Confidence",
            list(CONFIDENCES),
            state.CONFIDENCE,
            next(iter(CONFIDENCES)),
            shown=CONFIDENCES.__getitem__,
            sticky=False,
        )
    with by_hour:
        hour = _number(
            "An hour of this machine, USD",
            state.HOUR,
            (0.0, 10_000.0),
            None,
            0.1,
            "With it, local models have a cost per 1,000 rows. Left empty: the price in the model's row.",
        )
    return Question(prompt, metric, margin, cost, float(confidence or 0.95), hour)


def best_prompt(table: Report, metric: str) -> str | None:
    """The prompt of the cell with the best mean."""
    sign = 1 if higher_is_better(metric) else -1
    scored = [
        (sign * cell.metrics[metric].mean, cell.cell.prompt)
        for cell in table.cells
        if metric in cell.metrics and not math.isnan(cell.metrics[metric].mean)
    ]
    return max(scored, key=lambda one: one[0])[1] if scored else None


def _is_share(table: Report, metric: str) -> bool:
    """Whether the metric runs from 0 to 1, so that the margin is asked for in points."""
    found = [cell.metrics[metric] for cell in table.cells if metric in cell.metrics]
    return all(math.isnan(one.mean) or (one.low >= 0 and one.high <= 1) for one in found)


def _margin(share: bool, default: float) -> float:
    """How much worse than the best is still good enough; in points where the metric is a share."""
    unit = 100 if share else 1
    shown = _number(
        "May be worse by, points" if share else "May be worse by",
        state.MARGIN,
        (0.001, 1.0) if share else (0.001, 1e6),
        default,
        1 / unit,
        "How far below the best model a smaller one may lie and still be good enough.",
        unit,
    )
    return default if shown is None else shown


def _number(
    label: str,
    key: str,
    limits: tuple[float, float],
    default: float | None,
    step: float,
    explained: str,
    unit: float = 1.0,
) -> float | None:
    """A number that lives in the URL, shown `unit` times as large."""
    widget = f"url {key} times {unit:g}"
    found = state.decimal(key, *limits, default)
    state.hold(widget, None if found is None else round(found * unit, 6))

    def store() -> None:
        value = st.session_state[widget]
        state.put(**{key: None if value is None else f"{round(value / unit, 9):g}"})

    st.number_input(
        label,
        min_value=limits[0] * unit,
        max_value=limits[1] * unit,
        step=step * unit,
        key=widget,
        format="%g",
        help=explained,
        placeholder="not known",
        on_change=store,
    )
    return found
