"""A small workspace: a server that adds is the teacher, a model of a few thousand weights learns from it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import BaseUrl, openai_server
from tests.models.tiny import tiny_model
from tests.require import require
from workbench.core.document import load
from workbench.core.tuning import Recipe
from workbench.engine import Workspace

RECIPE = """\
name: sums-lora
base: tiny
collect: {runs: [samples], pick: {metric: exact_match, at_least: 1}, teach: direct}
train: {method: lora, max_steps: 12, batch: 4, evaluate_every: 4, samples: 1, patience: null}
evaluate: {experiment: measured, forgetting: []}
"""
SAMPLES = """\
name: samples
dataset: {name: sums, split: train}
prompts: [careful]
models: [server]
"""
MEASURED = """\
name: measured
dataset: {name: sums, limit: 6}
prompts: [direct]
models: [tiny]
sampling: {max_tokens: 12}
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that learns."""
    return tiny_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def server() -> Iterator[BaseUrl]:
    """A server that adds."""
    with openai_server(answer=adds) as base_url:
        yield base_url


@pytest.fixture
def workspace(
    tmp_path: Path, server: BaseUrl, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """Its own turn to train, too: other tests train at the same time."""
    require(find_spec("trl"), "the packages to train with: pip install 'workbench[tuning]'")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    root = write_workspace(tmp_path / "root", server, rows=24)
    models = root / "experiments" / "models.yaml"
    models.write_text(
        models.read_text() + f"  - {{name: tiny, provider: transformers, model: '{tiny}', context: 128}}\n"
    )
    (root / "experiments" / "samples.yaml").write_text(SAMPLES)
    (root / "experiments" / "measured.yaml").write_text(MEASURED)
    (root / "experiments" / "recipes").mkdir()
    (root / "experiments" / "recipes" / "sums-lora.yaml").write_text(RECIPE)
    opened = Workspace.open(root)
    yield opened
    opened.close()


@pytest.fixture
def recipe() -> Recipe:
    """From the server's right answers to the small model."""
    return load(Recipe, RECIPE)
