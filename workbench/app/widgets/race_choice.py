"""Whether a run shall be a race, chosen beside the Run button."""

from __future__ import annotations

import math

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.core.experiment import Experiment
from workbench.core.race import RaceSettings
from workbench.engine.score import metrics_of

HELP = (
    "Rows are asked in random order, and a cell stops as soon as another is shown to be better: fewer "
    "calls to find the best. Stopped cells do not get all rows and are marked as such."
)


def race_choice(experiment: Experiment | None) -> RaceSettings | None:
    """The race that was chosen; None for a run in which every cell gets every row."""
    by: list[str] = []
    with explained("reading the metrics"):
        by = _metrics(experiment) if experiment is not None else []
    chosen = st.checkbox(
        "Race: stop beaten cells early",
        key="race",
        disabled=not by,
        help=HELP if by else "A race needs a metric that scores each row within bounds.",
    )
    if not chosen or not by:
        return None
    metric = st.selectbox("Race by", by, key="race by") if len(by) > 1 else by[0]
    return RaceSettings(metric or by[0])


def _metrics(experiment: Experiment) -> list[str]:
    return [
        name
        for name, metric in metrics_of(experiment).items()
        if not metric.asks_models and metric.kind != "corpus" and all(math.isfinite(b) for b in metric.range)
    ]
