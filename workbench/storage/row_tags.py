"""Tags that people put on rows of a dataset, such as `ambiguous` or `wrong reference`.

A tag belongs to the row, not to a run: whoever compares the same rows again sees it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from sqlalchemy import delete, select

from workbench.storage.database import Database
from workbench.storage.tables import row_tags

LONGEST = 60
CHUNK = 900  # below SQLite's historical limit of 999 variables a statement


class RowTags:
    """Reads and writes `row_tags`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dataset: str, row_id: str, tag: str) -> None:
        """Puts a tag on a row; one that is there already stays."""
        with self._database.write() as connection:
            there = (row_tags.c.dataset == dataset) & (row_tags.c.row_id == row_id) & (row_tags.c.tag == tag)
            if connection.execute(select(row_tags.c.tag).where(there)).first() is None:
                connection.execute(
                    row_tags.insert().values(
                        dataset=dataset,
                        row_id=row_id,
                        tag=tag,
                        created_at=datetime.datetime.now(datetime.UTC),
                    )
                )

    def remove(self, dataset: str, row_id: str, tag: str) -> None:
        """Takes a tag off a row; nothing happens where it is not there."""
        with self._database.write() as connection:
            connection.execute(
                delete(row_tags).where(
                    row_tags.c.dataset == dataset, row_tags.c.row_id == row_id, row_tags.c.tag == tag
                )
            )

    def of_rows(self, dataset: str, row_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The tags of these rows by row id, in the order they were put on; untagged rows are left out."""
        wanted = list(dict.fromkeys(row_ids))
        found: dict[str, tuple[str, ...]] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                query = (
                    select(row_tags.c.row_id, row_tags.c.tag)
                    .where(
                        row_tags.c.dataset == dataset,
                        row_tags.c.row_id.in_(wanted[start : start + CHUNK]),
                    )
                    .order_by(row_tags.c.created_at, row_tags.c.tag)
                )
                for row_id, tag in connection.execute(query):
                    found[row_id] = (*found.get(row_id, ()), tag)
        return found

    def rows_with(self, dataset: str, tag: str) -> set[str]:
        """Ids of the rows that carry a tag."""
        query = select(row_tags.c.row_id).where(row_tags.c.dataset == dataset, row_tags.c.tag == tag)
        with self._database.read() as connection:
            return {row_id for (row_id,) in connection.execute(query)}

    def known(self, dataset: str) -> list[str]:
        """Every tag in use on a dataset's rows, sorted."""
        query = select(row_tags.c.tag).where(row_tags.c.dataset == dataset).distinct()
        with self._database.read() as connection:
            return sorted(tag for (tag,) in connection.execute(query))
