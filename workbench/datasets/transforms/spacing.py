"""White space that means nothing: doubled, trailing, or a line break before the text."""

from __future__ import annotations

import random
import re

from workbench.datasets.transforms import transform
from workbench.datasets.transforms.base import Transform


@transform("spacing")
class Spacing(Transform):
    """Each single space is doubled with even chance; a line break stands before, two spaces after."""

    description = "Double some spaces, begin with an empty line, end with spaces."

    def text(self, text: str, draw: random.Random) -> str:
        """The text with more white space."""
        return "\n" + re.sub(r"(?<=\S) (?=\S)", lambda _: draw.choice((" ", "  ")), text) + "  "
