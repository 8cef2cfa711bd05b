"""Imports: columns arrive under the names asked for, and a dataset is there wholly or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.datasets import DatasetStore, import_dataset
from workbench.errors import DatasetError, InvalidFile, UnknownName, UsageError, WorkbenchError

Write = Callable[[str, "str | bytes"], Path]
LONG_ROW = "some text " * 45 + ",1\n"
ROWS = "prompt,answer,topic\nTwo and two?,4,sums\nTwo times two?,4,products\n"


def test_a_csv_becomes_a_dataset(store: DatasetStore, write: Write) -> None:
    result = import_dataset(store, write("rows.csv", ROWS), "sums")
    assert (result.name, result.split, result.rows) == ("sums", "test", 2)
    assert result.columns == ("prompt", "answer", "topic")
    assert result.reference == "answer" and result.unmapped == ()
    dataset = store.load("sums")
    assert dataset.rows[1] == {"id": "2", "prompt": "Two times two?", "answer": "4", "topic": "products"}
    assert dataset.reference == "answer"
    assert store.card("sums").source == "imported from rows.csv"


def test_mapped_columns_are_renamed_and_the_others_are_named(store: DatasetStore, write: Write) -> None:
    result = import_dataset(
        store,
        write("rows.csv", ROWS),
        "sums",
        split="train",
        mapping={"question": "prompt", "gold": "answer"},
        reference="gold",
    )
    assert result.columns == ("question", "gold", "topic")
    assert result.reference == "gold" and result.unmapped == ("topic",)
    assert store.load("sums", "train").rows[0]["question"] == "Two and two?"
    assert store.card("sums").columns["question"] == "column 'prompt' of the file"


def test_the_reference_may_be_given_by_its_name_in_the_file(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", ROWS)
    assert (
        import_dataset(store, path, "sums", mapping={"gold": "answer"}, reference="answer").reference
        == "gold"
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"mapping": {"question": "promt"}},
            "no column 'promt' here (columns: prompt, answer, topic). Did you mean",
        ),
        ({"mapping": {"prompt": "question"}}, "Write it the other way round: --map question=prompt"),
        ({"mapping": {"answer": "prompt"}}, "which the file has already"),
        ({"reference": "gold"}, "no column 'gold'"),
        ({"mapping": {"a": "prompt", "b": "prompt"}}, "mapped to two names"),
        ({"mapping": {"": "prompt"}}, "empty name"),
        (
            {"group_by": "author", "fractions": {"train": 0.5, "test": 0.5}},
            "no column to group by named 'author'",
        ),
        ({"reference_after": "####"}, "Name the reference column"),
        ({"reference_after": "####", "reference": "answer"}, "does not contain the marker '####'"),
        ({"split": "a/b"}, "not a usable name"),
        ({"on_exists": "maybe"}, "give error, replace or add_split"),
        ({"fractions": {"train": 0.5}}, "add up to 0.5"),
        ({"fractions": {"train": 0.98, "dev": 0.01, "test": 0.01}}, "leave split"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_leaves_nothing(
    store: DatasetStore, write: Write, options: dict[str, object], problem: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        import_dataset(store, write("rows.csv", ROWS), "sums", **options)  # type: ignore[arg-type]
    assert problem in str(caught.value)
    assert store.names() == [] and (not store.folder.exists() or not list(store.folder.iterdir()))


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "", ".hidden", "a b", "a\x00b", "x" * 101])
def test_a_dataset_is_never_imported_out_of_the_folder(store: DatasetStore, write: Write, name: str) -> None:
    with pytest.raises(DatasetError, match="not a usable name"):
        import_dataset(store, write("rows.csv", ROWS), name)
    assert sorted(path.name for path in store.folder.parent.iterdir()) == ["rows.csv"]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("rows.csv", b"q,a\n1,2\n3\n", 3),
        ("rows.csv", b"q,a\n1,2\ncaf\xe9,3\n", 3),
        ("rows.csv", b"q,a\n1,2\n\x00,3\n", 3),
        ("rows.csv", b"id,a\nx,2\nx,3\n", 3),
        ("rows.csv", b"id,a\nx,2\n,3\n", 3),
        ("rows.csv", b"id,a\n,2\nx,3\n", 3),
        ("rows.jsonl", b'{"q": 1}\n{"q": "\\ud800"}\n', 2),
        ("rows.jsonl", b'{"q": 1}\n{"q": "\\u0000"}\n', 2),
        ("rows.jsonl", b'{"q": 1}\n{"id": {}, "q": 1}\n', 2),
    ],
)
def test_a_bad_row_leaves_nothing_half_imported(
    store: DatasetStore, write: Write, name: str, content: bytes, line: int
) -> None:
    with pytest.raises(InvalidFile) as caught:
        import_dataset(store, write(name, content), "half")
    assert caught.value.line == line
    assert list(store.folder.iterdir()) == []


def test_a_column_that_some_rows_lack_is_said_unless_it_was_asked_for(
    store: DatasetStore, write: Write
) -> None:
    path = write("rows.jsonl", '{"q": 1, "hint": "x", "my answer": 1}\n{"q": 2, "my answer": 2}\n')
    notes = import_dataset(store, path, "some").notes
    assert notes == (
        "Column 'hint' is missing in 1 of 2 rows.",
        "Column 'my answer' cannot be written in a template; map it to a plain name.",
    )
    with pytest.raises(InvalidFile, match="line 2: there is no column 'hint'"):
        import_dataset(store, path, "other", mapping={"clue": "hint"})


def test_the_answer_after_a_marker_becomes_the_reference(store: DatasetStore, write: Write) -> None:
    row = {"question": "q", "answer": "2 + 2 #### is 4, so\n#### 1,004 "}
    path = write("rows.jsonl", json.dumps(row) + "\n")
    result = import_dataset(store, path, "sums", reference="answer", reference_after="####")
    assert result.reference == "reference"
    assert store.load("sums").rows[0] == {"id": "1", **row, "reference": "1,004"}


def test_an_upload_is_bytes_with_a_name(store: DatasetStore) -> None:
    result = import_dataset(store, ROWS.encode(), "sums", filename="upload.csv")
    assert result.rows == 2
    with pytest.raises(InvalidFile, match=r"^upload\.csv, line 2"):
        import_dataset(store, b"q,a\n1\n", "other", filename="upload.csv")


def test_an_existing_dataset_is_not_overwritten_unasked(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", ROWS)
    import_dataset(store, path, "sums")
    with pytest.raises(DatasetError, match="already a dataset 'sums'"):
        import_dataset(store, path, "sums", split="dev")


def test_of_two_imports_of_one_name_the_second_is_refused(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", ROWS)

    def meanwhile(done_bytes: int, total_bytes: int) -> None:
        if "sums" not in store.names():
            import_dataset(store, path, "sums", mapping={"question": "prompt"})

    with pytest.raises(DatasetError, match="Meanwhile a dataset 'sums' was made"):
        import_dataset(store, path, "sums", progress=meanwhile)
    assert "question" in store.load("sums").columns and store.deleted() == []


def test_what_was_replaced_can_be_brought_back(store: DatasetStore, write: Write) -> None:
    import_dataset(store, write("rows.csv", ROWS), "sums")
    import_dataset(store, write("new.csv", "q,a\n1,2\n"), "sums", on_exists="replace")
    assert store.load("sums").columns == ["id", "q", "a"]
    store.delete("sums")
    store.undelete("sums")
    assert store.load("sums").columns == ["id", "q", "a"]
    os.rename(store.folder / "sums", store.folder / "newer")
    store.undelete("sums")
    assert store.load("sums").columns == ["id", "prompt", "answer", "topic"]


def test_a_failed_replacement_leaves_the_old_one(store: DatasetStore, write: Write) -> None:
    import_dataset(store, write("rows.csv", ROWS), "sums")
    with pytest.raises(InvalidFile):
        import_dataset(store, write("new.csv", "q,a\n1,2\n3\n"), "sums", on_exists="replace")
    assert store.load("sums").rows[0]["prompt"] == "Two and two?" and store.deleted() == []


def test_a_split_joins_the_others_and_none_is_overwritten(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", ROWS)
    import_dataset(store, path, "sums", reference="answer")
    import_dataset(store, path, "sums", split="train", on_exists="add_split")
    assert store.splits("sums") == ["train", "test"]
    with pytest.raises(DatasetError, match="already has a split 'train'"):
        import_dataset(store, path, "sums", split="train", on_exists="add_split")
    with pytest.raises(DatasetError, match="--map answer=COLUMN"):
        import_dataset(store, write("other.csv", "q,a\n1,2\n"), "sums", split="dev", on_exists="add_split")
    assert store.splits("sums") == ["train", "test"]


def test_one_import_can_cut_the_splits(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", "q,answer\n" + "".join(f"question {n % 90},{n}\n" for n in range(100)))
    fractions = {"train": 0.8, "dev": 0.1, "test": 0.1}
    result = import_dataset(store, path, "cut", fractions=fractions, seed=3)
    assert dict(result.rows_by_split) == {"train": 80, "dev": 10, "test": 10} and result.rows == 100
    assert store.splits("cut") == ["train", "dev", "test"]
    parts = {split: store.load("cut", split).rows for split in fractions}
    questions = [{row["q"] for row in rows} for rows in parts.values()]
    assert sum(map(len, questions)) == 90, "equal questions stand in one split"
    ids = [row["id"] for rows in parts.values() for row in rows]
    assert sorted(map(int, ids)) == list(range(1, 101))
    again = DatasetStore(store.folder.parent / "again")
    import_dataset(again, path, "cut", fractions=fractions, seed=3)
    assert again.load("cut").rows == store.load("cut").rows


def test_progress_counts_bytes_up_to_the_size(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", "q,a\n" + LONG_ROW * 10_000)
    seen: list[tuple[int, int]] = []
    import_dataset(store, path, "large", progress=lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert len(seen) > 3 and seen == sorted(seen) and seen[-1] == (size, size)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_large_file_is_imported_in_bounded_memory(store: DatasetStore, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    line = {"csv": "{n},%s\n" % ("word " * 1000), "jsonl": '{{"q": "{n}", "a": "%s"}}\n' % ("word " * 1000)}
    with path.open("w") as file:
        if suffix == "csv":
            file.write("q,a\n")
        for n in range(6_200):
            file.write(line[suffix].format(n=n))
    assert path.stat().st_size > 30_000_000
    tracemalloc.start()
    try:
        import_dataset(store, path, "large")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # some pieces of a megabyte: the bytes, their text, its lines
    assert peak_bytes < 12_000_000
    assert store.count("large", "test") == 6_200


KILLED = """
import os, signal, sys
from pathlib import Path
from workbench.datasets import DatasetStore, import_dataset

def kill(done_bytes, total_bytes):
    if done_bytes > 2_000_000:
        os.kill(os.getpid(), signal.SIGKILL)

import_dataset(DatasetStore(Path(sys.argv[1])), sys.argv[2], "large", progress=kill)
"""


def test_a_killed_import_leaves_nothing_that_is_listed(store: DatasetStore, write: Write) -> None:
    path = write("rows.csv", "q,a\n" + LONG_ROW * 10_000)
    done = subprocess.run([sys.executable, "-c", KILLED, str(store.folder), str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = list(store.folder.iterdir())
    assert len(left) == 1 and left[0].name.startswith(".import-large-")
    assert store.names() == [] and store.broken() == []
    os.utime(left[0], (0, 0))
    assert import_dataset(store, path, "large").rows == 10_000
    assert [entry.name for entry in store.folder.iterdir()] == ["large"], "what died is cleared away"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, write: Write) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetError, match="Nothing can be written to"):
        import_dataset(DatasetStore(tmp_path / "file"), write("rows.csv", ROWS), "sums")


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store: DatasetStore, write: Write) -> None:
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from workbench.datasets import DatasetStore, import_dataset\n"
        "from workbench.errors import DatasetError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    import_dataset(DatasetStore(Path(sys.argv[1])), sys.argv[2], 'large')\n"
        "except DatasetError as error:\n"
        "    print(error)\n"
    )
    path = write("rows.csv", "q,a\n" + LONG_ROW * 1000)
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.folder), str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "Dataset 'large' could not be written: File too large.\n"
    assert list(store.folder.iterdir()) == []


def test_a_sheet_and_its_unknown_name_pass_through(store: DatasetStore, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["q"])
    book.active.append(["=1+1"])
    book.save(tmp_path / "book.xlsx")
    result = import_dataset(store, tmp_path / "book.xlsx", "book", sheet=1)
    assert store.load("book").rows[0]["q"] == "=1+1" and "formula" in result.notes[0]
    with pytest.raises(UnknownName):
        import_dataset(store, tmp_path / "book.xlsx", "other", sheet="absent")
    with pytest.raises(UsageError):
        import_dataset(store, tmp_path / "book.xlsx", "other", on_exists="never")  # type: ignore[arg-type]
    assert store.names() == ["book"]
