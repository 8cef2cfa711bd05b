"""Any table with a column of outputs: CSV, TSV, JSONL, JSON, Parquet or Excel.

    question,answer,model,reply,score
    What is 2 + 2?,4,gpt-4,It is 4.,1

`--output reply --model model --reference answer --score score`. What no option names describes the row:
lines that agree in all of it are outputs of the same row, unless `--row` names the column that tells.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.datasets.read import open_rows
from workbench.datasets.source import Notes, Source
from workbench.engine.finished.head import Head
from workbench.engine.finished.records import Finished, FinishedOutput, ImportSettings, Unmapped
from workbench.engine.finished.registry import FinishedFormat, finished_format
from workbench.errors import UnknownName, UsageError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".xlsx", ".xls")
PROMPT = "prompt"
MODEL = "model"
"""What prompts and models are called where nothing says."""

WORDS = {"": None, "na": None, "nan": None, "none": None, "null": None, "false": 0.0, "true": 1.0}
"""What stands for a score in text."""


@finished_format("table", suffixes=SUFFIXES)
class TableOfOutputs(FinishedFormat):
    """A table, its columns named by the person who imports it."""

    description = "A table (CSV, TSV, JSONL, JSON, Parquet, Excel) whose columns the options name."

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """Only where a person says which column has the outputs."""
        return settings.output is not None

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """One output a line."""
        if settings.output is None:
            raise UsageError(f"{source.name}: say which column has the outputs with --output COLUMN.")
        if settings.model is not None and settings.model_name is not None:
            raise UsageError("Say where the model's name stands with --model or --model-name, not with both.")
        notes = Notes()
        counted, rows = open_rows(source, notes)
        columns: set[str] = set()
        for number, row in rows:
            if number == 1 or not columns >= row.keys():
                columns |= row.keys()
                _check_columns(columns, settings)
            yield self._output(counted, number, row, settings)
        for sentence in notes.sentences():
            unmapped.add(sentence)

    def _output(
        self, source: Source, number: int, row: Mapping[str, Any], settings: ImportSettings
    ) -> FinishedOutput:
        named = {settings.output, settings.model, settings.prompt, settings.reference, settings.row}
        content = {key: value for key, value in row.items() if key not in named | {*settings.scores}}
        text = row.get(settings.output or "")
        reference = row.get(settings.reference) if settings.reference else None
        return FinishedOutput(
            row_id=_row_id(row, content, reference, settings),
            row=content,
            prompt=_name(row, settings.prompt) or PROMPT,
            model=settings.model_name or _name(row, settings.model) or MODEL,
            text="" if text is None else written(text),
            reference=None if reference == "" else reference,
            error="The file has no output here." if text is None else None,
            scores={name: _score(row.get(name), name, source, number) for name in settings.scores},
        )


def written(value: Any) -> str:
    """A value as text: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _check_columns(columns: set[str], settings: ImportSettings) -> None:
    asked = [settings.output, settings.model, settings.prompt, settings.reference, settings.row]
    for name in [*asked, *settings.scores]:
        if name is not None and name not in columns:
            raise UnknownName("column", name, columns)


def _row_id(
    row: Mapping[str, Any], content: Mapping[str, Any], reference: Any, settings: ImportSettings
) -> str:
    if settings.row is not None:
        return written(row.get(settings.row))
    if isinstance(content.get("id"), (str, int)):
        return str(content["id"])
    canonical = json.dumps([content, reference], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _name(row: Mapping[str, Any], column: str | None) -> str:
    value = row.get(column) if column is not None else None
    return "" if value is None else written(value)


def _score(value: Any, name: str, source: Source, number: int) -> float | None:
    if isinstance(value, str):
        value = WORDS.get(value.strip().lower(), value)
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise source.problem(
            f"column '{name}' holds {written(value)[:60]!r}, which is no score; "
            "leave it empty where there is none.",
            number,
        ) from None
    return found if math.isfinite(found) else None
