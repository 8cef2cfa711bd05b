"""A collection made by its settings: outputs picked, held-back rows taken out, cleaned, balanced and stored.

collect(workspace, "transit", Collect(runs=("transit-samples",)), "completion")   ->  "20261121-120000-3f9c1a"
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench.core.collection import CollectionItem, Item, Task
from workbench.core.document import check_name
from workbench.core.tuning import Balance, Collect
from workbench.engine.records import new_id
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError
from workbench.tuning.cleaning.applying import clean
from workbench.tuning.cleaning.balancing import balance
from workbench.tuning.cleaning.stored import BALANCE
from workbench.tuning.collecting.carrying import LIMIT, carried
from workbench.tuning.collecting.choosing import Choice, choose
from workbench.tuning.collecting.held_back import REPEATS, joined, overlapping, repeating
from workbench.tuning.collecting.sources import Source, open_sources
from workbench.tuning.collecting.splits import held_back_splits
from workbench.tuning.collecting.teaching import Teacher
from workbench.tuning.formats import read_examples

MOST_LISTED = 1_000
"""Rows that the report lists by name of those that repeat a held-back one; all are counted."""

OnProgress = Callable[[str], None]
"""Told in words what is being done."""


@dataclass
class Gathered:
    """What has been found so far, and what is told of it."""

    items: list[Item] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    overlaps: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


def collect(
    workspace: Workspace,
    name: str,
    settings: Collect,
    task: Task | None = None,
    on_progress: OnProgress | None = None,
    earlier: str | None = None,
) -> str:
    """Makes a collection and gives its id; an older one of the same name stays as its history.

    Args:
        name: what it is called; letters, digits, `.`, `_` and `-`.
        task: what its items teach; default: the settings' own, else `completion`.
        on_progress: told in words what is being done.
        earlier: the id of a collection; what a person decided on the same items there holds here.

    Raises CollectionError where nothing fits or the settings ask for what is not there, UnknownName for
    an unknown run, prompt, model, dataset or step, and InvalidFile for a file that cannot be read.
    """
    say = on_progress or (lambda words: None)
    teaches = _task(settings, task)
    try:
        check_name(name)
    except ValueError as problem:
        raise CollectionError(f"{problem}.") from None
    items, report = gather(workspace, settings, teaches, say, earlier)
    collection = new_id()
    say(f"Storing the collection, {len(items):,} in all")
    workspace.store.collections.create(collection, name, teaches, stored_settings(settings), report, items)
    return collection


def gather(
    workspace: Workspace,
    settings: Collect,
    task: Task,
    on_progress: OnProgress | None = None,
    earlier: str | None = None,
) -> tuple[list[CollectionItem], dict[str, Any]]:
    """What `collect` would store, and its report; nothing is made. Raises as `collect` does."""
    began = time.perf_counter()
    say = on_progress or (lambda words: None)
    splits = held_back_splits(workspace, settings)
    gathered = Gathered()
    _add_outputs(workspace, settings, task, splits, gathered, say)
    _add_files(workspace, settings, task, splits, gathered, say)
    _check(gathered)
    items = _finished(settings, gathered, say)
    if earlier is not None:
        items = carried(workspace.store.collections.items(earlier), items)
    return items, _report(gathered, items, splits, time.perf_counter() - began)


def stored_settings(settings: Collect) -> dict[str, Any]:
    """The settings as they lie with a collection."""
    return settings.model_dump(mode="json", exclude_defaults=True)


def _task(settings: Collect, task: Task | None) -> Task:
    if settings.task is not None and task is not None and settings.task != task:
        raise CollectionError(
            f"`collect.task` is '{settings.task}', but what is trained learns from items of task "
            f"'{task}'; leave `task` out."
        )
    return task or settings.task or "completion"


def _add_outputs(
    workspace: Workspace,
    settings: Collect,
    task: Task,
    splits: Sequence[str],
    gathered: Gathered,
    say: OnProgress,
) -> None:
    sources = open_sources(workspace, settings)
    if not sources:
        return
    teacher = Teacher(workspace, sources, settings.teach, settings.reasoning, splits)
    choice = choose(workspace, settings, task, sources, say)
    gathered.left_out.update(choice.left_out)
    gathered.report |= _told(settings, sources, choice, teacher)
    say(f"Comparing what was picked, {len(choice.picked):,} in all, with rows kept for evaluation")
    repeats = _repeats(workspace, splits, choice, gathered)
    say("Writing the examples")
    before = len(gathered.items)
    for one in choice.picked:
        place = one.better.place
        if (place.source.run, place.position) in repeats:
            gathered.left_out[REPEATS] += 1
            continue
        written = teacher.item(one, choice.merits.get(place.source.run))
        if isinstance(written, str):
            gathered.left_out[written] += 1
        else:
            gathered.items.append(written)
    if len(gathered.items) == before:
        raise CollectionError(choice.why_empty(gathered.left_out))


def _repeats(
    workspace: Workspace, splits: Sequence[str], choice: Choice, gathered: Gathered
) -> set[tuple[str, int]]:
    """The (run, position) of rows that repeat a held-back one; they are listed in the report."""
    rows = {
        (one.better.place.source.run, one.better.place.position): one.better.place for one in choice.picked
    }
    places = list(rows.values())
    texts = [joined(place.source.plan.dataset.rows[place.position], place.source.shown) for place in places]
    shown = {place.source.shown for place in places}
    found = overlapping(workspace, splits, texts, shown, every_column=False)
    for at in sorted(found):
        gathered.overlaps.append({"run": places[at].source.run, "row": places[at].row_id} | asdict(found[at]))
    return {(places[at].source.run, places[at].position) for at in found}


def _add_files(
    workspace: Workspace,
    settings: Collect,
    task: Task,
    splits: Sequence[str],
    gathered: Gathered,
    say: OnProgress,
) -> None:
    told = []
    for file in settings.files:
        say(f"Reading {file}")
        path = Path(file)
        read = read_examples(path if path.is_absolute() else workspace.root / path)
        if read.task != task:
            raise CollectionError(
                f"{file} holds items of task '{read.task}', and this collection is one of task '{task}'; "
                "collect the file apart, or choose a file of the other kind."
            )
        found = repeating(workspace, splits, read.items)
        for at in sorted(found):
            origin = read.items[at].origin
            gathered.overlaps.append({"file": origin.file or file} | asdict(found[at]))
        gathered.left_out[REPEATS] += len(found)
        gathered.items += [item for at, item in enumerate(read.items) if at not in found]
        told.append({"file": file, "items": len(read.items), "unmapped": list(read.unmapped)})
    if told:
        gathered.report["files"] = told


def _check(gathered: Gathered) -> None:
    items = gathered.items
    if not items:
        raise CollectionError("The files hold no example that may be learnt from: all repeat held-back rows.")
    first = items[0]
    if len(items) > 1 and all(item.completion == first.completion for item in items):
        said = " ".join(first.completion.split())
        raise CollectionError(
            f"All {len(items):,} items would teach the same text ('{said[:80]}'), whatever is asked; pick by "
            "something that tells outputs apart, or collect from other prompts or models."
        )


def _finished(settings: Collect, gathered: Gathered, say: OnProgress) -> list[CollectionItem]:
    """The items in their places, cleaned, balanced and limited; what that drops stays to be looked at."""
    if settings.clean:
        say(f"Cleaning what was found, {len(gathered.items):,} in all")
    cleaned = clean(gathered.items, settings.clean)
    told = ("step", "settings", "seen", "dropped", "changed")
    gathered.report["clean"] = [{name: getattr(one, name) for name in told} for one in cleaned.reports]
    states = [(outcome.reason, outcome.detail) for outcome in cleaned.outcomes]
    items = [outcome.item for outcome in cleaned.outcomes]
    if settings.balance is not None:
        _drop_but(_balanced(items, states, settings.balance), states, BALANCE, f"by {settings.balance.by}")
    kept = [at for at, (reason, _) in enumerate(states) if not reason]
    if settings.limit is not None and len(kept) > settings.limit:
        drawn = random.Random(settings.seed).sample(kept, settings.limit)
        _drop_but(set(drawn), states, LIMIT, f"{settings.limit} drawn of {len(kept)}")
    if all(reason for reason, _ in states):
        counts = ", ".join(
            f"{count:,} by {reason}" for reason, count in Counter(reason for reason, _ in states).items()
        )
        raise CollectionError(
            f"Cleaning leaves none of the {len(items):,} items ({counts}); take a step out of `clean`, or "
            "change its settings."
        )
    return [
        CollectionItem(at, item, "dropped" if reason else "kept", reason, detail)
        for at, (item, (reason, detail)) in enumerate(zip(items, states, strict=True))
    ]


def _balanced(items: Sequence[Item], states: Sequence[tuple[str, str]], settings: Balance) -> set[int]:
    """The places that stay; rare ones are repeated only when the training data are written."""
    kept = [at for at, (reason, _) in enumerate(states) if not reason]
    return {kept[at] for at in balance([items[at] for at in kept], settings)}


def _drop_but(stay: set[int], states: list[tuple[str, str]], reason: str, detail: str) -> None:
    for at, (dropped, _) in enumerate(states):
        if not dropped and at not in stay:
            states[at] = (reason, detail)


def _told(settings: Collect, sources: Sequence[Source], choice: Choice, teacher: Teacher) -> dict[str, Any]:
    taught = teacher.taught
    return {
        "looked_at": choice.looked_at,
        "picked": len(choice.picked),
        "picked_by": choice.picked_by,
        "best": choice.best,
        "taught": None if taught is None else {"prompt": taught.name, "version": taught.version},
        "reasoning": settings.reasoning,
        "sources": [
            {
                "run": source.run,
                "experiment": source.record.experiment,
                "dataset": source.plan.dataset.name,
                "split": source.plan.dataset.split,
                "cells": [cell.label for cell in source.cells],
            }
            for source in sources
        ],
    }


def _report(
    gathered: Gathered, items: Sequence[CollectionItem], splits: Sequence[str], seconds: float
) -> dict[str, Any]:
    dropped = Counter(one.reason for one in items if one.state == "dropped")
    return gathered.report | {
        "items": len(items),
        "left_out": {reason: count for reason, count in gathered.left_out.most_common() if count},
        "dropped": dict(dropped.most_common()),
        "apart_from": list(splits),
        "overlaps": {"rows": len(gathered.overlaps), "listed": gathered.overlaps[:MOST_LISTED]},
        "seconds": round(seconds, 3),
    }
