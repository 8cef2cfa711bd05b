"""Promises of the estimate: it follows the files, what is free follows the container, a refusal helps."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.tiny import tiny_model
from workbench.errors import ModelUnavailable
from workbench.models.local.fitting import Demand, DoesNotFit, cache_tokens, check_fit
from workbench.models.local.memory import (
    PREFIX_BYTES,
    cache_bytes_per_token,
    container_free,
    estimate_memory,
    free_memory,
)

HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY = 64, 3, 4, 160, 320


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "intermediate_size": FEED_FORWARD}
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny", tie_word_embeddings=False, **sizes)


def linear_weights() -> int:
    attention = 2 * HIDDEN * HIDDEN + 2 * HIDDEN * HIDDEN // 2  # two of four heads hold keys and values
    return LAYERS * (attention + 3 * HIDDEN * FEED_FORWARD)


def vocabulary(folder: Path) -> int:
    return int(json.loads((folder / "config.json").read_text())["vocab_size"])


def test_weights_are_counted_as_each_quantization_holds_them(folder: Path) -> None:
    embedding = vocabulary(folder) * HIDDEN
    norms = (2 * LAYERS + 1) * HIDDEN
    expected = {
        "fp32": 4 * (linear_weights() + 2 * embedding + norms),
        "bf16": 2 * (linear_weights() + 2 * embedding + norms),
        "int8": linear_weights() + embedding + 4 * (embedding + norms),
        "nf4": int(linear_weights() * (0.5 + 4 / 64)) + 4 * (2 * embedding + norms),
    }
    for quantization, count in expected.items():
        assert estimate_memory(folder, quantization, 64, 1).weights_bytes == count


def test_tied_embeddings_are_held_once_unless_the_head_is_quantized(folder: Path, tmp_path: Path) -> None:
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "intermediate_size": FEED_FORWARD}
    tied = tiny_model(tmp_path / "tied", tie_word_embeddings=True, **sizes)
    embedding = vocabulary(folder) * HIDDEN

    def differ(quantization: str) -> int:
        both = [estimate_memory(each, quantization, 64, 1).weights_bytes for each in (folder, tied)]
        return both[0] - both[1]

    assert differ("fp32") == 4 * embedding and differ("bf16") == 2 * embedding
    assert differ("int8") == 0


def test_the_cache_grows_with_rows_and_context_and_what_is_kept_is_bounded(folder: Path) -> None:
    each = 2 * LAYERS * 2 * (HIDDEN // HEADS) * 4
    assert cache_bytes_per_token(folder, "fp32") == each == 2 * cache_bytes_per_token(folder, "bf16")
    assert estimate_memory(folder, "fp32", 100, 7).cache_bytes == 2 * 700 * each
    many = 10 * PREFIX_BYTES // each
    assert estimate_memory(folder, "fp32", many, 1).cache_bytes == many * each + PREFIX_BYTES


def test_the_parts_add_up_and_a_copy_while_loading_is_counted(folder: Path) -> None:
    for quantization in ("fp32", "bf16", "int8", "nf4"):
        found = estimate_memory(folder, quantization, 64, 2)
        assert found.total_bytes == found.weights_bytes + found.cache_bytes + found.overhead_bytes
        assert 0 <= found.reclaimable_bytes < found.total_bytes


def test_estimates_need_no_torch(folder: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from workbench.models.local.memory import *; "
        f"estimate_memory(Path({str(folder)!r}), 'nf4', 64, 2); free_memory(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("content", ["", "[]", "{", "\u00e9"])
def test_a_configuration_that_cannot_be_read_is_one_sentence(
    folder: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "config.json").write_text(content)
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ModelUnavailable, match=r"config\.json' is not a JSON object; download it again"):
        estimate_memory(tmp_path, "fp32", 64, 1)


def test_an_unusual_configuration_still_counts_the_weights(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "odd", "hidden_size": "large"}))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    found = estimate_memory(tmp_path, "fp32", 64, 1)
    assert found.weights_bytes == estimate_memory(folder, "fp32", 64, 1).weights_bytes
    assert found.cache_bytes == 0


def test_an_unknown_quantization_names_the_known_ones(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"'int3' is not known; use fp32, bf16"):
        estimate_memory(folder, "int3", 64, 1)


def test_free_memory_is_less_than_the_machine_has() -> None:
    import psutil

    assert 0 < free_memory() <= psutil.virtual_memory().total


def a_group(folder: Path, limit: str, used: int, cached: int, version: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        ("memory.max", "memory.current")
        if version == 2
        else (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
        )
    )
    before = "" if version == 2 else "total_"
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(
        f"anon 5\n{before}active_file 100\n{before}inactive_file {cached - 100}\n"
    )


def test_a_containers_limit_counts_without_the_file_cache(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("0::/job/inner\n")
    a_group(tmp_path / "two" / "job" / "inner", "max", 3000, 500, 2)
    assert container_free(tmp_path / "two", membership) is None
    a_group(tmp_path / "two" / "job", "10000", 4000, 1500, 2)
    assert container_free(tmp_path / "two", membership) == 7500
    a_group(tmp_path / "two" / "job" / "inner", "5000", 3000, 500, 2)
    assert container_free(tmp_path / "two", membership) == 2500


def test_the_older_kind_of_container_is_read_as_well(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("9:cpu:/x\n4:memory:/docker/abc\n")
    a_group(tmp_path / "memory", "8000", 2000, 600, 1)  # a container sees its own group as the root
    assert container_free(tmp_path, membership) == 6600
    a_group(tmp_path / "memory", "8000", 9000, 600, 1)
    assert container_free(tmp_path, membership) == 0
    assert container_free(tmp_path, tmp_path / "absent") is None


@pytest.fixture
def demand(folder: Path) -> Demand:
    return Demand(folder, "fp32", "mine", context_tokens=50_000, rows=64)


def needed(demand: Demand) -> int:
    return demand.needed_bytes()


def test_what_fits_gives_its_estimate(demand: Demand) -> None:
    assert check_fit(demand, 10**12) == demand.estimate()


def test_a_refusal_names_needed_and_free_and_two_things_that_do_fit(demand: Demand, folder: Path) -> None:
    free = needed(replace(demand, rows=4)) * 21 // 20
    with pytest.raises(DoesNotFit) as caught:
        check_fit(demand, free, [("other", folder.parent / "absent")])
    words = str(caught.value)
    assert "\n" not in words and words.startswith("Model 'mine': it needs about ")
    assert caught.value.needed_bytes == needed(demand) > caught.value.free_bytes == free
    rows = int(re.search(r"`concurrency: (\d+)`", words)[1])
    assert 3 <= rows <= 4 and needed(replace(demand, rows=rows)) <= free


def test_another_quantization_is_offered_only_where_it_fits(demand: Demand) -> None:
    between = (needed(demand) + needed(replace(demand, quantization="bf16"))) // 2
    with pytest.raises(DoesNotFit, match=r"'mine@bf16' \(.*\), or \d+ requests of 50,000 tokens"):
        check_fit(demand, between)


def test_a_shorter_context_and_another_model_are_offered_where_not_even_one_request_fits(
    demand: Demand, folder: Path, tmp_path: Path
) -> None:
    small = tiny_model(tmp_path / "small", hidden_size=16)
    one = replace(demand, rows=1, context_tokens=10**6)
    free = needed(replace(one, context_tokens=100_000))
    with pytest.raises(DoesNotFit, match=r"`context: \d+`, `concurrency: 1`\), or model 'small'") as caught:
        check_fit(one, free, [("itself", folder), ("small", small)])
    length = int(re.search(r"`context: (\d+)`", str(caught.value))[1])
    assert needed(replace(one, context_tokens=length)) <= free


def test_where_nothing_fits_the_refusal_says_what_else_to_do(demand: Demand) -> None:
    with pytest.raises(DoesNotFit, match="close other programs, or use a smaller model"):
        check_fit(demand, 10**6)


def test_the_batch_may_use_what_is_free_and_never_more_than_was_asked(demand: Demand) -> None:
    assert cache_tokens(demand, 10**12) == demand.rows * demand.context_tokens
    assert cache_tokens(demand, 0) == demand.context_tokens
    some = cache_tokens(demand, needed(replace(demand, rows=8)))
    assert some in (7 * demand.context_tokens, 8 * demand.context_tokens)
