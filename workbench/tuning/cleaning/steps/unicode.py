"""One way to write each character, and none that nobody sees."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from pydantic import Field

from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import TextStep

MOST_MARKS = 30
"""Accents on one letter that are kept; ordering more of them takes time that grows with their square."""
SURROGATE = re.compile("[\ud800-\udfff]")
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but tab, line ends and next line
    "\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
"""Joiners beside plain letters; in emoji and many scripts they mean something and stay."""


@step("unicode")
class Unicode(TextStep):
    """Unicode normalisation form NFC or NFKC; lone surrogates become U+FFFD, invisible characters go.

    More than 30 combining marks on one letter are cut to 30.
    """

    description = "Write each character in one way (NFC or NFKC) and take invisible ones out."
    shorthand = "form"

    form: Literal["NFC", "NFKC"] = Field(
        "NFC", description="NFC: same look; NFKC: also plain forms of ligatures, full-width letters, ①"
    )
    invisible: bool = Field(
        True,
        description="take out zero-width, direction and control characters, soft hyphens, byte order marks",
    )

    def text(self, text: str) -> str:
        """The text in its normal form."""
        if text.isascii() and not (self.invisible and INVISIBLE.search(text)):
            return text
        import regex

        text = SURROGATE.sub("\ufffd", text)
        if self.invisible:
            text = JOINER.sub("", INVISIBLE.sub("", text))
        text = regex.sub(rf"(\p{{M}}{{{MOST_MARKS}}})\p{{M}}+", r"\1", text)
        return unicodedata.normalize(self.form, text)
