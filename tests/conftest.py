"""What every test gets: a quiet machine, no keys, no proxies, and a workspace of its own on request."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# before torch is imported anywhere: idle threads that spin starve the other core
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# nothing here is a timed test: a busy machine must not fail one, and what passed passes again;
# `--hypothesis-profile search` looks for examples that nobody tried yet
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), derandomize=True)
settings.load_profile("same")

REPOSITORY = Path(__file__).resolve().parents[1]
PRIVATE_NAMES = ("_API_KEY", "_TOKEN", "_PROXY", "_proxy")


_frozen_at: list[int] = [0]
"""How many modules there were when objects were last set aside."""


def pytest_runtest_setup() -> None:
    """Sets aside what large libraries made: each model that a test lets go has garbage collected."""
    if len(sys.modules) > _frozen_at[-1] + 200:
        gc.collect()
        gc.freeze()
        _frozen_at.append(len(sys.modules))


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A training that a developer runs, or another process of tests, holds nobody's turn here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own keys, proxies and workspace never reach a test."""
    for name in list(os.environ):
        if name.endswith(PRIVATE_NAMES) or name in ("WORKBENCH_ROOT", "WORKBENCH_DATABASE"):
            monkeypatch.delenv(name)


@pytest.fixture
def repository() -> Path:
    """The repository's root, read only by agreement: write in `workspace_root`."""
    return REPOSITORY


@pytest.fixture
def workspace_root(tmp_path: Path) -> Path:
    """A copy of the shipped prompts and experiments in an empty folder, with no database yet."""
    root = tmp_path / "workspace"
    root.mkdir()
    for folder in ("prompts", "experiments"):
        source = REPOSITORY / folder
        if source.is_dir():
            shutil.copytree(source, root / folder)
        else:
            (root / folder).mkdir()
    return root
