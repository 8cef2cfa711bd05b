"""A profile tells what a collection is made of; worked by hand where numbers are told."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.items import item
from workbench.tuning import profile, profile_json
from workbench.tuning.profiles import MOST_BINS, _lengths


def test_sizes_sources_and_balance_are_counted():
    items = [
        item(
            "one two three",
            "yes",
            run="r1",
            dataset="d",
            row_id="1",
            prompt="direct",
            model="nano",
            row={"kind": "x"},
        ),
        item(
            "one two three",
            "yes",
            run="r1",
            dataset="d",
            row_id="1",
            prompt="direct",
            model="nano",
            row={"kind": "x"},
        ),
        item(
            "four five",
            "no no",
            run="r2",
            dataset="d",
            row_id="2",
            prompt="steps",
            model="nano",
            row={"kind": "y"},
        ),
        item("six", "no", kind="import", file="a.jsonl", raters=("ann", "ben"), rejected="yes"),
    ]
    found = profile(items)
    assert (found.items, found.rows, found.words, found.repeats) == (
        4,
        3,
        3 + 1 + 3 + 1 + 2 + 2 + 1 + 1 + 1,
        1,
    )
    assert found.tokens == pytest.approx(found.words * 4 / 3, abs=2)
    assert found.sources["kinds"] == (("output", 3), ("import", 1))
    assert found.sources["runs"] == (("r1", 2), ("r2", 1))
    assert found.sources["prompts"] == (("direct", 2), ("steps", 1))
    assert found.sources["models"] == (("nano", 3),)
    assert found.sources["raters"] == (("ann", 1), ("ben", 1))
    assert found.sources["files"] == (("a.jsonl", 1),)
    assert found.balance["kind"] == (("x", 2), ("no value", 1), ("y", 1))
    assert found.balance["answer"] == (("yes", 2), ("no", 1), ("no no", 1))


def test_lengths_are_in_words_and_every_text_is_in_one_bin():
    found = profile([item("a " * n, "b") for n in (1, 2, 3, 4, 100)]).question
    assert found is not None
    assert (found.shortest, found.p50, found.p90, found.longest) == (1, 3, 100, 100)
    assert sum(one.count for one in found.bins) == 5
    completion = profile([item("a", "b")]).completion
    assert completion is not None
    assert [(one.low, one.high, one.count) for one in completion.bins] == [(1, 1, 1)]


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=200))
def test_bins_lie_side_by_side_and_hold_all(counts: list[int]):
    found = _lengths(list(counts))
    assert found is not None
    assert len(found.bins) <= MOST_BINS
    assert all(one.high + 1 == other.low for one, other in zip(found.bins, found.bins[1:]))
    assert (found.bins[0].low, found.bins[-1].high >= found.longest) == (min(counts), True)
    for one in found.bins:
        assert one.count == sum(one.low <= count <= one.high for count in counts)


def test_diversity_is_of_the_completions():
    found = profile([item("x", "a b a b"), item("y", "a b a b"), item("z", "c")]).diversity
    assert found.unique == pytest.approx(2 / 3)
    assert found.distinct_1 == pytest.approx(3 / 9)
    assert found.distinct_2 == pytest.approx(2 / 6)  # a b, b a
    assert found.type_token == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_the_nearest_pairs_are_named_and_equal_items_are_not_among_them():
    words = " ".join(f"w{n}" for n in range(50))
    items = [
        item(words, "yes"),
        item("quite another thing", "no"),
        item(words, "yes"),
        item(words, "yes indeed"),
    ]
    found = profile(items).nearest
    assert (found[0].first, found[0].second) == (0, 3)
    assert found[0].similarity == pytest.approx(49 / 50)
    assert len(found) == 1
    (called,) = profile(items, numbers=[7, 8, 9, 10]).nearest
    assert (called.first, called.second) == (7, 10)


def test_terms_of_groups_are_counted_on_their_two_sides():
    (pronouns, *others) = profile(
        [item("He and she. SHE said: his bag, him.", "Mark my words; Mary marks. mark")]
    ).group_terms
    assert pronouns.name == "pronouns"
    assert dict(pronouns.first) == {"he": 1, "himself": 0, "his": 1, "him": 1}
    assert dict(pronouns.second) == {"she": 2, "herself": 0, "her": 0, "hers": 0}
    assert (pronouns.first_total, pronouns.second_total) == (3, 2)
    origins = next(one for one in others if one.name == "names_by_origin")
    assert dict(origins.first)["Mark"] == 1, "a name is counted where it is written as one"


def test_a_one_label_collection_shows_its_one_label():
    assert profile([item("a", label=True), item("b", label=True)]).balance["label"] == (("good", 2),)


def test_an_empty_collection_has_a_profile():
    found = profile([])
    assert (found.items, found.tokens, found.question, found.completion, found.nearest) == (
        0,
        0,
        None,
        None,
        (),
    )
    assert found.diversity.unique is None
    json.dumps(profile_json(found), allow_nan=False)


def test_a_profile_is_plain_values():
    body = profile_json(profile([item("a b", "c", row={"kind": n % 2}) for n in range(4)]))
    assert json.loads(json.dumps(body, allow_nan=False)) == json.loads(json.dumps(body))
    assert body["balance"]["kind"] == [["0", 2], ["1", 2]]
    assert (
        body["question"]["bins"] == [{"low": 2, "high": 2, "count": 4}]
        or body["question"]["bins"][0]["count"] == 4
    )


def test_ten_thousand_items_are_profiled_in_two_seconds_of_work():
    draw = random.Random(3)
    words = [f"w{n}" for n in range(2_000)]
    items = [
        item(" ".join(draw.choices(words, k=30)), " ".join(draw.choices(words, k=25)), row={"kind": n % 7})
        for n in range(10_000)
    ]
    profile(items[:100])  # packages are imported once
    started = time.process_time()
    assert profile(items).items == 10_000
    assert time.process_time() - started < 4, "twice what it takes, for slower machines"
