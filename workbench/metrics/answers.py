"""Answers of a known form: a number within a tolerance, a set of items, the letter of a choice.

{name: numeric, tolerance: 0.5}
{name: set_match, separator: ";", partial: true}
{name: choice, options: choices}
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from string import ascii_uppercase
from typing import Any

from workbench.errors import MetricError, Unscored
from workbench.metrics.base import Kind, Metric
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.registry import metric
from workbench.metrics.scores import Scores
from workbench.metrics.settings import check_amount, check_flag
from workbench.metrics.text import canonical_number, normalised, reference_texts, text_of

LONGEST_NUMBER = 1_000  # characters; what is longer is no number that anybody meant

_EDGES = " \t\r\n*`\"'“”"
_CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee"}
_QUANTITY = re.compile(
    r"(?P<sign>[-+−]?)\s*(?P<currency>[$€£¥₹]?)\s*"
    r"(?P<number>[-+−]?(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
    r"(?:\s*/\s*(?P<below>[0-9,]+))?"
    r"\s*(?P<unit>[%$€£¥₹]|[^\W\d_][^\d\n]{0,39}|°[CF]?)?"
)
_LONE_LETTER = re.compile(r"[\W_]*([A-Za-z])[\W_]*")
_LED_BY_LETTER = re.compile(r"[\s*(\[]*([A-Z])\s*(?:[).:\]]\**\s|[)\]:]\**\S)")
_NAMED_LETTER = re.compile(
    r"\b(?:answer|option|choice)\b(?:\s+is|\s*[:=])?[\s:*(\[\"'`]*(?-i:([A-Z]))(?![\w'’])", re.IGNORECASE
)


@metric
class Numeric(Metric):
    """1 when |answer - reference| <= max(tolerance, relative · |reference|), else 0; the share is the score.

    Both are read as one number, exactly and however many digits: a sign, thousands separators in groups
    of three, a decimal point, an exponent, a fraction of whole numbers, a currency sign before it, a
    unit or percent sign after it. Where both sides have a unit it must be the same word (case, a plural s
    and currency signs aside); it is not converted, and 50% is 50. An answer that is no such number is
    wrong; a row whose reference is none is unscored. Range 0 to 1, higher is better.

    Args:
        tolerance: how far off an answer may be, in the reference's own unit.
        relative: how far off it may be as a share of the reference: 0.01 is one percent.
    """

    name = "numeric"
    description = "Share of answers whose number is the reference's, within a tolerance."
    kind = "proportion"
    source = "The tolerance of Python's math.isclose, relative to the reference alone."

    def __init__(self, tolerance: float = 0.0, relative: float = 0.0) -> None:
        self._tolerance = Decimal(str(check_amount(self.name, "tolerance", tolerance)))
        self._relative = Decimal(str(check_amount(self.name, "relative", relative)))

    def score_one(self, prediction: str, references: list[str]) -> float:
        accepted = [found for found in map(quantity, references) if found is not None]
        if not accepted:
            raise Unscored(f"The reference is no number: {references[0][:100]}")
        answer = quantity(prediction)
        return float(answer is not None and any(self._near(answer, right) for right in accepted))

    def _near(self, answer: tuple[Decimal, str], right: tuple[Decimal, str]) -> bool:
        if answer[1] and right[1] and answer[1] != right[1]:
            return False
        with localcontext(prec=2 * LONGEST_NUMBER + 400):
            allowed = max(self._tolerance, self._relative * abs(right[0]))
            return abs(answer[0] - right[0]) <= allowed


def quantity(text: str) -> tuple[Decimal, str] | None:
    """A text that is one number with or without a unit, as (value, unit); None for any other.

    "$1,200.50" is (1200.5, "dollar"), "3/4 Cups" is (0.75, "cup"), "about 5" is None.
    """
    if len(text) > LONGEST_NUMBER:
        return None
    plain = unicodedata.normalize("NFKC", text).lstrip(_EDGES).rstrip(_EDGES + ".!,;:")
    match = _QUANTITY.fullmatch(plain)
    if match is None:
        return None
    number = canonical_number(match["number"])
    below = canonical_number(match["below"]) if match["below"] else "1"
    if number is None or below is None or Decimal(below) == 0:
        return None
    if match["sign"] and number.startswith("-"):
        return None
    with localcontext(prec=2 * LONGEST_NUMBER):
        value = Decimal(number) / Decimal(below)
        unit = _unit(match["currency"] or match["unit"] or "")
        return (-value if match["sign"] not in ("", "+") else value), unit


def _unit(text: str) -> str:
    unit = _CURRENCIES.get(text) or " ".join(text.casefold().split()).rstrip(".")
    return unit[:-1] if len(unit) > 2 and unit.endswith("s") and not unit.endswith("ss") else unit


@metric
class SetMatch(Metric):
    """1 when answer and reference have the same items in any order, else 0; the share is the score.

    Items are what the separator parts, each normalised as for exact_match; an item counts once. A
    reference that is a list is the set, one item each, and not several acceptable answers. With
    `partial: true` a row's score is F1 = 2 · shared / (items of the answer + items of the reference)
    and their mean the score. Range 0 to 1, higher is better.

    Args:
        separator: what stands between items; line breaks always part them.
        partial: whether a part of the set counts.
    """

    name = "set_match"
    description = "Share of answers with the reference's items in any order; `partial: true` is the mean F1."
    kind: Kind = "proportion"
    source = "Equality and F1 (Dice coefficient) of sets."

    def __init__(self, separator: str = ",", partial: bool = False) -> None:
        if not isinstance(separator, str) or not separator:
            raise MetricError(
                f"Metric '{self.name}': `separator` is a text such as \";\", not {separator!r}."
            )
        self._separator, self._partial = separator, check_flag(self.name, "partial", partial)
        if partial:
            self.kind = "mean"

    def score_one(self, prediction: str, references: list[str]) -> float:
        answer = self._items(prediction)
        right = {normalised(one) for one in references} if len(references) > 1 else self._items(references[0])
        if not self._partial:
            return float(answer == right)
        return 2 * len(answer & right) / (len(answer) + len(right)) if right or answer else 1.0

    def _items(self, text: str) -> set[str]:
        inner = text.strip()
        if inner[:1] + inner[-1:] in ("[]", "{}", "()"):
            inner = inner[1:-1]
        parts = inner.replace("\n", self._separator).split(self._separator)
        return {normalised(part) for part in parts if part.strip()}


@metric
class Choice(Metric):
    """1 when the chosen letter is the right one, else 0; the share is the score, higher is better.

    The letter is the whole answer ("B", "(b)", "**B.**"), or stands before it ("B) Paris"), or is named
    last ("the answer is B"). With `options` an answer that is one option's own text counts as its
    letter, and the reference may be a letter, an option's text, or its place counted from 0. An answer
    without a letter is wrong; a reference without one leaves its row unscored.

    Args:
        options: the dataset's column of options: a list of texts, or a mapping from letters to texts.
    """

    name = "choice"
    description = "Share of multiple-choice answers with the right letter."
    kind = "proportion"
    source = "Accuracy over letters, as of MMLU (Hendrycks et al., ICLR 2021)."

    def __init__(self, options: str | None = None) -> None:
        if options is not None and (not isinstance(options, str) or not options):
            raise MetricError(f"Metric '{self.name}': `options` is the name of a column, not {options!r}.")
        self._options = options

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """With `options`, answers and references become letters by each row's options first."""
        if self._options is None:
            return super().score_outputs(outputs)
        options = [_lettered(cell) for cell in outputs.column(self._options)]
        predictions, references = self.columns(outputs)
        chosen = [_chosen(text, known) for text, known in zip(predictions, options, strict=True)]
        right = [_right(cell, known) for cell, known in zip(references, options, strict=True)]
        return self.score(chosen, right)

    def score_one(self, prediction: str, references: list[str]) -> float:
        right = {letter for letter in map(chosen_letter, references) if letter is not None}
        if not right:
            raise Unscored(f"The reference names no choice: {references[0][:100]}")
        return float(chosen_letter(prediction) in right)


def chosen_letter(text: str) -> str | None:
    """The letter of a choice that a text makes, upper case; None where it makes none."""
    if len(text) <= LONGEST_NUMBER and (lone := _LONE_LETTER.fullmatch(text)):
        return lone[1].upper()
    if led := _LED_BY_LETTER.match(text):
        return led[1]
    named = _NAMED_LETTER.findall(text)
    return named[-1] if named else None


def _lettered(cell: Any) -> dict[str, str]:
    """A row's options by letter; {} where the cell holds none."""
    if isinstance(cell, Mapping):
        if set(cell) >= {"text", "label"}:
            return {
                str(label).upper(): str(text)
                for label, text in zip(cell["label"], cell["text"], strict=False)
            }
        return {str(letter).upper(): str(text) for letter, text in cell.items()}
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return dict(zip(ascii_uppercase, map(str, cell), strict=False))
    return {}


def _chosen(text: str | None, options: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    answer = normalised(text)
    for letter, option in options.items():
        if normalised(option) == answer:
            return letter
    return chosen_letter(text)


def _right(cell: Any, options: Mapping[str, str]) -> Any:
    """The right letters of a reference cell; what names none stays, to be said so beside its row."""
    letters = list(options)
    found = []
    for text in reference_texts(cell):
        letter = _chosen(text, options)
        if letter is None and text.strip().isascii() and text.strip().isdigit() and len(text) < 4:
            place = int(text)
            letter = letters[place] if place < len(letters) else None
        found.append(letter or text)
    return found if found else text_of(cell)
