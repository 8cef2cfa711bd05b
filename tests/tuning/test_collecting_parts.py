"""Parts of collecting by themselves: overlaps of words, and answers written so that they are read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.prompt import AnswerRule
from workbench.prompting.read import read_answer
from workbench.tuning.collecting.overlap import LENGTH, PHRASING, Overlaps, words_of
from workbench.tuning.collecting.teaching import written_answer

STORY = "One two three four five six seven eight nine ten eleven twelve thirteen"


def overlaps(texts: list[str], *held_back: str) -> dict[int, str]:
    found = Overlaps(texts)
    found.look((("data#test", f"row-{number}", [text]) for number, text in enumerate(held_back)))
    return {place: f"{one.how} {one.row_id}" for place, one in found.found().items()}


def test_the_same_words_whatever_their_case_and_punctuation():
    assert overlaps(["Where is the printer?", "Where is my printer?"], "where is: the PRINTER") == {
        0: "same words row-0"
    }


def test_thirteen_words_in_a_row_and_not_twelve():
    texts = [
        f"Well, {STORY}.",
        "Well, " + STORY.removesuffix(" thirteen") + " apples",
        STORY.replace("seven", "7"),
    ]
    assert overlaps(texts, f"So it was: {STORY} at last") == {0: "13 words in a row row-0"}


def test_what_many_held_back_rows_say_alike_gives_no_row_away():
    asked = [f"{number} is the number. {STORY}" for number in range(PHRASING + 1)]
    assert overlaps([f"Well, {STORY}"], *asked) == {}
    assert overlaps([f"Well, {STORY}"], *asked[:-1]) == {0: "13 words in a row row-0"}


def test_thirteen_words_do_not_reach_over_two_texts():
    half = STORY.split()
    assert overlaps([" ".join(half[:7]), " ".join(half[7:])], STORY) == {}


def test_scripts_without_spaces_count_by_character():
    text = "電車には最初に三十人の乗客がいて駅で十八人が乗りました"
    assert overlaps([f"問題{text}"], f"次の{text}。") == {0: "13 words in a row row-0"}


@pytest.mark.parametrize("texts", [[], [""], ["?!", "…"], ["a"], ["\ud83d half a pair"]])
def test_texts_without_words_overlap_with_nothing(texts: list[str]):
    assert overlaps(texts, "", "?!", STORY) == {}


WORDS = st.lists(st.sampled_from("abcd"), max_size=30).map(" ".join)


@given(st.lists(WORDS, max_size=5), st.lists(WORDS, max_size=5))
def test_it_finds_what_a_search_by_hand_finds(texts: list[str], held_back: list[str]):
    def grams(text: str) -> set[str]:
        words = words_of(text)
        return {" ".join(words[at : at + LENGTH]) for at in range(len(words) - LENGTH + 1)}

    by_hand = {
        place
        for place, text in enumerate(texts)
        if any(words_of(text) and (text == other or grams(text) & grams(other)) for other in held_back)
    }
    assert set(overlaps(texts, *held_back)) == by_hand


@pytest.mark.parametrize(
    ("rule", "answer", "written"),
    [
        ({"after": "Answer:", "type": "number"}, "42", "Answer: 42"),
        ({}, "Paris", "Paris"),
        ({"type": "number"}, "-3.5", "-3.5"),
        ({"after": "####"}, "a b", "#### a b"),
        ({"type": "label", "labels": ["yes", "no"]}, "yes", "yes"),
        ({"type": "choice", "after": "Answer:"}, "B", "Answer: B"),
        ({"type": "json", "path": "result.items[1].n"}, "7", '{"result": {"items": [null, {"n": 7}]}}'),
        ({"type": "json", "path": "name"}, "Ana", '{"name": "Ana"}'),
        ({"type": "regex", "pattern": "is (\\d+)"}, "7", None),
        ({"type": "number"}, "many", None),
        ({"type": "json", "path": "items[999999999]"}, "7", None),
    ],
)
def test_an_answer_is_written_so_that_it_is_read_again_or_not_at_all(rule, answer, written):
    rule = AnswerRule.model_validate(rule)
    assert written_answer(rule, answer) == written
    if written is not None:
        assert read_answer(rule, written) == answer
