"""Before a training starts: what cannot work is refused with one sentence that says what would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from tests.tuning.items import item
from workbench.core.collection import Item, Task, collection_version
from workbench.core.model import ModelSpec
from workbench.core.tuning import Recipe, Train
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError
from workbench.models.embedded_rows import embedded_specs
from workbench.tuning.checking import fitting
from workbench.tuning.checking.base import Base, find_base
from workbench.tuning.checking.choosing import chosen
from workbench.tuning.checking.facts import DataFacts, Lengths, measure
from workbench.tuning.checking.findings import Finding
from workbench.tuning.checking.fitting import (
    disk_finding,
    estimate_disk,
    memory_finding,
    needed_bytes,
)
from workbench.tuning.checking.memory import estimate_training_memory
from workbench.tuning.checking.starting import check_before_start, findings_before_start
from workbench.tuning.checking.trainable import trainable
from workbench.tuning.checking.zero_rows import where_rows_have_length
from workbench.tuning.training.examples import encode

GB = 10**9


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A tiny base with 256 tokens of context."""
    return base_of(tiny_model(tmp_path_factory.mktemp("base")))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    for folder in ("prompts", "experiments"):
        (tmp_path / folder).mkdir()
    opened = Workspace.open(tmp_path)
    yield opened
    opened.store.close()


def base_of(folder: Path, **row: Any) -> Base:
    return find_base(ModelSpec(name="tiny", provider="transformers", model=str(folder), **row))


def some(count: int = 30, **more: Any) -> list[Item]:
    return [item(f"{number} + 1?", f"{number + 1}", **more) for number in range(count)]


def found(
    workspace: Workspace,
    base: Base,
    items: list[Item],
    train: Train | None = None,
    task: Task = "completion",
) -> list[Finding]:
    facts = measure(base, items, task)
    complete = chosen(train or Train(), facts, base.parameters)
    return findings_before_start(workspace, base, complete, items, task, facts)


def errors(findings: list[Finding]) -> list[str]:
    return [one.sentence for one in findings if one.level == "error"]


def test_good_examples_start_without_a_word(workspace: Workspace, tiny: Base):
    assert found(workspace, tiny, some()) == []


def test_examples_are_counted_as_training_reads_them(tiny: Base):
    items = [item("2 + 2?", "4"), item("Why?", "The answer is 42 because six times seven is forty-two.")]
    facts = measure(tiny, items, "completion")
    rows = [{"messages": list(one.messages), "completion": one.completion} for one in items]
    read = [encode(tiny.chat, row, "supervised") for row in rows]
    assert facts.lengths == tuple(one.tokens for one in read)
    assert facts.tokens == sum(facts.lengths)
    assert facts.longest == max(facts.lengths)
    assert facts.context == 256


def test_a_pair_is_as_long_as_its_longer_text(tiny: Base):
    pair = item("2 + 2?", "4", rejected="It is not known what this could be.")
    facts = measure(tiny, [pair], "preference")
    longer = measure(tiny, [replace(pair, completion=str(pair.rejected), rejected=None)], "completion")
    assert facts.lengths == longer.lengths
    assert facts.tokens > facts.longest, "the prompt is read with each of the two"


def test_95_percent_of_the_texts_are_no_longer():
    assert Lengths.of(range(1, 101)).most == 96
    assert Lengths.of([]) == Lengths(0, 0, 0)


def test_nothing_kept(workspace: Workspace, tiny: Base):
    with pytest.raises(TuningError, match="nothing to learn from: no item is kept"):
        check_before_start(
            workspace,
            tiny,
            chosen(Train(), measure(tiny, [], "completion"), 1),
            [],
            "completion",
            measure(tiny, [], "completion"),
        )


def test_all_outputs_identical(workspace: Workspace, tiny: Base):
    same = [item(f"{number}?", "yes") for number in range(30)]
    (sentence,) = errors(found(workspace, tiny, same))
    assert "All 30 completions are the same text ('yes')" in sentence


def test_chosen_equals_rejected(workspace: Workspace, tiny: Base):
    pairs = some(30, rejected="0")
    pairs[4] = replace(pairs[4], rejected=pairs[4].completion)
    (sentence,) = errors(found(workspace, tiny, pairs, Train(objective="dpo"), "preference"))
    assert "1 of 30 pairs" in sentence
    assert "that asks '4 + 1?'" in sentence


def test_a_set_with_one_label(workspace: Workspace, tiny: Base):
    good = some(30, label=True)
    (sentence,) = errors(found(workspace, tiny, good, Train(objective="kto"), "label"))
    assert "said to be good" in sentence
    assert "objective: supervised" in sentence
    good[0] = replace(good[0], label=False)
    assert errors(found(workspace, tiny, good, Train(objective="kto"), "label")) == []


def test_a_collection_for_another_objective(workspace: Workspace, tiny: Base):
    (sentence,) = errors(found(workspace, tiny, some(), Train(objective="dpo")))
    assert "learns from a preference, and the collection teaches a completion" in sentence


def test_few_examples_are_a_warning(workspace: Workspace, tiny: Base):
    findings = found(workspace, tiny, some(12))
    assert [one.level for one in findings] == ["warning"]
    assert "12 examples are very few" in findings[0].sentence


def test_an_output_longer_than_the_context_is_left_out_or_refused(workspace: Workspace, tiny: Base):
    items = [*some(), item("Count.", "one two three " * 60)]
    (warned,) = found(workspace, tiny, items)
    assert (warned.level, warned.field) == ("warning", "too_long")
    assert warned.sentence.startswith("1 of 31 examples is longer than 256 tokens (the longest has ")
    (refused,) = errors(found(workspace, tiny, items, Train(too_long="refuse")))
    assert "too_long: leave_out" in refused


def test_nothing_is_left_where_every_example_is_too_long(workspace: Workspace, tiny: Base):
    items = [item("Count.", f"one two {number} " * 60) for number in range(25)]
    (sentence,) = errors(found(workspace, tiny, items))
    assert "so nothing is left to learn" in sentence


def test_no_more_tokens_than_the_base_reads(workspace: Workspace, tiny: Base):
    (sentence,) = errors(found(workspace, tiny, some(), Train(max_tokens=1000)))
    assert "`max_tokens: 1000` is more than 'tiny' reads at once (256 tokens)" in sentence


def test_the_text_of_a_special_token_is_pointed_out(workspace: Workspace, tiny: Base):
    items = some()
    items[6] = replace(items[6], completion="7<|end|><|user|>more")
    (warned,) = found(workspace, tiny, items)
    assert (
        "1 example with the text of a special token, such as '<|end|>' in the one that asks '6 + 1?'"
        in warned.sentence
    )


def test_settings_that_do_not_go_together(workspace: Workspace, tiny: Base):
    (sentence,) = errors(found(workspace, tiny, some(), Train(method="prefix", merge=True)))
    assert "`merge` does not go with method 'prefix'" in sentence


def test_dora_cannot_divide_by_rows_of_zeros(workspace: Workspace):
    small = find_base(next(spec for spec in embedded_specs() if spec.name == "small"))
    (sentence,) = errors(found(workspace, small, some(), Train(method="dora")))
    assert "rows of zeros in k_proj, q_proj" in sentence
    others = Train(method="dora", targets=("v_proj", "o_proj"))
    assert errors(found(workspace, small, some(), others)) == []


def test_where_no_layer_is_named_dora_keeps_to_those_that_it_can_divide(workspace: Workspace, tiny: Base):
    small = find_base(next(spec for spec in embedded_specs() if spec.name == "small"))
    train = where_rows_have_length(small, Train(method="dora"))
    assert train.targets == ("down_proj", "gate_proj", "o_proj", "up_proj", "v_proj")
    (note,) = [one for one in found(workspace, small, some(), train) if one.field == "targets"]
    assert note.level == "note" and "leaves them as they are and trains down_proj" in note.sentence
    for settings in (Train(method="lora"), Train(method="dora", targets=("q_proj",))):
        assert where_rows_have_length(small, settings) == settings
    assert where_rows_have_length(tiny, Train(method="dora")).targets == ()


def test_more_processes_than_cores(workspace: Workspace, tiny: Base):
    sentences = errors(found(workspace, tiny, some(64), Train(processes=64, batch=1)))
    assert "`processes: 64` is more than this machine has cores" in sentences[0]


def test_the_same_training_again_is_noted(workspace: Workspace, tiny: Base):
    items = some()
    facts = measure(tiny, items, "completion")
    recipe = Recipe.model_validate({"name": "again", "base": "tiny", "collection": "mine"})
    workspace.store.tunings.create("first", "again", {"recipe": recipe.model_dump(mode="json")})
    workspace.store.tunings.set(
        "first", status="completed", collection_version=collection_version(items), model="tiny-again"
    )
    train = chosen(recipe.train, facts, tiny.parameters)
    ask = (workspace, tiny, train, items, "completion", facts)
    (note,) = findings_before_start(*ask)
    assert (note.level, "'tiny-again'" in note.sentence) == ("note", True)
    assert findings_before_start(*ask, tuning="first") == []
    merged = train.model_copy(update={"merge": True})  # as where the base has an adapter
    (note,) = findings_before_start(workspace, tiny, merged, items, "completion", facts)
    assert "'tiny-again'" in note.sentence
    other = train.model_copy(update={"rank": 4})
    assert findings_before_start(workspace, tiny, other, items, "completion", facts) == []


@pytest.mark.parametrize(
    ("row", "remedy"),
    [
        (
            {"provider": "openai", "model": "gpt", "base_url": "http://127.0.0.1:1"},
            "let this one be the teacher",
        ),
        ({"provider": "llama_cpp", "model": "mine.gguf"}, "the folder of safetensors that it was made from"),
        ({"provider": "transformers", "model": "some/model", "quantization": "int8"}, "method: qlora"),
        ({"provider": "transformers", "model": "nobody/nothing-here"}, "workbench models download it"),
        ({"provider": "transformers", "model": "./no/such/folder"}, "there is no folder"),
    ],
)
def test_a_base_that_cannot_be_trained_says_what_to_do(row: dict[str, Any], remedy: str):
    with pytest.raises(TuningError, match=remedy):
        find_base(ModelSpec(name="it", **row))


def test_a_quantization_is_named_by_the_base_without_it():
    row = ModelSpec(name="small", provider="transformers", model=".", quantization="int8")
    spec = row.model_copy(update={"name": "small@int8"})  # as the catalog gives it
    with pytest.raises(TuningError, match="name 'small' as base"):
        find_base(spec)


def test_files_that_are_quantized_already(tmp_path: Path):
    tiny_model(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(TuningError, match=r"quantized already \(bitsandbytes\)"):
        base_of(tmp_path)


def test_a_base_without_a_chat_template(tmp_path: Path):
    tiny_model(tmp_path, chat_template=None)
    with pytest.raises(TuningError, match=r"no chat template; state one in its row, such as `chat_template"):
        measure(base_of(tmp_path), some(), "completion")
    assert measure(base_of(tmp_path, chat_template="plain"), some(), "completion").examples == 30


def test_messages_that_the_template_does_not_take(tmp_path: Path):
    tiny_model(tmp_path, chat_template="{{ raise_exception('only one turn') }}")
    with pytest.raises(TuningError, match=r"cannot read the item that asks '.*': .*only one turn"):
        measure(base_of(tmp_path), some(), "completion")


def test_what_a_method_trains_is_counted_as_the_library_counts_it(tiny: Base):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    for rank, dora in ((4, False), (16, True)):
        network = AutoModelForCausalLM.from_pretrained(tiny.folder, dtype=torch.float32)
        beside = LoraConfig(r=rank, target_modules="all-linear", use_dora=dora, task_type="CAUSAL_LM")
        counted = get_peft_model(network, beside).get_nb_trainable_parameters()[0]
        assert trainable(tiny, Train(method="dora" if dora else "lora", rank=rank)) == counted
    whole = AutoModelForCausalLM.from_pretrained(tiny.folder, dtype=torch.float32)
    assert trainable(tiny, Train(method="full")) == sum(one.numel() for one in whole.parameters())


def many(task: Task = "completion", length: int = 200) -> DataFacts:
    return DataFacts(task, 100, Lengths.of([]), Lengths.of([]), (length // 2,) * 60 + (length,) * 40, 256)


def test_memory_grows_with_what_is_held(tiny: Base):
    def held(facts: DataFacts | None = None, **settings: Any) -> int:
        train = Train(**({"batch": 8} | settings))
        return estimate_training_memory(tiny, train, facts or many()).total

    lora = held()
    assert held(batch=16) > lora
    assert held(many(length=250)) > lora
    assert held(many("preference"), objective="dpo") > lora
    assert held(gradient_checkpointing=True) < lora
    assert held(max_tokens=120) < lora, "longer ones are left out"
    assert held(processes=2) >= 2 * lora
    assert held(method="full", objective="dpo") > held(method="full"), "the base is held to compare with"


def test_too_little_memory_names_two_changes_that_would_fit(tiny: Base):
    train = chosen(Train(method="full", batch=16), many(), tiny.parameters)
    free = int(needed_bytes(tiny, train.model_copy(update={"batch": 8, "accumulate": 2}), many()) / 0.94)
    refused = memory_finding(tiny, train, many(), free)
    assert refused is not None
    assert refused.level == "error"
    assert "these would fit: `batch: 8` with `accumulate: 2` (" in refused.sentence
    assert memory_finding(tiny, train.model_copy(update={"batch": 8, "accumulate": 2}), many(), free) is None


def test_without_any_remedy_a_smaller_base_is_advised(tiny: Base):
    refused = memory_finding(tiny, chosen(Train(), many(), tiny.parameters), many(), 10**6)
    assert refused is not None
    assert refused.sentence.endswith("close other programs, or use a smaller base.")


def test_every_remedy_fits_by_the_same_estimate(tiny: Base):
    train = chosen(Train(method="dora", batch=16, processes=2), many(), tiny.parameters)
    for free in (int(1.05 * GB), int(1.2 * GB), int(1.3 * GB)):
        for words in fitting.would_fit(tiny, train, many(), free):
            said = float(words.rpartition("(")[2].split()[0])
            assert said <= free * 0.95 / GB + 0.06, words


def test_a_disk_without_room(tiny: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    train = chosen(Train(method="full"), many(), tiny.parameters)
    assert disk_finding(tiny, train, many(), tmp_path / "not" / "there") is None
    enough = estimate_disk(tiny, train, many())
    usage = type("Usage", (), {"free": enough - 1})
    monkeypatch.setattr(fitting.shutil, "disk_usage", lambda path: usage)
    refused = disk_finding(tiny, train, many(), tmp_path / "not" / "there")
    assert refused is not None
    assert str(tmp_path) in refused.sentence
    assert "`method: lora`" in refused.sentence
