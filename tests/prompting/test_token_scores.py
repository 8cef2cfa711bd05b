"""A score is weighed by the probabilities at its own token, found by laying tokens along the text."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.prompting.token_scores import expected_score

FOUR = {"4": math.log(0.6), "5": math.log(0.2), "3": math.log(0.1), "?": math.log(0.1)}
MEAN = (4 * 0.6 + 5 * 0.2 + 3 * 0.1) / 0.9


def only(*tokens: str) -> list[Mapping[str, float]]:
    return [{token: 0.0} for token in tokens]


@pytest.mark.parametrize(
    "before",
    [["Fine", ".\n", "Score", ":", " "], ["Sc", "ore: "], ["Grün 🍎", "\nScore", ":", " "], [" ", "Score: "]],
)
@pytest.mark.parametrize("after", [[], [""], ["<|end|>"], ["\n", "<|end|>"]])
def test_the_expected_score_is_the_weighted_mean(before: list[str], after: list[str]) -> None:
    text = "".join([*before, "4"])
    found = expected_score(text, len(text), [*only(*before), FOUR, *only(*after)], range(1, 6))
    assert found == pytest.approx(MEAN)


def test_a_space_may_belong_to_the_digit() -> None:
    place = {f" {digit}": logprob for digit, logprob in FOUR.items()}
    text = "Score: 4"
    assert expected_score(text, 8, [*only("Score", ":"), place], range(1, 6)) == pytest.approx(MEAN)


def test_digits_that_might_have_come_after_the_end_are_not_the_score() -> None:
    ending = {"": math.log(0.9), "4": math.log(0.05), "1": math.log(0.05)}
    text = "Score: 4"
    assert expected_score(text, 8, [*only("Score: "), FOUR, ending], range(1, 6)) == pytest.approx(MEAN)


def test_a_score_inside_json_is_found() -> None:
    text = '{"score": 4, "reason": "4 of 5"}'
    tops = [*only('{"', "score", '": '), FOUR, *only(", ", '"reason": "4', " of 5", '"}')]
    assert expected_score(text, text.index("4,") + 1, tops, range(1, 6)) == pytest.approx(MEAN)


@pytest.mark.parametrize(
    "tops",
    [[], only("Something", "else"), only("Score: ", "four"), [*only("Score: "), {"45": 0.0}], [{}, {}]],
)
def test_without_a_place_for_it_there_is_none(tops: list[Mapping[str, float]]) -> None:
    assert expected_score("Score: 4", 8, tops, range(1, 6)) is None


@given(st.lists(st.dictionaries(st.text(max_size=3), st.floats(max_value=0), max_size=4), max_size=8))
def test_whatever_a_server_sends_gives_a_score_of_the_scale_or_none(tops: list[dict[str, float]]) -> None:
    found = expected_score("Score: 4", 8, tops, range(1, 6))
    assert found is None or 1 <= found <= 5
