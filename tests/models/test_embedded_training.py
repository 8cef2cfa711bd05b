"""The same recipe in miniature: tokenizer, training, export, datasets, measurements."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.models.embedded.build import Build, miniature_build
from workbench.models.embedded.corpus import batches, chunk, collate
from workbench.models.embedded.evaluate import evaluate
from workbench.models.embedded.export import export, load_network
from workbench.models.embedded.generator import mixture
from workbench.models.embedded.generator.chat import SPECIAL_TOKENS, messages, render, segments
from workbench.models.embedded.tokenizer import load_tokenizer
from workbench.models.embedded.training import LOG, Trainer


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    torch.set_num_threads(1)
    build = miniature_build(tmp_path_factory.mktemp("miniature"))
    build.tokenizer()
    build.train()
    build.export()
    build.write_datasets()
    return build


def test_a_miniature_build_learns_something_and_writes_every_product(built: Build) -> None:
    lines = [json.loads(line) for line in (built.work / "tiny" / LOG).read_text().splitlines()]
    assert lines[-1]["step"] > 0
    assert lines[-1]["validation_loss"] < 6.2  # ln(512): what a model that knows nothing has
    assert (built.curves / "tiny.jsonl").exists()
    names = {path.name for path in (built.weights / "tiny").iterdir()}
    assert names >= {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert {path.name for path in built.datasets.iterdir()} == {
        "word-problems",
        "transit",
        "team-labels",
        "rewriting",
    }


def test_the_exported_model_computes_what_the_trained_one_does(built: Build, tmp_path: Path) -> None:
    assert export(built.work / "tiny", built.tokenizer_path, tmp_path / "again") < 1e-3


def test_stock_transformers_load_the_export_and_its_chat_template(built: Build) -> None:
    folder = built.weights / "tiny"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    rng = random.Random(1)
    for _ in range(20):
        episode = mixture.episode(rng)[1]
        assert tokenizer.apply_chat_template(messages(episode), tokenize=False) == render(episode)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    new = model.generate(**prompt, max_new_tokens=3, do_sample=False)
    assert new.shape[1] <= prompt["input_ids"].shape[1] + 3


def test_the_template_marks_the_assistants_tokens_for_training(built: Build) -> None:
    tokenizer = AutoTokenizer.from_pretrained(built.weights / "tiny")
    chat = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Answer: 42"}]
    encoded = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    marked = [
        token for token, mark in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mark
    ]
    assert tokenizer.decode(marked) == " Answer: 42<|end|>"


def test_digits_stay_single_and_cut_text_has_the_same_tokens(built: Build) -> None:
    tokenizer = load_tokenizer(built.tokenizer_path)
    assert [token for token in tokenizer.encode(" Ann has 1750.").tokens if token.strip("Ġ").isdigit()] == [
        "Ġ1", "7", "5", "0",
    ]  # fmt: skip
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(len(SPECIAL_TOKENS)))
    rng = random.Random(2)
    for _ in range(100):
        episode = mixture.episode(rng)[1]
        cut = [token for text, _ in segments(episode) for token in tokenizer.encode(text).ids]
        assert tokenizer.encode(render(episode)).ids == cut


def test_a_resumed_training_goes_on_with_the_same_weights_and_the_next_batch(
    built: Build, tmp_path: Path
) -> None:
    recipe, tokenizer = built.recipes["tiny"], load_tokenizer(built.tokenizer_path)
    first = Trainer(recipe, tokenizer, tmp_path, minutes=10)
    stream = first._stream()
    for _ in range(3):
        first._learn(next(stream))
    first.save()
    expected = next(stream)

    second = Trainer(recipe, tokenizer, tmp_path, minutes=10)
    assert second.resume()
    assert torch.equal(next(second._stream()).ids, expected.ids)
    first._learn(expected)
    second._learn(expected)
    assert second.step == first.step
    for left, right in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(left, right)


def test_a_batch_scores_only_the_tokens_that_follow(built: Build) -> None:
    tokenizer = load_tokenizer(built.tokenizer_path)
    encoded = chunk(tokenizer, 0, seed=1, phase="full", episodes=30)
    for group in batches(encoded, tokens=1024, seed=0):
        batch = collate(group)
        following = batch.ids.flatten()[batch.positions + 1]
        assert torch.equal(following, batch.targets)
        assert (batch.weights > 0).all()


def test_the_evaluation_measures_the_miniature_model(built: Build) -> None:
    result = evaluate({"tiny": built.weights / "tiny"}, ["int8"], split="dev", limit=2)
    figures = result["scores"]["tiny int8"]
    assert figures["word-problems/step_by_step"]["n"] == 2
    assert 0 <= figures["team-labels/4_shots"]["low"] <= figures["team-labels/4_shots"]["high"] <= 1


def test_a_checkpoint_holds_no_code(built: Build) -> None:
    network = load_network(built.work / "tiny")  # torch.load(weights_only=True)
    assert network.size == built.recipes["tiny"].size
