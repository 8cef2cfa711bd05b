"""The same words shouted, whispered, or as a title."""

from __future__ import annotations

import random
from typing import Literal

from workbench.datasets.transforms import transform
from workbench.datasets.transforms.base import Transform


@transform("case")
class Case(Transform):
    """Every letter in upper or lower case, or the first of each word in upper case."""

    description = "Write everything in upper case, in lower case, or Like A Title."
    shorthand = "to"

    to: Literal["upper", "lower", "title"] = "upper"

    def text(self, text: str, draw: random.Random) -> str:
        """The text in the other case."""
        if self.to == "upper":
            return text.upper()
        if self.to == "lower":
            return text.lower()
        return "".join(
            letter.upper() if place == 0 or text[place - 1].isspace() else letter
            for place, letter in enumerate(text)
        )
