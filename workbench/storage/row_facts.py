"""What is asked of all outputs of a run at once: SQL that answers with arrays, not with records.

    facts.states(run, [0, 2], repeat=0, rows=25_000)   ->  int8 (2, 25000), one of the states below
    facts.of_screen(run, [0, 2], [17, 18], 0, 3_000)   ->  the outputs of two rows, long texts cut

A screen of fifty rows reads fifty rows; a filter over 100,000 outputs never reads their texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Text, case, func, or_, select

from workbench.core.run import Output
from workbench.storage.database import Database
from workbench.storage.outputs import COLUMNS, output_of
from workbench.storage.tables import outputs, row_sets

ANSWERED, UNANSWERED, FAILED, MISSING = 0, 1, 2, 3
Measure = Literal["length", "latency_s", "cost_usd"]


class RowFacts:
    """Reads `outputs` and `row_sets` across whole runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = database.engine.dialect.name == "sqlite"

    def row_ids(self, row_set: str) -> list[str]:
        """The ids of a row set in the order of its rows."""
        query = select(row_sets.c.row_id).where(row_sets.c.hash == row_set).order_by(row_sets.c.position)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def position(self, row_set: str, row_id: str) -> int | None:
        """The place of a row, from 0; None where it is not there."""
        query = select(row_sets.c.position).where(row_sets.c.hash == row_set, row_sets.c.row_id == row_id)
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).scalar()

    def column(self, row_set: str, name: str) -> list[Any]:
        """One column's values in the order of the rows, None where a row does not have it."""
        query = select(row_sets.c.row).where(row_sets.c.hash == row_set).order_by(row_sets.c.position)
        with self._database.read() as connection:
            return [json.loads(row).get(name) for row in connection.execute(query).scalars()]

    def states(self, run: str, cells: Sequence[int], repeat: int, rows: int) -> npt.NDArray[np.int8]:
        """(cells, rows): whether each output is answered, has no answer, is an error or is not there."""
        state = case(
            (outputs.c.error.is_not(None), FAILED), (outputs.c.answer.is_(None), UNANSWERED), else_=ANSWERED
        )
        query = select(outputs.c.cell, outputs.c.position, state).where(*_of(run, cells, repeat))
        found = np.full((len(cells), rows), MISSING, dtype=np.int8)
        line = {cell: place for place, cell in enumerate(cells)}
        with self._database.read() as connection:
            for cell, position, value in connection.execute(query):
                found[line[cell], position] = value
        return found

    def answers(self, run: str, cells: Sequence[int], repeat: int, rows: int) -> npt.NDArray[np.int64]:
        """(rows,): how many different answers the cells gave; none found counts as one, errors do not."""
        given = func.count(outputs.c.answer.distinct()) + func.max(
            case((outputs.c.answer.is_(None), 1), else_=0)
        )
        query = (
            select(outputs.c.position, given)
            .where(*_of(run, cells, repeat), outputs.c.error.is_(None))
            .group_by(outputs.c.position)
        )
        found = np.zeros(rows, dtype=np.int64)
        with self._database.read() as connection:
            for position, count in connection.execute(query):
                found[position] = count
        return found

    def measured(
        self, run: str, cells: Sequence[int], repeat: int, rows: int, measure: Measure
    ) -> npt.NDArray[np.float64]:
        """(rows,): the most characters, seconds or USD that an output of these cells took; NaN: none."""
        column = func.length(outputs.c.text) if measure == "length" else outputs.c[measure]
        query = (
            select(outputs.c.position, func.max(column))
            .where(*_of(run, cells, repeat), outputs.c.error.is_(None))
            .group_by(outputs.c.position)
        )
        found = np.full(rows, np.nan)
        with self._database.read() as connection:
            for position, value in connection.execute(query):
                found[position] = value
        return found

    def positions_with(
        self, run: str, row_set: str, cells: Sequence[int], repeat: int, text: str
    ) -> set[int]:
        """Rows that hold this text in a column, or in an output or answer of these cells; case is ignored."""
        said = select(outputs.c.position).where(
            *_of(run, cells, repeat),
            or_(self._holds(outputs.c.text, text), self._holds(outputs.c.answer, text)),
        )
        # the stored JSON also holds column names, so that what SQL finds is looked at once more
        written = json.dumps(text, ensure_ascii=False)[1:-1]
        likely = select(row_sets.c.position, row_sets.c.row).where(
            row_sets.c.hash == row_set,
            or_(*(self._holds(row_sets.c.row, form) for form in dict.fromkeys((written, text)))),
        )
        needle = text.casefold()
        with self._database.read() as connection:
            found = set(connection.execute(said).scalars())
            for position, row in connection.execute(likely):
                if position not in found and any(
                    needle in text_of(value).casefold() for value in json.loads(row).values()
                ):
                    found.add(position)
        return found

    def of_screen(
        self, run: str, cells: Sequence[int], positions: Sequence[int], repeat: int, most: int
    ) -> list[tuple[Output, int]]:
        """Outputs of a few rows, with the length of each text; of a longer one its beginning and end.

        A cut text has `most` characters and a gap in words between its two ends.
        """
        tail = most // 3
        text, length = outputs.c.text, func.length(outputs.c.text)
        cut = case(
            (length <= most, text),
            else_=func.substr(text, 1, most - tail, type_=Text)
            + GAP
            + func.substr(text, length - tail + 1, type_=Text),
        )
        columns = [cut if column.name == "text" else column for column in COLUMNS]
        query = select(*columns, length).where(
            *_of(run, cells, repeat), outputs.c.position.in_(list(positions))
        )
        with self._database.read() as connection:
            found = []
            for *values, characters in connection.execute(query):
                output = output_of(values)
                if characters > most:
                    output.text = output.text.replace(GAP, GAP_IN_WORDS.format(characters - most), 1)
                found.append((output, int(characters)))
            return found

    def _holds(self, column: Any, text: str) -> ColumnElement[bool]:
        if self._sqlite:  # its LIKE ignores case by itself, for ASCII only
            forms = dict.fromkeys([text, text.lower(), text.upper(), text.title()])
            kept = [text] if text.isascii() else forms
            return or_(*(column.contains(form, autoescape=True) for form in kept))
        return column.icontains(text, autoescape=True)  # type: ignore[no-any-return]


GAP = "\n\u2026\ue000\u2026\n"
"""Where a long text was cut, until its length is known; a private-use character that no model writes."""

GAP_IN_WORDS = "\n\u2026 {:,} characters left out \u2026\n"


def text_of(value: Any) -> str:
    """A column's value as people read and search it; None is empty, lists and objects are JSON."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _of(run: str, cells: Iterable[int], repeat: int) -> tuple[ColumnElement[bool], ...]:
    return (outputs.c.run == run, outputs.c.cell.in_(list(cells)), outputs.c.repeat == repeat)
