"""A store in a fresh folder, and files written as bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.datasets import DatasetStore


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file to import: write("rows.csv", "a,b\\n1,2\\n")."""

    def to_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file
