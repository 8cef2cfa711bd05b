"""Everything that is looked at before a training starts, in one list of findings; errors stop it.

check_before_start(workspace, base, train, items, "completion", facts)  ->  [Finding("warning", …), …]
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from workbench.core.collection import Item, Task, collection_version
from workbench.core.tuning import Recipe, Train
from workbench.engine.workspace import Workspace
from workbench.errors import ModelUnavailable
from workbench.models.local.memory import free_memory
from workbench.tuning.checking.base import Base
from workbench.tuning.checking.choosing import chosen
from workbench.tuning.checking.facts import DataFacts
from workbench.tuning.checking.findings import (
    Finding,
    item_findings,
    length_findings,
    refuse_errors,
    setting_findings,
    text_findings,
)
from workbench.tuning.checking.fitting import disk_finding, memory_finding
from workbench.tuning.checking.zero_rows import where_rows_have_length
from workbench.tuning.folders import TuningFolder

RECENT = 200


def findings_before_start(
    workspace: Workspace,
    base: Base,
    train: Train,
    items: Sequence[Item],
    task: Task,
    facts: DataFacts,
    tuning: str | None = None,
) -> list[Finding]:
    """What speaks against the training, errors first. Loads no weights.

    Args:
        train: complete, see `chosen`.
        tuning: the one that is to start, which is no double of itself.
    """
    found = [*item_findings(items, task, train), *setting_findings(base, train, facts)]
    if items:
        found += [*text_findings(base, items), *length_findings(base, train, facts)]
        found += _machine_findings(workspace, base, train, facts)
        found += _doubles(workspace, base, train, items, facts, tuning)
    order = ("error", "warning", "note")
    return sorted(found, key=lambda one: order.index(one.level))


def check_before_start(
    workspace: Workspace,
    base: Base,
    train: Train,
    items: Sequence[Item],
    task: Task,
    facts: DataFacts,
    tuning: str | None = None,
) -> list[Finding]:
    """The warnings and notes of `findings_before_start`. Raises TuningError where there are errors."""
    found = findings_before_start(workspace, base, train, items, task, facts, tuning)
    refuse_errors(found)
    return found


def _machine_findings(workspace: Workspace, base: Base, train: Train, facts: DataFacts) -> Iterator[Finding]:
    from workbench.models.local.loading import device_name, devices

    try:
        device = device_name("fp32", base.device, base.name)
    except ModelUnavailable as problem:
        yield Finding("error", "base", str(problem))
        return
    on_gpu = device.startswith("cuda")
    if train.processes > 1:
        there = sum(one.startswith("cuda") for one in devices()) if on_gpu else _cores()
        what = "GPU" if on_gpu else "core"
        if train.processes > there:
            yield Finding(
                "error",
                "processes",
                f"`processes: {train.processes}` is more than this machine has {what}s ({there}); use "
                f"{there} or fewer.",
            )
        elif not on_gpu and train.processes == there:
            yield Finding(
                "note",
                "processes",
                f"{train.processes} processes take every core of this machine: pages and runs will be slow.",
            )
    found = memory_finding(base, train, facts, free_memory(device), on_gpu)
    if found is not None:
        yield found
    room = disk_finding(base, train, facts, TuningFolder.of(workspace.state_dir, "new").path)
    if room is not None:
        yield room


def _doubles(
    workspace: Workspace,
    base: Base,
    train: Train,
    items: Sequence[Item],
    facts: DataFacts,
    tuning: str | None,
) -> Iterator[Finding]:
    itself = workspace.store.tunings.get(tuning) if tuning else None
    version = (itself and itself.collection_version) or collection_version(items)
    for record in workspace.store.tunings.newest(limit=RECENT):
        if record.id == tuning or record.status != "completed" or record.collection_version != version:
            continue
        stored = record.definition.get("recipe")
        recipe = Recipe.model_validate(stored) if isinstance(stored, dict) else None
        if recipe is None or recipe.base != base.name:
            continue
        # merging, which a base with an adapter asks for, is another way to save what was learnt alike
        again = chosen(recipe.train, facts, base.parameters).model_copy(update={"merge": train.merge})
        again = where_rows_have_length(base, again)
        if again == train:
            yield Finding(
                "note",
                "train",
                f"Tuning {record.id} trained '{base.name}' with these settings on the same items; its model "
                f"is '{record.model}'.",
            )
            return


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
