"""A file becomes a dataset, wholly or not at all.

    import_dataset(store, "questions.csv", "questions", mapping={"question": "prompt"}, reference="answer")

Rows stream through one at a time: reader → column mapping → id → a hidden folder, which is renamed
when everything stood the checks. A kill on the way leaves nothing that is listed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from workbench.core.dataset import ID_COLUMN, DatasetCard, guess_reference
from workbench.datasets.folder import check_usable, write_lines
from workbench.datasets.json_rows import Row, UnusableRow, encode_row
from workbench.datasets.mapping import ColumnMapping
from workbench.datasets.read import open_rows
from workbench.datasets.source import WHOLE_LIMIT_BYTES, Notes, Progress, Source, source_of
from workbench.datasets.split_file import with_id
from workbench.datasets.splitting import assign_splits, check_fractions, group_key
from workbench.datasets.store import DatasetStore
from workbench.errors import DatasetError, UnknownName, UsageError

OnExists = Literal["error", "replace", "add_split"]
UNSPLIT = "all-rows"


@dataclass(frozen=True)
class ImportResult:
    """What an import made.

    `split` is the split written, or those of `fractions` joined by commas; `rows` is in all;
    `unmapped` are columns that were kept under their own name although a mapping was given.
    """

    name: str
    split: str
    rows: int
    columns: tuple[str, ...]
    reference: str | None
    unmapped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rows_by_split: tuple[tuple[str, int], ...] = ()


def import_dataset(
    store: DatasetStore,
    path: Path | str | bytes,
    name: str,
    *,
    split: str = "test",
    fractions: dict[str, float] | None = None,
    seed: int = 0,
    group_by: str | None = None,
    mapping: dict[str, str] | None = None,
    reference: str | None = None,
    reference_after: str | None = None,
    encoding: str | None = None,
    sheet: str | int | None = None,
    on_exists: OnExists = "error",
    progress: Progress | None = None,
    filename: str | None = None,
    description: str = "",
    whole_limit_bytes: int = WHOLE_LIMIT_BYTES,
) -> ImportResult:
    """Imports a table as a dataset.

    Args:
        path: the file, or its bytes together with `filename`.
        split: the split that the rows become; not used where `fractions` are given.
        fractions: shares such as {"train": 0.8, "test": 0.2}; rows of equal text stay in one split.
        seed, group_by: of that cut; rows with an equal value in `group_by` stay in one split.
        mapping: new column name → name in the file; columns not named keep theirs.
        reference: column with the right answer, by its new name; None: the likeliest by name.
        reference_after: a marker such as "####"; what follows its last occurrence in the reference
            column becomes the column `reference`.
        encoding, sheet, progress, whole_limit_bytes: as in `read_table`.
        on_exists: "error", "replace" (the old one goes to the trash) or "add_split".

    Raises: InvalidFile (with the line), DatasetError, UsageError, UnknownName.
    """
    splits = tuple(fractions) if fractions else (split,)
    _check_request(store, name, splits, fractions, on_exists)
    source = replace(
        source_of(path, filename),
        encoding=encoding,
        sheet=sheet,
        progress=progress,
        whole_limit_bytes=whole_limit_bytes,
    )
    notes = Notes()
    source, found = open_rows(source, notes)
    columns = ColumnMapping(source, mapping or {}, reference, reference_after)
    groups: array[int] | None = array("Q") if fractions else None
    with store.staging(name) as stage:
        rows = _checked(found, columns, source, groups, group_by)
        total = write_lines(stage, UNSPLIT if fractions else split, rows)
        counts = {split: total}
        if fractions and groups is not None:
            counts = _deal(stage, assign_splits(groups, fractions, seed), splits)
        card = _card(store, name, source, columns, description, on_exists)
        store.commit(stage, name, card, add=on_exists == "add_split", replace=on_exists == "replace")
    columns.note(notes)
    return ImportResult(
        name=name,
        split=",".join(splits),
        rows=total,
        columns=tuple(columns.seen),
        reference=card.reference,
        unmapped=columns.unmapped,
        notes=tuple(notes.sentences()),
        rows_by_split=tuple(counts.items()),
    )


def _check_request(
    store: DatasetStore,
    name: str,
    splits: tuple[str, ...],
    fractions: dict[str, float] | None,
    on_exists: OnExists,
) -> None:
    """Says before anything is read what would fail at the end."""
    if fractions:
        check_fractions(fractions)
    if on_exists not in ("error", "replace", "add_split"):
        raise UsageError(f"on_exists is '{on_exists}'; give error, replace or add_split.")
    for wanted in (name, *splits):
        check_usable(wanted)
    if not (store.folder / name).exists() or on_exists == "replace":
        return
    if on_exists == "error":
        raise DatasetError(
            f"There is already a dataset '{name}'; choose another name, replace it, or add a split to it."
        )
    taken = next((split for split in splits if split in store.splits(name)), None)
    if taken:
        raise DatasetError(f"Dataset '{name}' already has a split '{taken}'; choose another split.")


def _checked(
    found: Iterator[tuple[int, Row]],
    columns: ColumnMapping,
    source: Source,
    groups: array[int] | None,
    group_by: str | None,
) -> Iterator[bytes]:
    """Rows on their way to the disk: renamed, with an id that no other row has, encoded."""
    seen: dict[str, int] = {}
    for count, (number, given) in enumerate(found, 1):
        row = columns.applied(given, number)
        own = row.get(ID_COLUMN) not in (None, "")
        if own != bool(seen) and count > 1:
            raise source.problem(
                "some rows have an id and others have none; fill the column, or map it to another name, "
                f"such as --map old_{ID_COLUMN}={ID_COLUMN}.",
                number,
            )
        try:
            row = with_id(row, count)
            line = encode_row(row)
        except UnusableRow as error:
            raise source.problem(str(error), number) from None
        if own and seen.setdefault(row[ID_COLUMN], number) != number:
            raise source.problem(
                f"id '{row[ID_COLUMN][:80]}' already stands in {source.unit} {seen[row[ID_COLUMN]]}; "
                "ids must differ, or map the column to another name.",
                number,
            )
        if groups is not None:
            if group_by is not None and group_by not in row:
                raise UnknownName("column to group by", group_by, row)
            groups.append(group_key(row, group_by, columns.reference or guess_reference(list(row))))
        yield line


def _deal(stage: Path, places: list[str], splits: tuple[str, ...]) -> dict[str, int]:
    """Distributes the staged rows over their splits. Returns the rows of each."""
    counts = dict.fromkeys(splits, 0)
    whole = stage / f"{UNSPLIT}.jsonl"
    with ExitStack() as files:
        rows = files.enter_context(whole.open("rb"))
        parts = {split: files.enter_context((stage / f"{split}.jsonl").open("wb")) for split in splits}
        for line, split in zip(rows, places, strict=True):
            parts[split].write(line)
            counts[split] += 1
    whole.unlink()
    return counts


def _card(
    store: DatasetStore,
    name: str,
    source: Source,
    columns: ColumnMapping,
    description: str,
    on_exists: OnExists,
) -> DatasetCard:
    reference = columns.reference or guess_reference(list(columns.seen))
    if on_exists == "add_split" and name in store.names():
        card = store.card(name)
        if card.reference is not None and card.reference not in columns.seen:
            raise DatasetError(
                f"{source.name} has no column '{card.reference}', which is the reference of dataset "
                f"'{name}'; map a column to it, such as --map {card.reference}=COLUMN."
            )
        return card if card.reference else card.model_copy(update={"reference": reference})
    return DatasetCard(
        name=name,
        description=description,
        source=f"imported from {Path(source.name).name}",
        columns={new: f"column '{old}' of the file" for new, old in columns.mapping.items() if new != old},
        reference=reference,
    )
