"""The rows that examples are chosen from, and the rule that no row is its own example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from workbench.core.dataset import ID_COLUMN
from workbench.core.prompt import Examples
from workbench.errors import PromptError

Row = Mapping[str, Any]


class Selector(Protocol):
    """Chooses examples for a row; the same row always gets the same ones."""

    def select(self, row: Row) -> list[Row]:
        """Examples for `row`, in the order in which they are shown."""


class Pool:
    """Candidate rows without repeated texts.

    Attributes:
        rows: candidates in the order of the file.
        texts: what each of them asks, by `examples.by` where it names a column.
    """

    def __init__(
        self,
        examples: Examples,
        rows: Sequence[Row],
        text_of: Callable[[Row], str],
        reference: str | None,
    ) -> None:
        self.count, self.seed, self.by, self.reference = (
            examples.count,
            examples.seed,
            examples.by,
            reference,
        )
        self._text_of = text_of
        self._place_of_text: dict[str, int] = {}
        self._places_of_id: dict[str, list[int]] = {}
        self.rows: list[Row] = []
        for row in rows:
            text = _same(text_of(row))
            place = self._place_of_text.setdefault(text, len(self.rows))
            if place == len(self.rows):
                self.rows.append(row)
            if row.get(ID_COLUMN) is not None:
                self._places_of_id.setdefault(str(row[ID_COLUMN]), []).append(place)

    def own(self, row: Row) -> frozenset[int]:
        """Places of the pool that are `row` itself: equal id or equal text."""
        by_id = self._places_of_id.get(str(row[ID_COLUMN]), []) if row.get(ID_COLUMN) is not None else []
        by_text = self._place_of_text.get(_same(self._text_of(row)))
        return frozenset([*by_id, *([] if by_text is None else [by_text])])

    def take(self, places: Iterable[int], row: Row) -> list[Row]:
        """The first `count` of `places` that are not `row` itself."""
        own = self.own(row)
        chosen: list[Row] = []
        for place in places:
            if len(chosen) == self.count:
                break
            if place not in own:
                chosen.append(self.rows[place])
        return chosen

    def key(self, row: Row) -> str:
        """The row's text as asked."""
        return self._text_of(row)

    def compared_text(self, row: Row) -> str:
        """The text that similarity is measured on: column `by`, or what is asked."""
        if self.by is None:
            return self._text_of(row)
        return str(self.column(row, self.by))

    def column(self, row: Row, name: str) -> Any:
        """A column's value. Raises PromptError where the row lacks it."""
        if name not in row:
            raise PromptError(
                f"Examples are chosen by column '{name}', which a row does not have "
                f"(columns: {', '.join(map(str, row))}); correct `examples.by`."
            )
        return row[name]


def _same(text: str) -> str:
    return " ".join(text.split()).casefold()
