"""Our metrics as genuine `evaluate` metrics: compute, batches, combining, and never the network."""

from __future__ import annotations

import socket

import pytest

from tests.metrics.needs import needs, spec_of
from workbench.errors import MetricError
from workbench.metrics import as_evaluate, load_metric, metric_names

evaluate = pytest.importorskip("evaluate")

PREDICTIONS = ["the cat sat on the mat", "a dog ran off", "b"]
REFERENCES = ["the cat sat on a mat", "a dog ran off", "a"]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch, tmp_path):
    def refuse(*_args, **_kwargs):
        raise OSError("the network is shut in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def module(name, tmp_path):
    return as_evaluate(name, cache_dir=str(tmp_path))


@pytest.mark.parametrize("name", metric_names())
def test_compute_gives_the_metrics_own_value(name, tmp_path):
    if needs(name).skip:
        pytest.skip(needs(name).skip)
    metric = load_metric(spec_of(name))
    expected = metric.value(metric.score(PREDICTIONS, REFERENCES))
    ours = module(spec_of(name), tmp_path)
    assert isinstance(ours, evaluate.Metric)
    result = ours.compute(predictions=PREDICTIONS, references=REFERENCES)
    assert result[name] == pytest.approx(expected, nan_ok=True)
    assert result.get("signature") == metric.signature()


@pytest.mark.parametrize("name", ["exact_match", "bleu"])
def test_batches_add_up(name, tmp_path):
    whole = module(name, tmp_path).compute(predictions=PREDICTIONS, references=REFERENCES)
    ours = module(name, tmp_path)
    ours.add_batch(predictions=PREDICTIONS[:2], references=REFERENCES[:2])
    ours.add(prediction=PREDICTIONS[2], reference=REFERENCES[2])
    assert ours.compute() == whole


def test_several_references_are_lists(tmp_path):
    result = module("exact_match", tmp_path).compute(
        predictions=["b", "c"], references=[["a", "b"], ["a", "b"]]
    )
    assert result["exact_match"] == 0.5


def test_they_combine(tmp_path):
    combined = evaluate.combine([module("exact_match", tmp_path), module("f1", tmp_path)])
    result = combined.compute(predictions=PREDICTIONS, references=REFERENCES)
    assert set(result) == {"exact_match", "f1"}
    assert result["exact_match"] == pytest.approx(1 / 3)


def test_settings_reach_the_metric(tmp_path):
    plus = module({"name": "chrf", "word_order": 2}, tmp_path)
    assert "nw:2" in plus.compute(predictions=PREDICTIONS, references=REFERENCES)["signature"]


def test_a_hub_metric_without_the_hub_is_one_sentence():
    with pytest.raises(MetricError, match="the hub cannot be reached"):
        load_metric({"evaluate": "no_such_metric_anywhere"})


@pytest.mark.parametrize("name", ["someone/else", "./local", "../up", "/etc/x", "a.py"])
def test_only_the_hubs_own_metrics_can_be_named(name):
    with pytest.raises(MetricError, match="plain name"):
        load_metric({"evaluate": name})


def test_a_hub_metric_gives_row_scores(monkeypatch):
    """Ours stand in for the hub's: the same class of object, loaded without a network."""
    monkeypatch.setattr(evaluate, "load", lambda path, **_: as_evaluate(path.rpartition("/")[2]))
    metric = load_metric({"evaluate": "rouge_l"})
    expected = load_metric("rouge_l").score([*PREDICTIONS, None], [*REFERENCES, "x"]).values
    scores = metric.score([*PREDICTIONS, None], [*REFERENCES, "x"])
    assert scores.values == pytest.approx(expected)
    assert metric.estimate(scores).n == 4
