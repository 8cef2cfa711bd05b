"""The same text without its commas and full stops; numbers keep theirs."""

from __future__ import annotations

import random
import re

from workbench.datasets.transforms import transform
from workbench.datasets.transforms.base import Transform

MARKS = re.compile(r"[,;:!?]+(?=\s|$)|\.+(?=\s|$)")


@transform("punctuation")
class Punctuation(Transform):
    """Commas, semicolons, colons, full stops, question and exclamation marks at the end of words go."""

    description = "Leave out punctuation at the end of words."

    def text(self, text: str, draw: random.Random) -> str:
        """The text without it."""
        return MARKS.sub("", text)
