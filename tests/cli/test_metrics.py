"""Metrics on the command line: what there is, and a finished run measured by more of them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from tests.fake_openai import BaseUrl
from workbench.metrics import metric_names


def test_every_metric_is_listed_and_can_be_shown(workbench: Command):
    listed = [one["name"] for one in workbench("metrics", "--json").json["metrics"]]
    assert listed == metric_names()
    shown = workbench("metrics", "show", "bleu").out
    assert "exp(mean of log p_n" in shown and "tokenize" in shown
    assert "Did you mean 'bleu'?" in workbench("metrics", "show", "blue", code=1).err


def test_a_finished_run_is_measured_by_more_without_a_call(workbench: Command, server: BaseUrl):
    workbench("run", "sums")
    calls = len(server.bodies)
    spec = "{name: bleu, lowercase: true, as: low}"
    found = workbench("runs", "score", "--metrics", "f1,rouge_l", "--metric", spec, "--json").json
    assert list(found["cells"][0]["metrics"]) == ["exact_match", "f1", "rouge_l", "low"]
    assert "has these metrics" in workbench("runs", "score", "--metrics", "f1").err
    taken = workbench("runs", "score", "--remove", "f1", "--remove", "low", "--json").json
    assert list(taken["cells"][0]["metrics"]) == ["exact_match", "rouge_l"]
    assert len(server.bodies) == calls


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--metrics"),
        (("--metric", "{name: [}"), 2, "--metric"),
        (("--metric", "[a]"), 2, "write a name or a mapping"),
        (("--metrics", "blue"), 1, "Did you mean 'bleu'?"),
        (("--metric", "{name: f1, colour: red}"), 1, "no setting 'colour'"),
        (("--remove", "f1"), 1, "metric in this run"),
    ],
)
def test_a_metric_that_cannot_be_used_is_one_sentence(
    workbench: Command, arguments: tuple[str, ...], code: int, said: str
):
    workbench("run", "sums")
    assert said in workbench("runs", "score", "latest", *arguments, code=code).err
