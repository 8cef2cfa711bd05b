"""The head of the Size page: the answer in a sentence, and the chart that shows it at a glance."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.size_axes import AXES, Axis
from workbench.app.widgets.size_charts import quality_chart
from workbench.app.widgets.size_words import answer, difference, higher_is_better, is_share, name
from workbench.app.widgets.text import escaped
from workbench.core.sizing import Sizes


def size_answer(sizes: Sizes, axis: Axis) -> None:
    """The sentence, what is still open, and what could not be told."""
    said = answer(sizes, axis)
    with st.container(border=True):
        st.markdown(f"{'📏' if said.found else '❔'} {said.sentence}")
        for sentence in said.more:
            st.markdown(sentence)
    for note in sizes.notes:
        st.caption(escaped(note))


def size_chart(sizes: Sizes, axis: Axis, key: str) -> None:
    """Quality against what is counted, how to read it, and what is not drawn."""
    if all(axis.value(point) is None for point in sizes.points):
        _nothing_known(sizes, axis)
        if any(point.local for point in sizes.points):
            return
    higher = higher_is_better(sizes.metric)
    quality_chart(sizes, axis, higher, key)
    share = is_share(sizes.points)
    side = "Up is better" if higher else "Down is better"
    st.caption(
        escaped(
            f"{side}, left takes less. Bars are confidence intervals. Filled: good enough, not worse "
            f"than the best by more than {difference(sizes.margin, share)}; the green band reaches that far. "
            "A colour is a model, a shape a quantization. Dotted: the front, where nothing else is both "
            "better and smaller. " + _not_drawn(sizes, axis)
        )
    )


def _not_drawn(sizes: Sizes, axis: Axis) -> str:
    missing = [
        name(point) for point in sizes.points if point.local and point.quality.n and axis.value(point) is None
    ]
    return f"Not drawn, as not measured: {', '.join(missing)}." if missing else ""


def _nothing_known(sizes: Sizes, axis: Axis) -> None:
    if all(not point.local for point in sizes.points):
        st.info(
            "Every model of this run is hosted: what they take of a machine is not known. Compare them by "
            "USD, or add a local model.",
            icon=":material/cloud:",
        )
        link("size", "Compare by USD", ":material/payments:", run=sizes.run, metric=sizes.metric, cost="usd")
    elif axis is AXES["usd"]:
        st.info(
            "No cost is known: give the price of an hour of this machine above, and hosted models a "
            r"`price` in `experiments/models.yaml`.",
            icon=":material/payments:",
        )
    else:
        st.info(
            f"{axis.label} is not measured for any model of this run: run it once more without its cache "
            "(`workbench run … --no-cache`), as answers from the cache measure nothing.",
            icon=":material/straighten:",
        )
