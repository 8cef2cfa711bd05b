"""Column names, checked once for every format."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.datasets.source import Source


def checked_columns(names: Sequence[str], source: Source, number: int | None = None) -> list[str]:
    """The names without surrounding spaces. Raises InvalidFile for one that is empty or stands twice."""
    stripped = [name.strip() for name in names]
    for place, name in enumerate(stripped, 1):
        if not name:
            raise source.problem(
                f"column {place} of {len(stripped)} has no name; name it or remove the column.", number
            )
        first = stripped.index(name) + 1
        if first < place:
            raise source.problem(
                f"columns {first} and {place} are both named '{name[:80]}'; rename one.", number
            )
    return stripped
