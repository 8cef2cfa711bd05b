"""Fine-tuning: collect what was good, train on it, and measure the tuned model against its base.

Names are imported when first used, so that `workbench.tuning` costs nothing by itself.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME: dict[str, str] = {
    "TuningFolder": "folders",
    "TrainingJob": "job",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.tuning' has no attribute '{name}'")
    return getattr(importlib.import_module(f"workbench.tuning.{_HOME[name]}"), name)
