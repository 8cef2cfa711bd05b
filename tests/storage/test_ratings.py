"""Ratings are only ever added; the last one of an item counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from workbench.core.rating import Criterion, Rating, RatingPlan, rater_name
from workbench.storage import Store

GIVEN = Rating("r", "i1", "ada", "pairwise", 0, 0, 0, 1, value=1.0, first=1, note="clear")


@pytest.fixture
def rated(store: Store) -> Store:
    store.runs.create("r", "e", {}, "d", "h", [], 0)
    return store


def test_a_second_thought_counts_and_the_first_is_kept(rated: Store) -> None:
    rated.ratings.add([GIVEN])
    rated.ratings.add([replace(GIVEN, value=0.5, both_bad=True)])
    (now,) = rated.ratings.current("r")
    assert (now.value, now.both_bad, now.note, now.first) == (0.5, True, "clear", 1)
    assert [rating.value for rating in rated.ratings.history("r")] == [1.0, 0.5]
    assert now.created_at is not None and now.created_at.tzinfo is not None


def test_what_was_taken_back_counts_no_more(rated: Store) -> None:
    rated.ratings.add([GIVEN, replace(GIVEN, item="i2")])
    rated.ratings.add([replace(GIVEN, value=None)])
    assert [rating.item for rating in rated.ratings.current("r")] == ["i2"]
    assert rated.ratings.count("r") == 1
    assert len(rated.ratings.history("r")) == 3


def test_criteria_of_one_item_count_beside_each_other(rated: Store) -> None:
    likert = replace(GIVEN, mode="likert", other=None, first=None, scale=5)
    rated.ratings.add(
        [replace(likert, criterion="clear", value=4), replace(likert, criterion="true", value=2)]
    )
    rated.ratings.add([replace(likert, criterion="true", value=3)])
    assert {r.criterion: r.value for r in rated.ratings.current("r")} == {"clear": 4, "true": 3}
    assert rated.ratings.count("r") == 1


def test_a_plan_is_said_again(rated: Store) -> None:
    assert rated.ratings.plan("r") is None
    rated.ratings.set_plan("r", RatingPlan(overlap=2))
    plan = RatingPlan(mode="likert", criteria=(Criterion(name="clear"),), cells=(0, 2))
    rated.ratings.set_plan("r", plan)
    assert rated.ratings.plan("r") == plan


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "likert"}, "at least one criterion"),
        ({"criteria": ({"name": "a"},)}, "no meaning"),
        ({"mode": "likert", "criteria": ({"name": "A"}, {"name": "a"})}, "same name"),
        ({"random_share": 2}, "random_share"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RatingPlan(**settings)


@pytest.mark.parametrize("text", ["Ada  Lovelace", " ada lovelace ", "ADA LOVELACE"])
def test_one_rater_has_one_name_however_it_is_typed(text: str) -> None:
    assert rater_name(text) == "ada lovelace"


@pytest.mark.parametrize("text", ["", "   ", "x" * 61, "a\x00b"])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rater"):
        rater_name(text)
