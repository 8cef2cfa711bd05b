"""Rows become groups whatever stands in their columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.row_groups import MOST_GROUPS, RowGroup, bands, by_tag, by_value, number_of, text_of

cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def counts(groups: list[RowGroup]) -> dict[str, int]:
    return {group.name: len(group.places) for group in groups}


def test_few_values_are_a_group_each_numbers_in_their_order() -> None:
    assert list(counts(by_value([10, 9, "10", 10.0, None, math.nan, ""])).items()) == [
        ("9", 1),
        ("10", 3),
        ("no value", 3),
    ]


def test_texts_come_by_how_many_rows_have_them() -> None:
    assert list(counts(by_value(["b", "a", "b", "c"]))) == ["b", "a", "c"]


def test_what_is_beyond_twelve_values_is_lumped() -> None:
    groups = by_value([f"v{n % 20}" for n in range(40)] + ["v0"])
    assert len(groups) == MOST_GROUPS + 1
    assert groups[0].name == "v0" and len(groups[0].places) == 3
    assert groups[-1].name == "8 other values" and groups[-1].value is None


def test_a_hundred_thousand_values_of_their_own_are_no_groups() -> None:
    assert by_value([f"text {n}" for n in range(100_000)]) == []


def test_a_hundred_thousand_numbers_are_four_bands_of_equal_size() -> None:
    groups = by_value(list(range(100_000)))
    assert [len(group.places) for group in groups] == [25_000] * 4
    assert groups[0].name == "0 to 24,999" and groups[0].value is None


def test_numbers_that_are_written_as_text_are_numbers() -> None:
    assert len(by_value([str(n) for n in range(100)])) == 4
    assert number_of("1e3") == 1000 and number_of(" 7 ") == 7
    assert number_of("1_000") is None and number_of(True) is None and number_of("nan") is None
    assert number_of(10**400) is None


def test_infinite_values_join_the_outermost_bands() -> None:
    groups = by_value([math.inf, -math.inf, *range(50)])
    assert sum(len(group.places) for group in groups) == 52
    assert 0 in groups[-1].places and 1 in groups[0].places


def test_one_number_everywhere_is_one_band() -> None:
    assert counts(bands([3.0] * 20, "words")) == {"3 words": 20}
    assert counts(bands([1.0, math.nan], "words")) == {"1 word": 1, "no value": 1}
    assert counts(bands([math.nan])) == {"no value": 1}


def test_lists_and_mappings_are_their_json() -> None:
    assert counts(by_value([["a", 1], {"b": 2}, ["a", 1]])) == {'["a", 1]': 2, '{"b": 2}': 1}


def test_long_values_get_short_names_that_differ() -> None:
    names = [group.name for group in by_value(["x" * 300 + "1", "x" * 300 + "2"])]
    assert len(set(names)) == 2 and all(len(name) < 210 for name in names)


def test_a_row_with_two_tags_is_in_two_groups() -> None:
    groups = by_tag(["1", "2", "3"], {"1": ("hard", "odd"), "2": ("hard",)})
    assert counts(groups) == {"hard": 2, "odd": 1, "no tag": 1}


@given(st.lists(cells, max_size=60))
def test_every_row_is_in_one_group_and_no_two_groups_are_called_alike(values: list[Any]) -> None:
    groups = by_value(values)
    if groups:
        places = np.concatenate([group.places for group in groups])
        assert sorted(places.tolist()) == list(range(len(values)))
    names = [group.name for group in groups]
    assert len(names) == len(set(names)) and len(groups) <= MOST_GROUPS + 2
    for group in groups:
        if group.value is not None:
            assert {text_of(values[place]) for place in group.places} == {group.value}


@pytest.mark.parametrize("values", [[], [None], [""], [[]]])
def test_columns_of_nothing(values: list[Any]) -> None:
    assert len(by_value(values)) == min(1, len(values))
