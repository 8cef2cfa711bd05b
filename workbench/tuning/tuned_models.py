"""Tuned models on disk: saved in one step, deleted so that they can come back.

STATE/models/small-quickstart/
  row.yaml        its row in the catalog
  lineage.json    where it came from, and the hash of its weights
  items.jsonl     every example that it learnt from, with its origin
  adapter/        or weights/: whole ones
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.core.document import NAME, dump
from workbench.core.files import write_text
from workbench.core.model import ModelSpec
from workbench.engine.workspace import Workspace
from workbench.errors import StorageError, TuningError, UnknownName
from workbench.models.embedded import EMBEDDED, embedded_path
from workbench.models.local.weights import weights_hash
from workbench.models.tuned_rows import ADAPTER, DELETED, ROW, WEIGHTS
from workbench.tuning.folders import TuningFolder

LINEAGE = "lineage.json"
UNUSABLE = re.compile(r"[^A-Za-z0-9._-]")
ITEMS = "items.jsonl"


def models_dir(workspace: Workspace) -> Path:
    """Where tuned models lie."""
    return workspace.state_dir / "models"


def free_name(workspace: Workspace, wanted: str, taken: Iterable[str] = ()) -> str:
    """`wanted` as a name that no model has yet: `small-quickstart`, else `small-quickstart-2` …"""
    known = {*workspace.models.names(), *taken}
    plain = UNUSABLE.sub("-", wanted)[:90].strip("._-")
    stem = plain or "tuned"
    name, number = stem, 1
    while name in known:
        number += 1
        name = f"{stem}-{number}"
    return name


def save_tuned(
    workspace: Workspace, name: str, base: ModelSpec, trained: TuningFolder, papers: Mapping[str, Any]
) -> str:
    """Puts the trained weights among the models, all or nothing; returns the hash of what was saved.

    An adapter keeps its base as it is named in `base`; whole weights stand for themselves. What an earlier
    session of the same tuning saved is replaced. Raises StorageError, such as for a full disk.
    """
    folder = models_dir(workspace)
    target = _inside(folder, name)
    staged = folder / f".saving-{name}"
    is_adapter = (trained.model / "adapter_config.json").is_file()
    part = ADAPTER if is_adapter else WEIGHTS
    try:
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(trained.model, staged / part)
        shutil.copyfile(trained.items, staged / ITEMS)
        saved = weights_hash(staged / part)
        write_text(staged / ROW, dump(_row(name, base, part)))
        write_text(staged / LINEAGE, json.dumps({**papers, "weights": saved}, ensure_ascii=False, indent=1))
        _take_place(staged, target)
    except (OSError, StorageError) as problem:
        shutil.rmtree(staged, ignore_errors=True)
        raise StorageError(
            f"The tuned model could not be saved to {target} ({_reason(problem)}). What was trained is "
            f"kept in {trained.model}: make room, then resume the tuning."
        ) from None
    return saved


def saved_by(workspace: Workspace, name: str) -> str | None:
    """The tuning that saved the model of that name; None where there is none."""
    papers = read_papers(models_dir(workspace) / name)
    return None if papers is None else papers.get("tuning")


def read_papers(folder: Path) -> dict[str, Any] | None:
    """lineage.json of a tuned model's folder; None where there is none that can be read."""
    try:
        found = json.loads((folder / LINEAGE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def tuned_names(workspace: Workspace) -> list[str]:
    """Names of the models that were tuned here."""
    return sorted(row.parent.name for row in models_dir(workspace).glob(f"[!.]*/{ROW}"))


def delete_tuned_model(workspace: Workspace, name: str) -> list[str]:
    """Takes a tuned model out of every menu; returns the experiments that name it.

    `undelete_tuned_model` brings it back. Raises UnknownName.
    """
    folder = _inside(models_dir(workspace), name)
    if not (folder / ROW).is_file():
        raise UnknownName("tuned model", name, tuned_names(workspace))
    now = datetime.datetime.now(datetime.UTC)
    aside = models_dir(workspace) / DELETED / name / f"{now:%Y%m%d-%H%M%S-%f}"
    try:
        aside.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(aside)
    except OSError as problem:
        raise StorageError(f"{folder} cannot be moved: {problem.strerror}.") from None
    return experiments_with(workspace, name)


def undelete_tuned_model(workspace: Workspace, name: str) -> None:
    """Brings back the model of that name that was deleted last. Raises UnknownName, TuningError."""
    folder = _inside(models_dir(workspace), name)
    deleted = sorted((models_dir(workspace) / DELETED / folder.name).glob(f"*/{ROW}"))
    if not deleted:
        known = (found.name for found in (models_dir(workspace) / DELETED).glob("*"))
        raise UnknownName("deleted model", name, known)
    if folder.exists():
        raise TuningError(f"There is a model named '{name}' again; delete that one first.")
    try:
        deleted[-1].parent.rename(folder)
        with contextlib.suppress(OSError):  # others of its name may still lie there
            deleted[-1].parent.parent.rmdir()
    except OSError as problem:
        raise StorageError(f"{folder} cannot be brought back: {problem.strerror}.") from None


def experiments_with(workspace: Workspace, model: str) -> list[str]:
    """Names of the experiments that ask a model, in whatever quantization."""
    return [
        name
        for name in workspace.experiment_names()
        if model in {used.split("@")[0] for used in workspace.experiment(name).models}
    ]


def _row(name: str, base: ModelSpec, part: str) -> ModelSpec:
    whole = part == WEIGHTS
    return ModelSpec(
        name=name,
        provider="transformers",
        description=f"{base.name}, tuned here.",
        model=WEIGHTS if whole else _portable(base.model),
        adapter=None if whole else ADAPTER,
        chat_template=None if whole else base.chat_template,
        context=base.context,
        device=base.device,
        sampling=base.sampling,
        price=base.price,
    )


def _portable(model: str) -> str:
    """An embedded model by its name: its folder is another one wherever the package is installed."""
    for name in EMBEDDED:
        with contextlib.suppress(UnknownName):
            if model == str(embedded_path(name)):
                return name
    return model


def _take_place(staged: Path, target: Path) -> None:
    """The staged folder becomes `target`; whoever looks sees the old one, none, or the new one whole."""
    old = target.parent / f".old-{target.name}"
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.rename(target, old)
    os.rename(staged, target)
    shutil.rmtree(old, ignore_errors=True)


def _inside(folder: Path, name: str) -> Path:
    if not NAME.fullmatch(name) or name.endswith("."):
        raise UnknownName("tuned model", name)
    return folder / name


def _reason(problem: Exception) -> str:
    if isinstance(problem, shutil.Error) and problem.args and problem.args[0]:
        return str(problem.args[0][0][-1])
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror.lower()
    return str(problem)
