"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.files import replacing, write_text
from workbench.errors import StorageError


def test_an_interrupted_write_leaves_the_old_content_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_text(path, "old")

    def write_half_of_it() -> None:
        with replacing(path) as file:
            file.write(b"new, but not all of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half_of_it()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.yaml"]


def test_missing_folders_are_made_and_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.yaml"
    write_text(path, "one")
    path.chmod(0o600)
    write_text(path, "two")
    assert path.read_text() == "two" and path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        write_text(tmp_path / "file" / "a.yaml", "text")
    with pytest.raises(StorageError, match="half a character"):
        write_text(tmp_path / "a.yaml", "\ud800")
