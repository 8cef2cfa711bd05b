"""The runs that a collection is made from: found by id or experiment, opened with their plan and cells.

find_sources(workspace, Collect(runs=("transit-samples",)))   ->  (("20261121-120000-3f9c1a",), ())
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.core.dataset import ID_COLUMN
from workbench.core.experiment import Experiment
from workbench.core.prompt import AnyPrompt, Prompt
from workbench.core.run import Cell
from workbench.core.tuning import Collect
from workbench.engine.finished.prompt_stand_ins import UNKNOWN
from workbench.engine.plan import Plan, columns_shown, load_plan
from workbench.engine.records import get_run, is_imported
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, UnknownName
from workbench.storage import RunRecord
from workbench.tuning.collecting.splits import check_split, held_back_splits

MOST_RUNS = 1_000
"""Newest runs of an experiment among which a completed one is looked for."""
LATEST = "latest"

Columns = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A completed run, and what of it is looked at.

    Attributes:
        cells: those of the prompts and models that were asked for.
        shown: columns of a row that some prompt puts before a model, sorted; of a run whose prompts are
            not known, every column of text.
    """

    record: RunRecord
    plan: Plan
    cells: tuple[Cell, ...]
    shown: Columns

    @property
    def run(self) -> str:
        """The run's id."""
        return self.record.id

    @property
    def imported(self) -> bool:
        """Whether its outputs were made elsewhere: then its split has no meaning."""
        return is_imported(self.record)

    def prompt(self, cell: Cell) -> Prompt | None:
        """What asked for a cell's outputs; None of an ensemble, and where an imported file does not tell."""
        prompt = self.plan.prompts[cell.prompt]
        return None if not isinstance(prompt, Prompt) or _is_unknown(prompt) else prompt


def find_sources(workspace: Workspace, settings: Collect) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of the runs to collect from, and the experiments that have no completed run yet.

    `settings.runs` names runs (their id, its beginning or end, `latest`) and experiments (their newest
    completed run that is no probe). Raises UnknownName for what is neither, and CollectionError for a
    run that is not completed, and for one over rows that are kept for evaluation.
    """
    held_back = held_back_splits(workspace, settings)
    runs: dict[str, None] = {}
    missing: dict[str, None] = {}
    for text in settings.runs:
        found = _completed(workspace, text)
        if found is None:
            choice = workspace.experiment(text).dataset
            check_split(f"Experiment '{text}'", choice.name, choice.split, held_back, settings)
            missing[text] = None
            continue
        record = get_run(workspace, found)
        if not is_imported(record):
            choice = Experiment.model_validate(record.definition["experiment"]).dataset
            check_split(f"Run '{found}'", choice.name, choice.split, held_back, settings)
        runs[found] = None
    return tuple(runs), tuple(missing)


def open_sources(workspace: Workspace, settings: Collect) -> list[Source]:
    """The runs of the settings, opened. Raises WorkbenchError, also where one has not been made yet."""
    runs, missing = find_sources(workspace, settings)
    if missing:
        raise CollectionError(
            f"Experiment '{missing[0]}' has no completed run to collect from; make one with "
            f"`workbench run experiments/{missing[0]}.yaml`."
        )
    sources = [_open(workspace, run, settings) for run in runs]
    for what, asked, there in (
        ("prompt", settings.prompts, _named(sources, "prompt")),
        ("model", settings.models, _named(sources, "model")),
    ):
        for name in asked:
            if sources and name not in there:
                raise UnknownName(f"{what} in {_in_words(runs)}", name, there)
    return sources


def prompt_columns(prompts: Iterable[AnyPrompt], reference: str | None) -> set[str]:
    """The columns that these prompts show, without the id and the reference."""
    return columns_shown({prompt.name: prompt for prompt in prompts}, reference)


def _completed(workspace: Workspace, text: str) -> str | None:
    """A completed run's id; None for an experiment that has none yet."""
    table = workspace.store.runs
    of_name = table.newest(MOST_RUNS, experiment=None if text == LATEST else text)
    made = [record for record in of_name if "probe" not in record.definition]
    done = next((record.id for record in made if record.status == "completed"), None)
    if done is not None:
        return done
    if text == LATEST:
        raise CollectionError("There is no completed run yet to collect from; make one with `workbench run`.")
    if text in workspace.experiment_names():
        return None
    if made:
        raise CollectionError(
            f"None of the runs of '{text}' is completed, and there is no experiment of that name any more "
            f"to make one; go on with the last by `workbench run --resume {made[0].id}`."
        )
    fitting = table.newest(limit=2, part=text) if text else []
    if len(fitting) > 1 and fitting[0].id != text:
        raise CollectionError(f"'{text}' fits several runs, such as {fitting[0].id} and {fitting[1].id}.")
    if not fitting:
        known = [*workspace.experiment_names(), *(record.id for record in table.newest(limit=200))]
        raise UnknownName("run or experiment", text, known)
    if fitting[0].status != "completed":
        raise CollectionError(
            f"Run '{fitting[0].id}' is {fitting[0].status}, and a collection takes completed ones; go on "
            f"with it by `workbench run --resume {fitting[0].id}`."
        )
    return fitting[0].id


def _open(workspace: Workspace, run: str, settings: Collect) -> Source:
    record = get_run(workspace, run)
    plan = load_plan(workspace, record)
    cells = tuple(
        cell
        for cell in plan.cells
        if (not settings.prompts or cell.prompt in settings.prompts)
        and (not settings.models or bool({cell.model, _plain(cell.model)} & set(settings.models)))
    )
    known = [one for one in plan.prompts.values() if not (isinstance(one, Prompt) and _is_unknown(one))]
    shown = prompt_columns(known, plan.dataset.reference) & set(plan.dataset.columns)
    if not shown:
        row = plan.dataset.rows[0] if plan.dataset.rows else {}
        hidden = (ID_COLUMN, plan.dataset.reference)
        shown = {name for name, value in row.items() if isinstance(value, str) and name not in hidden}
    return Source(record, plan, cells, tuple(sorted(shown)))


def _named(sources: Sequence[Source], what: str) -> set[str]:
    names = {getattr(cell, what) for source in sources for cell in source.plan.cells}
    return names | {_plain(name) for name in names}


def _plain(model: str) -> str:
    return model.partition("@")[0]


def _in_words(runs: Sequence[str]) -> str:
    return f"run {runs[0]}" if len(runs) == 1 else f"runs {', '.join(runs)}"


def _is_unknown(prompt: Prompt) -> bool:
    return all(message.content in ("", UNKNOWN) for message in prompt.messages)
