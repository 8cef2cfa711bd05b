"""The datasets in a folder: list, read, page through, save, delete and bring back.

    experiments/datasets/
      word-problems/          dataset.yaml  train.jsonl  dev.jsonl  test.jsonl
      my-questions/           test.jsonl            # no card: one is inferred
      .trash/old-questions/   deleted, until undelete

A dataset appears with one rename, complete: what is half written stands under a dot name that
nobody lists.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.core.dataset import Dataset, DatasetCard, guess_reference
from workbench.core.document import dump, load
from workbench.datasets.folder import (
    check_usable,
    encoded,
    in_order,
    is_name,
    read_text,
    split_names,
    write_lines,
)
from workbench.datasets.json_rows import Row
from workbench.datasets.split_file import SplitFile, matching, open_split
from workbench.errors import DatasetError, InvalidFile, UnknownName, UsageError

CARD_FILE = "dataset.yaml"
TRASH = ".trash"
STAGING_PREFIX = ".import-"
STALE_SECONDS = 24 * 3600


class DatasetStore:
    """A folder of datasets. Keeps no state of its own; every call sees the disk as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def names(self) -> list[str]:
        """Datasets that can be used, by name."""
        return [name for name, problem in self._survey() if problem is None]

    def broken(self) -> list[InvalidFile]:
        """What is wrong with the datasets that are not in `names()`."""
        return [problem for _, problem in self._survey() if problem is not None]

    def card(self, name: str) -> DatasetCard:
        """What the dataset is: dataset.yaml, or inferred from the files. Its splits are those on disk."""
        folder = self._existing(name)
        found = split_names(folder)
        path = folder / CARD_FILE
        if path.exists():
            card = load(DatasetCard, read_text(path), str(path))
            if card.name != name:
                raise InvalidFile(
                    f"the name is '{card.name}' but the folder is '{name}'; make them equal.",
                    str(path),
                    key="name",
                )
            absent = [split for split in card.splits if split not in found]
            if absent and "splits" in card.model_fields_set:
                raise InvalidFile(
                    f"split '{absent[0]}' is listed, but {absent[0]}.jsonl is not there.",
                    str(path),
                    key="splits",
                )
            listed = [split for split in card.splits if split in found]
            found = [*listed, *(split for split in found if split not in listed)]
        else:
            card = DatasetCard(name=name)
        if not found:
            raise InvalidFile("the folder holds no rows; add a file such as test.jsonl.", str(folder))
        return card.model_copy(update={"splits": tuple(found)})

    def splits(self, name: str) -> list[str]:
        """The splits that have a file, in the card's order."""
        return list(self.card(name).splits)

    def count(self, name: str, split: str) -> int:
        """Rows in a split."""
        return len(self._split(name, split))

    def load(
        self,
        name: str,
        split: str = "test",
        limit: int | None = None,
        shuffle: int | None = None,
        reference: str | None = None,
    ) -> Dataset:
        """A split in memory.

        Args:
            limit: at most this many rows, the first ones after the shuffle; None: all.
            shuffle: seed of a shuffle; None: file order.
            reference: column with the right answer; None: the card's, else the likeliest by name.

        Raises: UnknownName, InvalidFile (with the line), DatasetError (no rows).
        """
        if limit is not None and limit < 1:
            raise UsageError(f"A limit of {limit} rows leaves nothing to do; give 1 or more.")
        card = self.card(name)
        rows = self._split(name, split)
        if not len(rows):
            raise DatasetError(f"Dataset '{name}' has no rows in split '{split}'; add rows to {rows.path}.")
        if reference is not None and reference not in rows.columns:
            raise UnknownName(f"column in dataset '{name}'", reference, rows.columns)
        if reference is None and card.reference is not None and card.reference not in rows.columns:
            raise InvalidFile(
                f"no row of split '{split}' has the column '{card.reference}' "
                f"(columns: {', '.join(rows.columns)}).",
                str(self.folder / name / CARD_FILE),
                key="reference",
            )
        positions = list(range(len(rows)))
        if shuffle is not None:
            random.Random(shuffle).shuffle(positions)
        return Dataset(
            name=name,
            split=split,
            rows=tuple(rows.rows(positions[:limit])),
            reference=reference or card.reference or guess_reference(list(rows.columns)),
            card=card,
        )

    def page(
        self, name: str, split: str, offset: int = 0, limit: int = 50, contains: str = ""
    ) -> tuple[list[Row], int]:
        """Some rows of a split, and how many there are in all (that contain the text)."""
        rows = self._split(name, split)
        positions = matching(rows, contains) if contains else range(len(rows))
        start = max(offset, 0)
        return list(rows.rows(positions[start : start + max(limit, 0)])), len(positions)

    def save_rows(self, name: str, split: str, rows: Iterable[Row], card: DatasetCard | None = None) -> int:
        """Writes one split and the card (None: the one that is there); other splits stay.

        All or nothing. Returns how many rows.
        """
        with self.staging(name) as stage:
            count = write_lines(stage, split, encoded(rows))
            if card is None:
                card = self.card(name) if name in self.names() else DatasetCard(name=name)
            self.commit(stage, name, card, add=True)
        return count

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """A hidden folder beside the datasets to build one in; removed unless it was committed."""
        check_usable(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_stale()
            stage = Path(tempfile.mkdtemp(prefix=f"{STAGING_PREFIX}{name}-", dir=self.folder))
            stage.chmod(0o755)
        except OSError as error:
            raise DatasetError(f"Nothing can be written to {self.folder}: {error.strerror}.") from None
        try:
            yield stage
        except OSError as error:
            raise DatasetError(f"Dataset '{name}' could not be written: {error.strerror}.") from None
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def commit(
        self, stage: Path, name: str, card: DatasetCard, *, add: bool = False, replace: bool = False
    ) -> None:
        """Makes what stands in `stage` the dataset: one rename.

        Args:
            add: the staged splits join those that are there.
            replace: an older dataset of that name goes to the trash first, where `undelete` finds it.
        """
        target = self.folder / name
        staged = split_names(stage)
        present = split_names(target) if target.is_dir() else []
        kept = [split for split in present if split not in staged] if add else []
        splits = in_order([*staged, *kept])
        (stage / CARD_FILE).write_text(dump(card, name=name, splits=splits), encoding="utf-8")
        if add and target.is_dir():
            for file in [*(f"{split}.jsonl" for split in staged), CARD_FILE]:
                os.replace(stage / file, target / file)
            return
        if target.exists():
            if not replace:
                raise DatasetError(f"Meanwhile a dataset '{name}' was made; choose another name.")
            self.delete(name)
        os.rename(stage, target)

    def delete(self, name: str) -> None:
        """Moves the dataset to the trash; `undelete` brings it back."""
        folder = self._existing(name)
        trash = self.folder / TRASH
        try:
            trash.mkdir(exist_ok=True)
            number = max(self._deletions(name), default=0) + 1
            os.rename(folder, trash / f"{name}~{number}")
        except OSError as error:
            raise DatasetError(f"Dataset '{name}' cannot be deleted: {error.strerror}.") from None

    def undelete(self, name: str) -> None:
        """Brings back the dataset of this name that was deleted last."""
        numbers = self._deletions(name)
        if not numbers:
            raise UnknownName("deleted dataset", name, self.deleted())
        if (self.folder / name).exists():
            raise DatasetError(f"There is a dataset '{name}' again; delete or rename it first.")
        try:
            os.rename(self.folder / TRASH / f"{name}~{numbers[-1]}", self.folder / name)
        except OSError as error:
            raise DatasetError(f"Dataset '{name}' cannot be brought back: {error.strerror}.") from None

    def deleted(self) -> list[str]:
        """Names that `undelete` can bring back."""
        trash = self.folder / TRASH
        if not trash.is_dir():
            return []
        return sorted({entry.name.rpartition("~")[0] for entry in trash.iterdir() if "~" in entry.name})

    def _survey(self) -> Iterator[tuple[str, InvalidFile | None]]:
        for name in self._folders():
            try:
                if any((self.folder / name).iterdir()):
                    self.card(name)
                    yield name, None
            except InvalidFile as problem:
                yield name, problem
            except OSError as error:
                yield name, InvalidFile(f"cannot be read: {error.strerror}.", str(self.folder / name))

    def _folders(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        try:
            found = [entry.name for entry in self.folder.iterdir() if entry.is_dir()]
        except OSError as error:
            raise DatasetError(f"{self.folder} cannot be read: {error.strerror}.") from None
        return sorted(name for name in found if is_name(name))

    def _existing(self, name: str) -> Path:
        if not is_name(name) or not (self.folder / name).is_dir():
            raise UnknownName("dataset", name, self.names())
        return self.folder / name

    def _split(self, name: str, split: str) -> SplitFile:
        known = split_names(self._existing(name))
        if split not in known:
            raise UnknownName(f"split in dataset '{name}'", split, known)
        return open_split(self.folder / name / f"{split}.jsonl")

    def _deletions(self, name: str) -> list[int]:
        found = (self.folder / TRASH).glob(f"{name}~*") if is_name(name) else ()
        return sorted(int(path.name.rpartition("~")[2]) for path in found)

    def _remove_stale(self) -> None:
        """Clears what a killed import left behind, once it is surely dead."""
        for stage in self.folder.glob(f"{STAGING_PREFIX}*"):
            with suppress(FileNotFoundError):  # another import may be clearing it too
                if time.time() - stage.stat().st_mtime > STALE_SECONDS:
                    shutil.rmtree(stage, ignore_errors=True)
