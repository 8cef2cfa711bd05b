"""Filters over whole runs are answered by the database, the same on both kinds of it."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.run import Output
from workbench.storage import Store
from workbench.storage.row_facts import ANSWERED, FAILED, MISSING, UNANSWERED, text_of

RUN, ROWS = "run", 4
TABLE = [
    {"id": "a", "question": 'How many "apples"?', "topic": "Fruit"},
    {"id": "b", "question": "50% of ÁRBOLES_1?\nReally?", "topic": None},
    {"id": "c", "question": "plain", "topic": ["x", {"y": 1}]},
    {"id": "d", "question": "nothing"},
]


@pytest.fixture
def filled(store: Store) -> Store:
    """Two cells over four rows: one answer apart, one without an answer, one error, one still missing."""
    store.runs.create(RUN, "e", {}, "data", "hash", TABLE, ROWS * 2)
    store.outputs.add(
        RUN,
        [
            Output(0, "a", 0, text="It is 7", answer="7", latency_s=1.0, cost_usd=0.5),
            Output(1, "a", 0, text="It is 8, Straße", answer="8", latency_s=3.0, cost_usd=0.1),
            Output(0, "b", 1, text="no idea", latency_s=2.0),
            Output(1, "b", 1, text="It is 9", answer="9", latency_s=1.0),
            Output(0, "c", 2, error="timed out", latency_s=60.0),
            Output(1, "c", 2, text="same", answer="same"),
            Output(0, "d", 3, text="other repeat", answer="z", repeat=1),
        ],
    )
    return store


def test_every_output_has_one_state(filled: Store) -> None:
    assert filled.row_facts.states(RUN, [0, 1], 0, ROWS).tolist() == [
        [ANSWERED, UNANSWERED, FAILED, MISSING],
        [ANSWERED, ANSWERED, ANSWERED, MISSING],
    ]


def test_no_answer_differs_from_an_answer_and_an_error_from_nothing(filled: Store) -> None:
    assert filled.row_facts.answers(RUN, [0, 1], 0, ROWS).tolist() == [2, 2, 1, 0]


def test_what_outputs_took_leaves_errors_out(filled: Store) -> None:
    facts = filled.row_facts
    np.testing.assert_equal(facts.measured(RUN, [0, 1], 0, ROWS, "latency_s"), [3.0, 2.0, 0.0, np.nan])
    np.testing.assert_equal(facts.measured(RUN, [0], 0, ROWS, "length"), [7, 7, np.nan, np.nan])
    np.testing.assert_equal(facts.measured(RUN, [0], 0, ROWS, "cost_usd"), [0.5, 0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("IT IS", {0, 1}),
        ("straße", {0}),
        ('"apples"', {0}),
        ("50%", {1}),
        ("_1", {1}),
        ("árboles", {1}),
        ("Really?", {1}),
        ("fruit", {0}),
        ('{"y": 1}', {2}),
        ("question", set()),
        ("other repeat", set()),
        ("' OR 1=1 --", set()),
        ("\\", set()),
    ],
)
def test_text_is_found_in_values_and_outputs_and_nowhere_else(
    filled: Store, text: str, places: set[int]
) -> None:
    assert filled.row_facts.positions_with(RUN, "hash", [0, 1], 0, text) == places


def test_only_the_chosen_cells_are_searched(filled: Store) -> None:
    assert filled.row_facts.positions_with(RUN, "hash", [0], 0, "8, Stra") == set()


def test_rows_are_found_by_id_and_columns_read_in_order(filled: Store) -> None:
    facts = filled.row_facts
    assert facts.row_ids("hash") == ["a", "b", "c", "d"]
    assert facts.position("hash", "c") == 2
    assert facts.position("hash", "nobody") is None
    topics = [text_of(value) for value in facts.column("hash", "topic")]
    assert topics == ["Fruit", "", '["x", {"y": 1}]', ""]


def test_of_a_very_long_output_a_screen_gets_both_ends(filled: Store) -> None:
    filled.outputs.add(RUN, [Output(0, "d", 3, text="é" * 600_000 + "x" * 400_000 + "Answer: 5", answer="5")])
    ((output, characters),) = filled.row_facts.of_screen(RUN, [0], [3], 0, most=300)
    assert characters == 1_000_009
    assert output.text.startswith("é" * 200 + "\n") and output.text.endswith("\n" + "x" * 91 + "Answer: 5")
    assert "999,709 characters left out" in output.text
    assert len(output.text) < 400
