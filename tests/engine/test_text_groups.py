"""Failing rows fall into the groups that a reader would see, named by the words that tell them apart."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from workbench.engine.text_groups import group_texts, telling_words

FRUIT = ["apples", "pears", "plums", "cherries", "grapes"]
TRAFFIC = ["bus", "tram", "train", "ferry", "taxi"]


def written(about: list[str], count: int, frame: str) -> list[str]:
    rng = random.Random(count)
    return [frame.format(rng.choice(about), rng.choice(about), rng.randint(2, 99)) for _ in range(count)]


MARKET = written(FRUIT, 30, "The market sells {} and {} in crates of {} kilograms.")
STATION = written(TRAFFIC, 20, "At the station the {} and the {} leave after {} minutes.")


def test_two_kinds_of_text_are_two_groups_named_by_what_they_are_about() -> None:
    texts = [*MARKET, *STATION]
    found = group_texts(texts)
    assert len(found.central) == 2
    assert len(set(found.labels[:30])) == 1 and len(set(found.labels[30:])) == 1
    named = telling_words(texts, found.labels)
    first, second = named[found.labels[0]], named[found.labels[-1]]
    assert set(first) & {"market", "crates", "sells", "kilograms"}
    assert set(second) & {"station", "leave", "minutes"}


def test_other_texts_go_to_the_group_that_they_are_like() -> None:
    found = group_texts([*MARKET, *STATION], ["The ferry and the bus leave the station.", "Crates of plums."])
    assert found.others.tolist() == [found.labels[-1], found.labels[0]]


def test_words_of_rows_that_did_not_fail_do_not_name_a_group() -> None:
    texts = [f"The market sells {n} lemons." for n in range(10)]
    fine = [f"The market sells {n} melons." for n in range(10)]
    found = group_texts(texts, fine)
    words = telling_words(texts, np.zeros(10, dtype=np.int64), fine)[0]
    assert words[0] == "lemons" and "market" not in words
    assert len(found.labels) == 10


def test_the_same_texts_give_the_same_groups() -> None:
    texts = [*MARKET, *STATION]
    first, second = group_texts(texts, seed=3), group_texts(texts, seed=3)
    assert first.labels.tolist() == second.labels.tolist()
    assert telling_words(texts, first.labels) == telling_words(texts, second.labels)


def test_under_eight_texts_are_one_group() -> None:
    assert set(group_texts([*MARKET[:3], *STATION[:4]]).labels) == {0}


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        [""] * 20,
        ["the same"] * 20,
        ["😀"] * 20,
        ["7", "8", "9", "10"] * 5,
        ["", "a", "😀", "\x00", "\ud800", "<b>", "{{ x }}", "\u202e" * 9, "a" * 100_000] * 2,
        ["天气很好我们去公园"] * 10 + ["股票市场下跌了"] * 10,
    ],
    ids=["none", "empty", "all empty", "equal", "emoji", "numbers", "hostile", "without spaces"],
)
def test_any_texts_can_be_grouped_and_named(texts: list[str]) -> None:
    found = group_texts(texts, ["", "an apple"])
    assert len(found.labels) == len(texts) and len(found.others) == 2
    named = telling_words(texts, found.labels, ["", "an apple"])
    assert len(named) == len({*found.labels.tolist()})


def test_emoji_and_numbers_name_groups_where_there_are_no_words() -> None:
    texts = ["😀 😀"] * 10 + ["🚂"] * 10
    found = group_texts(texts)
    assert telling_words(texts, found.labels)[found.labels[-1]] == ("🚂",)


def test_thousands_of_texts_take_less_than_two_seconds_of_cpu() -> None:
    rng = random.Random(0)
    words = ["".join(rng.choice("abcdefghijklmnop") for _ in range(6)) for _ in range(2000)]
    texts = [" ".join(rng.choice(words) for _ in range(30)) for _ in range(4000)]
    group_texts(texts[:50])
    started = time.thread_time()
    found = group_texts(texts[:2000], texts[2000:])
    telling_words(texts[:2000], found.labels, texts[2000:])
    assert time.thread_time() - started < 2.5
