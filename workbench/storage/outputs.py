"""Outputs of a run: stored as they arrive, together with the completions behind them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from workbench.core.run import Output, Vote
from workbench.storage.completions import StoredCompletion, insert_completions
from workbench.storage.database import Database
from workbench.storage.tables import outputs, runs

PLAIN = (
    "cell",
    "row_id",
    "position",
    "repeat",
    "text",
    "answer",
    "error",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "latency_s",
    "cost_usd",
    "calls",
    "cached_calls",
    "finish_reason",
    "first_token_s",
)
MEASURED = ("latency_s", "cost_usd", "prompt_tokens", "completion_tokens", "first_token_s")
COLUMNS = [outputs.c[name] for name in (*PLAIN, "votes")]
Unit = tuple[int, int, int]
"""(cell, position, repeat)."""


class Outputs:
    """Reads and writes `outputs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        run: str,
        new: Sequence[Output],
        completions: Sequence[StoredCompletion] = (),
        **run_values: Any,
    ) -> None:
        """Stores outputs, the completions they came from, and the run's counters in one transaction."""
        now = time.time()
        with self._database.write() as connection:
            insert_completions(connection, self._database.engine.dialect.name, completions)
            if new:
                connection.execute(insert(outputs), [output_values(run, output, now) for output in new])
            if run_values:
                connection.execute(update(runs).where(runs.c.id == run).values(**run_values))

    def done(self, run: str) -> set[Unit]:
        """The units that are stored already."""
        query = select(outputs.c.cell, outputs.c.position, outputs.c.repeat).where(outputs.c.run == run)
        with self._database.read() as connection:
            return {(cell, position, repeat) for cell, position, repeat in connection.execute(query)}

    def of_cell(self, run: str, cell: int, positions: Sequence[int] | None = None) -> list[Output]:
        """A cell's outputs in row order, votes included."""
        query = select(*COLUMNS).where(outputs.c.run == run, outputs.c.cell == cell)
        if positions is not None:
            query = query.where(outputs.c.position.in_(list(positions)))
        query = query.order_by(outputs.c.position, outputs.c.repeat)
        with self._database.read() as connection:
            return [output_of(row) for row in connection.execute(query)]

    def answers(self, run: str, cell: int) -> list[tuple[int, int, str | None, bool, str]]:
        """(position, repeat, answer, failed, row id) of a cell: what scoring needs, no texts."""
        query = (
            select(
                outputs.c.position,
                outputs.c.repeat,
                outputs.c.answer,
                outputs.c.error.is_not(None),
                outputs.c.row_id,
            )
            .where(outputs.c.run == run, outputs.c.cell == cell)
            .order_by(outputs.c.position, outputs.c.repeat)
        )
        with self._database.read() as connection:
            return [
                (p, r, answer, bool(failed), row) for p, r, answer, failed, row in connection.execute(query)
            ]

    def finished(self, run: str, cell: int) -> list[tuple[int, int, str, str | None, str | None, str, int]]:
        """A cell's outputs in row order, votes and measures left out.

        (position, repeat, text, answer, error, finish reason, completion tokens)
        """
        names = ("position", "repeat", "text", "answer", "error", "finish_reason", "completion_tokens")
        query = select(*(outputs.c[name] for name in names))
        query = query.where(outputs.c.run == run, outputs.c.cell == cell)
        query = query.order_by(outputs.c.position, outputs.c.repeat)
        with self._database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def texts(self, run: str, cell: int) -> dict[tuple[int, int], str]:
        """A cell's output texts by (position, repeat), those with errors left out."""
        query = select(outputs.c.position, outputs.c.repeat, outputs.c.text).where(
            outputs.c.run == run, outputs.c.cell == cell, outputs.c.error.is_(None)
        )
        with self._database.read() as connection:
            return {(position, repeat): text for position, repeat, text in connection.execute(query)}

    def taken(self, run: str, cell: int) -> dict[tuple[int, int], tuple[float | None, ...]]:
        """What a cell's outputs took by (position, repeat), those with errors left out.

        In the order of `MEASURED`; None where it is not known.
        """
        columns = [outputs.c[name] for name in MEASURED]
        query = select(outputs.c.position, outputs.c.repeat, *columns).where(
            outputs.c.run == run, outputs.c.cell == cell, outputs.c.error.is_(None)
        )
        with self._database.read() as connection:
            return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(query)}

    def newest(self, run: str, count: int) -> list[Output]:
        """The outputs stored last, newest first."""
        query = (
            select(*COLUMNS)
            .where(outputs.c.run == run)
            .order_by(outputs.c.stored_at.desc(), outputs.c.position.desc())
            .limit(count)
        )
        with self._database.read() as connection:
            return [output_of(row) for row in connection.execute(query)]

    def counts(self, run: str) -> dict[int, int]:
        """Outputs per cell, out of the index alone."""
        query = select(outputs.c.cell, func.count()).where(outputs.c.run == run).group_by(outputs.c.cell)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def totals(self, run: str) -> dict[int, dict[str, float]]:
        """Per cell: outputs, rows that have one, errors, answered ones, calls, tokens and cost."""
        query = (
            select(
                outputs.c.cell,
                func.count().label("outputs"),
                func.count(outputs.c.position.distinct()).label("rows"),
                func.count(outputs.c.error).label("errors"),
                func.count(outputs.c.answer).label("answered"),
                func.sum(outputs.c.calls).label("calls"),
                func.sum(outputs.c.prompt_tokens).label("prompt_tokens"),
                func.sum(outputs.c.completion_tokens).label("completion_tokens"),
                func.sum(outputs.c.cached_tokens).label("cached_tokens"),
                func.sum(outputs.c.cost_usd).label("cost_usd"),
            )
            .where(outputs.c.run == run)
            .group_by(outputs.c.cell)
        )
        with self._database.read() as connection:
            return {row.cell: dict(row._mapping) for row in connection.execute(query)}

    def errors(self, run: str) -> list[tuple[int, str, int]]:
        """Which errors each cell's outputs ended in and how many times: (cell, error, outputs)."""
        query = (
            select(outputs.c.cell, outputs.c.error, func.count())
            .where(outputs.c.run == run, outputs.c.error.is_not(None))
            .group_by(outputs.c.cell, outputs.c.error)
            .order_by(outputs.c.cell, func.count().desc(), outputs.c.error)
        )
        with self._database.read() as connection:
            return [(cell, error, count) for cell, error, count in connection.execute(query)]

    def latencies(self, run: str) -> dict[int, list[float]]:
        """Per cell: seconds of every output without an error."""
        query = select(outputs.c.cell, outputs.c.latency_s).where(
            outputs.c.run == run, outputs.c.error.is_(None)
        )
        found: dict[int, list[float]] = {}
        with self._database.read() as connection:
            for cell, latency_s in connection.execute(query):
                found.setdefault(cell, []).append(latency_s)
        return found

    def first_tokens(self, run: str) -> dict[int, list[float]]:
        """Per cell: seconds to the first token of every output for which they are known."""
        query = select(outputs.c.cell, outputs.c.first_token_s).where(
            outputs.c.run == run, outputs.c.first_token_s.is_not(None)
        )
        found: dict[int, list[float]] = {}
        with self._database.read() as connection:
            for cell, first_token_s in connection.execute(query):
                found.setdefault(cell, []).append(first_token_s)
        return found

    def positions_with(self, run: str, text: str) -> set[int]:
        """Rows of which some output, or its answer, holds this text (case ignored for ASCII)."""
        query = select(outputs.c.position).where(
            outputs.c.run == run,
            outputs.c.text.icontains(text, autoescape=True)
            | outputs.c.answer.icontains(text, autoescape=True),
        )
        with self._database.read() as connection:
            return {position for (position,) in connection.execute(query.distinct())}


def count_stored(connection: Connection, run: str) -> tuple[int, int]:
    """(outputs, of them errors) of a run, inside the caller's transaction."""
    query = select(func.count(), func.count(outputs.c.error)).where(outputs.c.run == run)
    done, errors = connection.execute(query).one()
    return int(done), int(errors)


def output_values(run: str, output: Output, now: float) -> dict[str, Any]:
    """An output as a row of `outputs`; `now` in UNIX seconds."""
    values: dict[str, Any] = {name: getattr(output, name) for name in PLAIN}
    values["run"] = run
    values["stored_at"] = now
    values["votes"] = (
        json.dumps([asdict(vote) for vote in output.votes], ensure_ascii=False) if output.votes else None
    )
    return values


def output_of(row: Any) -> Output:
    """An output from the values of `COLUMNS`."""
    *values, votes = row
    parsed = tuple(Vote(**vote) for vote in json.loads(votes)) if votes else ()
    return Output(**dict(zip(PLAIN, values, strict=True)), votes=parsed)
