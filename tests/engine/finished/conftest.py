"""An empty workspace, and the public files to try imports on where they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.require import require
from workbench.engine import Workspace

SHARED = REPOSITORY.parent / "shared" / "data"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with nothing in it."""
    root = tmp_path / "workspace"
    for folder in ("prompts", "experiments"):
        (root / folder).mkdir(parents=True)
    opened = Workspace.open(root)
    yield opened
    opened.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """`write("a.json", content)`: a file of this text or these bytes, or of any other value as JSON."""

    def put(name: str, content: Any) -> Path:
        file = tmp_path / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            file.write_text(text, "utf-8")
        return file

    return put


def public(*names: str) -> list[Path]:
    """Files of the public data that is not part of the repository; the test is skipped without them."""
    files = [SHARED / name for name in names]
    if not SHARED.is_dir():
        pytest.skip("needs the public data beside the repository")
    return [require(file if file.exists() else None, str(file.name)) for file in files]


def stored(workspace: Workspace) -> dict[str, int]:
    """How many rows each table has: what a failed import must leave as it was."""
    from sqlalchemy import func, select

    from workbench.storage.tables import metadata

    with workspace.store.database.read() as connection:
        return {
            table.name: int(connection.execute(select(func.count()).select_from(table)).scalar() or 0)
            for table in metadata.sorted_tables
        }
