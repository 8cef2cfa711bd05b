"""The processes that share a training: what they agree on, and what memory they hold together."""

from __future__ import annotations

import contextlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "bitsandbytes", "workbench")


class Machine:
    """One training's processes, seen from one of them."""

    def __init__(self, device: str) -> None:
        """Meets the others; all processes of a training make one at the same point."""
        import torch

        self.device = device
        self.processes = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
        self._pids = [os.getpid()]
        if self.processes > 1:
            found: list[Any] = [None] * self.processes
            torch.distributed.all_gather_object(found, os.getpid())
            self._pids = found

    @property
    def threads(self) -> int:
        """Threads that each process computes with."""
        import torch

        return int(torch.get_num_threads())

    def all_hear(self, first_heard: bool) -> bool:
        """What the first process heard, on every process at the same step."""
        if self.processes == 1:
            return first_heard
        import torch

        heard = torch.tensor([int(first_heard)], device=self.device)
        torch.distributed.broadcast(heard, src=0)
        return bool(heard.item())

    def memory_bytes(self) -> int:
        """What the processes hold now; of a GPU's memory, what this process took."""
        return sum(_resident(pid) for pid in self._pids) + self._of_gpu(peak=False)

    def peak_bytes(self) -> int:
        """The most that each process held, added up."""
        return sum(_peak(pid) for pid in self._pids) + self._of_gpu(peak=True)

    def _of_gpu(self, peak: bool) -> int:
        if not self.device.startswith("cuda"):
            return 0
        import torch

        each = torch.cuda.max_memory_reserved() if peak else torch.cuda.memory_reserved()
        return int(each) * self.processes


def versions() -> dict[str, str]:
    """What the weights were made with."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _resident(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)
