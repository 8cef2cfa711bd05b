"""What was lost: other experiments on base and tuned, each prompt with a verdict, Holm over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from workbench.core.experiment import Experiment
from workbench.core.run import Gap
from workbench.engine.score import metric_names
from workbench.engine.workspace import Workspace
from workbench.errors import TuningCancelled, WorkbenchError
from workbench.statistics import PairedComparison, holm, verdict
from workbench.tuning.verdict.gaps import RunGaps
from workbench.tuning.verdict.records import ForgettingVerdict
from workbench.tuning.verdict.running import VerdictRuns


def forgetting_verdicts(
    workspace: Workspace, runs: VerdictRuns, experiments: Sequence[Experiment], margin: float
) -> tuple[list[ForgettingVerdict], list[str]]:
    """Each experiment's prompts on both of its models, and why what could not be asked was not.

    Args:
        margin: a gap this small counts as a tie; 0: each experiment's own.

    Raises TuningCancelled.
    """
    found: list[tuple[ForgettingVerdict, RunGaps]] = []
    notes = []
    for experiment in experiments:
        try:
            found += _of_experiment(workspace, runs, experiment, margin)
        except TuningCancelled:
            raise
        except WorkbenchError as problem:
            notes.append(f"What was lost in '{experiment.name}' is not known: {problem}")
    adjusted = holm([line.gap.p for line, _ in found])
    lines = [
        replace(line, gap=judged(line.gap, p, gaps.metric.direction, gaps.experiment))
        for (line, gaps), p in zip(found, adjusted, strict=True)
    ]
    return lines, notes


def judged(gap: Gap, p_adjusted: float, direction: str, experiment: Experiment) -> Gap:
    """A gap with its p adjusted for a larger family, and the verdict that follows."""
    # all that a verdict asks of the rows is whether any differed, which the earlier verdict tells
    differing = 0 if gap.verdict == "tied" and gap.difference == 0 else gap.n
    compared = PairedComparison(gap.difference, gap.low, gap.high, gap.p, gap.n, differing)
    way: Literal["higher", "lower"] = "lower" if direction == "lower" else "higher"
    said = verdict(compared, p_adjusted, experiment.margin, experiment.confidence, way)
    return replace(gap, p_adjusted=p_adjusted, verdict=said)


def _of_experiment(
    workspace: Workspace, runs: VerdictRuns, experiment: Experiment, margin: float
) -> list[tuple[ForgettingVerdict, RunGaps]]:
    run = runs.finished(f"forgetting: {experiment.name}", experiment)
    base, tuned = experiment.models
    metric = metric_names(experiment)[0]
    gaps = RunGaps(workspace, run, metric, base, tuned, margin or experiment.margin)
    choice = experiment.dataset
    return [
        (
            ForgettingVerdict(
                experiment.name,
                choice.name,
                choice.split,
                one.prompt,
                metric,
                run,
                one.base,
                one.tuned,
                one.gap,
            ),
            gaps,
        )
        for one in gaps.prompts(None, experiment.prompts[0])[0]
    ]
