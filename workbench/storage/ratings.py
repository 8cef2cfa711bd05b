"""Ratings of a run: appended, never changed. The last one of an item and criterion counts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select

from workbench.core.rating import Rating, RatingPlan
from workbench.storage.database import Database
from workbench.storage.prompt_versions import aware
from workbench.storage.tables import rating_plans, ratings

COLUMNS = [ratings.c[name] for name in Rating.__dataclass_fields__]


class Ratings:
    """Reads and writes `ratings` and `rating_plans`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: Sequence[Rating]) -> None:
        """Appends ratings in one transaction; those without a time get now."""
        if not new:
            return
        now = datetime.datetime.now(datetime.UTC)
        values = [rating_values(rating, now) for rating in new]
        with self._database.write() as connection:
            connection.execute(insert(ratings), values)

    def history(self, run: str) -> list[Rating]:
        """Every rating of a run as it was given, oldest first."""
        query = select(*COLUMNS).where(ratings.c.run == run).order_by(ratings.c.id)
        with self._database.read() as connection:
            return [rating_of(row) for row in connection.execute(query)]

    def current(self, run: str) -> list[Rating]:
        """The ratings that count, oldest first: the last of each item and criterion, if it has a value."""
        last = (
            select(func.max(ratings.c.id))
            .where(ratings.c.run == run)
            .group_by(ratings.c.item, ratings.c.criterion)
        )
        query = (
            select(*COLUMNS)
            .where(ratings.c.id.in_(last), ratings.c.value.is_not(None))
            .order_by(ratings.c.id)
        )
        with self._database.read() as connection:
            return [rating_of(row) for row in connection.execute(query)]

    def newest(self, run: str) -> int:
        """The number of a run's last rating, 0 without one: while it stays, nothing has changed."""
        query = select(func.max(ratings.c.id)).where(ratings.c.run == run)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def count(self, run: str) -> int:
        """How many items of a run have a rating that counts."""
        return len({rating.item for rating in self.current(run)})

    def plan(self, run: str) -> RatingPlan | None:
        """How a run is rated, where somebody has said so."""
        query = select(rating_plans.c.plan).where(rating_plans.c.run == run)
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else RatingPlan.model_validate(found)

    def set_plan(self, run: str, plan: RatingPlan) -> None:
        """Says how a run is rated, in place of what was said before."""
        values: dict[str, Any] = {
            "plan": plan.model_dump(mode="json", exclude_defaults=True),
            "created_at": datetime.datetime.now(datetime.UTC),
        }
        with self._database.write() as connection:
            there = connection.execute(select(rating_plans.c.run).where(rating_plans.c.run == run)).first()
            if there is None:
                connection.execute(insert(rating_plans).values(run=run, **values))
            else:
                connection.execute(rating_plans.update().where(rating_plans.c.run == run).values(**values))


def rating_values(rating: Rating, now: datetime.datetime) -> dict[str, Any]:
    """A rating as a row of `ratings`; one without a time gets `now`."""
    values = {name: getattr(rating, name) for name in Rating.__dataclass_fields__}
    return values | {"created_at": rating.created_at or now}


def rating_of(row: Any) -> Rating:
    """A rating from the values of `COLUMNS`."""
    values = dict(zip(Rating.__dataclass_fields__, row, strict=True))
    values["created_at"] = aware(values["created_at"])
    return Rating(**values)
