"""Checkpoints: which of them are whole, so that a training goes on from what it can trust.

checkpoints/checkpoint-40/
  adapter_model.safetensors  optimizer.pt  scheduler.pt  rng_state.pth  trainer_state.json
  complete.json              written last: {"adapter_model.safetensors": [51264, 2868812541], …}

Sizes and checksums tell a state that a kill, a full disk or a bad sector broke from one that is whole.
"""

from __future__ import annotations

import json
import re
import shutil
import zlib
from pathlib import Path

from workbench.core.files import write_text

MARK, STATE = "complete.json", "trainer_state.json"
NAME = re.compile(r"^checkpoint-(\d+)$")
OF_OTHER_PROCESSES = re.compile(r"^rng_state_[1-9]\d*\.pth$")  # each writes its own, in its own time
BLOCK_BYTES = 1 << 20


def checkpoint_steps(checkpoints: Path) -> list[int]:
    """The steps that have a checkpoint, whole or not, newest first."""
    if not checkpoints.is_dir():
        return []
    found = [NAME.match(entry.name) for entry in checkpoints.iterdir() if entry.is_dir()]
    return sorted((int(match[1]) for match in found if match), reverse=True)


def checkpoint_at(checkpoints: Path, step: int) -> Path:
    """The folder of a step's checkpoint."""
    return checkpoints / f"checkpoint-{step}"


def mark_complete(checkpoint: Path) -> None:
    """Notes that everything is written, with what it takes to see that it stays so. Raises StorageError."""
    found = {
        file.name: [file.stat().st_size, _checksum(file)]
        for file in sorted(checkpoint.iterdir())
        if file.is_file() and file.name != MARK and not OF_OTHER_PROCESSES.match(file.name)
    }
    write_text(checkpoint / MARK, json.dumps(found, indent=1))


def what_is_broken(checkpoint: Path) -> str | None:
    """Why a checkpoint cannot be gone on from, in words; None for a whole one."""
    try:
        expected = json.loads((checkpoint / MARK).read_text("utf-8"))
        if STATE not in expected:
            return f"it has no {STATE}"
        for name, (size, checksum) in expected.items():
            file = checkpoint / Path(name).name
            if not file.is_file():
                return f"{name} is missing"
            if file.stat().st_size != size:
                return f"{name} has {file.stat().st_size:,} of {size:,} bytes"
            if _checksum(file) != checksum:
                return f"{name} is not what was written"
    except FileNotFoundError:
        return "it was not written to its end"
    except (OSError, ValueError, TypeError):
        return f"its {MARK} cannot be read"
    return None


def newest_complete(checkpoints: Path) -> tuple[int | None, list[tuple[int, str]]]:
    """The newest step that can be gone on from, and the newer ones that cannot, with why."""
    broken: list[tuple[int, str]] = []
    for step in checkpoint_steps(checkpoints):
        why = what_is_broken(checkpoint_at(checkpoints, step))
        if why is None:
            return step, broken
        broken.append((step, why))
    return None, broken


def remove_checkpoint(checkpoints: Path, step: int) -> None:
    """Deletes a checkpoint, its mark first, so that no half of it passes for a whole one."""
    folder = checkpoint_at(checkpoints, step)
    (folder / MARK).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _checksum(file: Path) -> int:
    found = 0
    with file.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            found = zlib.crc32(block, found)
    return found
