"""Examples as training reads them: prompt and completion in tokens, and what of them is learnt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.tiny import tiny_model
from tests.tuning.training_folders import example
from workbench.models.local.chat import ChatTokenizer
from workbench.tuning.training.examples import columns, encode, encode_answer


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "base")


def test_the_loss_is_of_the_completion_alone_and_its_end_is_learnt(base: Path):
    chat = ChatTokenizer(base, "tiny")
    row = example(4)
    prompt, completion = encode_answer(chat, row["messages"], row["completion"])
    assert prompt == chat.encode(row["messages"])  # as it is asked later
    assert completion[-1] in chat.end_ids and chat.decode(completion) == row["completion"]
    (found,) = columns([encode(chat, row, "supervised")], "supervised", 1)
    assert found["labels"] == [-100] * len(prompt) + list(completion)
    assert found["input_ids"] == list(prompt) + list(completion)


@pytest.mark.parametrize("name", ["chatml", "llama3", "plain", "alpaca", "mistral"])
def test_every_known_template_teaches_the_completion_and_one_end(base: Path, name: str):
    chat = ChatTokenizer(base, "tiny", name)
    prompt, completion = encode_answer(chat, example(4)["messages"], "It is 4.")
    assert prompt == chat.encode(example(4)["messages"])
    assert chat.decode(completion).startswith("It is 4.") or chat.decode(completion).startswith(" It is 4.")
    assert not chat.decode(completion).endswith("\n")


def test_kto_holds_each_prompt_against_another_completion_of_its_batch(base: Path):
    chat = ChatTokenizer(base, "tiny")
    found = columns([encode(chat, example(number), "kto") for number in range(5)], "kto", 2)
    own = [one["completion_ids"] for one in found]
    assert [one["KL_completion_ids"] for one in found] == [own[1], own[0], own[3], own[2], own[4]]
