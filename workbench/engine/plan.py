"""Planning: an experiment becomes cells over rows, with every mistake found before the first call.

    make_plan(workspace, experiment) -> Plan(cells=(step-by-step · small@int8, …), dataset=…)

A plan can be written into a run and read back, so that a resumed run asks what it asked before,
whatever happened to the files since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from workbench.core.dataset import ID_COLUMN, Dataset, DatasetCard
from workbench.core.experiment import Experiment
from workbench.core.prompt import AnyPrompt, Ensemble, Prompt, Sampling
from workbench.core.run import Cell
from workbench.datasets.transforms import transform_rows
from workbench.engine.answer_rules import answer_rule, reference_of
from workbench.engine.composing import Composer
from workbench.engine.judges import with_judges
from workbench.engine.likelihood import check_asked_models
from workbench.engine.workspace import Workspace
from workbench.errors import DatasetError, MetricError, ModelUnavailable, RunError, UsageError, WorkbenchError
from workbench.metrics import Metric, load_metric
from workbench.prompting.render import Renderer
from workbench.prompting.rubric import sample_row
from workbench.prompting.select import check_source
from workbench.storage import RunRecord

EXTRA_VARIABLES = {
    "candidate": "",
    "candidate_answer": "",
    "candidates": ["", ""],
    "candidate_answers": ["", ""],
}
"""What judge and fusing prompts get beside the row; empty stand-ins to try their templates with."""


@dataclass(frozen=True)
class Plan:
    """Cells × rows × repeats, with everything frozen that decides what is asked."""

    experiment: Experiment
    dataset: Dataset
    cells: tuple[Cell, ...]
    prompts: Mapping[str, AnyPrompt]
    """Every prompt that a cell asks, directly or as member, judge or fuser."""

    @property
    def units(self) -> int:
        """(cell, row, repeat) triples."""
        return len(self.cells) * len(self.dataset.rows) * self.experiment.repeats

    @cached_property
    def sampling(self) -> tuple[Sampling, ...]:
        """Per cell: what the experiment says of sampling there."""
        grid = self.experiment.sampling_grid()
        return tuple(Sampling(**grid[cell.index % len(grid)]) for cell in self.cells)

    @property
    def baseline(self) -> Cell:
        """The cell that the others are compared with: the stated one, else the first."""
        return baseline_cell(self.experiment, self.cells)

    def definition(self) -> dict[str, Any]:
        """The plan as plain values, without the rows."""
        return {
            "experiment": self.experiment.model_dump(mode="json", exclude_defaults=True),
            "cells": [asdict(cell) for cell in self.cells],
            "prompts": {
                name: prompt.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                for name, prompt in self.prompts.items()
            },
            "reference": self.dataset.reference,
        }


def make_plan(workspace: Workspace, experiment: Experiment, limit: int | None = None) -> Plan:
    """Checks an experiment against the workspace and lays out its cells.

    Raises one WorkbenchError for the first mistake: an unknown prompt, model, metric or column, a
    cyclic ensemble, an empty dataset, a key that is not set, examples out of the evaluated split.
    """
    choice = experiment.dataset
    if limit is not None:
        if limit < 1:
            raise UsageError("The limit must be at least 1 row.")
        shorter = min(limit, choice.limit or limit)
        choice = choice.model_copy(update={"limit": shorter})
        experiment = experiment.model_copy(update={"dataset": choice})
    dataset = workspace.datasets.load(
        choice.name,
        split=choice.split,
        limit=choice.limit,
        shuffle=choice.shuffle,
        reference=choice.reference,
    )
    if not dataset.rows:
        raise DatasetError(f"Dataset '{choice.name}' has no rows in its split '{choice.split}'.")
    prompts: dict[str, AnyPrompt] = {}
    for name in experiment.prompts:
        prompts |= workspace.prompts.resolve(name)
    if choice.transform:
        dataset = replace(dataset, rows=tuple(transformed(dataset, choice.transform, prompts)))
    _check_models(workspace, experiment.model_names())
    plan = check_metrics(workspace, Plan(experiment, dataset, _cells(workspace, experiment), prompts))
    _check_prompts(plan, workspace)
    _ = plan.baseline
    return plan


def transformed(
    dataset: Dataset, transforms: Sequence[str | dict[str, Any]], prompts: Mapping[str, AnyPrompt]
) -> list[dict[str, Any]]:
    """The dataset's rows with the texts that prompts show said differently; the reference stays."""
    kept = {ID_COLUMN, dataset.reference or ID_COLUMN}
    columns = columns_shown(prompts, dataset.reference)
    return transform_rows(dataset.rows, transforms, sorted(columns), kept)


def columns_shown(prompts: Mapping[str, AnyPrompt], reference: str | None) -> set[str]:
    """The columns that some prompt puts before a model, without the id and the reference."""
    shown: set[str] = set()
    for prompt in prompts.values():
        if isinstance(prompt, Prompt):
            shown |= Renderer(prompt, reference).variables
    return shown - {ID_COLUMN, reference}


def load_plan(workspace: Workspace, run: RunRecord) -> Plan:
    """The plan of a stored run."""
    definition = run.definition
    experiment = Experiment.model_validate(definition["experiment"])
    rows = workspace.store.runs.rows(run.row_set)
    dataset = Dataset(
        experiment.dataset.name,
        experiment.dataset.split,
        tuple(rows.values()),
        definition["reference"],
        DatasetCard(name=experiment.dataset.name),
    )
    return Plan(experiment, dataset, stored_cells(run), stored_prompts(run))


def stored_prompts(run: RunRecord) -> dict[str, AnyPrompt]:
    """Every prompt that a stored run asks, as it was."""
    return {
        name: (Ensemble if "members" in content else Prompt).model_validate(content)
        for name, content in run.definition["prompts"].items()
    }


def prompt_version(prompts: Mapping[str, AnyPrompt], name: str) -> str:
    """The content hash of a prompt as it stands in `prompts`, its members included."""
    prompt = prompts[name]
    if isinstance(prompt, Prompt):
        return prompt.version
    return prompt.version({member: prompt_version(prompts, member) for member in prompt.mentioned()})


def stored_cells(run: RunRecord) -> tuple[Cell, ...]:
    """The cells of a stored run."""
    return tuple(Cell(**cell) for cell in run.definition["cells"])


def cell_at(cells: Sequence[Cell], index: int) -> Cell:
    """The cell of that index. Raises RunError, which says which there are."""
    if not 0 <= index < len(cells):
        raise RunError(f"There is no cell {index}; the run has cells 0 to {len(cells) - 1}.")
    return cells[index]


def twin_in(other: RunRecord, cell: Cell) -> Cell | None:
    """Another run's cell with the same prompt, model and sampling."""
    wanted = (cell.prompt, cell.model, cell.sampling)
    return next((one for one in stored_cells(other) if (one.prompt, one.model, one.sampling) == wanted), None)


def baseline_cell(experiment: Experiment, cells: tuple[Cell, ...]) -> Cell:
    """The baseline among `cells`. Raises WorkbenchError when the experiment names one that is not there."""
    baseline = experiment.baseline
    if baseline is None:
        return cells[0]
    for cell in cells:
        same_model = cell.model == baseline.model or cell.model.split("@")[0] == baseline.model
        asked = baseline.sampling.items()
        if cell.prompt == baseline.prompt and same_model and asked <= cell.sampling.items():
            return cell
    raise WorkbenchError(
        f"The baseline (prompt '{baseline.prompt}', model '{baseline.model}') is none of the cells: "
        f"{'; '.join(cell.label for cell in cells[:8])}."
    )


def _cells(workspace: Workspace, experiment: Experiment) -> tuple[Cell, ...]:
    axes = experiment.sampling_axes()
    cells: list[Cell] = []
    for prompt in experiment.prompts:
        version = workspace.prompts.version(prompt)
        for model in experiment.model_names():
            for point in experiment.sampling_grid():
                varied = {key: point[key] for key in axes}
                cells.append(Cell(len(cells), prompt, version, model, varied))
    return tuple(cells)


def _check_models(workspace: Workspace, names: Sequence[str]) -> None:
    """Refuses what a person mends in a moment, and a run in which no model could answer.

    A local model whose files are not as they should be fails its own rows; the others go on.
    """
    unusable = {name: check for name in names if not (check := workspace.models.check(name)).ok}
    for name, check in unusable.items():
        if len(unusable) == len(names) or not workspace.models.open(name).local:
            raise ModelUnavailable(check.sentence, name)


def check_metrics(workspace: Workspace, plan: Plan) -> Plan:
    """The plan with all that its metrics need. Raises WorkbenchError for one that cannot be measured."""
    plan, dataset = with_judges(workspace, plan), plan.dataset
    for spec in plan.experiment.metrics:
        metric = load_metric(spec)
        check_asked_models(workspace, metric)
        if metric.needs_reference and dataset.reference is None and metric.reference_column is None:
            raise MetricError(
                f"Metric '{metric.name}' compares with a right answer, and dataset '{dataset.name}' names "
                "no such column; add `reference: COLUMN` under `dataset` "
                f"(columns: {', '.join(dataset.columns)})."
            )
        metric.check_references(_right_answers(plan, metric))
    return plan


def _right_answers(plan: Plan, metric: Metric) -> list[Any]:
    """What the metric will compare with, as the first cell's prompt reads it: before anything is paid."""
    column = metric.reference_column or plan.dataset.reference
    values = [row.get(column) for row in plan.dataset.rows] if column else []
    if metric.reads == "text" or metric.reference_column is not None or not plan.cells:
        return values
    rule = answer_rule(plan.prompts[plan.cells[0].prompt], plan.prompts)
    return [reference_of(rule, value) for value in values]


def _check_prompts(plan: Plan, workspace: Workspace) -> None:
    composer = Composer(workspace.datasets, plan.dataset)
    evaluated = f"{plan.dataset.name}#{plan.dataset.split}"
    for prompt in plan.prompts.values():
        if isinstance(prompt, Prompt):
            if prompt.examples is not None:
                check_source(prompt.examples, evaluated)
            first = plan.dataset.rows[0]
            row = first if prompt.rubric is None else sample_row(prompt, first)
            composer.messages(prompt, row, EXTRA_VARIABLES)
