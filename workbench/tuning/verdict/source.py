"""Which experiment tells whether the tuned model is better: the one collected from, on unseen rows.

transit-samples (transit#train, four samples a row) → transit#test, models [small, small-quickstart]
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.collection import Item
from workbench.core.experiment import Baseline, Experiment
from workbench.core.tuning import Recipe
from workbench.engine.records import is_imported
from workbench.engine.score import metric_names
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, UnknownName
from workbench.tuning.collecting.stored import find_collection

TRAIN, TEST, DEV = "train", "test", "dev"
MOST_ROWS = 500
"""Rows that are asked where a split takes the place of the one collected from, unless the recipe says."""


@dataclass(frozen=True, slots=True)
class Again:
    """The experiment as it is asked again.

    Attributes:
        headline: the prompt that was trained.
        teacher: the prompt whose outputs were learnt, where it is another one of the experiment.
        metric: of the verdict, as the experiment shows it.
    """

    experiment: Experiment
    headline: str
    teacher: str | None
    metric: str
    notes: tuple[str, ...] = ()


def experiment_again(
    workspace: Workspace, recipe: Recipe, base: str, tuned: str, items: Sequence[Item]
) -> Again:
    """The recipe's experiment, or the one that its items come from, with base and tuned as its models.

    Rows of a split that was learnt from are no evidence: test takes its place, else dev.
    Raises TuningError where neither is there or no experiment can be told, UnknownName for a prompt.
    """
    source = _source(workspace, recipe, items)
    choice, notes = _unseen_rows(workspace, recipe, source, items)
    teach = _teach(workspace, recipe)
    taught = teach or _most_common(item.origin.prompt for item in items)
    prompts = _prompts(recipe, source, taught, teach)
    headline = taught if taught in prompts else _first(source, prompts)
    metrics = metric_names(source)
    metric = recipe.evaluate.metric or metrics[0]
    update: dict[str, Any] = {
        "dataset": choice,
        "prompts": prompts,
        "models": (base, tuned),
        "quantization": (),
        "baseline": Baseline(prompt=headline, model=base),
        "margin": recipe.evaluate.margin or source.margin,
    }
    if metric not in metrics:
        update["metrics"] = (*source.metrics, metric)
    teacher = _most_common(item.origin.prompt for item in items)
    return Again(
        source.model_copy(update=update),
        headline,
        teacher if teacher in prompts and teacher != headline else None,
        metric,
        notes,
    )


def trained_on(items: Iterable[Item]) -> set[tuple[str, str]]:
    """(dataset, split) of every row that was learnt from."""
    return {
        (item.origin.dataset, item.origin.split or TRAIN) for item in items if item.origin.dataset is not None
    }


def unseen_split(workspace: Workspace, dataset: str, learnt: Collection[str]) -> str | None:
    """test, else dev, of a dataset, where it is there and not among the splits that were learnt from."""
    there = workspace.datasets.splits(dataset)
    return next((name for name in (TEST, DEV) if name in there and name not in learnt), None)


def _source(workspace: Workspace, recipe: Recipe, items: Sequence[Item]) -> Experiment:
    if recipe.evaluate.experiment is not None:
        return workspace.experiment(recipe.evaluate.experiment)
    run = _most_common(item.origin.run for item in items)
    record = workspace.store.runs.get(run) if run else None
    if record is None or is_imported(record):
        raise TuningError(
            "No experiment can be told from the items that were learnt (they come from files, or from runs "
            "that are gone or were made elsewhere); name one in the recipe: `evaluate: {experiment: NAME}`."
        )
    return Experiment.model_validate(record.definition["experiment"])


def _unseen_rows(
    workspace: Workspace, recipe: Recipe, source: Experiment, items: Sequence[Item]
) -> tuple[Any, tuple[str, ...]]:
    choice, limit = source.dataset, recipe.evaluate.limit
    learnt = {split for dataset, split in trained_on(items) if dataset == choice.name} | {TRAIN}
    if choice.split not in learnt:
        return choice.model_copy(update={"limit": _least(choice.limit, limit)}), ()
    split = unseen_split(workspace, choice.name, learnt)
    if split is None:
        raise TuningError(
            f"Dataset '{choice.name}' has no test or dev split that was not learnt from, so nothing can be "
            "said of the tuned model there; split it, or name another experiment in the recipe: "
            "`evaluate: {experiment: NAME}`."
        )
    note = f"Experiment '{source.name}' is about {choice.name}#{choice.split}; it is asked on #{split} here."
    return choice.model_copy(update={"split": split, "limit": limit or MOST_ROWS}), (note,)


def _teach(workspace: Workspace, recipe: Recipe) -> str | None:
    """The prompt whose messages were learnt, where the collection was made for one."""
    if recipe.collect is not None:
        return recipe.collect.teach
    with contextlib.suppress(UnknownName):  # deleted since: the items tell who made them
        stored = find_collection(workspace, recipe.collection or "").settings.get("teach")
        return stored if isinstance(stored, str) else None
    return None


def _prompts(recipe: Recipe, source: Experiment, taught: str | None, teach: str | None) -> tuple[str, ...]:
    wanted = recipe.evaluate.prompts
    for name in wanted:
        if name not in source.prompts and name != taught:
            raise UnknownName(f"prompt in experiment '{source.name}'", name, source.prompts)
    prompts = wanted or source.prompts
    return prompts if teach is None or teach in prompts else (teach, *prompts)


def _first(source: Experiment, prompts: tuple[str, ...]) -> str:
    stated = source.baseline.prompt if source.baseline is not None else None
    return stated if stated in prompts else prompts[0]


def _most_common(names: Iterable[str | None]) -> str | None:
    counted = Counter(name for name in names if name is not None)
    return counted.most_common(1)[0][0] if counted else None


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
