"""White space as it is meant: no trailing blanks, no runs of them, no heaps of empty lines."""

from __future__ import annotations

import re

from pydantic import Field

from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import TextStep

LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


@step("white_space")
class WhiteSpace(TextStep):
    r"""Line ends become `\n`, runs of blanks one space, more than one empty line one; both ends are bare."""

    description = "Tidy blanks: one space between words, one empty line between paragraphs, none at the ends."
    shorthand = "indentation"

    indentation: bool = Field(True, description="keep the blanks that begin a line, as in code and lists")

    def text(self, text: str) -> str:
        """The text with its white space tidied."""
        written: list[str] = []
        for line in LINE_END.sub("\n", text).split("\n"):
            words = " ".join(line.split())
            if not words and (not written or not written[-1]):
                continue
            written.append(
                line[: len(line) - len(line.lstrip())] + words if self.indentation and words else words
            )
        return "\n".join(written).strip()
