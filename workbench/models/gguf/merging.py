"""A model and its adapter as one folder of safetensors, for as long as it takes to convert it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workbench.models.local.merging import merge_to_folder


@contextlib.contextmanager
def merged_folder(folder: Path, adapter: Path, model: str) -> Iterator[Path]:
    """A temporary folder with the adapter's changes in the weights, which are in memory as a whole.

    Raises ModelUnavailable for an adapter of another base, or one that cannot be merged.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-") as name:
        yield merge_to_folder(folder, adapter, Path(name) / "whole", model)
