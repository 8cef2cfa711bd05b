"""What a transform is: settings that a person writes, and a text made into another text."""

from __future__ import annotations

import hashlib
import random
from typing import Any, ClassVar

from pydantic import Field

from workbench.core.dataset import ID_COLUMN
from workbench.core.document import Strict

Row = dict[str, Any]


class Transform(Strict):
    """Base of every transform. Subclasses add settings as fields and give `text`.

    Attributes:
        description: one sentence for menus.
        shorthand: the setting that `{name: value}` gives where value is no mapping.
    """

    description: ClassVar[str] = ""
    shorthand: ClassVar[str] = "seed"

    columns: tuple[str, ...] = Field((), description="columns to change; by itself those that prompts use")
    seed: int = 0

    def text(self, text: str, draw: random.Random) -> str:
        """The text said differently; `draw` is the row's own source of chance."""
        raise NotImplementedError(f"{type(self).__name__} gives no text")

    def changed(self, value: Any, row: Row, column: str) -> Any:
        """A column's value, changed where it is a text or a list of texts."""
        if isinstance(value, str):
            return self.text(value, self._draw(row, column))
        if isinstance(value, list):
            draw = self._draw(row, column)
            return [self.text(item, draw) if isinstance(item, str) else item for item in value]
        return value

    def _draw(self, row: Row, column: str) -> random.Random:
        key = f"{type(self).__name__}\n{self.seed}\n{row.get(ID_COLUMN)}\n{column}"
        return random.Random(int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()))
