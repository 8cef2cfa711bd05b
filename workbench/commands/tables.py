"""Tables that become datasets: the options of `workbench import` and `datasets add`, and what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import print_json, printable
from workbench.commands.session import say
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.datasets.importing import ImportResult, OnExists
    from workbench.engine import Workspace

Split = Annotated[str, typer.Option(help="The split that the rows become.")]
Fractions = Annotated[
    str | None,
    typer.Option("--splits", metavar="SHARES", help="Cut into splits, such as train=0.8,dev=0.1,test=0.1."),
]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="NEW=OLD", help="Rename a column on the way in; may be repeated."),
]
Reference = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the right answer.")]
ReferenceAfter = Annotated[
    str | None, typer.Option(metavar="MARKER", help="The right answer is what follows this, such as ####.")
]
Encoding = Annotated[str | None, typer.Option(help="Default: UTF-8, or what a byte order mark says.")]
Sheet = Annotated[str | None, typer.Option(help="Of a workbook, by title or number.")]
AsReplacement = Annotated[bool, typer.Option("--replace", help="In place of what has this name.")]

SPLIT = "test"


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The options of a table, as they were given."""

    split: str
    fractions: str | None
    mapping: list[str] | None
    reference: str | None
    reference_after: str | None
    encoding: str | None
    sheet: str | None
    replace: bool

    @property
    def for_datasets(self) -> bool:
        """Whether one was used that means nothing for finished outputs and examples to learn from."""
        used = (self.mapping, self.fractions, self.reference_after, self.sheet, self.replace)
        return any(used) or self.split != SPLIT

    @property
    def for_columns(self) -> bool:
        """Whether one was used that means nothing where there are no columns."""
        used = (self.mapping, self.fractions, self.reference, self.reference_after, self.encoding, self.sheet)
        return any(used)


def import_table(
    opened: Workspace, file: Path, name: str | None, options: TableOptions, as_json: bool
) -> None:
    """Imports a table as a dataset and says what came of it."""
    from workbench.datasets.importing import import_dataset

    wanted, sheet = name or _name_from(file), options.sheet
    made = import_dataset(
        opened.datasets,
        file,
        wanted,
        split=options.split,
        fractions=_shares(options.fractions) if options.fractions else None,
        mapping=_pairs(options.mapping or []),
        reference=options.reference,
        reference_after=options.reference_after,
        encoding=options.encoding,
        sheet=int(sheet) if sheet and sheet.isdigit() else sheet,
        on_exists="replace" if options.replace else _add_or_error(opened, wanted, options),
    )
    _say(made, as_json)


def _say(made: ImportResult, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "kind": "dataset",
                "name": made.name,
                "rows": made.rows,
                "splits": dict(made.rows_by_split),
                "columns": made.columns,
                "reference": made.reference,
                "unmapped": made.unmapped,
                "notes": made.notes,
            }
        )
        return
    parts = ", ".join(f"{part} {count:,}" for part, count in made.rows_by_split)
    print(f"Dataset {made.name}: {made.rows:,} rows ({parts})")
    print(printable(f"Columns: {', '.join(made.columns)}; reference: {made.reference or 'none'}"))
    if made.unmapped:
        print(printable(f"Kept under their own name: {', '.join(made.unmapped)}"))
    for note in made.notes:
        say(printable(note))


def _add_or_error(opened: Workspace, name: str, options: TableOptions) -> OnExists:
    """A split that is not there yet joins its dataset; anything else that exists is an error."""
    if name not in opened.datasets.names() or options.fractions:
        return "error"
    return "error" if options.split in opened.datasets.splits(name) else "add_split"


def _name_from(file: Path) -> str:
    """A usable name from a file's: `GSM8K test (1).jsonl` → `GSM8K-test-1`."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._")
    if not name:
        raise UsageError(f"{file}: no usable name can be made of it; give one with --name.")
    return name[:100]


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        new, equals, old = text.partition("=")
        if not equals or not new.strip() or not old.strip():
            raise UsageError(f"--map {text}: write it as NEW=OLD, such as question=prompt.")
        pairs[new.strip()] = old.strip()
    return pairs


def _shares(text: str) -> dict[str, float]:
    try:
        return {
            split.strip(): float(share)
            for split, _, share in (part.partition("=") for part in text.split(","))
        }
    except ValueError:
        raise UsageError(f"--splits {text}: write it as train=0.8,dev=0.1,test=0.1.") from None
