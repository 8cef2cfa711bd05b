"""A comparison as Markdown fit for a pull-request comment: a headline, a short table, the rest folded.

The first line is an HTML comment that names the experiment and metric, so that a bot finds its own
earlier comment and updates it. Names come from files that anybody may have written: each is escaped,
and can neither make a table cell, a link or a tag, nor call a person by `@`.
"""

from __future__ import annotations

import re
from collections import Counter
from math import isnan

from workbench.core.figures import figure, signed_with_interval
from workbench.core.run import CellComparison, CellReport, Comparison, Report

SIGNS = {"better": "▲", "worse": "▼", "tied": "=", "undecided": "?", "stopped": "■"}
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&$])")
JOINER = "\u2060"  # invisible; keeps @names, #numbers and bare addresses from becoming links


def comparison_markdown(report: Report, comparison: Comparison) -> str:
    """The comment of one comparison; `report` is that of the same run."""
    lines = {line.cell.index: line for line in report.cells}
    found = {entry.cell.index: entry for entry in comparison.comparisons}
    shown = [
        line
        for index, line in lines.items()
        if index in found or (comparison.across is None and index == comparison.baseline.index)
    ]
    paid = any(line.cost_usd for line in shown)
    against = f"run {comparison.across}" if comparison.across else comparison.baseline.label
    head = ["", "cell", comparison.metric, "difference", "verdict", "rows", "p50 s", *(["USD"] * paid)]
    body = [_line(line, found.get(line.cell.index), comparison.metric, paid) for line in shown]
    marker = re.sub(r"\W+", "-", f"{report.experiment} {comparison.metric}").strip("-")
    return "\n".join(
        [
            f"<!-- workbench {marker} -->",
            f"### {_headline(comparison)}",
            "",
            f"{plain_text(comparison.metric)} of {plain_text(report.experiment)}, "
            f"each cell against {plain_text(against)}.",
            "",
            "| " + " | ".join(plain_text(name) for name in head) + " |",
            "|" + "|".join("---" for _ in head) + "|",
            *("| " + " | ".join(cells) + " |" for cells in body),
            "",
            "<details><summary>What this says</summary>",
            "",
            *_notes(report, comparison),
            "",
            "</details>",
            "",
        ]
    )


def _headline(comparison: Comparison) -> str:
    counts: Counter[str] = Counter(entry.verdict for entry in comparison.comparisons)
    total = len(comparison.comparisons)
    said = [f"{SIGNS[word]} {counts[word]} {word}" for word in SIGNS if counts[word]]
    cells = f"{total} cell{'' if total == 1 else 's'} compared"
    return f"{cells}: {', '.join(said)}" if said else "Nothing to compare"


def _line(line: CellReport, found: CellComparison | None, metric: str, paid: bool) -> list[str]:
    estimate = line.metrics.get(metric)
    value = "–"
    if estimate is not None and estimate.n:
        value = f"**{figure(estimate.mean)}**"
        if not isnan(estimate.low):
            value += f" [{figure(estimate.low)}, {figure(estimate.high)}]"
    difference, verdict, sign, rows = "", "baseline", "◆", line.rows
    if found is not None:
        sign, verdict, rows = SIGNS[found.verdict], found.verdict, found.n
        difference = signed_with_interval(found.difference, found.low, found.high)
        if found.rows_needed:
            verdict += f", about {found.rows_needed:,} rows needed"
        if found.verdict == "stopped":
            verdict += f" after {found.stopped:,} rows"
    cells = [
        sign,
        plain_text(line.cell.label),
        value,
        difference,
        verdict,
        str(rows),
        f"{line.latency_p50_s:.2f}",
    ]
    return cells + ([f"{line.cost_usd:.4f}"] if paid else [])


def _notes(report: Report, comparison: Comparison) -> list[str]:
    notes = [
        "- A difference is taken row by row over the rows that both sides scored; p-values are adjusted "
        f"for the {len(comparison.comparisons)} comparisons (Holm).",
        "- **better**, **worse**: shown at the experiment's confidence. **tied**: shown to be within "
        f"±{comparison.margin:g}, or no row differs. **undecided**: these rows cannot tell.",
        f"- Run {plain_text(report.run)}: {report.calls:,} calls ({report.cached:,} from cache), "
        f"{report.errors:,} errors, {report.cost_usd:.4f} USD.",
    ]
    if any(entry.stopped is not None for entry in comparison.comparisons):
        notes.append(
            "- **stopped**: a race ended the cell before it had all rows; it is not compared as if it were "
            "complete, has no p-value, and its interval holds however early it stopped."
        )
    versions = ", ".join(
        f"{plain_text(name)} {version[:8]}"
        for name, version in dict.fromkeys((line.cell.prompt, line.cell.version) for line in report.cells)
    )
    return [*notes, f"- Prompt versions: {versions}."]


def plain_text(text: str) -> str:
    """Markdown that shows exactly this text on one line: no table cell, tag, link or mention comes of it."""
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    quiet = re.sub(r"([@#])(?=\w)|(?<=\w)(:)(?=//)|(?<=www)(\.)", rf"\g<0>{JOINER}", flat)
    return SPECIAL.sub(r"\\\1", quiet)
