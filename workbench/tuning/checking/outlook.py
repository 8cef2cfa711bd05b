"""What a training will be like, before it starts: its settings, what speaks against it, memory, disk, time.

outlook(workspace, recipe, base, items, reading)  ->  Outlook(train=Train(epochs=8, …), steps=240, …)

All but the counted lengths (see `reading`) is worked out at once, so that a form can follow every change.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.core.collection import Item
from workbench.core.tuning import Recipe, Train
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, WorkbenchError
from workbench.models.local.memory import free_memory
from workbench.tuning.checking.base import Base
from workbench.tuning.checking.choosing import Choice, choices, chosen, total_steps
from workbench.tuning.checking.facts import DataFacts
from workbench.tuning.checking.findings import (
    Finding,
    item_findings,
    length_findings,
    setting_findings,
)
from workbench.tuning.checking.fitting import disk_finding, estimate_disk, memory_finding, needed_bytes
from workbench.tuning.checking.memory import TrainingMemory, estimate_training_memory
from workbench.tuning.checking.reading import Reading
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.combinations import check_combination
from workbench.tuning.training.events import read_points, read_state
from workbench.tuning.verdict.evaluating import check_evaluation

RECENT = 50
FLOPS = 3e10
"""Of one busy core, about, where nothing was measured yet; and what a step costs beside."""
STEP_S = 0.1


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be told before the start.

    Attributes:
        train: complete settings; choices: those that the recipe leaves out, with why.
        findings: errors first; an error means that it will not start.
        seconds: of the training alone; measured: whether it follows from an earlier one of the same base
            and method here, or from the size alone.
    """

    train: Train
    choices: tuple[Choice, ...]
    findings: tuple[Finding, ...]
    facts: DataFacts
    steps: int
    memory: TrainingMemory
    needed_bytes: int
    free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    seconds: float
    measured: bool

    @property
    def refused(self) -> bool:
        """Whether an error keeps it from starting."""
        return any(one.level == "error" for one in self.findings)


def outlook(
    workspace: Workspace,
    recipe: Recipe,
    base: Base,
    items: Sequence[Item],
    reading: Reading,
    more: Sequence[Finding] = (),
) -> Outlook:
    """Puts together what is known of a training on `items`. Loads nothing and asks no model.

    Args:
        more: what was found elsewhere, such as by `evaluation_findings`.

    Raises TuningError where the items could not be read.
    """
    facts = reading.facts
    if facts is None:
        raise TuningError(reading.problem)
    train = chosen(recipe.train, facts, base.parameters)
    on_gpu = reading.device.startswith("cuda")
    free = free_memory(reading.device)
    steps = total_steps(train, facts)
    seconds, measured = _seconds(workspace, base, train, facts, steps)
    order = ("error", "warning", "note")
    found = [*_findings(base, train, items, facts), *reading.findings, *more]
    if items and not any(one.level == "error" for one in found):
        short = memory_finding(base, train, facts, free, on_gpu)
        full = disk_finding(base, train, facts, workspace.state_dir)
        found += [one for one in (short, full) if one is not None]
    return Outlook(
        train=train,
        choices=tuple(choices(recipe.train, facts, base.parameters)),
        findings=tuple(sorted(found, key=lambda one: order.index(one.level))),
        facts=facts,
        steps=steps,
        memory=estimate_training_memory(base, train, facts),
        needed_bytes=needed_bytes(base, train, facts, on_gpu),
        free_bytes=free,
        disk_bytes=estimate_disk(base, train, facts),
        disk_free_bytes=shutil.disk_usage(workspace.state_dir).free,
        seconds=seconds,
        measured=measured,
    )


def evaluation_findings(workspace: Workspace, recipe: Recipe, items: Sequence[Item]) -> list[Finding]:
    """What would keep the verdict from being measured; reads every experiment of the workspace."""
    try:
        check_evaluation(workspace, recipe, items)
    except WorkbenchError as problem:
        return [Finding("error", "evaluate", str(problem))]
    return []


def _findings(base: Base, train: Train, items: Sequence[Item], facts: DataFacts) -> Iterator[Finding]:
    yield from item_findings(items, facts.task, train)
    if train.method == "dora":  # its look into the weights is left to the check before the start
        try:
            check_combination(train)
        except WorkbenchError as problem:
            yield Finding("error", "method", str(problem))
        yield from setting_findings(base, train.model_copy(update={"method": "lora"}), facts)
    else:
        yield from setting_findings(base, train, facts)
    yield from length_findings(base, train, facts)


def _seconds(
    workspace: Workspace, base: Base, train: Train, facts: DataFacts, steps: int
) -> tuple[float, bool]:
    """How long the training takes, and whether that was measured here."""
    examples = steps * (train.batch or 1) * train.accumulate * train.processes
    tokens = examples * facts.tokens / max(1, facts.examples)
    for record in workspace.store.tunings.newest(limit=RECENT):
        if record.definition.get("recipe", {}).get("base") != base.name:
            continue
        rate = _tokens_per_s(TuningFolder.of(workspace.state_dir, record.id), train)
        if rate is not None:
            return tokens / rate, True
    work = 6 * base.parameters * tokens
    return steps * STEP_S + work / FLOPS, False


def _tokens_per_s(folder: TuningFolder, train: Train) -> float | None:
    """Of an earlier training by the same method and objective, its looks left out."""
    try:
        before = TrainingJob.read(folder.job).train
        state, points = read_state(folder), read_points(folder)
        worked, read = state.parts.get("training", 0.0), float(state.start.get("tokens", 0))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if (before.method, before.objective) != (train.method, train.objective) or not points:
        return None
    seen = points[-1].epoch * read
    return seen / worked if worked > 0 and seen > 0 else None
