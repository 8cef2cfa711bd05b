"""What the prompt library asks of whatever keeps old versions (the database does)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Version(Protocol):
    """One saved content of a prompt; `text` is the whole YAML file."""

    @property
    def version(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def text(self) -> str: ...


class VersionHistory(Protocol):
    """Keeps every version that was ever saved."""

    def record(self, name: str, version: str, text: str, author: str) -> None:
        """Keeps a version; recording what is already the newest one changes nothing."""

    def versions(self, name: str) -> Sequence[Version]:
        """Every kept version of a prompt, newest first."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The version that stands in the folder, for a library without a history."""

    version: str
    name: str
    author: str
    created_at: datetime
    text: str
