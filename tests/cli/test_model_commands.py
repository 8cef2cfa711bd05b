"""What a model is made of and how fast it is, on the command line."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Command
from workbench.models.embedded import EMBEDDED


def test_show_says_what_a_local_model_is_made_of(workbench: Command) -> None:
    shown = workbench("models", "show", "small").out
    assert "LlamaForCausalLM" in shown
    assert "feed-forward" in shown
    assert re.search(r"(?m)^device +\S", shown)
    made_of = workbench("models", "show", "small", "--json").json["anatomy"]
    assert sum(sum(parts.values()) for parts in made_of["components"].values()) == made_of["parameters"]
    assert "small" in EMBEDDED


def test_show_of_a_hosted_model_says_that_it_cannot_be_seen(workbench: Command) -> None:
    assert "cannot be seen" in workbench("models", "show", "server").out
    assert "cannot be seen" in workbench("models", "show", "server", "--json").json["unseen"]


@pytest.mark.timeout(300)
def test_bench_measures_and_keeps(workbench: Command) -> None:
    found = workbench("models", "bench", "nano", "--seconds", "8", "--json")
    assert [speed["batch"] for speed in found.json["speeds"]] == [1, 8, 32]
    assert found.json["speeds"][0]["decode_tokens_per_s"] > 0
    assert "prefill, 1 at once" in found.err


def test_bench_does_not_call_a_hosted_model_unasked(workbench: Command) -> None:
    assert "--hosted" in workbench("models", "bench", "server", code=2).err
