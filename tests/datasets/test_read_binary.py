"""Parquet and Excel: exact values, and sentences about what a table of text cannot hold."""

from __future__ import annotations

import datetime
import decimal
import io
import zipfile
from typing import Any

import openpyxl
import pyarrow
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from pyarrow import parquet

from workbench.datasets import Table, read_table
from workbench.errors import InvalidFile, UnknownName


def of_parquet(columns: dict[str, Any] | pyarrow.Table, **options: Any) -> Table:
    table = columns if isinstance(columns, pyarrow.Table) else pyarrow.table(columns)
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return read_table(buffer.getvalue(), "rows.parquet", **options)


def workbook(*rows: list[Any], **sheets: list[list[Any]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, more in sheets.items():
        sheet = book.create_sheet(title)
        for row in more:
            sheet.append(row)
    return book


def of_excel(book: openpyxl.Workbook, **options: Any) -> Table:
    return read_table(packed(book), "book.xlsx", **options)


def packed(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_parquet_keeps_integers_with_gaps_exact() -> None:
    table = of_parquet({"n": [2**62 + 1, None], "s": ["007", None], "b": [True, None]})
    assert table.rows == ({"n": 2**62 + 1, "s": "007", "b": True}, {"n": None, "s": None, "b": None})


def test_parquet_values_that_json_lacks_become_text() -> None:
    moment = datetime.datetime(2024, 3, 1, 12, 30, tzinfo=datetime.UTC)
    table = of_parquet(
        {
            "day": [datetime.date(2024, 3, 1)],
            "moment": [moment],
            "price": [decimal.Decimal("1.10")],
            "raw": [b"text"],
            "nested": [{"a": [1, 2], "when": datetime.date(2024, 3, 1)}],
        }
    )
    assert table.rows == (
        {
            "day": "2024-03-01",
            "moment": "2024-03-01T12:30:00+00:00",
            "price": "1.10",
            "raw": "text",
            "nested": {"a": [1, 2], "when": "2024-03-01"},
        },
    )


def test_parquet_nan_is_missing_and_said_infinity_is_refused() -> None:
    table = of_parquet({"x": [1.5, float("nan")]})
    assert [row["x"] for row in table.rows] == [1.5, None]
    assert "1 values are not a number" in table.notes[0] and "row 2" in table.notes[0]
    with pytest.raises(InvalidFile, match="row 2: column 'x' holds an infinite number"):
        of_parquet({"x": [1.0, float("inf")]})


def test_parquet_binary_data_is_refused() -> None:
    with pytest.raises(InvalidFile, match="row 1: column 'image' holds binary data"):
        of_parquet({"image": [b"\xff\xd8\xff"]})


def test_parquet_with_one_name_twice_is_refused() -> None:
    twice = pyarrow.table([[1], [2]], names=["q", "q"])
    with pytest.raises(InvalidFile, match="both named 'q'"):
        of_parquet(twice)


def test_the_index_that_pandas_adds_is_left_out() -> None:
    table = of_parquet({"q": ["a"], "__index_level_0__": [7]})
    assert table.rows == ({"q": "a"},) and "index" in table.notes[0]


def test_empty_or_broken_parquet_says_so() -> None:
    with pytest.raises(InvalidFile, match="no rows"):
        of_parquet({"q": pyarrow.array([], pyarrow.string())})
    with pytest.raises(InvalidFile, match="not a readable Parquet file"):
        read_table(b"PAR1 but not really", "rows.parquet")
    with pytest.raises(InvalidFile, match="not a readable Parquet file"):
        read_table(b"", "rows.parquet")


def test_a_damaged_parquet_page_is_an_error_of_the_file() -> None:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table({"q": [f"{n:064d}" for n in range(5000)]}), buffer)
    content = bytearray(buffer.getvalue())
    content[100:400] = b"\xff" * 300
    with pytest.raises(InvalidFile, match=r"rows\.parquet"):
        read_table(bytes(content), "rows.parquet")


def test_excel_values_stay_what_they_are() -> None:
    table = of_excel(
        workbook(["zip", "n", "x", "ok", "gone"], ["007", 7, 1.5, True, None], ["NA", 1, 2, False, "y"])
    )
    assert table.rows == (
        {"zip": "007", "n": 7, "x": 1.5, "ok": True, "gone": None},
        {"zip": "NA", "n": 1, "x": 2, "ok": False, "gone": "y"},
    )
    assert table.notes == ()


def test_excel_formulas_are_text_and_never_computed() -> None:
    book = workbook(["q", "a"], ["x", '=HYPERLINK("http://example.com","go")'], ["y", "=1+1"])
    book.active["A4"] = "z"
    book.active["B4"] = ArrayFormula("B4:B4", "=SUM(1,2)")
    table = of_excel(book)
    assert [row["a"] for row in table.rows] == ['=HYPERLINK("http://example.com","go")', "=1+1", "=SUM(1,2)"]
    assert table.notes[0].startswith("3 cells hold a formula") and "cell B2" in table.notes[0]


def test_excel_errors_are_text_and_said() -> None:
    book = workbook(["q", "a"], ["x", "#DIV/0!"])
    table = of_excel(book)
    assert table.rows[0]["a"] == "#DIV/0!"
    assert table.notes == (
        "1 cells hold an Excel error and were imported as its text (first: cell B2, #DIV/0!).",
    )


def test_excel_dates_become_iso_text() -> None:
    book = workbook(
        ["day", "moment"],
        [datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 12, 30)],
    )
    table = of_excel(book)
    assert table.rows == ({"day": "2024-03-01", "moment": "2024-03-01T12:30:00"},)
    assert table.notes[0].startswith("2 dates")


def test_merged_cells_are_said() -> None:
    book = workbook(["q", "topic"], ["x", "sums"], ["y", None])
    book.active.merge_cells("B2:B3")
    table = of_excel(book)
    assert [row["topic"] for row in table.rows] == ["sums", None]
    assert "merged cells" in table.notes[0] and "B2:B3" in table.notes[0]


def test_blank_rows_are_passed_over_and_rows_keep_their_number() -> None:
    book = workbook([None, None], ["q", "a"], ["x", 1], [None, None], ["y", 2, "stray"])
    with pytest.raises(InvalidFile, match="row 5: cell C5 has a value but its column has no name"):
        of_excel(book)
    book.active["C5"] = None
    assert [row["q"] for row in of_excel(book).rows] == ["x", "y"]


def test_excel_headers_are_checked() -> None:
    with pytest.raises(InvalidFile, match="row 1: columns 1 and 2 are both named 'q'"):
        of_excel(workbook(["q", "q"], [1, 2]))
    with pytest.raises(InvalidFile, match="row 1: column 2 of 3 has no name"):
        of_excel(workbook(["q", None, "a"], [1, 2, 3]))
    with pytest.raises(InvalidFile, match="no rows"):
        of_excel(workbook(["q", "a"]))
    with pytest.raises(InvalidFile, match="sheet 'Sheet' is empty"):
        of_excel(workbook())


def test_a_sheet_is_chosen_by_title_or_number() -> None:
    book = workbook(["q"], ["first"], Second=[["q"], ["second"]])
    assert of_excel(book).rows == ({"q": "first"},)
    assert "one of 2" in of_excel(book).notes[0]
    assert of_excel(book, sheet="Second").rows == ({"q": "second"},)
    assert of_excel(book, sheet=2).rows == of_excel(book, sheet="2").rows == ({"q": "second"},)
    with pytest.raises(UnknownName, match="Did you mean 'Second'"):
        of_excel(book, sheet="Secnd")


def test_what_is_no_workbook_says_what_to_do() -> None:
    with pytest.raises(InvalidFile, match=r"not an Excel workbook; if it is text, name it \.csv"):
        read_table(b"q,a\n1,2\n", "book.xlsx")
    with pytest.raises(InvalidFile, match=r"old \.xls or a workbook with a password"):
        read_table(b"\xd0\xcf\x11\xe0" + b"\0" * 600, "book.xlsx")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as parts:
        parts.writestr("hello.txt", "no workbook")
    with pytest.raises(InvalidFile, match="not a readable Excel workbook"):
        read_table(buffer.getvalue(), "book.xlsx")


def test_a_workbook_that_unpacks_beyond_the_limit_is_refused_unread() -> None:
    content = packed(workbook(["q"], *(["0" * 1000] for _ in range(100))))
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/bomb.bin", b"\0" * 5_000_000)
    assert len(buffer.getvalue()) < 100_000
    with pytest.raises(InvalidFile, match=r"unpacked Excel is more than the limit of 1\.0 MB"):
        read_table(buffer.getvalue(), "book.xlsx", whole_limit_bytes=1_000_000)


def test_a_damaged_sheet_is_an_error_of_the_file() -> None:
    content = io.BytesIO(packed(workbook(["q"], ["x"])))
    damaged = io.BytesIO()
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(damaged, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            new.writestr(part, text[: len(text) // 2] if part.endswith("sheet1.xml") else text)
    with pytest.raises(InvalidFile, match=r"book\.xlsx"):
        read_table(damaged.getvalue(), "book.xlsx")
