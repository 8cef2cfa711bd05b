"""What a run's models take: how long each was at work, on which machine, and what it held there.

    small@int8  320 calls  9,800 tokens  busy 12.3 s  on Linux x86_64, AMD EPYC 7B13, 2 cores

A model's clock runs while at least one of its calls is under way: answers out of the cache are no
calls, and loading comes before the first.
"""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

PROCESSORS = Path("/proc/cpuinfo")
NVIDIA = Path("/proc/driver/nvidia/gpus")
LONGEST_NAME = 200


@cache
def machine_name() -> str:
    """A short stable name of this machine's kind: system, processor, cores, NVIDIA accelerators.

    Figures are compared only where it is the same. It names no host, and it is read from the
    system, not from torch, so that a page which never loads a model finds what a run has measured.
    """
    parts = [f"{platform.system()} {platform.machine()}", _processor(), _counted(_cores(), "core")]
    cards = _accelerators()
    parts += [f"{cards.count(card)} × {card}" for card in dict.fromkeys(cards)]
    return ", ".join(part for part in parts if part)[:LONGEST_NAME]


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", PROCESSORS.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        found = None
    name = found[1] if found else platform.processor()
    return "" if name == platform.machine() else " ".join(name.split())


def _cores() -> int:
    # what this process may use: a container's share is what its speed depends on
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _accelerators() -> list[str]:
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return []
    found = []
    for file in sorted(NVIDIA.glob("*/information")):
        try:
            model = re.search(r"^Model:\s*(.+)$", file.read_text("utf-8", "replace"), re.MULTILINE)
        except OSError:
            continue
        found.append(model[1].strip() if model else "NVIDIA")
    return found


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
