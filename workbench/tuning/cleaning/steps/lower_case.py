"""Everything in lower case, for those who want it."""

from __future__ import annotations

from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import TextStep


@step("lower_case")
class LowerCase(TextStep):
    """Every letter in lower case."""

    description = "Write everything in lower case."
    shorthand = "messages"

    def text(self, text: str) -> str:
        """The text in lower case."""
        return text.lower()
