"""Tunings: what was asked for, how far each is, and what came of it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from workbench.core.tuning import Stage, TuningStatus
from workbench.storage.database import Database
from workbench.storage.prompt_versions import aware
from workbench.storage.tables import tunings


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """One row of `tunings`."""

    id: str
    recipe: str
    definition: dict[str, Any]
    owner: str
    status: TuningStatus
    stage: Stage
    message: str
    step: int
    steps: int
    seconds: float
    seconds_left: float | None
    collection: str | None
    collection_version: str | None
    model: str | None
    result: dict[str, Any] | None
    cancel_requested: bool
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    deleted_at: datetime.datetime | None


COLUMNS = [tunings.c[name] for name in TuningRecord.__dataclass_fields__]


class Tunings:
    """Reads and writes `tunings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, tuning: str, recipe: str, definition: dict[str, Any], owner: str = "worker") -> None:
        """Adds a queued tuning."""
        values = {"id": tuning, "recipe": recipe, "definition": definition, "owner": owner}
        now = datetime.datetime.now(datetime.UTC)
        with self._database.write() as connection:
            connection.execute(
                insert(tunings).values(**values, status="queued", stage="collecting", created_at=now)
            )

    def get(self, tuning: str) -> TuningRecord | None:
        """One tuning, deleted ones too, or None."""
        with self._database.read() as connection:
            found = connection.execute(select(*COLUMNS).where(tunings.c.id == tuning)).first()
        return _record(found) if found else None

    def newest(
        self,
        limit: int = 50,
        offset: int = 0,
        recipe: str | None = None,
        part: str | None = None,
        model: str | None = None,
    ) -> list[TuningRecord]:
        """Newest first, without the deleted ones; `part` is what an id begins or ends with."""
        query = select(*COLUMNS).where(tunings.c.deleted_at.is_(None))
        if recipe is not None:
            query = query.where(tunings.c.recipe == recipe)
        if model is not None:
            query = query.where(tunings.c.model == model)
        if part is not None:
            begins = tunings.c.id.startswith(part, autoescape=True)
            query = query.where(begins | tunings.c.id.endswith(part, autoescape=True))
        query = query.order_by(tunings.c.created_at.desc(), tunings.c.id.desc()).limit(limit).offset(offset)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def waiting(self) -> list[TuningRecord]:
        """Queued or running tunings, oldest first: what a worker looks through."""
        live = tunings.c.status.in_(("queued", "running"))
        query = select(*COLUMNS).where(live, tunings.c.deleted_at.is_(None)).order_by(tunings.c.created_at)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def set(self, tuning: str, **values: Any) -> None:
        """Changes columns of one tuning."""
        with self._database.write() as connection:
            connection.execute(update(tunings).where(tunings.c.id == tuning).values(**values))


def _record(row: Any) -> TuningRecord:
    values = dict(zip(TuningRecord.__dataclass_fields__, row, strict=True))
    for key in ("created_at", "finished_at", "deleted_at"):
        values[key] = aware(values[key]) if values[key] is not None else None
    return TuningRecord(**values)
