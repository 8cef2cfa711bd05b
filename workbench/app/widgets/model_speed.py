"""A model's speed on this machine: start a benchmark, watch it, and read what was kept."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.app.widgets.model_choice import quantizations
from workbench.app.widgets.model_facts import size
from workbench.app.widgets.numbers import seconds
from workbench.app.widgets.text import escaped
from workbench.core.run import LIVE
from workbench.engine import Workspace, runs
from workbench.engine.benchmark_process import (
    BenchmarkState,
    benchmark_state,
    cancel_benchmark,
    start_benchmark,
)
from workbench.engine.benchmarking import BATCHES, BenchmarkResult, kept_benchmarks
from workbench.engine.using import machine_name
from workbench.errors import WorkbenchError


def speed_panel(ws: Workspace, name: str) -> None:
    """The button, the progress of what it started, and the kept results of all quantizations."""
    now = benchmark_state(ws)
    live = now is not None and now.status == "running"
    with explained("measuring the model"):
        if live:
            bar, button = st.columns([5, 1], vertical_alignment="center")
            with bar:
                st.fragment(_progress, run_every="0.5s")(ws)
            with button:
                _cancel(ws)
            st.caption("You may close this page: measuring goes on.")
        else:
            _start(ws, name, now)
    with st.spinner("Looking for kept results …"):
        found = results(ws, name)
    if found:
        results_table(found)
        st.caption(
            "Prefill: prompt tokens read a second. Decode: tokens written a second, over all requests in "
            "flight. Compare results of one machine, taken while nothing else ran."
        )
    elif not live:
        st.caption("Nothing was measured yet; half a minute gives the first figures.")


def results(ws: Workspace, name: str) -> list[BenchmarkResult]:
    """The newest kept result of each way to hold the model and each machine; this machine's first."""
    base = name.partition("@")[0] if "@" in name else name
    base = name if name in ws.models.names() else base
    newest: dict[tuple[str, str], BenchmarkResult] = {}
    for held in dict.fromkeys([name, base, *(f"{base}@{kind}" for kind in quantizations(ws, base))]):
        try:
            kept = kept_benchmarks(ws, held)
        except WorkbenchError:  # its package or its files are not here: it has no results either
            continue
        for result in kept:
            newest.setdefault((result.identity, result.machine), result)
    here = machine_name()
    return sorted(newest.values(), key=lambda result: (result.machine != here, result.machine, result.model))


def results_table(found: list[BenchmarkResult]) -> None:
    """One line a result."""
    columns: dict[str, list[str]] = {"Model": [f"**{escaped(result.model)}**" for result in found]}
    for batch in BATCHES:
        columns[f"Prefill, {batch} at once"] = [_rate(result, batch, "prefill") for result in found]
    for batch in BATCHES:
        columns[f"Decode, {batch} at once"] = [_rate(result, batch, "decode") for result in found]
    columns |= {
        "First token": [escaped(seconds(result.first_token_s)) for result in found],
        "Load": [escaped(seconds(result.load_s)) for result in found],
        "Memory": [
            escaped(size(result.footprint.memory_bytes)) if result.footprint else "–" for result in found
        ],
        "When and where": [
            escaped(f"{result.taken_at:%Y-%m-%d %H:%M} UTC, {result.machine}, {result.device}")
            for result in found
        ],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="Kept benchmarks, tokens a second")
    for result in found:
        notes = [f"{speed.batch} at once: {speed.note}" for speed in result.speeds if speed.note]
        if notes:
            st.caption(escaped(f"{result.model}: {'; '.join(notes)}."))


def _rate(result: BenchmarkResult, batch: int, what: str) -> str:
    speed = next((speed for speed in result.speeds if speed.batch == batch), None)
    if speed is None:
        return "–"
    value = speed.prefill_tokens_per_s if what == "prefill" else speed.decode_tokens_per_s
    return "–" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _start(ws: Workspace, name: str, last: BenchmarkState | None) -> None:
    left, right = st.columns([1, 3], vertical_alignment="center")
    with left:
        clicked = st.button(
            "Measure for 30 s",
            type="primary",
            icon=":material/speed:",
            key="benchmark start",
            width="stretch",
        )
    right.markdown(_last(last) or f"Measures **{escaped(name)}** on this machine; loading comes on top.")
    if any(run.status in LIVE for run in runs(ws, limit=3)):
        st.warning(
            "A run is under way and takes part of the processor: figures would be too low.",
            icon=":material/warning:",
        )
    if clicked:
        start_benchmark(ws, name)
        st.rerun()


def _cancel(ws: Workspace) -> None:
    # as a callback: while a fragment polls, a click may reach the fragment's run instead of the page's
    st.button(
        "Cancel",
        icon=":material/stop_circle:",
        key="benchmark cancel",
        on_click=_asked_to_stop,
        args=(ws,),
    )


def _asked_to_stop(ws: Workspace) -> None:
    with explained("cancelling the benchmark"):
        cancel_benchmark(ws)


def _progress(ws: Workspace) -> None:
    """What is polled; one rerun of the whole page when the benchmark ends."""
    with explained("reading the benchmark's progress"):
        now = benchmark_state(ws)
        if now is None or now.status != "running":
            st.rerun()
            return
        left = "" if now.seconds_left is None else f" · {seconds(now.seconds_left)} left"
        words = "stopping" if now.stopping else now.message
        st.progress(min(1.0, now.share), text=escaped(f"{now.model}: {words}{left}"))


def _last(now: BenchmarkState | None) -> str:
    if now is None or now.status in ("running", "completed"):
        return ""
    return f":orange-badge[{now.status}] {escaped(f'{now.model}: {now.message}')}"
