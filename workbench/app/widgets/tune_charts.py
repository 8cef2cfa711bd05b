"""The charts of a training: losses with the best step and where validation turned, and small ones beside.

Each says in words (`alt`) what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.app.widgets.charts import COLOURS, SERIES, TOOLBAR, ink, safe, whole_steps
from workbench.app.widgets.numbers import score
from workbench.core.tuning import TuningPoint
from workbench.tuning import TrainingState
from workbench.tuning.training.events import ENDED

MOST = 600
"""Points of a line; a longer training is thinned out."""


def loss_chart(points: Sequence[TuningPoint], state: TrainingState, key: str) -> None:
    """Train and validation loss by step."""
    import plotly.graph_objects as go

    learnt = _thin([(one.step, one.loss) for one in points if one.loss is not None])
    held = [(one.step, one.validation_loss) for one in points if one.validation_loss is not None]
    figure = go.Figure()
    figure.add_trace(_line("train", learnt, SERIES[0], "lines", go))
    if held:
        figure.add_trace(_line("validation", held, SERIES[1], "lines+markers", go))
    best = state.best_step
    if best is not None and state.validation_loss is not None:
        figure.add_trace(
            go.Scatter(
                x=[best],
                y=[state.validation_loss],
                mode="markers",
                name=f"best, step {best}",
                marker={"symbol": "star", "size": 15, "color": COLOURS["better"]},
                hovertext=[f"best: step {best}, {score(state.validation_loss)}"],
                hoverinfo="text",
            )
        )
    turned = state.overfitting
    if turned is not None:
        last = max(one.step for one in points)
        figure.add_vrect(
            x0=turned.best_step,
            x1=max(last, turned.since),
            fillcolor=COLOURS["worse"],
            opacity=0.12,
            line_width=0,
            annotation_text="validation gets worse",
            annotation_position="top left",
            annotation_font_color=ink(),
        )
    figure.update_layout(
        height=330,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title="step",
        yaxis_title="loss",
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    if learnt or held:
        seen = max(step for step, _ in [*learnt, *held])
        end = last_shown(state, seen)
        figure.update_xaxes(range=[-0.02 * end, end * 1.02], dtick=whole_steps(end))
    st.plotly_chart(figure, key=f"chart {key}", config=TOOLBAR, alt=_spoken(learnt, held, state))


def last_shown(state: TrainingState, seen: int) -> int:
    """The step at which the axis ends: with room for as many steps again, as long as there are more."""
    return max(seen, 1) if state.status in ENDED else max(seen, min(state.steps, 2 * seen), 1)


def small_chart(
    points: Sequence[TuningPoint], label: str, of: Callable[[TuningPoint], float | None], key: str
) -> None:
    """One line by step under its name; nothing where it was never seen."""
    import plotly.graph_objects as go

    found = _thin([(one.step, value) for one in points if (value := of(one)) is not None])
    if not found:
        return
    figure = go.Figure(_line(label, found, SERIES[2], "lines", go))
    figure.update_layout(
        height=190,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis_title="step",
        yaxis_title=safe(label),
        showlegend=False,
    )
    figure.update_xaxes(dtick=whole_steps(found[-1][0]))
    # a learning rate is 0.0002, not 200µ
    figure.update_yaxes(rangemode="tozero", exponentformat="none", separatethousands=True)
    values = [value for _, value in found]
    st.plotly_chart(
        figure,
        key=f"chart {key}",
        config=TOOLBAR,
        alt=f"{label} by step: from {values[0]:.4g} to {values[-1]:.4g}, at most {max(values):.4g}.",
    )


def _line(name: str, points: Sequence[tuple[int, float]], colour: str, mode: str, go: Any) -> Any:
    return go.Scatter(
        x=[step for step, _ in points],
        y=[value for _, value in points],
        mode=mode if len(points) > 1 else "markers",
        name=safe(name),
        line={"color": colour, "width": 2},
        hovertemplate="step %{x}: %{y:.4g}",
    )


def _thin(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    every = -(-len(points) // MOST)
    return points if every <= 1 else [*points[::every], points[-1]]


def _spoken(
    learnt: Sequence[tuple[int, float]], held: Sequence[tuple[int, float]], state: TrainingState
) -> str:
    said = []
    if learnt:
        said.append(f"train loss from {score(learnt[0][1])} to {score(learnt[-1][1])}")
    if held:
        said.append(f"validation loss from {score(held[0][1])} to {score(held[-1][1])}")
    if state.best_step is not None:
        said.append(f"best at step {state.best_step}")
    if state.overfitting is not None:
        said.append(f"worse since step {state.overfitting.since}")
    return f"Losses by step: {'; '.join(said)}."
