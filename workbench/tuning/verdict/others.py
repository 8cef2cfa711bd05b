"""Which experiments tell what was forgotten: one about each other dataset, with few prompts and rows.

recipe: forgetting not named → word-problems: sizes (step-by-step), team-labels: team-labels (four shots) …
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.core.collection import Item
from workbench.core.experiment import Baseline, Experiment
from workbench.core.prompt import Prompt
from workbench.core.tuning import Recipe
from workbench.engine.score import metrics_of
from workbench.engine.workspace import Workspace
from workbench.errors import UnknownName, WorkbenchError
from workbench.tuning.verdict.source import trained_on, unseen_split

MOST_PROMPTS = 2
MOST_ROWS = 150
"""Rows of each other experiment, unless the recipe says."""


def other_experiments(
    workspace: Workspace,
    recipe: Recipe,
    source: Experiment,
    base: str,
    tuned: str,
    items: Sequence[Item] = (),
) -> tuple[list[Experiment], list[str]]:
    """The experiments that are asked for what was lost, and what a reader has to know beside.

    Those that the recipe names (a dataset's name stands for the least experiment about it), else one for
    each dataset that `source` is not about. Rows of a split that `items` come from tell of no loss: test or
    dev takes its place. Raises UnknownName for a name that is neither.
    """
    found, notes = _others(workspace, recipe, source)
    learnt = trained_on(items)
    unseen = []
    for one in found:
        choice = one.dataset
        if (choice.name, choice.split) in learnt:
            splits = {split for dataset, split in learnt if dataset == choice.name}
            split = unseen_split(workspace, choice.name, splits)
            if split is None:
                notes.append(
                    f"'{one.name}' is about '{choice.name}#{choice.split}', which was learnt from, and there "
                    "is no test or dev split beside: what was lost there is not known."
                )
                continue
            one = one.model_copy(update={"dataset": choice.model_copy(update={"split": split})})
        unseen.append(_again(workspace, recipe, one, base, tuned))
    return unseen, notes


def _others(workspace: Workspace, recipe: Recipe, source: Experiment) -> tuple[list[Experiment], list[str]]:
    wanted = recipe.evaluate.forgetting
    if wanted is not None:
        return [_named(workspace, name) for name in wanted], []
    found, notes = [], []
    for dataset in workspace.datasets.names():
        if dataset == source.dataset.name:
            continue
        least = _least(workspace, dataset)
        if least is None:
            notes.append(
                f"No experiment on a local model is about '{dataset}': what was lost there is not known."
            )
        else:
            found.append(least)
    return found, notes


def _named(workspace: Workspace, name: str) -> Experiment:
    if name in workspace.experiment_names():
        return workspace.experiment(name)
    least = _least(workspace, name) if name in workspace.datasets.names() else None
    if least is None:
        raise UnknownName("experiment, or dataset with an experiment,", name, workspace.experiment_names())
    return least


def _least(workspace: Workspace, dataset: str) -> Experiment | None:
    """The experiment with the fewest calls among those about a dataset that some local model can do."""
    about = [one for one in _readable(workspace) if one.dataset.name == dataset and _usable(workspace, one)]
    return min(
        about, key=lambda one: (len(one.prompts) * (one.dataset.limit or 1_000_000), one.name), default=None
    )


def _readable(workspace: Workspace) -> Iterator[Experiment]:
    for name in workspace.experiment_names():
        yield workspace.experiment(name)


def _usable(workspace: Workspace, experiment: Experiment) -> bool:
    try:
        if any(metric.asks_models for metric in metrics_of(experiment).values()):
            return False
        telling_prompts(workspace, experiment.prompts)
        return any(workspace.models.open(name).local for name in experiment.model_names())
    except WorkbenchError:
        return False


def _again(workspace: Workspace, recipe: Recipe, experiment: Experiment, base: str, tuned: str) -> Experiment:
    limits = [limit for limit in (experiment.dataset.limit, recipe.evaluate.limit or MOST_ROWS) if limit]
    prompts = telling_prompts(workspace, experiment.prompts)
    return experiment.model_copy(
        update={
            "dataset": experiment.dataset.model_copy(update={"limit": min(limits)}),
            "prompts": prompts,
            "models": (base, tuned),
            "quantization": (),
            "repeats": 1,
            "baseline": Baseline(prompt=prompts[0], model=base),
        }
    )


def telling_prompts(workspace: Workspace, names: Sequence[str]) -> tuple[str, ...]:
    """The prompts that show most of what a model can do: with reasoning or examples, and no ensembles.

    Members of an ensemble tell the same for fewer calls. Where none reasons or has examples, the first.
    """
    plain = [name for name in names if isinstance(workspace.prompts.get(name), Prompt)]
    telling = [name for name in plain if _elaborate(workspace.prompts.get(name))]
    return tuple((telling or plain or list(names))[: MOST_PROMPTS if telling else 1])


def _elaborate(prompt: object) -> bool:
    return isinstance(prompt, Prompt) and (prompt.reasoning is not None or prompt.examples is not None)
