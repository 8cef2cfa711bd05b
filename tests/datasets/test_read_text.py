"""CSV, TSV, JSONL and JSON: values stay what they are, and what is wrong is named by its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.datasets import dataset_format, known_suffixes, preview, read_table
from workbench.datasets import text as text_module
from workbench.datasets.formats import registry
from workbench.datasets.source import Notes, Source
from workbench.errors import DatasetError, InvalidFile, UsageError, WorkbenchError

CSV = "rows.csv"


def refused(content: str | bytes, name: str = CSV, **options: object) -> InvalidFile:
    """The error that reading this content gives."""
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(InvalidFile) as caught:
        read_table(raw, name, **options)  # type: ignore[arg-type]
    assert caught.value.file == name
    assert "\n" not in str(caught.value)
    return caught.value


def test_values_of_a_csv_stay_the_text_they_are() -> None:
    table = read_table(b"id,zip,na,truth,space,huge\n7,007,NA,TRUE, x ,123456789012345678901\n", CSV)
    assert table.rows == (
        {
            "id": "7",
            "zip": "007",
            "na": "NA",
            "truth": "TRUE",
            "space": " x ",
            "huge": "123456789012345678901",
        },
    )
    assert table.columns == ("id", "zip", "na", "truth", "space", "huge")


def test_quoted_cells_keep_delimiters_quotes_and_line_breaks() -> None:
    table = read_table(b'q,a\r\n"one, ""two""\nthree\rfour","x"\r\n', CSV)
    assert table.rows == ({"q": 'one, "two"\nthree\rfour', "a": "x"},)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(end: str) -> None:
    assert read_table(end.join(["a,b", "1,2", "", "3,4", ""]).encode(), CSV).rows == (
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
    )


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header_and_said(delimiter: str) -> None:
    table = read_table(f"a{delimiter}b\n1,5{delimiter}2\n".encode(), CSV)
    assert table.rows == ({"a": "1,5", "b": "2"},)
    assert "separated by" in table.notes[0]


def test_a_tsv_is_separated_by_tabs_whatever_its_header_holds() -> None:
    assert read_table(b"a, or b\tc\n1\t2\n", "rows.tsv").rows == ({"a, or b": "1", "c": "2"},)


def test_rows_that_a_line_split_would_cut_stay_whole() -> None:
    cell = "a\u2028b\x0bc\x1cd\x85e"
    assert read_table(f"q,r\n{cell},1\n".encode(), CSV).rows[0]["q"] == cell
    assert read_table(json.dumps({"q": cell}, ensure_ascii=False).encode(), "r.jsonl").rows[0]["q"] == cell


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.json"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, mark: bytes, name: str) -> None:
    content = {"rows.csv": "q,a\ncafé,1\n", "rows.jsonl": '{"q": "café"}\n', "rows.json": '[{"q": "café"}]'}
    table = read_table(mark + content[name].encode(encoding), name)
    assert table.rows[0]["q"] == "café" and table.columns[0] == "q"


def test_a_wrong_encoding_is_named_by_line_and_byte_and_can_be_given() -> None:
    content = "q,a\nplain,1\ncafé,2\n".encode("cp1252")
    error = refused(content)
    assert error.line == 3
    assert "not UTF-8 at byte 15 (0xE9)" in str(error) and "--encoding cp1252" in str(error)
    assert read_table(content, CSV, encoding="cp1252").rows[1]["q"] == "café"
    with pytest.raises(UsageError, match="not a text encoding"):
        read_table(content, CSV, encoding="utf8000")
    with pytest.raises(UsageError, match="not a text encoding"):
        read_table(content, CSV, encoding="zlib")


def test_the_wrong_byte_is_found_wherever_the_pieces_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"q,a\n" + "ää,1\n".encode() * 50 + b"caf\xe9,2\n"
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr(text_module, "CHUNK_BYTES", size)
        error = refused(content)
        assert error.line == 52 and f"at byte {content.index(b'caf') + 3} " in str(error)


def test_a_character_cut_off_at_the_end_is_an_error() -> None:
    assert "not UTF-8 at byte 6" in str(refused("q\nabcdä".encode()[:-1]))


def test_nul_bytes_are_named_by_their_line() -> None:
    error = refused(b"q,a\n1,2\n3,\x004\n")
    assert error.line == 3 and "--encoding utf-16" in str(error)
    assert refused("q,a\n1,2\n".encode("utf-16-le")).line == 1
    assert refused(b'{"q": 1}\n{"q": "\x00"}\n', "r.jsonl").line == 2


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "rows.json"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \n"])
def test_an_empty_file_says_so(content: bytes, name: str) -> None:
    assert "file is empty" in str(refused(content, name))


def test_a_header_alone_is_no_dataset() -> None:
    assert "no rows" in str(refused(b"question,answer\n"))
    assert "list is empty" in str(refused(b"[]", "r.json"))


def test_duplicate_and_empty_column_names_are_named_by_their_place() -> None:
    assert "line 1: columns 1 and 3 are both named 'q'" in str(refused(b"q,a, q \n1,2,3\n"))
    assert "line 1: column 2 of 3 has no name" in str(refused(b"q,,a\n1,2,3\n"))
    assert "line 1: column 3 of 3 has no name" in str(refused(b"q,a,\n1,2,\n"))
    assert "line 2: column 'q' stands twice" in str(refused(b'{"q": 1}\n{"q": 1, "q": 2}\n', "r.jsonl"))
    assert "columns 1 and 2 are both named 'q'" in str(refused(b'{"q": 1, "q ": 2}\n', "r.jsonl"))


def test_ragged_rows_are_named_by_the_line_where_they_begin() -> None:
    error = refused(b'q,a\n"two\nlines",1\n\n"again\ntwo",2,3\n')
    assert error.line == 5 and "number of cells: 3, number of columns in the header: 2" in str(error)
    assert refused(b"q,a\n1,2\n3\n").line == 3


def test_a_quote_that_is_never_closed_is_named_where_it_opens() -> None:
    error = refused(b'q,a\n1,2\n"open,3\n' + b"4,5\n" * 1000)
    assert error.line == 3 and "never closed" in str(error)


def test_a_quote_that_swallows_the_next_one_is_named_where_it_opens() -> None:
    error = refused(b'q,a\n1,2\n"open,3\n4,5\n"closed",6\n')
    assert error.line == 3 and "text follows a closing quote (in line 5)" in str(error)


def test_formula_cells_are_text_and_counted() -> None:
    table = read_table(b'q,a\n"=HYPERLINK(""http://x"")",=1+1\n-5,@sum\n', CSV)
    assert table.rows[0] == {"q": '=HYPERLINK("http://x")', "a": "=1+1"}
    assert table.notes == ("2 cells begin with '=' and were kept as text, not computed (first: line 2).",)


def test_a_cell_of_ten_megabytes_is_fine() -> None:
    large = "x" * 10_000_000
    assert read_table(f'q,a\n"{large}",1\n'.encode(), CSV).rows[0]["q"] == large
    assert read_table(json.dumps({"q": large}).encode(), "r.jsonl").rows[0]["q"] == large


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "LONGEST_LINE", 1000)
    monkeypatch.setattr(text_module, "CHUNK_BYTES", 100)
    error = refused(b"q,a\n1,2\n" + b"x" * 5000)
    assert error.line == 3 and "longer than 1,000 characters" in str(error)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"q": 1', "not valid JSON"),
        ('{"q": 1} {"q": 2}', "extra data"),
        ("{'q': 1}", "not valid JSON"),
        ("[1]", "found a list"),
        ("7", "found a number"),
        ("true", "found true or false"),
        ('{"q": NaN}', "NaN is not JSON; write null"),
        ('{"q": Infinity}', "Infinity is not JSON"),
        ('{"q": 1e400}', "too large"),
    ],
)
def test_a_broken_line_of_jsonl_is_named(line: str, problem: str) -> None:
    error = refused(f'{{"q": 0}}\n\n{line}\n{{"q": 2}}\n', "r.jsonl")
    assert error.line == 3 and problem in str(error)


def test_jsonl_keeps_nested_values_nulls_and_huge_integers() -> None:
    row = {"q": {"a": [1, {"b": None}]}, "n": 10**30, "f": 0.1, "t": True, "z": None, "s": "007"}
    assert read_table(json.dumps(row).encode(), "r.jsonl").rows == (row,)


def test_json_may_be_a_list_a_list_inside_an_object_or_columns() -> None:
    rows = ({"q": "a", "n": 1}, {"q": "b", "n": 2})
    inside = read_table(json.dumps({"version": 2, "tags": ["x"], "data": rows}).encode(), "r.json")
    assert inside.rows == rows and "list 'data'" in inside.notes[0]
    assert read_table(json.dumps(rows).encode(), "r.json").rows == rows
    assert read_table(b'{"q": ["a", "b"], "n": [1, 2]}', "r.json").rows == rows


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('[\n{"q": 1},\n{"q": 2\n]', "line 4: not valid JSON"),
        ('{"q": 1}\n{"q": 2}\n', "name the file .jsonl"),
        ('[{"q": 1}, 5]', "item 2: expected an object"),
        ('[{"q": 1}, {}]', "item 2: the row has no columns"),
        ('{"a": [{"q": 1}], "b": [{"q": 1}]}', "'a', 'b'"),
        ('{"a": [1, 2], "b": [1]}', "expected one list of objects"),
        ("{}", "nothing in it"),
        ('"text"', "found text"),
        ('[{"q": NaN}]', "NaN is not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_is_no_table_says_what_it_is(content: str, problem: str) -> None:
    assert problem in str(refused(content, "r.json"))


def test_a_format_that_cannot_stream_has_a_limit_and_says_which_can() -> None:
    error = refused(b'[{"q": 1}]' + b" " * 300_000, "r.json", whole_limit_bytes=100_000)
    assert "0.3 MB of JSON is more than the limit of 0.1 MB" in str(error)
    assert "CSV, JSONL or Parquet" in str(error)


def test_a_workbook_named_csv_is_recognised() -> None:
    assert "name it .xlsx" in str(refused(b"PK\x03\x04rest"))


def test_unknown_endings_offer_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"ends in '\.cvs'.*Did you mean '\.csv'"):
        read_table(b"a\n1\n", "rows.cvs")
    with pytest.raises(DatasetError, match="has no ending"):
        read_table(b"a\n1\n", "rows")
    with pytest.raises(DatasetError, match="There is no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(DatasetError, match="not a regular file"):
        read_table(tmp_path)
    with pytest.raises(UsageError, match="name of the file"):
        read_table(b"a\n1\n")
    assert {".csv", ".tsv", ".jsonl", ".json", ".parquet", ".xlsx"} <= set(known_suffixes())


def test_a_preview_reads_no_further_than_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"q": 1}\n' * 30 + b"broken\n")
    assert len(preview(path).rows) == 20
    assert len(preview(path, n=3).rows) == 3
    with pytest.raises(WorkbenchError):
        read_table(path)


def test_a_table_as_a_frame_converts_nothing() -> None:
    frame = read_table(b"zip,na\n007,NA\n", CSV).frame()
    assert frame.to_dict("records") == [{"zip": "007", "na": "NA"}]


def test_a_format_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_formats", dict(registry._formats))

    @dataset_format(".pairs", unit="line")
    def read_pairs(source: Source, notes: Notes) -> Iterator[tuple[int, dict[str, str]]]:
        for number, line in enumerate(source.open().read().decode().splitlines(), 1):
            if "=" not in line:
                raise source.problem("expected key=value.", number)
            key, _, value = line.partition("=")
            yield number, {"key": key, "value": value}

    assert ".pairs" in known_suffixes()
    assert read_table(b"a=1\nb=2\n", "rows.pairs").rows[1] == {"key": "b", "value": "2"}
    assert refused("a=1\nb\n", "rows.pairs").line == 2


def test_every_format_is_documented(repository: Path) -> None:
    page = (repository / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert [suffix for suffix in known_suffixes() if f"`{suffix}`" not in page] == []
