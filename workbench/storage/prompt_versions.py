"""The history of prompts: every content that was saved, with author and time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import insert, select

from workbench.storage.database import Database
from workbench.storage.tables import prompt_versions


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """One saved content of a prompt."""

    version: str
    name: str
    author: str
    created_at: datetime.datetime
    text: str


class PromptVersions:
    """Appends to and reads the history; nothing is ever changed or deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, name: str, version: str, text: str, author: str = "") -> None:
        """Adds a version unless it is already the newest one of that name."""
        newest = (
            select(prompt_versions.c.version, prompt_versions.c.text)
            .where(prompt_versions.c.name == name)
            .order_by(prompt_versions.c.id.desc())
            .limit(1)
        )
        with self._database.write() as connection:
            last = connection.execute(newest).first()
            if last is not None and tuple(last) == (version, text):
                return
            connection.execute(
                insert(prompt_versions).values(
                    name=name,
                    version=version,
                    text=text,
                    author=author,
                    created_at=datetime.datetime.now(datetime.UTC),
                )
            )

    def versions(self, name: str) -> list[PromptVersion]:
        """Every version of a prompt, newest first."""
        query = (
            select(
                prompt_versions.c.version,
                prompt_versions.c.name,
                prompt_versions.c.author,
                prompt_versions.c.created_at,
                prompt_versions.c.text,
            )
            .where(prompt_versions.c.name == name)
            .order_by(prompt_versions.c.id.desc())
        )
        with self._database.read() as connection:
            return [
                PromptVersion(version, found, author, aware(created_at), text)
                for version, found, author, created_at, text in connection.execute(query)
            ]


def aware(moment: datetime.datetime) -> datetime.datetime:
    """SQLite forgets time zones; everything is stored as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
