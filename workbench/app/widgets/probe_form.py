"""A new probe: what is to be changed, one row before and after, and the button that asks it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.pages import go
from workbench.app.widgets.errors import explained
from workbench.app.widgets.fields import listed, many_lines, number, one_of
from workbench.app.widgets.numbers import many
from workbench.app.widgets.text import escaped, marked
from workbench.core.run import Report
from workbench.datasets.transforms import build_transform
from workbench.datasets.transforms.paraphrase import Paraphrase
from workbench.datasets.transforms.term_lists import TERM_LISTS
from workbench.engine import Workspace, create_probe, ensure_worker, preview_probe
from workbench.errors import UsageError
from workbench.prompting import word_diff

KINDS = {
    "swap": "Bias: swap terms (he, she; names; groups)",
    "typos": "Typos",
    "case": "Capital or small letters",
    "paraphrase": "Other words around the request",
    "spacing": "White space",
    "punctuation": "No punctuation",
    "examples": "Few-shot examples in another order",
}


def probe_form(ws: Workspace, table: Report) -> None:
    """Chooses the change, shows what it does to one row, and starts the probe."""
    kind = st.selectbox(
        "What is changed", list(KINDS), format_func=lambda name: KINDS[name], key="probe kind"
    )
    with explained("setting up the probe"):
        if kind == "examples":
            seed = int(number("Seed of the new order", 1, "probe seed", True, min_value=0) or 0)
            _start(ws, table, [], seed, "Start the probe")
            return
        change = _settings(kind)
        if change is None:
            return
        build_transform(change)
        found = preview_probe(ws, table.run, [change])
        if not found.changed:
            raise UsageError("No row is changed: none holds what it looks for in what the prompts show.")
        st.caption(f"{many(found.changed, 'row')} of the first {found.rows:,} would be changed, such as:")
        for name, new in found.after.items():
            st.markdown(f":gray[{escaped(name)}]  \n{marked(word_diff(found.before[name], new))}")
        calls = found.changed * len(table.cells)
        _start(
            ws, table, [change], None, f"Start the probe ({many(found.changed, 'row')}, {calls:,} outputs)"
        )


def _start(ws: Workspace, table: Report, changes: list[Any], seed: int | None, words: str) -> None:
    if st.button(words, type="primary", icon=":material/labs:", key="probe start"):
        probe = create_probe(ws, table.run, changes, seed)
        ensure_worker(ws)
        go("compare", run=table.run, view="probes", **{state.PROBE: probe})


def _settings(kind: str) -> dict[str, Any] | None:
    if kind == "swap":
        lists = st.multiselect("Lists of terms", list(TERM_LISTS), default=["pronouns"], key="probe terms")
        written = many_lines(
            "Pairs of your own, one a line", None, "probe pairs", height=100, placeholder="John = Aisha"
        )
        pairs = [[side.strip() for side in line.split("=")] for line in written.splitlines() if line.strip()]
        for pair in pairs:
            if len(pair) != 2 or not all(pair):
                raise UsageError(f"Write pairs as A = B, one a line; this is none: {' = '.join(pair)}")
        if not pairs and not lists:
            st.caption("Choose a list, or write pairs.")
            return None
        return {"swap": {"pairs": pairs, "terms": lists}}
    if kind == "typos":
        share = st.slider("Share of letters, %", 1, 30, 5, key="probe rate")
        return {"typos": {"rate": share / 100}}
    if kind == "case":
        return {"case": {"to": one_of("Write it in", "upper", ("upper", "lower", "title"), "probe case")}}
    if kind == "paraphrase":
        default = "\n".join(Paraphrase().templates)
        written = many_lines(
            "Templates, one a line; {text} is the text", default, "probe templates", height=120
        )
        return {"paraphrase": {"templates": listed(written, "\n")}}
    return {kind: None}
