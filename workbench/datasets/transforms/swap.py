"""Stated terms change places: does the answer follow the person instead of the question?

Swap(pairs=(("he", "she"), ("John", "Aisha"))).text("He met John.")  ->  "She met Aisha."
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import field_validator, model_validator

from workbench.datasets.transforms import transform
from workbench.datasets.transforms.base import Transform
from workbench.datasets.transforms.term_lists import TERM_LISTS


@transform("swap")
class Swap(Transform):
    """Whole words and phrases swapped at once, so that he → she and she → he do not undo each other.

    The case of what stood there is kept: HE → SHE, He → She; a term written in its stated case is
    replaced by its partner as stated. Of overlapping terms the longest counts. A term may stand in
    one pair only.
    """

    description = "Swap stated terms (names, pronouns, groups) for each other."
    shorthand = "terms"

    pairs: tuple[tuple[str, str], ...] = ()
    one_way: dict[str, str] = {}
    terms: tuple[str, ...] = ()

    @field_validator("terms", mode="before")
    @classmethod
    def _one_list_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _terms_are_clear(self) -> Swap:
        for name in self.terms:
            if name not in TERM_LISTS:
                raise ValueError(
                    f"there is no list of terms named '{name}' (there are: {', '.join(TERM_LISTS)})"
                )
        seen: dict[str, str] = {}
        for term, partner in self._stated():
            if not term.strip() or not partner.strip():
                raise ValueError("a term is empty")
            known = seen.setdefault(term.casefold(), partner)
            if known != partner:
                raise ValueError(f"'{term}' is to become both '{known}' and '{partner}'; state it once")
        if not seen:
            raise ValueError("there are no terms: give `pairs: [[he, she]]` or `terms: pronouns`")
        return self

    def text(self, text: str, draw: random.Random) -> str:
        """The text with every term replaced by its partner."""
        return self._pattern.sub(self._partner, text)

    def side(self, text: str) -> int:
        """Which side of the pairs the text's terms stand on: -1 all first, 1 all second, 0 both or none."""
        sides = {self._sides.get(match[0].casefold(), 0) for match in self._pattern.finditer(text)}
        return sides.pop() if len(sides) == 1 else 0

    def _stated(self) -> Iterator[tuple[str, str]]:
        lists = [TERM_LISTS[name] for name in self.terms]
        for first, second in [*self.pairs, *(pair for one in lists for pair in one.pairs)]:
            yield first, second
            yield second, first
        for one_way in (self.one_way, *(one.one_way for one in lists)):
            yield from one_way.items()

    @cached_property
    def _partners(self) -> dict[str, tuple[str, str]]:
        return {term.casefold(): (term, partner) for term, partner in self._stated()}

    @cached_property
    def _sides(self) -> dict[str, int]:
        sides: dict[str, int] = {}
        for first, second in [*self.pairs, *(pair for name in self.terms for pair in TERM_LISTS[name].pairs)]:
            sides |= {first.casefold(): -1, second.casefold(): 1}
        for term, partner in self._stated():
            sides.setdefault(term.casefold(), -sides.get(partner.casefold(), 0))
        return sides

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted((term for term, _ in self._stated()), key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)

    def _partner(self, match: re.Match[str]) -> str:
        found = match[0]
        term, partner = self._partners[found.casefold()]
        if found == term:
            return partner
        if len(found) > 1 and found.isupper():
            return partner.upper()
        if found[0].isupper():
            return partner[0].upper() + partner[1:]
        return partner.lower() if found.islower() else partner
