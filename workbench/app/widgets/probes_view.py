"""Probes of a run: what they found, cell by cell, and a new one."""

from __future__ import annotations

import math

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import choose
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import ago, many, score, signed
from workbench.app.widgets.probe_chart import changed_chart
from workbench.app.widgets.probe_form import probe_form
from workbench.app.widgets.result_table import BADGES
from workbench.app.widgets.text import escaped, marked, short
from workbench.core.run import LIVE, Comparison, Report
from workbench.engine import ProbeReport, Workspace, probe_report, probes_of, progress, report
from workbench.prompting import word_diff
from workbench.statistics import Estimate

POLL_S = 0.5


def probes_view(ws: Workspace, table: Report, found: Comparison) -> None:
    """The chosen probe's report, and a form for another."""
    st.caption("The same rows, slightly changed: do the answers change, and for the worse?")
    probes = {probe.id: probe for probe in probes_of(ws, table.run)}
    with st.expander("New probe", expanded=not probes, icon=":material/labs:"):
        if table.status in LIVE:
            empty("The run is still going.", "Probe it when it has ended.")
        else:
            probe_form(ws, table)
    if not probes:
        return
    chosen = choose(
        "Probe",
        list(probes),
        state.PROBE,
        shown=lambda run: f"{probes[run].experiment}, {ago(probes[run].created_at)} · {run}",
    )
    if chosen is None:
        return
    live = probes[chosen].status in LIVE
    metrics = [found.metric, *(name for name in table.cells[0].metrics if name != found.metric)]
    st.fragment(_panel, run_every=POLL_S if live else None)(ws, chosen, metrics, live)


def _panel(ws: Workspace, probe: str, metrics: list[str], was_live: bool) -> None:
    with explained("reading the probe"):
        now = progress(ws, probe)
        if now.status in LIVE:
            st.progress(now.done / max(1, now.total), f"{now.done:,} of {now.total:,} outputs. {now.message}")
            link("run", "Watch it", ":material/timer:", run=probe)
            return
        if was_live:
            st.rerun()
        if now.status != "completed":
            st.warning(f"This probe is {now.status}: {escaped(now.message or 'it can be resumed')}")
            link("run", "Open it", ":material/play_arrow:", run=probe)
        had = report(ws, probe).cells[0].metrics
        both = [name for name in metrics if name in had]
        if metrics[0] not in both:
            shows = f"It shows {both[0]}" if both else "It has no metric that the run still has"
            said = f"This probe is older than the run's metric {metrics[0]}. {shows}; probe again: "
            st.info(escaped(f"{said}the answers are in the cache."))
        if both:
            _report(probe_report(ws, probe, both[0]))


def _report(found: ProbeReport) -> None:
    st.markdown(f"{many(found.rows, 'row')} of {found.of_rows:,} were changed.")
    changed_chart(found, key=f"probe chart {found.run}")
    sided = any(line.sides is not None and line.sides.n for line in found.lines)
    noisy = any(line.noise is not None for line in found.lines)
    lines = []
    for line in found.lines:
        shown = {
            "Cell": f"**{escaped(line.cell.label)}**",
            "Verdict": BADGES[line.verdict],
            "Answers changed": _share(line.changed),
            "By themselves": _share(line.noise) if line.noise else "–",
            escaped(f"{found.metric} before"): score(line.before),
            "After": score(line.after),
            "Difference": _difference(line.difference, line.low, line.high),
            "Second − first terms": "–",
        }
        if line.sides is not None and line.sides.n:
            shown["Second − first terms"] = _difference(
                line.sides.difference, line.sides.low, line.sides.high
            )
        lines.append(shown)
    hidden = {"By themselves": noisy, "Second − first terms": sided}
    names = [name for name in lines[0] if hidden.get(name, True)] if lines else []
    st.table(
        {name: [line[name] for line in lines] for name in names},
        border="horizontal",
        hide_index=True,
        alt="What the probe changed, by cell",
    )
    if sided:
        st.caption(
            "Second − first terms: the metric with the second term of each pair minus that with the first, "
            "whichever of them a row had. Below 0, the second ones are served worse."
        )
    for note in found.notes:
        st.caption(escaped(note))
    _flips(found)


def _flips(found: ProbeReport) -> None:
    with_flips = [line for line in found.lines if line.flips]
    if not with_flips:
        return
    st.subheader("Answers that changed", anchor=False)
    for line in with_flips:
        with st.expander(escaped(f"{line.cell.label}: {many(len(line.flips), 'example')}")):
            for flip in line.flips:
                before, after = (short(str(text), 80) for text in (flip.before, flip.after))
                head = f":gray[{escaped(short(flip.row_id, 60))}] {escaped(before)} → **{escaped(after)}**"
                asked = [
                    marked(word_diff(old[:3000], flip.after_row[name][:3000]))
                    for name, old in flip.before_row.items()
                ]
                st.markdown("  \n".join([head, *asked]))


def _share(found: Estimate) -> str:
    if math.isnan(found.mean):
        return "–"
    return f"**{100 * found.mean:.0f} %** [{100 * found.low:.0f}, {100 * found.high:.0f}]".replace(
        " ", "\u00a0"
    )


def _difference(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return "–"
    return escaped(f"{signed(mean)} [{signed(low)}, {signed(high)}]").replace(" ", "\u00a0")
