"""What a run found, in one sentence, with the winner one click away."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.errors import explained
from workbench.app.widgets.text import escaped
from workbench.core.run import Comparison, Report
from workbench.engine import Workspace, export_winner, winner


def headline(ws: Workspace, table: Report, comparison: Comparison) -> None:
    """The winner by this metric, why, and its download."""
    with explained("choosing the winner"), st.container(border=True):
        best = winner(ws, table.run, comparison.metric, table)
        st.markdown(f"🏆 **{escaped(best.cell.label)}** is ahead  \n{escaped(best.reason)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                "Download the winner",
                lambda: export_winner(ws, table.run, comparison.metric)[1],
                f"{best.cell.prompt}.yaml",
                "application/yaml",
                type="primary",
                icon=":material/download:",
                on_click="ignore",
                key="download winner",
            )
            link("export", "See it, and other formats", ":material/inventory_2:", run=table.run)
