"""`workbench doctor`: what works here, and what to do about the rest. Shows no key and no password."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import typer

from workbench.commands.printing import AsJson, counted, print_json, printable
from workbench.commands.session import redacted, workspace
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engine import Workspace

NEEDED = (
    "torch",
    "transformers",
    "streamlit",
    "pandas",
    "openai",
    "langchain",
    "sacrebleu",
    "evaluate",
    "plotly",
)
OPTIONAL = {
    "xllamacpp": "GGUF models (workbench[gguf])",
    "bitsandbytes": "nf4 and bnb_int8 (workbench[quantization])",
    "torchao": "torchao_int8 and torchao_int4 (workbench[quantization])",
    "optimum": "quanto_int8 and quanto_int4 (workbench[quantization])",
    "peft": "LoRA adapters (workbench[adapters])",
    "trl": "tuning models (workbench[tuning])",
    "psycopg": "PostgreSQL as the database",
    "langchain_openai": "OpenAI's models through LangChain",
}
DISK_WANTED_GB = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` None: not needed, only told."""

    about: str
    ok: bool | None
    sentence: str


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check packages, accelerators, models and their keys, database, files and disk.

    \b
    Examples:
      workbench doctor
      workbench doctor --json
    """
    findings = [*_packages(), *_machine(), *_workspace(context)]
    if as_json:
        print_json({"ok": all(found.ok is not False for found in findings), "findings": findings})
    else:
        for found in findings:
            mark = {True: "ok  ", False: "FAIL", None: "–   "}[found.ok]
            print(f"{mark}  {found.about}: {printable(found.sentence)}")
    if any(found.ok is False for found in findings):
        raise typer.Exit(1)


def _packages() -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version())
    for name in NEEDED:
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, "not installed; run `make setup`")
    for name, purpose in OPTIONAL.items():
        there = importlib.util.find_spec(name) is not None
        yield Finding(
            name, True if there else None, f"{'for' if there else 'not installed; only for'} {purpose}"
        )


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processor", None, f"{cores} cores, {platform.machine()}")
    yield _tried("accelerator", _accelerator)


def _accelerator() -> Finding:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Finding("accelerator", True, ", ".join(names))
    if torch.backends.mps.is_available():
        return Finding("accelerator", True, "Apple GPU")
    return Finding("accelerator", None, "none; the embedded models need none")


def _workspace(context: typer.Context) -> Iterator[Finding]:
    try:
        opened = workspace(context)
    except WorkbenchError as problem:
        yield Finding("workspace", False, str(problem))
        return
    yield Finding("workspace", True, str(opened.root))
    yield _tried("database", lambda: _database(opened))
    yield _tried("worker", lambda: _worker(opened))
    yield from _files(opened)
    yield from _models(opened)
    free_gb = shutil.disk_usage(opened.root).free / 1e9
    yield Finding("disk", free_gb >= DISK_WANTED_GB, f"{free_gb:.1f} GB free")


def _database(opened: Workspace) -> Finding:
    from workbench.engine import runs

    kept = len(runs(opened, limit=1000))
    return Finding("database", True, f"{redacted(opened.database_url)} opens, {counted(kept, 'run')}")


def _worker(opened: Workspace) -> Finding:
    from workbench.engine import worker_alive

    alive = worker_alive(opened)
    return Finding(
        "worker", True if alive else None, "at work" if alive else "not running; the app starts it"
    )


def _files(opened: Workspace) -> Iterator[Finding]:
    from workbench.tuning import broken_recipes

    broken = [*opened.broken(), *broken_recipes(opened)]
    yield from (Finding("file", False, str(problem)) for problem in broken)
    if not broken:
        counts = (
            f"{len(opened.prompts.names())} prompts, {len(opened.experiment_names())} experiments, "
            f"{len(opened.datasets.names())} datasets"
        )
        yield Finding("files", True, f"all can be read: {counts}")


def _models(opened: Workspace) -> Iterator[Finding]:
    for spec in opened.models.specs():
        state = opened.models.check(spec.name)
        key = f" (key {spec.key}: {'set' if os.environ.get(spec.key) else 'not set'})" if spec.key else ""
        # a hosted model without its key is a choice; an embedded one that is broken is not
        ok = True if state.ok else (None if spec.key else False)
        yield Finding(f"model {spec.name}", ok, redacted(state.sentence) + key)


def _tried(about: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as problem:  # the doctor finishes the round whatever one check does
        return Finding(about, False, redacted(str(problem)) or type(problem).__name__)
