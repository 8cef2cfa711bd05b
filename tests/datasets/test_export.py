"""Exports: what is written comes back as it was, and no spreadsheet computes a cell."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.datasets import neutralise, read_table, write_rows
from workbench.errors import DatasetError, StorageError, UsageError

# every character but NUL and halves of surrogate pairs, which no row may hold
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
names = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8)
columns = st.lists(names, min_size=1, max_size=5, unique=True)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=5)


def written(rows: list[dict[str, Any]], kind: Any) -> bytes:
    buffer = io.BytesIO()
    assert write_rows(rows, buffer, kind) == len(rows)
    return buffer.getvalue()


@settings(deadline=None, max_examples=60)  # the first call imports what it needs
@given(columns.flatmap(lambda c: st.lists(st.fixed_dictionaries(dict.fromkeys(c, texts)), min_size=1)))
def test_text_comes_back_from_csv_as_it_was_but_for_formulas(rows: list[dict[str, str]]) -> None:
    expected = tuple({name: neutralise(cell) for name, cell in row.items()} for row in rows)
    assert read_table(written(rows, "csv"), "rows.csv").rows == expected


@settings(deadline=None, max_examples=60)  # the first call imports what it needs
@given(columns.flatmap(lambda c: st.lists(st.fixed_dictionaries(dict.fromkeys(c, values)), min_size=1)))
def test_every_value_comes_back_from_jsonl_as_it_was(rows: list[dict[str, Any]]) -> None:
    assert list(read_table(written(rows, "jsonl"), "rows.jsonl").rows) == rows


@settings(deadline=None, max_examples=60)  # the first call imports what it needs
@given(columns.flatmap(lambda c: st.lists(st.fixed_dictionaries(dict.fromkeys(c, texts)), min_size=1)))
def test_text_comes_back_from_parquet_as_it_was(rows: list[dict[str, str]]) -> None:
    assert list(read_table(written(rows, "parquet"), "rows.parquet").rows) == rows


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        '=HYPERLINK("http://x")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
    ],
)
def test_text_that_would_be_computed_is_neutralised(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["-5", "+3.25", "-1e-5", "-.5", "plain", "", "a=b", "'=1", -5, -1.5, None, True]
)
def test_what_is_no_formula_stays(cell: Any) -> None:
    assert neutralise(cell) is cell


def test_column_names_are_neutralised_too() -> None:
    assert written([{"=1+1": "a"}], "csv") == b"'=1+1\r\na\r\n"


def test_csv_writes_nested_values_as_json_and_missing_ones_empty() -> None:
    rows = [{"a": {"x": [1]}, "b": None, "c": True, "d": -5}, {"a": "é", "e": 10**30}]
    assert written(rows, "csv").decode().splitlines() == [
        "a,b,c,d,e",
        '"{""x"": [1]}",,true,-5,',
        f"é,,,,{10**30}",
    ]


def test_parquet_keeps_types_where_a_column_has_one() -> None:
    rows = [
        {"n": 1, "x": 1.5, "s": "a", "b": True, "huge": 10**30, "mixed": 1, "nested": {"a": 1}, "none": None},
        {"n": None, "x": 2.5, "s": None, "b": None, "huge": 1, "mixed": "one", "nested": [], "none": None},
    ]
    assert list(read_table(written(rows, "parquet"), "rows.parquet").rows) == [
        rows[0] | {"huge": str(10**30), "mixed": "1", "nested": '{"a": 1}'},
        rows[1] | {"huge": "1", "nested": "[]"},
    ]


def test_columns_can_be_chosen_and_ordered(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    assert write_rows([{"a": 1, "b": 2}], path, "csv", columns=["b", "absent", "a"]) == 1
    assert path.read_bytes() == b"b,absent,a\r\n2,,1\r\n"


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows([{"a": 1}], path, "jsonl")
    with pytest.raises(DatasetError, match="Row 2 cannot be written"):
        write_rows([{"a": 2}, {"a": float("nan")}], path, "jsonl")
    assert path.read_text() == '{"a": 1}\n' and list(tmp_path.iterdir()) == [path]
    with pytest.raises(StorageError, match="could not be written"):
        write_rows([], path / "below-a-file" / "rows.csv", "csv")
    with pytest.raises(UsageError, match="csv, jsonl, parquet"):
        write_rows([], path, "xml")  # type: ignore[arg-type]
