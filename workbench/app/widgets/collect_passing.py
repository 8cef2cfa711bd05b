"""How many outputs pass, as numbers and a chart, while the bar is being moved and nothing is made yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from workbench.app.widgets.collection_cached import cached_foreseen, cached_pairs
from workbench.app.widgets.collection_charts import passing_chart
from workbench.app.widgets.errors import say
from workbench.app.widgets.fields import number, without_empty
from workbench.app.widgets.numbers import count, many, score
from workbench.app.widgets.text import escaped
from workbench.core.collection import Task
from workbench.engine import Workspace
from workbench.errors import WorkbenchError
from workbench.tuning.collecting.foreseeing import Foreseen

KEY = "collect "
GOES = "What repeats a held-back row, says the same twice or falls to cleaning still goes."


@dataclass(frozen=True)
class Bar:
    """What outputs are picked by, the bar with it, and whether anything passes."""

    pick: dict[str, Any] = field(default_factory=dict)
    possible: bool = False


def passing_view(ws: Workspace, wanted: dict[str, Any], task: Task, by: dict[str, Any]) -> Bar:
    """The fields of the bar, and what passes it."""
    if task == "preference" and not by:
        return _pairs(ws, wanted)
    asked = wanted | {"pick": without_empty(by)}
    try:
        found = cached_foreseen(ws, asked, task)
    except WorkbenchError as error:
        say(error)
        return Bar()
    bar = _bar(found, by)
    least, most = bar.get("at_least"), bar.get("at_most")
    per_row = bar["per_row"]
    pick = without_empty(by | {"per_row": per_row}) | {
        key: value for key, value in bar.items() if key in ("at_least", "at_most") and value is not None
    }
    if not len(found.values):
        st.warning("No output of these has a value to be picked by.", icon=":material/warning:")
        return Bar(pick)
    if task != "completion" and found.bar(least, most) == (None, None):
        st.warning(
            f"By {escaped(found.name)} alone nobody can tell good outputs from bad ones: say from where on "
            "they are good.",
            icon=":material/warning:",
        )
        return Bar(pick)
    _told(found, least, most, per_row)
    return Bar(pick, found.passing(least, most, per_row).items > 0)


def _bar(found: Foreseen, by: dict[str, Any]) -> dict[str, Any]:
    of = f"{by.get('by')} {found.name}"
    usual = {"at_least": found.least, "at_most": found.most}
    names = {"at_least": f"{found.name} at least", "at_most": f"{found.name} at most"}
    bar: dict[str, Any] = {}
    columns = st.columns(3)
    for column, key in zip(columns, ("at_least", "at_most"), strict=False):
        held = usual[key]
        with column:
            bar[key] = number(
                escaped(names[key]),
                None,
                f"{KEY}{key} {of}",
                placeholder="no bar" if held is None else f"{score(held)} where nothing is said",
                step=0.1,
            )
    with columns[2]:
        bar["per_row"] = number("At most so many of a row", 1, f"{KEY}per row", whole=True, min_value=1) or 1
    return bar


def _told(found: Foreseen, least: float | None, most: float | None, per_row: int) -> None:
    passed = found.passing(least, most, per_row)
    unjudged = found.looked_at - len(found.values)
    words = (
        f"**{count(passed.outputs)} of {many(found.looked_at, 'output')} pass**, of {count(passed.rows)} of "
        f"{many(found.all_rows, 'row')}: at most {many(passed.items, 'item')}."
    )
    if unjudged > 0:
        words += f" {count(unjudged)} failed, or nothing judged them."
    if passed.items:
        st.markdown(f"{words} :gray[{GOES}]")
    else:
        best = float(found.values.max() if found.higher else found.values.min())
        nothing = "is both good and bad of one row" if passed.outputs else "passes"
        st.warning(
            f"{words} Nothing {nothing}; the best seen is {score(best)}. Ask for less, pick by something "
            "else, or collect from more runs.",
            icon=":material/warning:",
        )
    passing_chart(found.values, found.good(least, most), found.name, "collect passing")


def _pairs(ws: Workspace, wanted: dict[str, Any]) -> Bar:
    with st.columns(3)[0]:
        per_row = number("At most so many of a row", 1, f"{KEY}per row", whole=True, min_value=1) or 1
    pick = {"per_row": per_row}
    try:
        found = cached_pairs(ws, wanted | {"pick": pick})
    except WorkbenchError as error:
        say(error)
        return Bar(pick)
    if not found.compared:
        st.warning(
            "Nobody compared two outputs of these runs yet. Rate them in pairs, or take pairs from scores. "
            "What raters wrote as a better answer makes pairs too.",
            icon=":material/warning:",
        )
        return Bar(pick, possible=True)
    left = found.compared - found.decided
    undecided = f"{many(left, 'pair')} undecided. " if left else ""
    st.markdown(
        f"**Raters preferred one of two outputs {many(found.decided, 'time')}**, of "
        f"{many(found.rows, 'row')}: at most {many(found.items, 'item')}, and one more for each better "
        f"answer that they wrote. {undecided}:gray[{GOES}]"
    )
    return Bar(pick, possible=True)
