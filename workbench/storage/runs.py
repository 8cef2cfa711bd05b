"""Runs: what was asked for, how far it is, and the rows that it is about."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from workbench.storage.database import Database
from workbench.storage.outputs import count_stored
from workbench.storage.prompt_versions import aware
from workbench.storage.tables import outputs, row_sets, runs, scores


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of `runs`."""

    id: str
    experiment: str
    definition: dict[str, Any]
    dataset: str
    row_set: str
    owner: str
    status: str
    message: str
    use_cache: bool
    budget_usd: float | None
    total: int
    done: int
    errors: int
    calls: int
    cached: int
    cost_usd: float
    seconds: float
    per_second: float
    race: dict[str, Any] | None
    cancel_requested: bool
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    deleted_at: datetime.datetime | None


COLUMNS = [runs.c[name] for name in RunRecord.__dataclass_fields__]


class Runs:
    """Reads and writes `runs` and the row sets that they share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        run: str,
        experiment: str,
        definition: dict[str, Any],
        dataset: str,
        row_set: str,
        rows: Sequence[dict[str, Any]],
        total: int,
        *,
        owner: str = "worker",
        use_cache: bool = True,
        budget_usd: float | None = None,
        race: dict[str, Any] | None = None,
    ) -> None:
        """Adds a queued run and, once per content, its rows."""
        now = datetime.datetime.now(datetime.UTC)
        with self._database.write() as connection:
            known = connection.execute(
                select(row_sets.c.position).where(row_sets.c.hash == row_set).limit(1)
            ).first()
            if known is None and rows:
                connection.execute(
                    insert(row_sets),
                    [
                        {
                            "hash": row_set,
                            "position": position,
                            "row_id": str(row["id"]),
                            "row": json.dumps(row, ensure_ascii=False),
                        }
                        for position, row in enumerate(rows)
                    ],
                )
            connection.execute(
                insert(runs).values(
                    id=run,
                    experiment=experiment,
                    definition=definition,
                    dataset=dataset,
                    row_set=row_set,
                    owner=owner,
                    status="queued",
                    use_cache=use_cache,
                    budget_usd=budget_usd,
                    race=race,
                    total=total,
                    created_at=now,
                )
            )

    def get(self, run: str) -> RunRecord | None:
        """One run, deleted ones too, or None."""
        with self._database.read() as connection:
            found = connection.execute(select(*COLUMNS).where(runs.c.id == run)).first()
        return _record(found) if found else None

    def newest(
        self, limit: int = 50, offset: int = 0, experiment: str | None = None, part: str | None = None
    ) -> list[RunRecord]:
        """Newest first, without the deleted ones; `part` is what an id begins or ends with."""
        query = select(*COLUMNS).where(runs.c.deleted_at.is_(None))
        if experiment is not None:
            query = query.where(runs.c.experiment == experiment)
        if part is not None:
            begins = runs.c.id.startswith(part, autoescape=True)
            query = query.where(begins | runs.c.id.endswith(part, autoescape=True))
        query = query.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit).offset(offset)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def waiting(self) -> list[RunRecord]:
        """Queued or running runs, oldest first: what a worker looks through."""
        query = select(*COLUMNS).where(runs.c.status.in_(("queued", "running")), runs.c.deleted_at.is_(None))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query.order_by(runs.c.created_at))]

    def set(self, run: str, **values: Any) -> None:
        """Changes columns of one run."""
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(**values))

    def cancel_requested(self, run: str) -> bool:
        """Whether a person asked for this run to stop."""
        with self._database.read() as connection:
            return bool(connection.execute(select(runs.c.cancel_requested).where(runs.c.id == run)).scalar())

    def requeue(self, run: str, *, drop_errors: bool, owner: str) -> None:
        """Makes a stopped run ready to be claimed; outputs with errors go if they shall be retried."""
        with self._database.write() as connection:
            if drop_errors:
                connection.execute(delete(outputs).where(outputs.c.run == run, outputs.c.error.is_not(None)))
                # as many outputs may come again, with other answers
                connection.execute(delete(scores).where(scores.c.run == run))
            done, errors = count_stored(connection, run)
            connection.execute(
                update(runs)
                .where(runs.c.id == run)
                .values(
                    status="queued",
                    cancel_requested=False,
                    message="",
                    owner=owner,
                    finished_at=None,
                    done=done,
                    errors=errors,
                )
            )

    def rows(self, row_set: str, positions: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """Rows by position; all of them when `positions` is None."""
        query = select(row_sets.c.position, row_sets.c.row).where(row_sets.c.hash == row_set)
        if positions is not None:
            query = query.where(row_sets.c.position.in_(list(positions)))
        with self._database.read() as connection:
            return {
                position: json.loads(row)
                for position, row in connection.execute(query.order_by(row_sets.c.position))
            }

    def count_rows(self, row_set: str) -> int:
        """How many rows a row set has."""
        with self._database.read() as connection:
            query = select(func.count()).select_from(row_sets).where(row_sets.c.hash == row_set)
            return int(connection.execute(query).scalar() or 0)


def _record(row: Any) -> RunRecord:
    values = dict(zip(RunRecord.__dataclass_fields__, row, strict=True))
    for key in ("created_at", "finished_at", "deleted_at"):
        if values[key] is not None:
            values[key] = aware(values[key])
    return RunRecord(**values)
