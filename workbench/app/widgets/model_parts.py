"""Where a model's parameters are: a treemap, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from workbench.app.widgets.charts import TOOLBAR, safe
from workbench.app.widgets.model_facts import amount
from workbench.app.widgets.text import escaped
from workbench.models.local.anatomy import Anatomy
from workbench.models.local.parts import Part

COLOURS = {
    "embedding": "#3f51b5",
    "attention": "#0b6b63",
    "feed-forward": "#b3400b",
    "norms": "#8a6a05",
    "head": "#8e3fd6",
    "other": "#57534b",
}
"""Dark enough for white text, on light and dark paper."""
TREES = {"component": "by component", "layer": "by layer"}
SPOKEN = 8


def parts_panel(found: Anatomy) -> None:
    """The treemap with its table; by component or by layer."""
    tree = st.radio(
        "Show the parameters",
        list(TREES),
        horizontal=True,
        format_func=lambda name: TREES[name],
        key="parts tree",
    )
    treemap(found.components if tree == "component" else found.by_layer, key=f"treemap {tree}")
    if found.tied:
        st.caption("The head shares the embedding's weights: they are stored and counted once.")
    if found.quantized_as:
        st.caption(
            f"The files hold weights packed by {escaped(found.quantized_as)}: numbers are counted as stored, "
            "several weights in one where they are packed."
        )
    with st.expander("The same as a table"):
        parts_table(found.components, found.parameters)


def treemap(root: Part, key: str) -> None:
    """One box a part, its area the parameters; a click on a box looks into it."""
    import plotly.graph_objects as go

    boxes = list(_boxes(root, "", ""))
    figure = go.Figure(
        go.Treemap(
            ids=[box[0] for box in boxes],
            parents=[box[1] for box in boxes],
            labels=[safe(box[2].name) for box in boxes],
            values=[box[2].parameters for box in boxes],
            text=[amount(box[2].parameters) for box in boxes],
            marker={"colors": [COLOURS.get(box[3], "#3b4252") for box in boxes], "line": {"width": 1}},
            branchvalues="total",
            textinfo="label+text+percent root",
            textfont={"color": "#ffffff", "size": 14},
            hovertemplate="%{label}: %{value:,} parameters, %{percentRoot:.1%} of the model<extra></extra>",
            tiling={"pad": 2},
            pathbar={"visible": True},
        )
    )
    figure.update_layout(height=420, margin={"l": 0, "r": 0, "t": 24, "b": 0})
    spoken = "; ".join(
        f"{part.name} {part.parameters / max(1, root.parameters):.0%}" for part in root.parts[:SPOKEN]
    )
    more = f"; and {len(root.parts) - SPOKEN} more" if len(root.parts) > SPOKEN else ""
    st.plotly_chart(figure, key=key, config=TOOLBAR, alt=f"Share of the parameters. {spoken}{more}")


def parts_table(root: Part, whole: int) -> None:
    """Component, part, parameters and share; every number of the treemap."""
    lines = [(component, part) for component in root.parts for part in component.parts]
    st.table(
        {
            "Component": [escaped(component.name) for component, _ in lines],
            "Part": [escaped(part.name) for _, part in lines],
            "Parameters": [f"{part.parameters:,}" for _, part in lines],
            "Share": [f"{part.parameters / max(1, whole):.1%}" for _, part in lines],
        },
        border="horizontal",
        hide_index=True,
        alt="Parameters by component",
    )


def _boxes(part: Part, parent: str, component: str) -> Iterator[tuple[str, str, Part, str]]:
    """Each part with its path as id, its parent's, and the component that gives its colour."""
    path = f"{parent}/{part.name}"
    component = part.name if part.name in COLOURS else component
    yield path, parent, part, component
    for inner in part.parts:
        yield from _boxes(inner, path, component)
