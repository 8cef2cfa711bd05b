"""A dataset: a named table with splits, and what its columns mean.

experiments/datasets/word-problems/
  dataset.yaml     name, description, license, source, columns, splits, reference
  train.jsonl  dev.jsonl  test.jsonl
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from workbench.core.document import Name, Strict, content_hash

REFERENCE_COLUMNS = ("reference", "answer", "label", "target", "expected", "output")
ID_COLUMN = "id"


class DatasetCard(Strict):
    """dataset.yaml: what a dataset is and how its columns are meant."""

    name: Name
    description: str = ""
    license: str = ""
    source: str = ""
    columns: dict[str, str] = {}
    splits: tuple[str, ...] = Field(("test",), min_length=1)
    reference: str | None = Field(None, description="column with the right answer")


@dataclass(frozen=True)
class Dataset:
    """One split of a dataset in memory. Every row has a string `id`, unique in the split."""

    name: str
    split: str
    rows: tuple[dict[str, Any], ...]
    reference: str | None
    card: DatasetCard

    @property
    def columns(self) -> list[str]:
        """Column names in order of first appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    @property
    def hash(self) -> str:
        """Content hash over the rows."""
        return content_hash(list(self.rows))


def guess_reference(columns: list[str]) -> str | None:
    """The column that most likely holds the right answer, or None."""
    lowered = {column.lower(): column for column in columns}
    return next((lowered[name] for name in REFERENCE_COLUMNS if name in lowered), None)
