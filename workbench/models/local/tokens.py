"""A text as a model's tokenizer cuts it, each piece readable.

view_tokens(folder, "2 🍎")  ->  TokenView(count=5, characters=3, pieces=(
    TokenPiece(id=19, text="2"), TokenPiece(id=264, text=" "), TokenPiece(id=175, text="<F0 9F>"), …))
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.errors import ModelUnavailable

SHOWN = 400
BYTE_TOKEN_LENGTH = len("<0xE2>")


@dataclass(frozen=True, slots=True)
class TokenPiece:
    """One token of a text."""

    id: int
    text: str
    """Its characters; bytes of a character that goes on in the next token as `<F0 9F>`."""
    special: bool = False
    """Whether it steers the model, such as the end of a message, and is no text to it."""
    partial: bool = False
    """Whether it holds only some bytes of a character."""


@dataclass(frozen=True, slots=True)
class TokenView:
    """A text cut into tokens: all are counted, the first ones are shown."""

    count: int
    characters: int
    pieces: tuple[TokenPiece, ...]

    @property
    def characters_per_token(self) -> float | None:
        """None for an empty text."""
        return self.characters / self.count if self.count else None


def view_tokens(folder: Path, text: str, shown: int = SHOWN) -> TokenView:
    """The tokens of a text, without the chat template. Loads the tokenizer, not the model.

    Args:
        folder: where the model's tokenizer lies.
        text: anything; half characters are replaced.
        shown: how many tokens become pieces.

    Raises ModelUnavailable where there is no tokenizer or it cannot be read.
    """
    tokenizer, special, bytewise = _tokenizer(folder)
    whole = text.encode("utf-8", "replace").decode("utf-8")
    ids = tokenizer.encode(whole, add_special_tokens=False).ids
    pieces = tuple(_piece(tokenizer, token, special, bytewise) for token in ids[:shown])
    return TokenView(len(ids), len(whole), pieces)


class TokenTexts:
    """The text of single tokens of a tokenizer that is loaded already."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer` is one of the package `tokenizers`."""
        added = tokenizer.get_added_tokens_decoder().items()
        self._tokenizer = tokenizer
        self._special = frozenset(token for token, one in added if one.special)
        decoder = tokenizer.decoder
        self._bytewise = _is_bytewise({"decoder": json.loads(decoder.__getstate__()) if decoder else None})

    def __call__(self, token: int) -> str:
        """Its characters, with the space that it begins with; bytes of half a character as `<F0 9F>`."""
        return _piece(self._tokenizer, token, self._special, self._bytewise).text


def _tokenizer(folder: Path) -> tuple[Any, frozenset[int], bool]:
    file = folder / "tokenizer.json"
    try:
        return _read(str(file), file.stat().st_mtime_ns)
    except OSError:
        raise ModelUnavailable(
            f"the folder '{folder}' has no tokenizer.json; save its tokenizer again with `save_pretrained`."
        ) from None
    except Exception as problem:  # the library raises a bare Exception for a damaged file
        words = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise ModelUnavailable(f"'{file}' cannot be read as a tokenizer ({words}).") from None


@lru_cache(maxsize=8)
def _read(file: str, stamp: int) -> tuple[Any, frozenset[int], bool]:
    """The tokenizer, its special tokens, and whether its tokens stand for bytes. Read again when changed."""
    from tokenizers import Tokenizer

    text = Path(file).read_text(encoding="utf-8")
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    special = {token for token, added in tokenizer.get_added_tokens_decoder().items() if added.special}
    return tokenizer, frozenset(special), _is_bytewise(json.loads(text))


def _is_bytewise(description: dict[str, Any]) -> bool:
    decoder = description.get("decoder") or {}
    steps = [decoder, *decoder.get("decoders", [])]
    return any(step.get("type") == "ByteLevel" for step in steps)


def _piece(tokenizer: Any, token: int, special: frozenset[int], bytewise: bool) -> TokenPiece:
    word: str = tokenizer.id_to_token(token) or ""
    if token in special:
        return TokenPiece(token, word, special=True)
    if len(word) == BYTE_TOKEN_LENGTH and word.startswith("<0x") and word.endswith(">"):
        return _of_bytes(token, bytes.fromhex(word[3:5]))
    if bytewise and all(letter in _BYTE_OF for letter in word):
        return _of_bytes(token, bytes(_BYTE_OF[letter] for letter in word))
    return TokenPiece(token, word.replace("\u2581", " "))


def _of_bytes(token: int, held: bytes) -> TokenPiece:
    try:
        return TokenPiece(token, held.decode("utf-8"))
    except UnicodeDecodeError:
        return TokenPiece(token, _readable(held), partial=True)


def _readable(held: bytes) -> str:
    """Whole characters as they are, other bytes in hexadecimal: b" \\xf0\\x9f" as " <F0 9F>"."""
    text, loose = "", bytearray()
    for letter in held.decode("utf-8", "surrogateescape"):
        if "\udc80" <= letter <= "\udcff":
            loose.append(ord(letter) - 0xDC00)
            continue
        text, loose = text + _hexadecimal(loose) + letter, bytearray()
    return text + _hexadecimal(loose)


def _hexadecimal(held: bytearray) -> str:
    return f"<{held.hex(' ').upper()}>" if held else ""


def _byte_letters() -> dict[str, int]:
    """Byte-level tokenizers write each byte as one visible letter: printable ones as themselves."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {chr(byte): byte for byte in visible} | {
        chr(256 + place): byte for place, byte in enumerate(hidden)
    }


_BYTE_OF = _byte_letters()
