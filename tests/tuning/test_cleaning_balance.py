"""After balancing every value is learnt from equally often, drawn by the seed alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.items import item
from workbench.core.tuning import Balance
from workbench.errors import CollectionError
from workbench.tuning import balance, balance_choices, balance_preview, training_items
from workbench.tuning.cleaning.balancing import answer_of, groups_of

values = st.lists(st.sampled_from("abc"), min_size=1, max_size=40)


@given(values, st.integers(0, 5))
def test_under_sampling_leaves_each_value_as_often_as_the_rarest(found: list[str], seed: int):
    items = [item(str(n), row={"kind": kind}) for n, kind in enumerate(found)]
    places = balance(items, Balance(by="kind", how="under", seed=seed))
    assert places == sorted(set(places))
    assert set(Counter(found[place] for place in places).values()) == {min(Counter(found).values())}


@given(values, st.integers(0, 5))
def test_over_sampling_repeats_each_value_as_often_as_the_most_frequent(found: list[str], seed: int):
    items = [item(str(n), row={"kind": kind}) for n, kind in enumerate(found)]
    places = balance(items, Balance(by="kind", how="over", seed=seed))
    assert places[: len(items)] == list(range(len(items)))
    assert set(Counter(found[place] for place in places).values()) == {max(Counter(found).values())}
    for kind in set(found):
        times = Counter(place for place in places if found[place] == kind).values()
        assert max(times) - min(times) <= 1


def test_the_seed_decides_what_is_drawn():
    items = [item(str(n), row={"kind": "x" if n < 90 else "y"}) for n in range(100)]
    drawn = [balance(items, Balance(by="kind", seed=seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 20


def test_training_items_are_repeated_or_as_they_are():
    items = [item("a", row={"kind": "x"}), item("b", row={"kind": "x"}), item("c", row={"kind": "y"})]
    assert training_items(items, None) == items
    assert [one.question for one in training_items(items, Balance(by="kind", how="over"))] == [
        "a",
        "b",
        "c",
        "c",
    ]
    assert training_items([], Balance(by="kind")) == []


def test_by_answer_model_prompt_and_label():
    items = [
        item("a", "18 + 5 = 23. Answer: 23", model="nano", prompt="direct", label=True),
        item("b", "23", model="nano", prompt="steps", label=False),
        item("c", "No.\nAnswer:  7 ", model="small", prompt="direct", label=True),
    ]
    assert groups_of(items, "answer") == ["23", "23", "7"]
    assert groups_of(items, "model") == ["nano", "nano", "small"]
    assert groups_of(items, "prompt") == ["direct", "steps", "direct"]
    assert groups_of(items, "label") == ["good", "not good", "good"]
    assert balance(items, Balance(by="label")) in ([0, 1], [1, 2])
    assert answer_of(item("q", "Answer: 1. No, answer: 2")) == "2"


def test_a_column_goes_before_what_its_name_may_mean_besides():
    items = [item("a", "yes", row={"answer": "1"}), item("b", "yes", row={"answer": "2"})]
    assert groups_of(items, "answer") == ["1", "2"]


def test_many_numbers_are_balanced_in_bands_and_few_by_value():
    items = [item(" ".join("w" * (n + 1)), row={"price": n * 1.5, "steps": n % 3}) for n in range(40)]
    assert sorted(Counter(groups_of(items, "price")).values()) == [10, 10, 10, 10]
    assert set(groups_of(items, "steps")) == {"0", "1", "2"}
    assert set(groups_of(items, "length")) == {
        "1 to 10 words",
        "11 to 20 words",
        "21 to 30 words",
        "31 to 40 words",
    }


def test_missing_and_nested_values_are_values_too():
    items = [item(str(n), row={"tags": value}) for n, value in enumerate([["a"], None, "", {"b": 1}, ["a"]])]
    assert groups_of(items, "tags") == ['["a"]', "no value", "no value", '{"b": 1}', '["a"]']


def test_what_cannot_be_balanced_by_is_one_sentence():
    items = [item(f"question {n}", f"text {n}", row={"text": f"text {n}", "kind": "x"}) for n in range(60)]
    with pytest.raises(CollectionError, match="'text' has 60 different values in 60 items: too many"):
        balance(items, Balance(by="text"))
    with pytest.raises(CollectionError, match="No item has a 'model' to balance by"):
        balance(items, Balance(by="model"))
    with pytest.raises(CollectionError, match="These items come with no columns of a row"):
        balance([item("a")], Balance(by="kind"))


def test_the_preview_counts_each_value_and_the_choices_are_those_with_few():
    items = [
        item(f"q{n} {'w ' * n}", row={"kind": "x" if n else "y", "one": 1, "text": f"text {n}"}, model="m")
        for n in range(30)
    ]
    counts = balance_preview(items, Balance(by="kind", how="over"))
    assert [(one.value, one.before, one.after) for one in counts] == [("x", 29, 29), ("y", 1, 29)]
    assert balance_choices(items) == ["kind", "length"]
    assert balance_choices([]) == []
