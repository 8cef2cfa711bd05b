"""Download buttons for everything that a run leaves behind."""

from __future__ import annotations

from functools import partial

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.engine import Workspace, export_outputs, export_report

OUTPUTS = {
    "csv": ("CSV", "text/csv"),
    "jsonl": ("JSONL", "application/jsonl"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
REPORTS = {
    "md": ("Markdown", "md", "text/markdown"),
    "html": ("HTML", "html", "text/html"),
    "csv": ("CSV", "csv", "text/csv"),
    "json": ("JSON", "json", "application/json"),
    "junit": ("JUnit XML", "xml", "application/xml"),
}


def output_downloads(ws: Workspace, run_id: str) -> None:
    """Every output, with its row, answer, scores and what it took; made when clicked."""
    with st.container(horizontal=True):
        for name, (words, mime) in OUTPUTS.items():
            st.download_button(
                words,
                data=partial(export_outputs, ws, run_id, name),
                file_name=f"{run_id}-outputs.{name}",
                mime=mime,
                icon=":material/download:",
                key=f"outputs {name}",
                on_click="ignore",
            )


def report_downloads(ws: Workspace, run_id: str) -> None:
    """The result table in the formats that other tools read."""
    with st.container(horizontal=True), explained("writing the report"):
        for name, (words, ending, mime) in REPORTS.items():
            st.download_button(
                words,
                data=partial(export_report, ws, run_id, name),
                file_name=f"{run_id}-report.{ending}",
                mime=mime,
                icon=":material/download:",
                key=f"report {name}",
                on_click="ignore",
            )
