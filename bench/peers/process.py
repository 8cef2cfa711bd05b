"""Contenders as child processes, so that none of them pays for another's threads, memory or packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.prompts import Messages

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "WORKBENCH_THREADS": "1",
    "WORKBENCH_DEVICE": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What one asking took. `cpu_s` is that of the contender's whole process."""

    wall_s: float
    cpu_s: float
    texts: tuple[str, ...]


class ContenderFailed(Exception):
    """A contender that could not start or ended; its text is the last line that it wrote."""


class Worker:
    """A contender's process, with its model loaded.

    Args:
        name: the contender's module in bench/peers.
        folder: the model's.
        settings: what its `Contender` takes.
        python: another environment's interpreter.

    Raises ContenderFailed.
    """

    def __init__(
        self, name: str, folder: Path, settings: Mapping[str, Any], python: str = sys.executable
    ) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", "bench.peers.worker", name, str(folder), json.dumps(settings)],
            cwd=ROOT,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.note = str(self._line()["note"])

    def answer(self, prompts: Sequence[Messages], max_tokens: int) -> Answered:
        """Asks for one answer a prompt, greedily."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"prompts": prompts, "max_tokens": max_tokens}) + "\n")
        self._process.stdin.flush()
        found = self._line()
        return Answered(found["wall_s"], found["cpu_s"], tuple(found["texts"]))

    def close(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.communicate()
        self._log.close()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            written = [text for text in self._log.read().splitlines() if text.strip()]
            raise ContenderFailed(written[-1] if written else f"ended with {self._process.returncode}")
        found: dict[str, Any] = json.loads(line)
        return found
