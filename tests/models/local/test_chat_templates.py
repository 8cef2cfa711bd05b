"""Promises of chat templates: known ones by name, a file of one's own, a choice where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import ModelSpec
from workbench.errors import ModelRefused, ModelUnavailable
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.chat_templates import CHAT_TEMPLATES, FOLDER
from workbench.models.transformers_local import TransformersModel

SYSTEM = {"role": "system", "content": "Be brief."}
TALK = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "2 + 2?"},
]
WRITTEN = {
    "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\n2 + 2?<|im_end|>\n<|im_start|>assistant\n",
    "llama3": "<|begin|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n2 + 2?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "mistral": "<|begin|>[INST] Be brief.\n\nHi [/INST] Yes?<|end|>[INST] 2 + 2? [/INST]",
    "gemma": "<|begin|><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nYes?"
    "<end_of_turn>\n<start_of_turn>user\n2 + 2?<end_of_turn>\n<start_of_turn>model\n",
    "phi3": "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nYes?<|end|>\n"
    "<|user|>\n2 + 2?<|end|>\n<|assistant|>\n",
    "zephyr": "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nYes?<|end|>\n"
    "<|user|>\n2 + 2?<|end|>\n<|assistant|>\n",
    "alpaca": "<|begin|>Be brief.\n\n### Instruction:\nHi\n\n### Response:\nYes?<|end|>\n\n"
    "### Instruction:\n2 + 2?\n\n### Response:\n",
    "plain": "<|begin|>Be brief.\nHi\nYes?\n2 + 2?\n",
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a chat template."""
    return tiny_model(tmp_path_factory.mktemp("models") / "bare", chat_template=None)


def test_every_known_template_is_packaged_and_tested_here() -> None:
    assert set(CHAT_TEMPLATES) == {file.stem for file in FOLDER.glob("*.jinja")} == set(WRITTEN)


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_a_known_template_writes_a_conversation_as_its_models_read_it(bare: Path, name: str) -> None:
    assert ChatTokenizer(bare, "mine", name).text([SYSTEM, *TALK]) == WRITTEN[name]


def test_text_of_a_message_is_never_read_as_a_template(bare: Path) -> None:
    said = "{{ 7 * 7 }} {% raw %}"
    for name in CHAT_TEMPLATES:
        assert said in ChatTokenizer(bare, "mine", name).text([{"role": "user", "content": said}])


def test_an_answer_ends_with_the_template_s_mark_where_it_is_one_token(bare: Path) -> None:
    end = ChatTokenizer(bare, "mine", "plain").end_ids
    assert ChatTokenizer(bare, "mine", "phi3").end_ids == end == {2}
    assert ChatTokenizer(bare, "mine", "chatml").end_ids == {2}  # `<|im_end|>` is no token of this vocabulary


def test_a_file_of_one_s_own_is_used(bare: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.jinja"
    file.write_text("{% for message in messages %}[{{ message.content }}]{% endfor %}", "utf-8")
    assert ChatTokenizer(bare, "mine", str(file)).text(TALK) == "[Hi][Yes?][2 + 2?]"


def test_a_row_s_template_comes_before_the_model_s_own(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "own")
    assert ChatTokenizer(folder, "mine", "plain").text(TALK[:1]) == "<|begin|>Hi\n"


def test_a_model_without_template_lists_the_choices_and_the_row_to_write(bare: Path) -> None:
    with pytest.raises(ModelUnavailable, match="`chat_template: chatml`") as caught:
        ChatTokenizer(bare, "mine")
    assert all(name in str(caught.value) for name in CHAT_TEMPLATES)


@pytest.mark.parametrize("chosen", ["chatlm", "nowhere.jinja", "../../etc/passwd"])
def test_an_unknown_template_is_one_sentence_before_anything_is_loaded(bare: Path, chosen: str) -> None:
    spec = ModelSpec(name="mine", provider="transformers", model=str(bare), chat_template=chosen)
    found = TransformersModel.check(spec)
    assert not found.ok and "`chat_template` is chatml, llama3" in found.sentence


def test_a_template_that_is_no_text_is_refused(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.jinja").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelUnavailable, match="not UTF-8"):
        ChatTokenizer(bare, "mine", str(tmp_path / "binary.jinja"))


@pytest.mark.parametrize("template", ["{% for", "{{ ''.__class__.__mro__ }}", "{{ raise_exception('No') }}"])
def test_a_template_that_fails_or_reaches_outside_is_one_sentence(
    bare: Path, tmp_path: Path, template: str
) -> None:
    (tmp_path / "bad.jinja").write_text(template)
    with pytest.raises(ModelRefused, match="its chat template does not accept these messages") as caught:
        ChatTokenizer(bare, "mine", str(tmp_path / "bad.jinja")).text(TALK)
    assert "\n" not in str(caught.value)


def test_the_identity_follows_the_template_s_text(bare: Path, tmp_path: Path) -> None:
    def identity(chosen: str) -> str:
        spec = ModelSpec(name="mine", provider="transformers", model=str(bare), chat_template=chosen)
        return TransformersModel(spec).identity()

    copied = tmp_path / "copied.jinja"
    copied.write_text((FOLDER / "chatml.jinja").read_text("utf-8").rstrip("\n"), "utf-8")
    assert identity("chatml") == identity(str(copied)) != identity("plain")
