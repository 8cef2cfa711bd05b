"""What models did and took in runs: one row for each model and session.

A row without calls says that every answer came from the cache: of which model, on which machine.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select

from workbench.core.model import Footprint
from workbench.core.sizing import ModelUse
from workbench.storage.database import Database
from workbench.storage.tables import model_uses

PLAIN = (
    "model",
    "identity",
    "machine",
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "busy_s",
)
COLUMNS = [model_uses.c[name] for name in (*PLAIN, "footprint")]


class ModelUses:
    """Reads and writes `model_uses`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: str, use: ModelUse) -> None:
        """Keeps what one model took in one session of a run. Raises StorageError for an unknown run."""
        values: dict[str, Any] = {name: getattr(use, name) for name in PLAIN}
        values["footprint"] = None if use.footprint is None else json.dumps(asdict(use.footprint))
        now = datetime.datetime.now(datetime.UTC)
        with self._database.write() as connection:
            connection.execute(insert(model_uses).values(run=run, created_at=now, **values))

    def of_run(self, run: str) -> list[ModelUse]:
        """Every use in a run, in the order in which they ended."""
        query = select(*COLUMNS).where(model_uses.c.run == run).order_by(model_uses.c.id)
        with self._database.read() as connection:
            return [_use(row) for row in connection.execute(query)]

    def newest(self, identity: str, machine: str) -> ModelUse | None:
        """The latest use with calls of the same model on the same machine, in any run."""
        query = (
            select(*COLUMNS)
            .where(model_uses.c.identity == identity, model_uses.c.machine == machine)
            .where(model_uses.c.calls > 0)
            .order_by(model_uses.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            found = connection.execute(query).first()
        return _use(found) if found else None


def _use(row: Any) -> ModelUse:
    *values, footprint = row
    taken = Footprint(**json.loads(footprint)) if footprint else None
    return ModelUse(**dict(zip(PLAIN, values, strict=True)), footprint=taken)
