"""How local models can be held on this machine, as menus offer it."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

from workbench.models.gguf.quantizations import GGUF_QUANTIZATIONS
from workbench.models.local.quantization import QUANTIZATIONS, available

NVIDIA = Path("/proc/driver/nvidia/gpus")


def offered() -> dict[str, str]:
    """Name and what it is good for: what transformers can do here, then llama.cpp's own."""
    found = {kind.name: kind.good_for for kind in available(_likely_device())}
    if find_spec("xllamacpp") is None or find_spec("gguf") is None:
        return found
    theirs = {name: f"By llama.cpp. {kind.good_for}" for name, kind in GGUF_QUANTIZATIONS.items()}
    return found | {name: words for name, words in theirs.items() if name not in QUANTIZATIONS}


def _likely_device() -> str:
    """Where models will run, told without importing torch."""
    if NVIDIA.is_dir():
        return "cuda"
    return "mps" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else "cpu"
