"""The stages of a tuning, each of which can be stopped anywhere and entered again.

    collecting → checking → training → saving → evaluating → done

A stage ends with one write that names the next one together with what it found, so that whoever comes
after a crash begins where nothing is missing.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import asdict

from workbench.core.collection import collection_version
from workbench.core.tuning import STAGES, Recipe, Stage
from workbench.engine.lifecycle import cancel_run, create_run, execute_run, progress, resume_run
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, RunCancelled, TuningCancelled, TuningError
from workbench.storage.tunings import TuningRecord
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.lineages import make_papers
from workbench.tuning.records import get_tuning
from workbench.tuning.snapshot import (
    read_items,
    sample_prompts,
    split_by_row,
    write_examples,
    write_items,
)
from workbench.tuning.telling import CANCELLED, Telling, told_of_run
from workbench.tuning.tuned_models import free_name, save_tuned, saved_by

VIRTUAL_TOKENS = ("prefix", "prompt")


def recipe_of(record: TuningRecord) -> Recipe:
    """The recipe as it was when the tuning was asked for."""
    return Recipe.model_validate(record.definition["recipe"])


def refuse_nothing_new(workspace: Workspace, continues: str | None, version: str) -> None:
    """Raises TuningError where a collection of that version was learnt already by the tuning gone on from."""
    before = workspace.store.tunings.get(continues or "")
    if before is not None and before.collection_version == version:
        raise TuningError(
            f"Nothing has come since tuning {before.id}: the collection is the same, to the last item. Rate "
            "or run more, then continue."
        )


def work_stages(workspace: Workspace, tuning: str, telling: Telling) -> None:
    """Works a tuning from the stage that it is at to its end. Raises TuningCancelled, WorkbenchError."""
    first = STAGES.index(get_tuning(workspace, tuning).stage)
    for stage in STAGES[first:]:
        if stage in WORK:
            telling.check()
            WORK[stage](workspace, get_tuning(workspace, tuning), telling)


def collect_items(workspace: Workspace, record: TuningRecord, telling: Telling) -> None:
    """Takes the collection that the recipe names or makes one, and keeps its items with the tuning."""
    from workbench.tuning.collecting.gathering import collect
    from workbench.tuning.collecting.sources import find_sources
    from workbench.tuning.collecting.stored import find_collection, kept_items

    recipe = recipe_of(record)
    telling.stage("collecting", "Collecting what is good enough to learn from")
    if recipe.collection is not None:
        found = find_collection(workspace, recipe.collection)
        if found.task != recipe.task:
            raise TuningError(
                f"Collection '{found.name}' teaches a {found.task}, and the objective "
                f"'{recipe.train.objective}' learns from a {recipe.task}; choose another of the two."
            )
        collection = found.id
    else:
        settings = recipe.collect
        if settings is None:
            raise TuningError(f"Recipe '{recipe.name}' names neither a collection nor where to collect.")
        for experiment in find_sources(workspace, settings)[1]:
            _make_run(workspace, record, experiment, telling)
        telling.stage("collecting", "Collecting what is good enough to learn from")
        before = workspace.store.tunings.get(str(record.definition.get("continues") or ""))
        earlier = None if before is None else before.collection
        collection = collect(workspace, recipe.name, settings, recipe.task, telling.words, earlier)
    items = kept_items(workspace, collection)
    if not items:
        raise CollectionError(
            f"Collection '{recipe.collection or recipe.name}' has no item that is kept; accept some, or "
            "collect with a lower threshold."
        )
    stored = workspace.store.collections.get(collection)
    version = collection_version(items, stored.settings if stored is not None else None)
    refuse_nothing_new(workspace, record.definition.get("continues"), version)
    write_items(TuningFolder.of(workspace.state_dir, record.id), items)
    telling.stage("checking", "Checking", collection=collection, collection_version=version)


def check_and_prepare(workspace: Workspace, record: TuningRecord, telling: Telling) -> None:
    """Chooses what the recipe leaves open, refuses what cannot work, and writes the training's files."""
    from workbench.tuning.checking.base import find_base
    from workbench.tuning.checking.choosing import chosen
    from workbench.tuning.checking.facts import measure
    from workbench.tuning.checking.starting import check_before_start
    from workbench.tuning.checking.zero_rows import where_rows_have_length
    from workbench.tuning.cleaning.balancing import kept_balance, training_items
    from workbench.tuning.verdict.evaluating import check_evaluation

    recipe = recipe_of(record)
    telling.stage("checking", "Checking data, memory and disk")
    base = find_base(workspace.models.spec(recipe.base))
    folder = TuningFolder.of(workspace.state_dir, record.id)
    items = read_items(folder)
    check_evaluation(workspace, recipe, items)
    facts = measure(base, items, recipe.task)
    train = where_rows_have_length(base, chosen(recipe.train, facts, base.parameters))
    if base.adapter is not None:
        if train.method in VIRTUAL_TOKENS:
            raise TuningError(
                f"'{base.name}' is an adapter over another model, and virtual tokens (`method: "
                f"{train.method}`) cannot be laid over it; choose lora, or a base without an adapter."
            )
        train = train.model_copy(update={"merge": True})  # one adapter over another could not be served
    found = check_before_start(workspace, base, train, items, recipe.task, facts, tuning=record.id)
    learnt, held_back = split_by_row(items, train.validation, train.seed)
    stored = workspace.store.collections.get(record.collection or "")
    more_often = kept_balance(stored.settings) if stored is not None else None
    write_examples(folder, training_items(learnt, more_often), held_back)
    TrainingJob(
        tuning=record.id,
        base=str(base.folder),
        adapter=None if base.adapter is None else str(base.adapter),
        chat_template=base.chat_template,
        train=train,
        samples=sample_prompts(learnt, held_back, train.samples, train.seed),
        device=base.device,
    ).write(folder.job)
    definition = record.definition | {"findings": [asdict(one) for one in found]}
    telling.stage("training", "Loading the base", definition=definition)


def train_model(workspace: Workspace, record: TuningRecord, telling: Telling) -> None:
    """Trains, from the last checkpoint where there is one; cancelled, the weights so far are saved."""
    from workbench.tuning.training.following import train

    folder = TuningFolder.of(workspace.state_dir, record.id)
    telling.stage("training", "Loading the base")
    try:
        train(
            folder,
            lambda state: telling.tell(
                state.step,
                state.steps,
                state.seconds_left,
                "Loading the base" if state.status == "starting" else "Training",
            ),
            telling.cancelled,
        )
    except TuningCancelled as stopped:
        if any(folder.model.glob("*.safetensors")):
            name = _save(workspace, record)
            telling.stage("training", "", model=name)
            raise TuningCancelled(
                f"{stopped} Its model so far is '{name}': resume to train on, or measure it as it is."
            ) from None
        raise
    telling.stage("saving", "Saving the model")


def save_model(workspace: Workspace, record: TuningRecord, telling: Telling) -> None:
    """Puts the trained weights among the models that experiments can name."""
    telling.stage("saving", "Saving the model")
    telling.stage("evaluating", "Measuring", model=_save(workspace, record))


def evaluate_model(workspace: Workspace, record: TuningRecord, telling: Telling) -> None:
    """Asks base and tuned the same questions, and keeps the verdict."""
    from workbench.tuning.verdict.as_json import verdict_json
    from workbench.tuning.verdict.evaluating import evaluate_tuning

    if record.model is None:
        raise TuningError(f"Tuning {record.id} has no model yet that could be measured; resume its training.")
    recipe = recipe_of(record)
    telling.stage("evaluating", "Measuring")
    verdict = evaluate_tuning(
        workspace,
        record.id,
        recipe,
        recipe.base,
        record.model,
        read_items(TuningFolder.of(workspace.state_dir, record.id)),
        on_progress=telling.words,
    )
    telling.stage("done", "", result=verdict_json(verdict))
    # what one could go on from has served its time, and takes a multiple of the model's room
    shutil.rmtree(TuningFolder.of(workspace.state_dir, record.id).checkpoints, ignore_errors=True)


WORK: dict[Stage, Callable[[Workspace, TuningRecord, Telling], None]] = {
    "collecting": collect_items,
    "checking": check_and_prepare,
    "training": train_model,
    "saving": save_model,
    "evaluating": evaluate_model,
}


def _make_run(workspace: Workspace, record: TuningRecord, experiment: str, telling: Telling) -> None:
    """A completed run of an experiment, begun or gone on with for this tuning."""
    record = get_tuning(workspace, record.id)
    run = record.definition.get("sources", {}).get(experiment)
    if run is None or workspace.store.runs.get(run) is None:
        limit = record.definition.get("limit")
        run = create_run(workspace, workspace.experiment(experiment), limit=limit, owner="command")
        sources = record.definition.get("sources", {}) | {experiment: run}
        workspace.store.tunings.set(record.id, definition=record.definition | {"sources": sources})
    elif progress(workspace, run).status not in ("queued", "completed"):
        resume_run(workspace, run, owner="command")

    def stop() -> None:
        with contextlib.suppress(Exception):  # it may have ended by itself meanwhile
            cancel_run(workspace, run)

    try:
        execute_run(workspace, run, told_of_run(telling, experiment, stop))
    except RunCancelled as stopped:
        if telling.cancelled():
            raise TuningCancelled(CANCELLED) from None
        raise TuningError(
            f"The run of '{experiment}' that the tuning collects from was stopped: {stopped}"
        ) from None


def _save(workspace: Workspace, record: TuningRecord) -> str:
    folder = TuningFolder.of(workspace.state_dir, record.id)
    recipe, job = recipe_of(record), TrainingJob.read(folder.job)
    base = workspace.models.spec(recipe.base)
    items = read_items(folder)
    learnt, _ = split_by_row(items, job.train.validation, job.train.seed)
    name = record.model or str(record.definition["model"])
    if name in workspace.models.names() and saved_by(workspace, name) != record.id:
        name = free_name(workspace, name)
    papers = make_papers(workspace, record, recipe, base, job, len(learnt))
    save_tuned(workspace, name, base, folder, papers)
    return name
