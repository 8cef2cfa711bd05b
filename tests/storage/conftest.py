"""Every storage test runs on SQLite, and on PostgreSQL where a server can be started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import postgres_url
from workbench.storage import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/workbench.db"
    return postgres_url()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store over an empty database."""
    opened = Store(store_url)
    yield opened
    opened.close()
