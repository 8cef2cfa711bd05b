"""The tokens that a page shows are the tokens that the model reads, and they read back as the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.tiny import tiny_model
from workbench.errors import ModelUnavailable
from workbench.models.local.tokens import view_tokens


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


def test_pieces_are_the_tokenizers_own_tokens(folder: Path) -> None:
    from transformers import AutoTokenizer

    text = "The answer is 42.\n\tseñor <b>x</b>"
    found = view_tokens(folder, text)
    assert [piece.id for piece in found.pieces] == AutoTokenizer.from_pretrained(folder).encode(
        text, add_special_tokens=False
    )
    assert "".join(piece.text for piece in found.pieces) == text
    assert (found.count, found.characters) == (len(found.pieces), len(text))
    assert found.characters_per_token == pytest.approx(len(text) / found.count)


def test_bytes_of_half_a_character_are_readable(folder: Path) -> None:
    pieces = view_tokens(folder, "🧪").pieces
    assert all(piece.partial for piece in pieces)
    shown = "".join(piece.text for piece in pieces).replace("><", " ").strip("<>")
    assert bytes.fromhex(shown) == "🧪".encode()


def test_special_tokens_in_a_text_are_marked(folder: Path) -> None:
    pieces = view_tokens(folder, "a<|end|>b").pieces
    assert [(piece.text, piece.special) for piece in pieces] == [
        ("a", False),
        ("<|end|>", True),
        ("b", False),
    ]


@given(text=st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_can_be_shown_and_whole_pieces_are_in_it(folder: Path, text: str) -> None:
    found = view_tokens(folder, text)
    assert found.count == len(found.pieces)
    for piece in found.pieces:
        if not piece.partial and not piece.special:
            assert piece.text in text


def test_a_long_text_is_counted_whole_and_shown_in_part(folder: Path) -> None:
    found = view_tokens(folder, "seven times six is " * 20_000, shown=10)
    assert len(found.pieces) == 10
    assert found.count > 20_000


def test_an_empty_text_and_half_a_surrogate_do_no_harm(folder: Path) -> None:
    assert view_tokens(folder, "").characters_per_token is None
    assert view_tokens(folder, "a\ud800").characters == 2


def test_word_pieces_with_bytes_as_a_fallback_are_readable(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, normalizers

    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)}
    vocabulary |= {"▁": 256, "a": 257, "▁a": 258}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("▁", "a")], byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    pieces = view_tokens(tmp_path, "a é").pieces
    assert [piece.text for piece in pieces] == [" a", " ", "<C3>", "<A9>"]


def test_a_missing_or_damaged_tokenizer_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no tokenizer\.json"):
        view_tokens(tmp_path, "a")
    half = (folder / "tokenizer.json").read_text()[:500]
    (tmp_path / "tokenizer.json").write_text(half)
    with pytest.raises(ModelUnavailable, match="cannot be read as a tokenizer"):
        view_tokens(tmp_path, "a")
