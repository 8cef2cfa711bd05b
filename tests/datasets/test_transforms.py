"""A transform changes texts as it says, never numbers or answers, and the same way every time."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.datasets.transforms import build_transform, transform_names, transform_rows
from workbench.datasets.transforms.swap import Swap
from workbench.errors import DatasetError, UnknownName

PLAIN = st.text(alphabet="heHEsShi rjohnaisx.,'-1", max_size=60)
ROWS = [
    {
        "id": f"r{n}",
        "question": f"He bought {n}50 apples, she bought 7. Who has more?",
        "answer": "he",
        "n": n,
    }
    for n in range(20)
]


@pytest.mark.parametrize("name", transform_names())
def test_every_transform_says_what_it_does_and_leaves_the_rest_alone(name: str) -> None:
    spec = {"swap": {"swap": "pronouns"}}.get(name, name)
    assert build_transform(spec).description.endswith(".")
    changed = transform_rows(ROWS, [spec], ["question", "n"], ["answer", "id"])
    assert [(row["id"], row["answer"], row["n"]) for row in changed] == [
        (row["id"], row["answer"], row["n"]) for row in ROWS
    ]
    assert any(new["question"] != old["question"] for new, old in zip(changed, ROWS, strict=True))
    assert ROWS[3]["question"].startswith("He bought 350"), "the rows given stay as they are"


@pytest.mark.parametrize("name", transform_names())
def test_a_row_comes_out_the_same_in_any_order_of_rows(name: str) -> None:
    spec = {"swap": {"swap": "pronouns"}}.get(name, name)
    forwards = transform_rows(ROWS, [spec], ["question"])
    backwards = transform_rows(ROWS[::-1], [spec], ["question"])
    assert forwards == backwards[::-1]


@pytest.mark.parametrize("name", transform_names())
@given(text=st.text(max_size=80))
def test_no_text_breaks_a_transform_and_no_digit_is_changed(name: str, text: str) -> None:
    spec = {"swap": {"swap": "pronouns"}}.get(name, name)
    changed = build_transform(spec).text(text, random.Random(1))
    if name != "case":  # upper case of some letters is a digit-like sign
        assert re.findall("[0-9]", changed) == re.findall("[0-9]", text)


@given(text=PLAIN)
def test_swapping_twice_gives_the_text_back(text: str) -> None:
    swap = Swap(pairs=(("he", "she"), ("john", "aisha"), ("his", "hers")))
    once = swap.text(text, random.Random(0))
    cased = {
        "he",
        "HE",
        "He",
        "she",
        "SHE",
        "She",
        "john",
        "aisha",
        "his",
        "hers",
        "HIS",
        "HERS",
        "His",
        "Hers",
    }
    found = {match[0] for match in re.finditer(r"(?<!\w)(?:he|she|john|aisha|his|hers)(?!\w)", text, re.I)}
    if found <= cased:
        assert swap.text(once, random.Random(0)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He saw John. HE WAVED; she's here.", "She saw Aisha. SHE WAVED; he's here."),
        ("The theme of the shed", "The theme of the shed"),
        ("john and JOHN", "aisha and AISHA"),
        ("a.b met c++", "c++ met a.b"),
        ("New York is not York", "Old Town is not Leeds"),
    ],
)
def test_terms_are_whole_words_in_the_case_that_stood_there(text: str, expected: str) -> None:
    swap = Swap(
        pairs=(("he", "she"), ("John", "Aisha"), ("a.b", "c++"), ("York", "Leeds"), ("New York", "Old Town"))
    )
    assert swap.text(text, random.Random(0)) == expected


def test_a_text_stands_on_the_side_of_its_terms() -> None:
    swap = Swap(pairs=(("he", "she"),), one_way={"him": "she"})
    sides = [swap.side(text) for text in ("he", "She and she", "he and she", "nobody", "to him")]
    assert sides == [-1, 1, 0, 0, -1]


def test_typos_come_at_the_rate_that_was_asked() -> None:
    text = "several ordinary words without anything remarkable " * 200
    changed = transform_rows([{"id": "1", "q": text}], [{"typos": 0.1}], ["q"])[0]["q"]
    wrong = sum(a != b for a, b in zip(changed.split(), text.split(), strict=True))
    assert 0.3 < wrong / len(text.split()) < 0.75


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"typos": {"rte": 1}}, "Did you mean 'rate'?"),
        ({"typos": 0}, "rate"),
        ({"swap": {}}, "there are no terms"),
        ({"swap": {"pairs": [["a", "b"], ["A", "c"]]}}, "state it once"),
        ({"swap": {"pairs": [["", "b"]]}}, "a term is empty"),
        ({"swap": "pronoun"}, "pronouns"),
        ({"paraphrase": "Please."}, "write {text} in it"),
        ({"case": 1, "typos": 1}, "one name with its settings"),
        ({"typos": {"columns": ["nowhere"]}}, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(spec: object, said: str) -> None:
    with pytest.raises(DatasetError, match=re.escape(said)):
        transform_rows(ROWS, [spec], ["question"])  # type: ignore[list-item]


def test_an_unknown_transform_is_met_with_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'typos'"):
        build_transform("typo")
