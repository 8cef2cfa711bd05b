"""What `workbench report --labels` prints: each cell's labels one by one, and its most frequent mistakes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.commands.printing import counted, print_json, print_table, printable

if TYPE_CHECKING:
    from workbench.engine import LabelReport, Workspace
    from workbench.statistics import Estimate

MOST_MISTAKES = 5


def print_labels(opened: Workspace, run_id: str, as_json: bool) -> None:
    """Every cell of the run, as tables or as one JSON document."""
    from workbench.engine import label_report, label_report_json
    from workbench.engine.plan import stored_cells
    from workbench.engine.records import get_run

    cells = stored_cells(get_run(opened, run_id))
    shown = [label_report(opened, run_id, cell.index) for cell in cells]
    if as_json:
        print_json({"run": run_id, "cells": [label_report_json(one) for one in shown]})
        return
    for number, one in enumerate(shown):
        print(f"{chr(10) if number else ''}{printable(one.cell.label)}\n")
        _table(one)


def _table(shown: LabelReport) -> None:
    print_table(
        ("label", "precision", "interval", "recall", "interval", "F1", "interval", "rows", "given"),
        [
            (
                line.label,
                *_share(line.precision),
                *_share(line.recall),
                *_share(line.f1),
                f"{line.support:,}",
                f"{line.given:,}",
            )
            for line in shown.found.lines
        ],
    )
    for actual, given, outputs in shown.found.mistakes[:MOST_MISTAKES]:
        print(f"  {counted(outputs, 'output')}: {printable(actual)} taken for {printable(given)}")
    if shown.found.unscored:
        print(f"  {counted(shown.found.unscored, 'output')} without a reference")


def _share(estimate: Estimate) -> tuple[str, str]:
    if math.isnan(estimate.mean):
        return "–", "–"
    return f"{estimate.mean:.3f}", f"[{estimate.low:.3f}, {estimate.high:.3f}]"
