"""What several files hold, laid out as one run: which cells, rows and repeats there are.

Texts and rows wait in temporary files until everything has been read, so that memory holds an index
and the database nothing: a file that turns out to be damaged changes nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

from workbench.core.dataset import ID_COLUMN
from workbench.core.prompt import AnswerRule
from workbench.core.rating import LONGEST_RATER, rater_name
from workbench.core.run import Output
from workbench.datasets.json_rows import UnusableRow, check_text, encode_row
from workbench.engine.finished.prompt_stand_ins import PromptNames
from workbench.engine.finished.records import (
    Finished,
    FinishedOutput,
    FinishedPreference,
    Side,
    Template,
    Unmapped,
)
from workbench.errors import DatasetError
from workbench.prompting.read import read_answer

REFERENCE = "reference"
"""The column that right answers get in an imported run's rows."""

MOST_CELLS = 200
MOST_REPEATS = 1000

Unit = tuple[int, int, int]
"""(cell, position, repeat)."""


@dataclass(slots=True)
class ScoreColumn:
    """One score of one cell, by (position, repeat)."""

    positions: array[int] = field(default_factory=lambda: array("q"))
    repeats: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


@dataclass(frozen=True, slots=True)
class Preference:
    """A preference as a rating will have it: `cell` is the smaller index."""

    rater: str
    position: int
    repeat: int
    cell: int
    other: int
    first: int
    value: float
    note: str


@dataclass(slots=True)
class _Row:
    position: int
    content: bytes
    reference: bytes


class Collector:
    """Takes finished outputs one by one; close it to let the temporary files go.

    Args:
        answer: how answers are read, in place of those that the file gives.
    """

    def __init__(self, answer: AnswerRule | None, unmapped: Unmapped) -> None:
        self._answer, self._unmapped = answer, unmapped
        self._names = PromptNames()
        self.cells: dict[tuple[str, str], int] = {}
        """(prompt name, model) → index."""
        self.prompts: dict[str, tuple[str, Template]] = {}
        """Prompt name → what the file calls it, and its messages."""
        self._rows: dict[str, _Row] = {}
        self._texts: dict[Unit, int] = {}
        self._next: dict[tuple[int, int], int] = {}
        self.outputs_of_cell: list[int] = []
        self.scores: dict[tuple[int, str], ScoreColumn] = {}
        self.preferences: dict[Preference, None] = {}
        self.repeats = 1
        self.errors, self.cost_usd, self.has_reference = 0, 0.0, False
        self._rows_hash = hashlib.sha256(b"[")
        self._row_file, self._output_file = _spool(), _spool()

    def close(self) -> None:
        """Removes the temporary files."""
        self._row_file.close()
        self._output_file.close()

    def add(self, item: Finished) -> None:
        """Takes one item. Raises DatasetError where it cannot be stored."""
        try:
            if isinstance(item, FinishedOutput):
                self._add_output(item)
            else:
                self._add_preference(item)
        except UnusableRow as error:
            raise DatasetError(f"Row '{item.row_id[:80]}': {error}") from None

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def output_count(self) -> int:
        """How many outputs there are."""
        return len(self._texts)

    @property
    def row_set(self) -> str:
        """The content hash of all rows, as a run over a dataset has it."""
        closed = self._rows_hash.copy()
        closed.update(b"]")
        return closed.hexdigest()

    def rows(self) -> Iterator[tuple[int, str, str]]:
        """(position, row id, row as JSON), in order."""
        self._row_file.seek(0)
        for position, line in enumerate(self._row_file):
            row_id, row = line.rstrip("\n").split("\t", 1)
            yield position, json.loads(row_id), row

    def outputs(self) -> Iterator[Output]:
        """Every output, in the order in which they came."""
        self._output_file.seek(0)
        for line in self._output_file:
            cell, row_id, position, repeat, text, answer, error, *taken = json.loads(line)
            prompt_tokens, completion_tokens, latency_s, cost_usd = taken
            yield Output(
                cell=cell,
                row_id=row_id,
                position=position,
                repeat=repeat,
                text=text,
                answer=answer,
                error=error,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                latency_s=latency_s,
                cost_usd=cost_usd,
            )

    def _add_output(self, item: FinishedOutput) -> None:
        cell = self._cell(item.prompt, item.model, item.messages)
        position = self._position(item)
        repeat = self._next.get((cell, position), 0) if item.repeat is None else item.repeat
        if (cell, position, repeat) in self._texts:
            raise DatasetError(
                f"Row '{item.row_id[:80]}' has two outputs of {item.prompt[:80]} · {item.model[:80]}, "
                f"repeat {repeat}; each needs its own row or repeat."
            )
        cost_usd = _amount(item.cost_usd)
        self._store(
            (cell, position, repeat),
            item.row_id,
            item.text,
            self._answer_of(item),
            item.error,
            int(_amount(item.prompt_tokens)),
            int(_amount(item.completion_tokens)),
            _amount(item.latency_s),
            cost_usd,
        )
        self.errors += item.error is not None
        self.cost_usd += cost_usd
        for name, value in item.scores.items():
            if item.error is None and value is not None and math.isfinite(value):
                column = self.scores.setdefault((cell, name), ScoreColumn())
                column.positions.append(position)
                column.repeats.append(repeat)
                column.values.append(float(value))

    def _answer_of(self, item: FinishedOutput) -> str | None:
        if item.error is not None:
            return None
        if self._answer is not None:
            return read_answer(self._answer, item.text)
        return item.text.strip() or None if item.answer is None else item.answer

    def _add_preference(self, item: FinishedPreference) -> None:
        first = self._cell(item.first.prompt, item.first.model, item.first.messages)
        second = self._cell(item.second.prompt, item.second.model, item.second.messages)
        if first == second:
            self._unmapped.add("preference between two outputs of the same cell")
            return
        position = self._position(item)
        repeat = self._repeat_of_both(position, (first, item.first), (second, item.second))
        for cell, side in ((first, item.first), (second, item.second)):
            if (cell, position, repeat) not in self._texts:
                answer = side.text.strip() or None
                if self._answer is not None:
                    answer = read_answer(self._answer, side.text)
                self._store((cell, position, repeat), item.row_id, side.text, answer, None, 0, 0, 0.0, 0.0)
        if item.value is None:
            self._unmapped.add("annotation without a preference")
            return
        cell, other = min(first, second), max(first, second)
        value = item.value if cell == first else 1 - item.value
        rating = Preference(
            _rater(item.rater), position, repeat, cell, other, first, value, _printable(item.note)
        )
        if rating in self.preferences:
            self._unmapped.add("preference that stands more than once, word for word")
        self.preferences[rating] = None

    def _repeat_of_both(self, position: int, *sides: tuple[int, Side]) -> int:
        """The first repeat in which both cells have these texts, or nothing yet."""
        for repeat in itertools.count():
            found = (self._texts.get((cell, position, repeat), hash(side.text)) for cell, side in sides)
            if all(text == hash(side.text) for text, (_, side) in zip(found, sides, strict=True)):
                return repeat
        raise AssertionError

    def _store(
        self,
        unit: Unit,
        row_id: str,
        text: str,
        answer: str | None,
        error: str | None,
        *taken: float,
    ) -> None:
        cell, position, repeat = unit
        if not 0 <= repeat < MOST_REPEATS:
            raise DatasetError(
                f"Row '{row_id[:80]}' has more than {MOST_REPEATS:,} outputs in one cell; are the row ids "
                "unique, and does the file say which model each output is of?"
            )
        check_text((text, answer, error))
        values = [cell, row_id, position, repeat, text, answer, error, *taken]
        self._output_file.write(json.dumps(values, ensure_ascii=False) + "\n")
        self._texts[unit] = hash(text)
        self._next[cell, position] = max(self._next.get((cell, position), 0), repeat + 1)
        self.outputs_of_cell[cell] += 1
        self.repeats = max(self.repeats, repeat + 1)

    def _cell(self, prompt: str, model: str, messages: Template) -> int:
        name = self._names.name_of(prompt)
        model = _printable(model)[:120] or "unknown"
        known = self.prompts.setdefault(name, (prompt, messages))
        if messages and known[1] != messages:
            self._unmapped.add(f"prompt '{name}': other messages than those of its first output")
        if (name, model) not in self.cells:
            if len(self.cells) == MOST_CELLS:
                raise DatasetError(
                    f"There are more than {MOST_CELLS} pairs of prompt and model, the last of them "
                    f"{name} · {model}; is the model's name really where the file is said to have it?"
                )
            check_text((prompt, messages))
            self.cells[name, model] = len(self.cells)
            self.outputs_of_cell.append(0)
        return self.cells[name, model]

    def _position(self, item: Finished) -> int:
        row: dict[str, Any] = {ID_COLUMN: item.row_id}
        for column, value in item.row.items():
            row[f"{column} (of the file)" if column in (ID_COLUMN, REFERENCE) else column] = value
        content = hashlib.blake2b(_canonical(row), digest_size=16).digest()
        reference = hashlib.blake2b(_canonical(item.reference), digest_size=16).digest()
        known = self._rows.get(item.row_id)
        if known is not None:
            if item.reference is not None and known.reference != reference:
                raise DatasetError(
                    f"Row '{item.row_id[:80]}' has two different right answers; are the row ids unique?"
                )
            if known.content != content:
                self._unmapped.add("other columns in a later output of a row; those of its first were kept")
            return known.position
        if item.reference is not None:
            row[REFERENCE] = item.reference
            self.has_reference = True
        written = encode_row(row).decode("utf-8").rstrip("\n")
        self._row_file.write(f"{json.dumps(item.row_id)}\t{written}\n")
        self._rows_hash.update((b"," if self._rows else b"") + _canonical(row))
        self._rows[item.row_id] = _Row(len(self._rows), content, reference)
        return len(self._rows) - 1


def _spool() -> TextIO:
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")


def _canonical(value: Any) -> bytes:
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UnusableRow(f"a value cannot be kept as JSON: {error}.") from None
    return text.encode("utf-8", "surrogatepass")


def _amount(value: float | None) -> float:
    """What was measured; 0 stands for what the file does not tell."""
    return float(value) if value is not None and math.isfinite(value) and value > 0 else 0.0


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _rater(name: str) -> str:
    try:
        return rater_name(_printable(name)[:LONGEST_RATER])
    except ValueError:
        return "unknown"
