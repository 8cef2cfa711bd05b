"""Benchmarks of models: how fast each was, on which machine, and when."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, insert, select

from workbench.storage.database import Database
from workbench.storage.prompt_versions import aware
from workbench.storage.tables import benchmarks


@dataclass(frozen=True, slots=True)
class BenchmarkRecord:
    """One row of `benchmarks`."""

    model: str
    """The model's name when it was measured, such as `small@int8`."""
    identity: str
    machine: str
    device: str
    result: dict[str, Any]
    """What was measured, as JSON has it."""
    created_at: datetime.datetime


COLUMNS = [benchmarks.c[name] for name in BenchmarkRecord.__dataclass_fields__]


class Benchmarks:
    """Reads and writes `benchmarks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, model: str, identity: str, machine: str, device: str, result: dict[str, Any]) -> None:
        """Keeps a benchmark beside the earlier ones."""
        now = datetime.datetime.now(datetime.UTC)
        values = {"model": model, "identity": identity, "machine": machine, "device": device}
        with self._database.write() as connection:
            connection.execute(insert(benchmarks).values(**values, result=result, created_at=now))

    def newest(self, identity: str, machine: str) -> BenchmarkRecord | None:
        """The latest benchmark of a model on a machine."""
        query = _newest_first(identity).where(benchmarks.c.machine == machine).limit(1)
        with self._database.read() as connection:
            found = connection.execute(query).first()
        return _record(found) if found else None

    def of_model(self, identity: str) -> list[BenchmarkRecord]:
        """Every benchmark of a model, on any machine, newest first."""
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(_newest_first(identity))]


def _newest_first(identity: str) -> Select[Any]:
    return select(*COLUMNS).where(benchmarks.c.identity == identity).order_by(benchmarks.c.id.desc())


def _record(row: Any) -> BenchmarkRecord:
    values = dict(zip(BenchmarkRecord.__dataclass_fields__, row, strict=True))
    return BenchmarkRecord(**values | {"created_at": aware(values["created_at"])})
