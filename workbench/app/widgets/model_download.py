"""Fetching a hub's model that is not on this machine yet, with its progress."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.errors import explained, say
from workbench.app.widgets.model_facts import size
from workbench.app.widgets.numbers import seconds
from workbench.app.widgets.text import escaped
from workbench.core.model import ModelSpec
from workbench.models.local.downloading import Download, find_download, start_download


def download_panel(spec: ModelSpec) -> None:
    """A button, then a bar; the page shows the model once it is here."""
    now = find_download(spec.model)
    if now is not None and now.state == "running":
        bar, button = st.columns([5, 1], vertical_alignment="center")
        with bar:
            st.fragment(_progress, run_every="0.5s")(now)
        with button:
            st.button("Cancel", icon=":material/stop_circle:", key="download cancel", on_click=now.cancel)
        st.caption("What has arrived is kept: a later attempt goes on from there.")
        return
    if now is not None and now.problem is not None:
        say(now.problem)
    if st.button("Download", type="primary", icon=":material/download:", key="download start"):
        with explained("starting the download"):
            start_download(spec.model)
            st.rerun()


def _progress(now: Download) -> None:
    """What is polled; one rerun of the whole page when the download ends."""
    if now.state != "running":
        st.rerun()
    done, whole = now.progress.done_bytes, now.progress.total_bytes
    words = f"{size(done)} of {size(whole)}" if whole else "asking the hub"
    if now.progress.bytes_per_s:
        words += f" · {size(int(now.progress.bytes_per_s))}/s · {seconds(now.progress.seconds_left)} left"
    st.progress(min(1.0, done / whole) if whole else 0.0, text=escaped(words))
