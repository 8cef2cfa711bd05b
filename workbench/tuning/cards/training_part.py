"""The part of a model card that the training fills: settings, what it took, where it ran, the loss curve."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

from workbench.core.figures import figure
from workbench.core.tuning import Train
from workbench.engine.using import machine_name
from workbench.engine.workspace import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning.cards.blocks import Line, LineChart, Section, Table, facts, section
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.events import TrainingState, read_points, read_state

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate")


def training_sections(
    workspace: Workspace, record: TuningRecord, folder: TuningFolder
) -> list[Section | None]:
    """Settings, environment and curve, as far as the tuning's files tell."""
    state = read_state(folder)
    return [
        section("Training", [_settings(folder), loss_chart(folder, state)]),
        section("Environment", [_environment(record, folder, state)]),
    ]


def loss_chart(folder: TuningFolder, state: TrainingState | None = None) -> LineChart | None:
    """Training and validation loss by step, the best look marked; None where nothing was seen."""
    points = read_points(folder)
    lines = (
        Line("training loss", tuple((one.step, one.loss) for one in points if one.loss is not None)),
        Line(
            "validation loss",
            tuple((one.step, one.validation_loss) for one in points if one.validation_loss is not None),
        ),
    )
    shown = tuple(line for line in lines if line.points)
    if not shown:
        return None
    best = (state or read_state(folder)).best_step
    return LineChart("Loss while training", "step", "loss", shown, None if best is None else (best, "best"))


def _settings(folder: TuningFolder) -> Table:
    try:
        train = TrainingJob.read(folder.job).train
    except (OSError, ValueError, KeyError, TypeError):
        return facts()
    usual = Train()
    shown: list[tuple[str, Any]] = []
    for name, value in train.model_dump(mode="json").items():
        given = getattr(train, name)
        if given is None or given == () or (given == getattr(usual, name) and name not in ALWAYS):
            continue
        shown.append((name.replace("_", " "), ", ".join(value) if isinstance(value, list) else value))
    return facts(*shown)


ALWAYS = frozenset({"method", "objective", "batch", "learning_rate", "schedule", "rank", "epochs", "seed"})
"""Settings that are told even where they are the usual ones."""


def _environment(record: TuningRecord, folder: TuningFolder, state: TrainingState) -> Table:
    start = state.start
    speeds = [one.tokens_per_s for one in read_points(folder) if one.tokens_per_s]
    versions = start.get("versions")
    told = versions if isinstance(versions, dict) else {"python": python_version(), **_versions()}
    return facts(
        ("machine", start.get("machine") or machine_name()),
        ("device", start.get("device")),
        ("processes", start.get("processes")),
        ("packages", ", ".join(f"{name} {number}" for name, number in told.items())),
        ("examples", start.get("examples")),
        ("examples left out as too long", start.get("left_out") or None),
        ("parameters", _count(start.get("parameters"))),
        ("of them trained", _count(start.get("trainable"))),
        ("steps", f"{state.step:,} of {state.steps:,}" if state.steps else None),
        ("seconds of training", f"{state.seconds:,.0f}" if state.seconds else None),
        ("seconds in all", f"{record.seconds:,.0f}" if record.seconds else None),
        ("tokens/s", figure(sum(speeds) / len(speeds)) if speeds else None),
        ("peak memory, MB", f"{state.peak_memory_bytes / 1e6:,.0f}" if state.peak_memory_bytes else None),
    )


def _count(number: object) -> str | None:
    return f"{number:,}" if isinstance(number, int) else None


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
