"""An export in a process of its own: who asks for one stays free of the libraries that put weights together.

export_apart(workspace, "small-quickstart", Path("models/small-quickstart.gguf"), "gguf")
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from workbench.engine.processes import QUIET_THREADS
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, WorkbenchError
from workbench.tuning.exporting import EXPORT_KINDS, ExportedModel, ExportKind, export_tuned


def export_apart(
    workspace: Workspace, name: str, out: Path, kind: ExportKind, replace: bool = False
) -> ExportedModel:
    """As `export_tuned`, and waits for its end. Raises TuningError with the sentence of what went wrong."""
    command = [sys.executable, "-m", "workbench.tuning.export_process", "--root", str(workspace.root)]
    command += ["--model", name, "--kind", kind, "--out", str(out), *(["--replace"] if replace else [])]
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | QUIET_THREADS | {"WORKBENCH_DATABASE": workspace.database_url},
    )
    try:
        told = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        why = (ended.stderr.strip().splitlines() or ["stopped by the system, as where memory runs out"])[-1]
        raise TuningError(
            f"The export of '{name}' ended before it was done ({why}); `workbench export model` shows more."
        ) from None
    if "problem" in told:
        raise TuningError(told["problem"])
    return ExportedModel(name, kind, out, told["quantization"], told["bytes"])


def main(arguments: list[str] | None = None) -> None:
    """Exports, and prints what was written, or the problem, as a line of JSON."""
    parser = argparse.ArgumentParser(prog="workbench.tuning.export_process", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--kind", choices=EXPORT_KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--replace", action="store_true")
    options = parser.parse_args(arguments)
    workspace = Workspace.open(options.root)
    try:
        found = export_tuned(workspace, options.model, options.out, options.kind, replace=options.replace)
        print(json.dumps({"quantization": found.quantization, "bytes": found.bytes}))
    except WorkbenchError as problem:
        print(json.dumps({"problem": str(problem)}))
    finally:
        workspace.close()


if __name__ == "__main__":
    main()
