"""The result table: one line a cell, with its metric, its interval and its verdict."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.numbers import count, dollars, interval, many, seconds, signed
from workbench.app.widgets.text import escaped, short
from workbench.core.race import Race
from workbench.core.run import CellComparison, CellReport, Comparison, Report

PER_SCREEN = 50
BADGES = {
    "better": ":green-badge[▲ better]",
    "worse": ":red-badge[▼ worse]",
    "tied": ":gray-badge[= tied]",
    "undecided": ":orange-badge[? undecided]",
    "stopped": ":gray-badge[■ stopped]",
}


def verdict_words(found: CellComparison | None) -> str:
    """The verdict as a badge, with what would settle it."""
    if found is None:
        return ":blue-badge[◆ baseline]"
    if found.verdict == "undecided" and found.rows_needed:
        return f"{BADGES['undecided']} about {count(found.rows_needed)} rows needed"
    if found.verdict == "stopped":
        return f"{BADGES['stopped']} after {many(found.stopped or 0, 'row')}"
    return BADGES[found.verdict]


def _standing(cell: CellReport, found: CellComparison | None, race: Race | None) -> str:
    """The verdict, with what a race made of the cell."""
    words = verdict_words(found)
    if race is not None and race.winner == cell.cell.index:
        words += f" :green-badge[🏁 won the race after {many(race.rows, 'row')}]"
    if cell.stopped is not None and (found is None or found.verdict != "stopped"):
        words += f" {BADGES['stopped']} after {many(cell.stopped, 'row')}"
    return words


def result_table(report: Report, comparison: Comparison, offset: int = 0) -> None:
    """Cells in the experiment's order; `offset` is the first line shown."""
    found = {entry.cell.index: entry for entry in comparison.comparisons}
    lines = [
        _line(cell, comparison.metric, found.get(cell.cell.index), report.race)
        for cell in report.cells[offset : offset + PER_SCREEN]
    ]
    columns = {name: [line[name] for line in lines] for name in lines[0]} if lines else {}
    for optional in ("Setting", "Errors", "No answer", "Unscored", "Cost"):
        if columns and not any(value not in ("", "0", "\\$0") for value in columns[optional]):
            del columns[optional]
    if columns and len(set(columns["Rows"])) == 1:
        del columns["Rows"]  # the caption says it once
    st.table(columns, border="horizontal", hide_index=True, alt=f"Cells by {comparison.metric}")


def _line(cell: CellReport, metric: str, found: CellComparison | None, race: Race | None) -> dict[str, str]:
    against = f"{signed(found.difference)} [{signed(found.low)}, {signed(found.high)}]" if found else "–"
    setting = ", ".join(f"{key} {short(str(value), 30)}" for key, value in cell.cell.sampling.items())
    estimate = cell.metrics.get(metric)
    per_row = round((cell.prompt_tokens + cell.completion_tokens) / max(1, cell.outputs))
    return {
        "Prompt": f"**{escaped(cell.cell.prompt)}**",
        "Model": escaped(cell.cell.model),
        "Setting": escaped(setting),
        "Verdict": _standing(cell, found, race),
        escaped(metric): _unbroken(interval(estimate)),
        "Against baseline": _unbroken(against),
        "Rows": count(cell.rows),
        "No answer": count(cell.unanswered),
        "Unscored": count(estimate.unscored - cell.errors) if estimate else "0",
        "Errors": count(cell.errors),
        "Tokens/row": count(per_row),
        "Cost": escaped(dollars(cell.cost_usd)),
        "Latency": seconds(cell.latency_p50_s),
    }


def _unbroken(text: str) -> str:
    """A mean in bold, its interval after it, on one line."""
    mean, _, rest = text.partition(" ")
    return f"**{escaped(mean)}**\u00a0{escaped(rest)}".replace(" ", "\u00a0") if rest else escaped(text)
