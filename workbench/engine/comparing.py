"""Comparing: every cell against the baseline over the rows that both have, with verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from workbench.core.experiment import Experiment
from workbench.core.run import Cell, CellComparison, Comparison, Gap
from workbench.engine.plan import baseline_cell, cell_at, stored_cells, twin_in
from workbench.engine.records import experiment_of, get_run, race_of
from workbench.engine.reporting import cell_json, difference_json
from workbench.engine.score import chosen_metric, clusters_of, metric_scores, score_run
from workbench.engine.stopped_cells import stopped_lines, unpaired_line
from workbench.engine.workspace import Workspace
from workbench.errors import RunError
from workbench.metrics import Metric
from workbench.statistics import holm, open_confidence, rows_needed, verdict
from workbench.storage import RunRecord
from workbench.storage.scores import CellScores

Pair = tuple[Cell, CellScores, CellScores]
"""A cell, the scores it is compared with, and its own, over the same units."""


def compare(
    workspace: Workspace,
    run: str,
    metric: str | None = None,
    baseline: int | None = None,
    across: str | None = None,
) -> Comparison:
    """Paired comparison of every cell of a run with its baseline.

    Args:
        metric: one of the experiment's metrics; default: its first.
        baseline: index of the cell to compare with; default: the experiment's baseline.
        across: another run; each cell is then compared with the same prompt and model there,
            over the rows (by id) that both runs have.
    """
    record = get_run(workspace, run)
    experiment = experiment_of(record)
    name, measure = chosen_metric(experiment, metric)
    cells = stored_cells(record)
    scores = score_run(workspace, run)
    check_scored(scores, cells, name)
    if across is not None:
        pairs = _pairs_across(workspace, record, across, name, scores)
        base = cells[0]
    else:
        base = baseline_cell(experiment, cells) if baseline is None else cell_at(cells, baseline)
        pairs = [(cell, scores[base.index, name], scores[cell.index, name]) for cell in cells if cell != base]
    units = len(next(iter(scores.values())).values) if scores else 0
    clusters = clusters_of(experiment.repeats, units)
    full, cut = _by_completeness(workspace, record, across, base, pairs)
    lines = list(comparison_lines(measure, experiment, full, [clusters] * len(full)))
    race = race_of(record)
    if across is not None:
        lines += [unpaired_line(*pair, rows) for pair, rows in cut]
    elif race is not None:
        lines += stopped_lines(measure, experiment, [pair for pair, _ in cut], base, race)
    lines.sort(key=lambda line: line.cell.index)
    return Comparison(run, name, base, tuple(lines), experiment.margin, across, experiment.confidence)


def comparison_lines(
    metric: Metric,
    experiment: Experiment,
    pairs: Sequence[Pair],
    clusters: Sequence[np.ndarray | None],
) -> tuple[CellComparison, ...]:
    """One family of cells against what each is compared with; as `family_of_gaps`."""
    gaps = family_of_gaps(metric, experiment, [(before, after) for _, before, after in pairs], clusters)
    return tuple(
        CellComparison(**asdict(gap), cell=cell) for (cell, _, _), gap in zip(pairs, gaps, strict=True)
    )


def family_of_gaps(
    metric: Metric,
    experiment: Experiment,
    pairs: Sequence[tuple[CellScores, CellScores]],
    clusters: Sequence[np.ndarray | None],
) -> list[Gap]:
    """Paired comparisons, the second of a pair against the first, Holm-adjusted together.

    `clusters` has one entry a pair: the row of each unit, or None where each is a row of its own.
    """
    compared = [
        metric.compare(metric_scores(before), metric_scores(after), ids, experiment.confidence)
        for (before, after), ids in zip(pairs, clusters, strict=True)
    ]
    adjusted = holm([result.p for result in compared])
    asked = open_confidence(adjusted, experiment.confidence)
    gaps = []
    for (before, after), ids, result, p_adjusted in zip(pairs, clusters, compared, adjusted, strict=True):
        found = verdict(result, p_adjusted, experiment.margin, experiment.confidence, metric.direction)
        needed = None
        if found == "undecided":
            differences = after.values - before.values
            kept = np.isfinite(differences)
            needed = rows_needed(differences[kept], None if ids is None else ids[kept], asked)
        gaps.append(Gap.of(result, p_adjusted, found, needed))
    return gaps


def compare_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as DESIGN section 6 has it."""
    return {
        "run": comparison.run,
        "metric": comparison.metric,
        "baseline": cell_json(comparison.baseline),
        "margin": comparison.margin,
        **({"across": comparison.across} if comparison.across else {}),
        "comparisons": [
            {
                **cell_json(line.cell),
                **difference_json(line),
                "n": line.n,
                "verdict": line.verdict,
                "rows_needed": line.rows_needed,
                **({"stopped": {"rows": line.stopped}} if line.stopped is not None else {}),
            }
            for line in comparison.comparisons
        ],
    }


def check_scored(scores: dict[tuple[int, str], CellScores], cells: tuple[Cell, ...], name: str) -> None:
    """Raises RunError where a metric that asks models has not been scored yet."""
    waiting = [cell.label for cell in cells if (cell.index, name) not in scores]
    if waiting:
        raise RunError(
            f"'{name}' asks a model and is not scored yet for {waiting[0]}"
            + (f" and {len(waiting) - 1} more cells" if len(waiting) > 1 else "")
            + "; finish the run, or resume it."
        )


def _by_completeness(
    workspace: Workspace, record: RunRecord, across: str | None, base: Cell, pairs: Sequence[Pair]
) -> tuple[list[Pair], list[tuple[Pair, int]]]:
    """Pairs of two whole cells; and those of which a race stopped one, with the rows it had by then."""
    mine, other = race_of(record), race_of(get_run(workspace, across)) if across is not None else None
    full: list[Pair] = []
    cut: list[tuple[Pair, int]] = []
    for pair in pairs:
        cell, before, _ = pair
        against = base.index if across is None else before.cell
        found = [
            race.stopped[index].rows
            for race, index in ((mine, cell.index), (mine if across is None else other, against))
            if race is not None and index in race.stopped
        ]
        if found:
            cut.append((pair, min(found)))
        else:
            full.append(pair)
    return full, cut


def _pairs_across(
    workspace: Workspace,
    record: RunRecord,
    across: str,
    name: str,
    scores: dict[tuple[int, str], CellScores],
) -> list[Pair]:
    other = get_run(workspace, across)
    other_experiment = experiment_of(other)
    if other_experiment.repeats != record.definition["experiment"].get("repeats", 1):
        raise RunError("The two runs repeat rows a different number of times and cannot be paired.")
    other_scores = score_run(workspace, across)
    if not any(found == name for _, found in other_scores):
        raise RunError(f"Run '{across}' has no metric '{name}'.")
    place = _places(workspace, other)
    here = _places(workspace, record)
    repeats = other_experiment.repeats
    order = np.array(
        [place.get(row, -1) * repeats + r if row in place else -1 for row in here for r in range(repeats)]
    )
    if not (order >= 0).any():
        raise RunError(f"Runs '{record.id}' and '{across}' have no row in common.")
    pairs = []
    for cell in stored_cells(record):
        twin = twin_in(other, cell)
        if twin is not None and (twin.index, name) in other_scores:
            pairs.append((cell, _reordered(other_scores[twin.index, name], order), scores[cell.index, name]))
    if not pairs:
        raise RunError(f"Runs '{record.id}' and '{across}' have no prompt and model in common.")
    return pairs


def _places(workspace: Workspace, record: RunRecord) -> dict[str, int]:
    ids = workspace.store.row_facts.row_ids(record.row_set)
    return {row_id: position for position, row_id in enumerate(ids)}


def _reordered(scores: CellScores, order: np.ndarray) -> CellScores:
    """Scores in the other run's unit order, NaN where it has no such row."""
    found = scores.at(np.maximum(order, 0))
    found.values[order < 0] = np.nan
    if found.sufficient is not None:
        found.sufficient[order < 0] = np.nan
    return found
