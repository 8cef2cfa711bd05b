"""Choosing few-shot examples: never the row itself, never the evaluated split, the same every time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.prompt import Examples
from workbench.errors import PromptError, UnknownName
from workbench.prompting import build_selector, check_source, selector_names
from workbench.prompting.select import Pool, Row, Selector
from workbench.prompting.select.similar import WORD, TextSpace

POOL = [
    {"id": "1", "text": "the cat sat on the mat", "label": "animal"},
    {"id": "2", "text": "the cat sat on the red mat", "label": "animal"},
    {"id": "3", "text": "stocks fell sharply on Monday", "label": "money"},
    {"id": "4", "text": "the bank raised its rates", "label": "money"},
    {"id": "5", "text": "a dog ran after the cat", "label": "animal"},
    {"id": "6", "text": "rain is expected in the north", "label": "weather"},
]
BUILT_IN = ["balanced", "diverse", "fixed", "random", "similar"]


def text_of(row: Row) -> str:
    return str(row["text"])


def build(select: str, pool: list[dict[str, Any]] | None = None, **options: Any) -> Selector:
    examples = Examples.model_validate({"from": "pets#train", "select": select, "count": 3, **options})
    return build_selector(examples, POOL if pool is None else pool, text_of, "label")


def ids(rows: list[Row]) -> list[str]:
    return [str(row["id"]) for row in rows]


def test_every_selector_is_listed() -> None:
    assert set(BUILT_IN) <= set(selector_names())


@pytest.mark.parametrize("select", BUILT_IN)
def test_no_row_is_ever_its_own_example(select: str) -> None:
    selector = build(select, count=10)
    for row in POOL:
        assert row["id"] not in ids(selector.select(row))
        twin = {**row, "id": "elsewhere", "text": f"  {str(row['text']).upper()} "}
        assert row["id"] not in ids(selector.select(twin)), "the same text under another id"
        renamed = {**row, "text": "something else entirely"}
        assert row["id"] not in ids(selector.select(renamed)), "the same id with another text"


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(BUILT_IN),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b b", "c d", "", "¡!"])), max_size=12),
    st.integers(0, 8),
)
def test_whatever_the_pool_examples_are_others_and_differ(
    select: str, drawn: list[tuple[int, str]], count: int
) -> None:
    pool = [{"id": str(number), "text": text, "label": text[:1]} for number, text in drawn]
    selector = build(select, pool, count=count)
    for row in [*pool, {"id": "new", "text": "b b", "label": "b"}]:
        chosen = selector.select(row)
        assert len(chosen) <= count
        assert all(one["id"] != row["id"] and one["text"] != row["text"] for one in chosen)
        assert max(Counter(str(one["text"]) for one in chosen).values(), default=1) == 1


@pytest.mark.parametrize("select", BUILT_IN)
def test_a_pool_that_is_too_small_gives_what_it_has(select: str) -> None:
    assert len(build(select, count=10).select({"id": "x", "text": "new", "label": "?"})) == len(POOL)
    assert build(select, [], count=3).select({"id": "x", "text": "new", "label": "?"}) == []


def test_fixed_takes_the_first_and_skips_the_row_itself() -> None:
    selector = build("fixed")
    assert ids(selector.select({"id": "x", "text": "new"})) == ["1", "2", "3"]
    assert ids(selector.select(POOL[1])) == ["1", "3", "4"]


def test_random_differs_between_rows_and_not_between_calls() -> None:
    selector, again = build("random", seed=3), build("random", seed=3)
    rows = [{"id": str(n), "text": f"question {n}"} for n in range(100, 130)]
    draws = [ids(selector.select(row)) for row in rows]
    assert draws == [ids(again.select(row)) for row in rows]
    assert len({tuple(draw) for draw in draws}) > 10
    assert draws != [ids(build("random", seed=4).select(row)) for row in rows]


def test_random_is_the_same_in_another_process() -> None:
    code = (
        "from tests.prompting.test_select import build, ids;"
        "print(ids(build('random', seed=3).select({'id': '9', 'text': 'a new question'})))"
    )
    here = str(ids(build("random", seed=3).select({"id": "9", "text": "a new question"})))
    for hash_seed in ("1", "2"):
        other = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed, "PATH": "", "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        )
        assert other.stdout.strip() == here


def test_similar_puts_the_most_similar_last() -> None:
    assert ids(build("similar").select({"id": "x", "text": "the cat sat on the red mat today"}))[-2:] == [
        "1",
        "2",
    ]


def test_likeness_is_scikit_learns_own_cosine() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    examples = Examples.model_validate({"from": "pets#train", "select": "similar"})
    space = TextSpace(Pool(examples, POOL, text_of, None))
    vectorizer = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True)
    pool = vectorizer.fit_transform([text_of(row) for row in POOL])
    for text in ["the cat and the dog sat on the mat", "nothing known here?", ""]:
        wanted = (pool @ vectorizer.transform([text]).T).toarray().ravel()
        assert space.likeness({"id": "x", "text": text}) == pytest.approx(wanted)


def test_similar_reads_the_column_that_by_names() -> None:
    pool = [
        {**row, "topic": topic} for row, topic in zip(POOL, ["zebra", "yak", "fish", "fish", "yak", "zebra"])
    ]
    chosen = build("similar", pool, by="topic", count=2).select({"id": "x", "text": "new", "topic": "fish"})
    assert sorted(ids(chosen)) == ["3", "4"]


def test_similar_without_a_word_in_the_pool_still_chooses() -> None:
    pool = [{"id": str(n), "text": text, "label": "a"} for n, text in enumerate(["!", "?", ""])]
    assert len(build("similar", pool).select({"id": "x", "text": "words"})) == 3


def test_diverse_is_less_alike_than_similar() -> None:
    row = {"id": "x", "text": "the cat sat on the mat, the cat"}
    assert set(ids(build("similar", count=2).select(row))) == {"1", "2"}
    diverse = ids(build("diverse", count=2).select(row))
    assert diverse[-1] in {"1", "2"}
    assert set(diverse) != {"1", "2"}


def test_balanced_shows_the_classes_in_turn() -> None:
    chosen = build("balanced", count=5).select({"id": "x", "text": "new"})
    assert [row["label"] for row in chosen] == ["animal", "money", "weather", "animal", "money"]


def test_balanced_balances_the_column_that_by_names() -> None:
    pool = [{**row, "tone": "up" if number < 5 else "down"} for number, row in enumerate(POOL)]
    chosen = build("balanced", pool, by="tone", count=2).select({"id": "x", "text": "new"})
    assert Counter(row["tone"] for row in chosen) == {"up": 1, "down": 1}


def test_balanced_without_a_column_says_what_to_write() -> None:
    examples = Examples.model_validate({"from": "pets#train", "select": "balanced"})
    with pytest.raises(PromptError, match=r"examples\.by"):
        build_selector(examples, POOL, text_of, None)


@pytest.mark.parametrize("select", ["similar", "diverse", "balanced"])
def test_a_column_that_is_not_there_is_named(select: str) -> None:
    with pytest.raises(PromptError, match="column 'topic'"):
        build(select, by="topic")


def test_an_unknown_selector_is_named() -> None:
    examples = Examples.model_construct(select="nearest", count=3)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="no example selector named 'nearest'"):
        build_selector(examples, POOL, text_of, "label")


@pytest.mark.parametrize(
    ("source", "evaluated", "refused"),
    [
        ("pets#test", "pets#test", True),
        ("pets#test", "Pets#test", True),
        ("pets#train", "pets#test", False),
        ("birds#test", "pets#test", False),
    ],
)
def test_examples_never_come_from_the_evaluated_split(source: str, evaluated: str, refused: bool) -> None:
    check: Callable[[], None] = lambda: check_source(Examples.model_validate({"from": source}), evaluated)  # noqa: E731
    if refused:
        with pytest.raises(PromptError, match=f"'{source}'"):
            check()
    else:
        check()


def test_rows_written_in_the_prompt_come_from_no_split() -> None:
    check_source(Examples(rows=({"text": "a"},)), "pets#test")
