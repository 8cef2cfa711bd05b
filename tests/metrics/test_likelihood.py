"""Perplexity is exp of the library's own loss over all tokens; what cannot be told has its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.tiny import tiny_model
from workbench.engine.model_services import FileServices
from workbench.errors import MetricError, UnknownName
from workbench.metrics import CellOutputs, Metric, Scores, load_metric
from workbench.models.catalog import Catalog

TEXTS = ["The answer is 42.", "señor, ¿cuántas manzanas? 🍎", "a b", "apples and pears " * 9]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def catalog(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    file = tmp_path_factory.mktemp("experiments") / "models.yaml"
    file.write_text(
        f"models:\n  - {{name: tiny, provider: transformers, model: '{folder}'}}\n"
        f"  - {{name: gguf, provider: llama_cpp, model: '{folder}'}}\n"
        "  - {name: server, provider: openai, model: m, base_url: 'http://127.0.0.1:9/v1'}\n"
    )
    return Catalog(file)


@pytest.fixture(scope="module")
def models(catalog: Catalog) -> Iterator[FileServices]:
    with FileServices(catalog) as services:
        yield services


@pytest.fixture(scope="module")
def losses(folder: Path) -> list[tuple[float, int]]:
    """Mean loss in nats and tokens of each text, by transformers itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    found = []
    with torch.no_grad():
        for text in TEXTS:
            ids = tokenizer(text, return_tensors="pt")["input_ids"]
            found.append((float(network(ids, labels=ids).loss), ids.shape[1] - 1))
    return found


def a_metric(name: str = "perplexity", **settings: Any) -> Metric:
    return load_metric({"name": name, "model": "tiny", **settings})


def outputs(models: FileServices | None, texts: list[str], **columns: Any) -> CellOutputs:
    given = {"answers": texts, "references": [None] * len(texts), "texts": texts} | columns
    return CellOutputs(models=models, **({"raw_references": given["references"]} | given))


def test_perplexity_is_exp_of_the_loss_of_each_text_and_of_all_tokens_together(
    models: FileServices, losses: list[tuple[float, int]]
) -> None:
    metric, mean = a_metric(), a_metric("mean_logprob")
    scores = metric.score_outputs(outputs(models, TEXTS))
    assert scores.values == pytest.approx([math.exp(loss) for loss, _ in losses], rel=1e-4)
    together = sum(loss * tokens for loss, tokens in losses) / sum(tokens for _, tokens in losses)
    assert metric.value(scores) == pytest.approx(math.exp(together), rel=1e-4)
    assert metric.value(scores) != pytest.approx(scores.values.mean(), rel=0.01)
    nats = mean.score_outputs(outputs(models, TEXTS))
    assert mean.value(nats) == pytest.approx(-together, rel=1e-4)
    assert nats.values == pytest.approx([-loss for loss, _ in losses], rel=1e-4)
    assert (metric.direction, mean.direction) == ("lower", "higher")
    assert metric.signature() == "model:tiny|target:output"


def test_estimates_and_comparisons_resample_whole_texts(models: FileServices) -> None:
    metric = a_metric()
    first, second = (
        metric.score_outputs(outputs(models, texts * 5)) for texts in (TEXTS, [f"{text}!" for text in TEXTS])
    )
    estimate = metric.estimate(first)
    assert estimate.n == 20 and estimate.mean == metric.value(first)
    assert 1 < estimate.low < estimate.mean < estimate.high
    found = metric.compare(first, second)
    assert found.difference == pytest.approx(metric.value(second) - metric.value(first))
    assert metric.compare(first, first).difference == 0


def test_what_cannot_be_told_is_unscored_with_its_reason_and_the_others_are_scored(
    models: FileServices,
) -> None:
    metric = a_metric()
    texts = ["", "z", "apples " * 200, "a" * 1_000_000, "a b"]
    scores = metric.score_outputs(outputs(models, texts))
    assert np.isnan(scores.values).tolist() == [True, True, True, True, False]
    assert set(scores.reasons) == {0, 1, 2, 3}
    assert scores.reasons[0] == scores.reasons[1] == "It has fewer than two tokens."
    assert "reads 256 tokens at most" in scores.reasons[2] and "1,000,000 characters" in scores.reasons[3]
    assert metric.estimate(scores).n == 1
    nothing = metric.score_outputs(outputs(models, [""]))
    assert math.isnan(metric.value(nothing)) and metric.estimate(nothing).n == 0
    none = metric.score_outputs(outputs(models, []))
    assert len(none.values) == 0 and math.isnan(metric.value(none))


def test_of_answer_reads_what_the_answer_rule_found(models: FileServices) -> None:
    given = outputs(models, ["It is: a b", "?"], answers=["a b", None])
    scores = a_metric(of="answer").score_outputs(given)
    alone = a_metric().score_outputs(outputs(models, ["a b"]))
    assert scores.values[0] == pytest.approx(alone.values[0])
    assert scores.reasons == {1: "No answer was found in the output."}


def test_the_references_own_perplexity_takes_the_likeliest_of_several(models: FileServices) -> None:
    metric = a_metric(target="reference")
    assert metric.needs_reference
    references = [TEXTS[0], TEXTS[:3], None, ["", "  "], ["z", TEXTS[1]]]
    scores = metric.score_outputs(outputs(models, [""] * 5, references=references))
    alone = a_metric().score_outputs(outputs(models, TEXTS[:3])).values
    assert scores.values[[0, 1, 4]] == pytest.approx([alone[0], alone.min(), alone[1]])
    assert np.isnan(scores.values[2:4]).all() and not scores.reasons
    column = a_metric(target="reference", reference="gold")
    rows = [{"gold": "a b"}, {"gold": None}]
    found = column.score_outputs(outputs(models, ["x", "y"], rows=rows, references=["u", "v"]))
    assert found.values[0] == pytest.approx(alone[2]) and np.isnan(found.values[1])


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"model": None}, "needs a local `model` to ask: {name: perplexity, model: small}"),
        ({"target": "both"}, "`target` is output or reference"),
        ({"modle": "small"}, "Did you mean 'model'"),
    ],
)
def test_wrong_settings_are_sentences(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(MetricError, match=problem.replace("{", r"\{").replace("(", r"\(")):
        a_metric(**settings)


def test_models_that_cannot_tell_are_refused_before_anything_is_loaded(models: FileServices) -> None:
    for name, why in (("server", "it runs on a server"), ("gguf", "llama.cpp runs it")):
        with pytest.raises(MetricError, match=f"Model '{name}' cannot say how likely a given text is: {why}"):
            a_metric(model=name).score_outputs(outputs(models, TEXTS))
    with pytest.raises(UnknownName, match=r"no model named 'tinny'.*'tiny'"):
        a_metric(model="tinny").score_outputs(outputs(models, TEXTS))


def test_a_check_may_hold_perplexity_below_a_bar(models: FileServices) -> None:
    own = a_metric().score_outputs(outputs(models, TEXTS)).values
    bar = float(np.median(own))
    check = {"metric": {"name": "perplexity", "model": "tiny"}, "threshold": bar}
    checks = load_metric({"name": "checks", "checks": [check]})
    scores = checks.score_outputs(outputs(models, [*TEXTS, ""]))
    assert scores.values[:4].tolist() == (own <= bar).tolist() and np.isnan(scores.values[4])
    assert "fewer than two tokens" in scores.reasons[4]


def test_without_anybody_to_ask_the_metric_says_so() -> None:
    with pytest.raises(MetricError, match="'perplexity' asks model 'tiny'"):
        a_metric().score(["a b"], ["a b"])
    with pytest.raises(MetricError, match="no model can be asked here"):
        a_metric().score_outputs(outputs(None, TEXTS))


def test_a_perplexity_that_no_number_holds_is_infinite_and_no_error() -> None:
    metric = a_metric()
    assert metric.aggregate(np.array([-1e6, 2.0])) == math.inf
    assert metric.value(Scores(np.array([math.inf]), np.array([[-1e6, 2.0]]))) == math.inf


def test_a_text_is_asked_about_once_and_the_embedded_model_needs_no_workspace(tmp_path: Path) -> None:
    with FileServices(Catalog(tmp_path / "nothing" / "models.yaml")) as models:
        found = models.likelihoods("small", ["2 + 2 = 4", "2 + 2 = 4", ""])
        assert found[0] is found[1] and found[0] == models.likelihoods("small", ["2 + 2 = 4"])[0]
        with pytest.raises(MetricError, match="a file has no run"):
            models.judgements("judge-score", "small", outputs(models, []), {})
