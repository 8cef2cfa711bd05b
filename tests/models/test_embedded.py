"""The shipped models load with stock transformers, and their card says what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import UnknownName
from workbench.models.embedded import EMBEDDED, card, embedded_path
from workbench.models.embedded.dataset_files import SIZES, SPLITS, rows
from workbench.models.embedded.export import as_llama, largest_difference
from workbench.models.embedded.inference import PRECISIONS, Completer
from workbench.models.embedded.measures import label_prompt, majority, problem_prompt, read_number
from workbench.models.embedded.model_card import FOLDER, as_markdown
from workbench.models.embedded.network import Network, Size
from workbench.models.embedded.tokenizer import load_tokenizer

REPOSITORY = Path(__file__).resolve().parents[2]


def test_an_unknown_embedded_model_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="nano, small"):
        embedded_path("huge")


def test_asking_for_the_path_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from workbench.models.embedded import embedded_path, card;"
        "embedded_path('nano'); card();"
        "print(sorted({'torch', 'transformers', 'tokenizers'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_shipped_model_is_a_few_megabytes_of_safetensors_without_pickles(name: str) -> None:
    folder = embedded_path(name)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert not [path for path in folder.iterdir() if path.suffix in (".bin", ".pt", ".pkl")]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_small_model_answers_in_the_manner_that_the_prompt_asks_for(precision: str) -> None:
    completer = Completer(embedded_path("small"), precision)
    row = rows("word-problems", "train")[0]
    techniques = ("direct", "step_by_step", "plan_then_solve")
    direct, steps, plan = (
        text for (text,) in completer.complete([problem_prompt(row, technique) for technique in techniques])
    )
    assert read_number(direct) is not None and "=" not in direct
    assert read_number(steps) is not None and "so" in steps
    assert plan.startswith("Plan:")


def test_the_small_model_takes_its_codes_from_the_examples() -> None:
    completer = Completer(embedded_path("small"))
    shots, asked = list(rows("team-labels", "train"))[:4], list(rows("team-labels", "dev"))[:10]
    codes = {row["label"] for row in shots}
    told = [text for (text,) in completer.complete([label_prompt(row, shots) for row in asked])]
    assert sum(text in codes for text in told) >= 9
    without = [text for (text,) in completer.complete([label_prompt(row, []) for row in asked])]
    assert not codes & set(without)


def test_samples_differ_and_a_seed_repeats_them() -> None:
    completer = Completer(embedded_path("nano"))
    prompt = [problem_prompt(rows("word-problems", "train")[1], "step_by_step")]
    first, again = (completer.complete(prompt, temperature=1.5, samples=4, seed=3) for _ in range(2))
    assert first == again
    assert len(set(first[0])) > 1


def test_the_majority_ignores_unreadable_answers() -> None:
    assert majority([None, "4", None, "5", "5", None]) == "5"
    assert majority([None, None]) is None


@pytest.mark.parametrize("name", list(SIZES))
def test_dataset_files_are_what_the_generator_writes(name: str) -> None:
    for split in SPLITS:
        text = (REPOSITORY / "experiments" / "datasets" / name / f"{split}.jsonl").read_text(encoding="utf-8")
        assert [json.loads(line) for line in text.splitlines()] == list(rows(name, split))


def test_the_card_is_what_its_data_says_and_counts_enough_rows() -> None:
    content = card()
    assert (FOLDER / "CARD.md").read_text(encoding="utf-8") == as_markdown(content)
    assert {claim["model"] for claim in content["claims"]} == {"small", "nano", "small − nano"}
    for model, columns in content["scores"].items():
        for name, figure in columns.items():
            if not name.startswith("cost/"):
                assert figure["n"] >= 300, (model, name)
                assert figure["low"] <= figure["mean"] <= figure["high"]


def test_card_and_weights_belong_together() -> None:
    for name, model in card()["models"].items():
        config = json.loads((embedded_path(name) / "config.json").read_text(encoding="utf-8"))
        assert (model["width"], model["layers"]) == (config["hidden_size"], config["num_hidden_layers"])
        assert model["curve"][-1]["tokens"] == model["training"]["tokens"]


def test_a_fresh_network_and_its_llama_agree() -> None:
    tokenizer = load_tokenizer(embedded_path("nano") / "tokenizer.json")
    network = Network(Size(tokenizer.get_vocab_size(), width=64, layers=3, heads=4, feed_forward=96)).eval()
    ids = tokenizer.encode("<|bos|><|user|> Ann has 12 apples.<|end|><|assistant|>").ids
    assert largest_difference(network, as_llama(network, tokenizer), ids) < 1e-3
