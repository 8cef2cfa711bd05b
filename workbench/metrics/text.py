"""Texts as metrics see them: values made text, answers made comparable, numbers made equal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

_NUMBER = re.compile(r"([-+]?)(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?", re.ASCII)
LONGEST_REMEMBERED = 1_000  # characters; whole outputs would fill the memory
_MINUS = str.maketrans({"−": "-", "﹣": "-", "－": "-"})
# Punctuation that carries meaning at an answer's edge: 5%, C#, @name, a/b, R&D.
_KEPT = frozenset("%#@&/\\")
_SIGNED = re.compile(r"[-+]?\.?[0-9]")


def text_of(value: Any) -> str | None:
    """A value as text; None for None, NaN and pandas' NA, which all mean "nothing there"."""
    if isinstance(value, str):
        return value
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return str(value)


def reference_texts(reference: Any) -> list[str]:
    """The acceptable texts of a reference: one, or each of a list; missing and blank ones dropped."""
    if isinstance(reference, str):
        return [reference] if reference.strip() else []
    several: Iterable[Any]
    if isinstance(reference, (list, tuple, set, frozenset)):
        several = reference
    elif getattr(reference, "ndim", 0) == 1:
        several = list(reference)
    else:
        several = [reference]
    texts = (text_of(one) for one in several)
    return [text for text in texts if text is not None and text.strip()]


def normalised(text: str) -> str:
    """An answer as `exact_match` compares it; applying it twice changes nothing.

    Unicode NFKC and case folding, runs of whitespace made one space, punctuation around the whole
    answer removed (but not a sign or a point before a digit, nor any of % # @ & / \\), and a number
    in its one canonical form: "1,000", "1000.0" and "+1000" are all "1000". An answer that is nothing but
    punctuation stays as it is.
    """
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _normalised(text)


def _normalised(text: str) -> str:
    bare = _without_edges(_folded(text))
    return canonical_number(bare) or bare


_remembered = lru_cache(maxsize=65_536)(_normalised)


def canonical_number(text: str) -> str | None:
    """The one spelling of a decimal number, or None when the text is not one.

    Commas are thousands separators in groups of three and nothing else; digits are kept exactly,
    however many. "-0.50" is "-0.5", "007" is "7", "1e3" is read as 1000.
    """
    plain = text.translate(_MINUS)
    match = _NUMBER.fullmatch(plain)
    if match is None:
        return _scientific(plain)
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if not whole and not fraction:
        return None
    return _spelled(sign == "-", whole.replace(",", ""), fraction)


def _spelled(negative: bool, whole: str, fraction: str) -> str:
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if negative and number != "0" else number


def _scientific(text: str) -> str | None:
    # Python writes large and small floats so; a huge exponent is left a text, never expanded.
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?e[-+]?[0-9]{1,3}", text, re.IGNORECASE):
        return None
    whole, _, fraction = format(abs(Decimal(text)), "f").partition(".")
    return _spelled(text.startswith("-"), whole, fraction)


def _folded(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    for _ in range(4):  # folding can undo composition and the other way round
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = " ".join(folded.split())
        if folded == text:
            break
        text = folded
    return text


def _without_edges(text: str) -> str:
    start, end = 0, len(text)
    while end > start and _is_edge(text[end - 1]):
        end -= 1
    while start < end and _is_edge(text[start]) and not _starts_number(text, start):
        start += 1
    return text[start:end] or text


def _starts_number(text: str, start: int) -> bool:
    return _SIGNED.match(text, start) is not None


def _is_edge(character: str) -> bool:
    if character in _KEPT:
        return False
    return character in " `*" or unicodedata.category(character).startswith("P")
