"""Bars that a run has to clear: `--fail-under exact_match=0.8`, `--fail-over latency=2`.

    direct:exact_match=0.8     only the cells of prompt `direct`
    exact_match=80%            the same bar for every cell

A bar is about a cell's mean. One that is not known (nothing was scored) misses every bar. A cell that a
race stopped has not seen all rows: no bar is held against it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.core.experiment import Experiment
    from workbench.core.run import CellReport, Report

UNDER, OVER = "--fail-under", "--fail-over"
NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(%?)\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: every cell (of `prompt`, where it names one) is held to it by this metric."""

    option: str
    metric: str
    value: float
    prompt: str | None = None

    def misses(self, cell: CellReport) -> bool:
        """Whether this cell does not clear the bar."""
        if cell.stopped is not None:
            return False
        if self.prompt is not None and cell.cell.prompt != self.prompt:
            return False
        mean = self.mean(cell)
        return not (mean >= self.value if self.option == UNDER else mean <= self.value)

    def mean(self, cell: CellReport) -> float:
        """The cell's mean by the bar's metric; NaN where nothing was scored."""
        return cell.metrics[self.metric].mean if self.metric in cell.metrics else math.nan


def read_bars(experiment: Experiment, under: Sequence[str], over: Sequence[str]) -> list[Bar]:
    """The bars as they were written, held against what the experiment measures. Raises UsageError."""
    from workbench.engine.score import metrics_of

    if not under and not over:
        return []
    measured = metrics_of(experiment)
    bars = []
    for option, texts in ((UNDER, under), (OVER, over)):
        for text in texts:
            bar = _parsed(option, text, list(measured), experiment.prompts)
            if bar.metric not in measured:
                raise UsageError(
                    f"{option}: experiment '{experiment.name}' does not measure '{bar.metric}' "
                    f"(it measures: {', '.join(measured)})."
                )
            better = measured[bar.metric].direction
            wrong = OVER if better == "higher" else UNDER
            if option == wrong:
                other = UNDER if option == OVER else OVER
                raise UsageError(f"{option}: {better} is better for '{bar.metric}'; use {other} {text}.")
            bars.append(bar)
    return bars


def missed_bars(bars: Sequence[Bar], report: Report) -> list[str]:
    """A sentence for each cell that misses a bar."""
    sentences = []
    for bar in bars:
        side = "below" if bar.option == UNDER else "above"
        for cell in report.cells:
            if bar.misses(cell):
                mean = bar.mean(cell)
                said = f"not known, so not {'at least' if side == 'below' else 'at most'}"
                found = said if math.isnan(mean) else f"{mean:.3f}, {side}"
                sentences.append(f"{cell.cell.label}: {bar.metric} is {found} {bar.value:g}")
    return sentences


def _parsed(option: str, text: str, metrics: Sequence[str], prompts: Sequence[str]) -> Bar:
    name, equals, number = text.rpartition("=")
    match = NUMBER.fullmatch(number)
    name = name.strip()
    if not (equals and name and match):
        raise UsageError(f"{option} {text}: write it as METRIC=NUMBER, such as exact_match=0.5.")
    value = float(match[1]) / (100 if match[2] else 1)
    prompt, colon, metric = name.partition(":")
    if name not in metrics and colon and prompt in prompts:
        return Bar(option, metric, value, prompt)
    return Bar(option, name, value)
