"""Columns renamed on the way in: new name ← name in the file.

{"question": "prompt"}      {"prompt": "2 + 2?", "answer": "4"} → {"question": "2 + 2?", "answer": "4"}
"""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.datasets.json_rows import Row
from workbench.datasets.source import Notes, Source
from workbench.errors import InvalidFile, UsageError, suggestion

EXTRACTED = "reference"
"""The column that `reference_after` fills."""


@dataclass
class ColumnMapping:
    """Applies a mapping row by row and remembers which columns there were, and in how many rows.

    Args:
        mapping: new name → name in the file. Columns that it does not name keep theirs.
        reference: new name (or name in the file) of a column that every row must have.
        after: marker in the reference column; what follows it becomes the column `reference`.
    """

    source: Source
    mapping: dict[str, str]
    reference: str | None = None
    after: str | None = None
    seen: dict[str, int] = field(default_factory=dict)
    rows: int = 0

    def __post_init__(self) -> None:
        self._new_names = {old: new for new, old in self.mapping.items()}
        self._marked: str | None = None
        if len(self._new_names) < len(self.mapping):
            old = next(o for n, o in self.mapping.items() if self._new_names[o] != n)
            raise UsageError(f"Column '{old}' is mapped to two names; choose one.")
        if any(not new.strip() for new in self.mapping):
            raise UsageError("A column is mapped to an empty name; write it as NEW=OLD.")
        if self.reference not in self.mapping and self.reference in self._new_names:
            self.reference = self._new_names[self.reference]
        if self.after is not None:
            if not self.after or self.reference is None:
                raise UsageError("Name the reference column in which the marker stands.")
            self._marked, self.reference = self.reference, EXTRACTED

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Columns that kept their name although a mapping was given."""
        return tuple(column for column in self.seen if self.mapping and column not in self.mapping)

    def applied(self, given: Row, number: int) -> Row:
        """The row under its new names. Raises InvalidFile where a needed column is missing."""
        for new, old in self.mapping.items():
            if old not in given:
                raise self._missing(old, given, number, new)
        row = {self._new_names.get(column, column): value for column, value in given.items()}
        if len(row) < len(given):
            clash = next(new for new, old in self.mapping.items() if new in given and new != old)
            raise self.source.problem(
                f"column '{self.mapping[clash]}' is mapped to '{clash}', which the file has already; "
                f"map that one too, such as --map other={clash}.",
                number,
            )
        if self._marked is not None:
            self._extract(row, number)
        if self.reference is not None and self.reference not in row:
            raise self._missing(self.reference, row, number, None)
        self.rows += 1
        for column in row:
            self.seen[column] = self.seen.get(column, 0) + 1
        return row

    def note(self, notes: Notes) -> None:
        """Says which columns are not in every row and which no template can name."""
        for column, count in self.seen.items():
            if count < self.rows:
                notes.say(f"Column '{column}' is missing in {self.rows - count:,} of {self.rows:,} rows.")
            if not column.isidentifier():
                notes.say(f"Column '{column}' cannot be written in a template; map it to a plain name.")

    def _extract(self, row: Row, number: int) -> None:
        marked, after = self._marked or "", self.after or ""
        if marked not in row:
            raise self._missing(marked, row, number, None)
        if EXTRACTED in row and marked != EXTRACTED:
            raise self.source.problem(
                f"the file already has a column '{EXTRACTED}'; map it to another name.", number
            )
        _, found, reference = str(row[marked]).rpartition(after)
        if not found:
            raise self.source.problem(f"column '{marked}' does not contain the marker '{after}'.", number)
        row[EXTRACTED] = reference.strip()

    def _missing(self, column: str, row: Row, number: int, new: str | None) -> InvalidFile:
        turned = f" Write it the other way round: --map {column}={new}." if new in row else ""
        near = suggestion(column, row)
        if near.startswith(" Known"):  # the columns stand there already
            near = ""
        return self.source.problem(
            f"there is no column '{column}' here (columns: {', '.join(list(row)[:20])}).{turned or near}",
            number,
        )
