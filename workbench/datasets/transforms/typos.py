"""Slips of a hurried typist, in words and never in numbers."""

from __future__ import annotations

import random
import re

from pydantic import Field

from workbench.datasets.transforms import transform
from workbench.datasets.transforms.base import Transform

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
WORD = re.compile(r"[^\W\d_]{3,}")
NEIGHBOURS = {
    letter: [row[place + step] for step in (-1, 1) if 0 <= place + step < len(row)]
    for row in ROWS
    for place, letter in enumerate(row)
}


@transform("typos")
class Typos(Transform):
    """Each letter of a word of three or more is mistyped with probability `rate`.

    A slip leaves the letter out, doubles it, changes places with the next one, or hits the key beside
    it, with equal chance. The first letter stays, and so does every word that holds a digit.
    """

    description = "Mistype some letters: left out, doubled, swapped, or the key beside."
    shorthand = "rate"

    rate: float = Field(0.05, gt=0, le=1, description="share of letters")

    def text(self, text: str, draw: random.Random) -> str:
        """The text with slips."""
        return WORD.sub(lambda match: self._word(match[0], draw), text)

    def _word(self, word: str, draw: random.Random) -> str:
        letters = list(word)
        written = [letters[0]]
        place = 1
        while place < len(letters):
            letter = letters[place]
            place += 1
            if draw.random() >= self.rate:
                written.append(letter)
                continue
            slip = draw.choice(("leave out", "double", "swap", "beside"))
            if slip == "double":
                written += [letter, letter]
            elif slip == "swap" and place < len(letters):
                written += [letters[place], letter]
                place += 1
            elif slip == "beside" and letter.lower() in NEIGHBOURS:
                hit = draw.choice(NEIGHBOURS[letter.lower()])
                written.append(hit.upper() if letter.isupper() else hit)
            elif slip != "leave out":
                written.append(letter)
        return "".join(written)
