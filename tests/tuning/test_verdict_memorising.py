"""Memorisation counts runs of eight words, exact copies and the longest run; worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.statistics import share_interval
from workbench.tuning.verdict.memorising import WORDS, memorisation

KNOWN = "one two three four five six seven eight nine ten"


def test_runs_copies_and_the_longest_are_counted():
    outputs = [
        (0, "nothing of it", KNOWN.upper()),
        (1, "zero one two three four five six seven eight", "x two three four five six seven eight nine y"),
        (2, "one two three four five six seven", "one two three four five six seven 8 nine ten"),
        (3, "a b c d e f g h i j k", "A  B c\nd e f g h i j k"),
    ]
    found = memorisation([KNOWN, KNOWN, "unlike"], outputs)
    assert found is not None
    assert (found.words, found.completions, found.outputs) == (WORDS, 2, 4)
    assert (found.base.share.mean, found.tuned.share.mean) == (0.25, 0.5)
    assert (found.base.exact, found.tuned.exact) == (0, 1)
    assert (found.base.longest, found.tuned.longest) == (8, 10)
    assert found.tuned.example == KNOWN
    assert found.base.share.low == pytest.approx(share_interval(1, 4).low)
    assert found.gap.difference == 0.25 and found.gap.p == 1.0  # one row differs: 2 · ½, at most 1
    assert found.gap.verdict == "undecided"


def test_a_run_does_not_go_from_one_text_into_the_next():
    found = memorisation(["a b c d", "e f g h"], [(0, "a b c d e f g h", "a b c d e f g h")])
    assert found is not None and found.tuned.share.mean == 0 and found.tuned.longest == 0


def test_many_more_repeats_than_the_base_is_worse():
    outputs = [(row, f"quite another text for row {row} of these", f"{KNOWN} {row}") for row in range(12)]
    found = memorisation([KNOWN], outputs)
    assert found is not None and found.gap.verdict == "worse"
    assert found.gap.p == pytest.approx(2 * 0.5**12)


def test_without_texts_there_is_nothing_to_say():
    assert memorisation([], [(0, "a", "b")]) is None
    assert memorisation([" "], [(0, "a", "b")]) is None
    assert memorisation([KNOWN], []) is None


@given(st.lists(st.sampled_from("abc"), max_size=40), st.lists(st.sampled_from("abc"), max_size=40))
def test_the_longest_run_is_the_longest_common_run_of_words(known: list[str], said: list[str]):
    found = memorisation([" ".join(known), "z"], [(0, "y", " ".join(said))])
    assert found is not None
    longest = max(
        (
            end - start
            for start in range(len(said))
            for end in range(start + 1, len(said) + 1)
            if any(known[at : at + end - start] == said[start:end] for at in range(len(known)))
        ),
        default=0,
    )
    assert found.tuned.longest == (longest if longest >= WORDS else 0)
