"""Rows of a run under filters that combine, in any order, with their tags and their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from workbench.core.experiment import Experiment
from workbench.core.run import Output
from workbench.engine import (
    RowQuery,
    ScoreRange,
    Workspace,
    cancel_run,
    column_values,
    create_run,
    delete_run,
    known_tags,
    row_choices,
    rows,
    tag_rows,
    tags_of,
    untag_row,
)
from workbench.errors import RunError, UnknownName, UsageError

Build = Callable[..., Experiment]
Given = Sequence[str | None]
ERROR = "error"


def stored(workspace: Workspace, experiment: Experiment, *cells: Given, repeat: int = 0) -> str:
    """A run with these answers, one list a cell; None is no answer. Row n is right with n + 7."""
    run = create_run(workspace, experiment, owner="command")
    fill(workspace, run, *cells, repeat=repeat)
    return run


def fill(workspace: Workspace, run: str, *cells: Given, repeat: int = 0) -> None:
    outputs = [
        Output(
            cell,
            f"test-{position}",
            position,
            repeat,
            text=f"Well. Answer: {answer}" + "!" * position,
            answer=answer if answer != ERROR else None,
            error="broken" if answer == ERROR else None,
            latency_s=1.0 + position * (-1) ** position,
            cost_usd=0.1 * cell,
        )
        for cell, answers in enumerate(cells)
        for position, answer in enumerate(answers)
    ]
    workspace.store.outputs.add(run, outputs)


@pytest.fixture
def run(workspace: Workspace, experiment: Build) -> str:
    """Both right; the second wrong; both wrong alike; no answer and a right one; an error and a wrong one."""
    return stored(workspace, experiment(), ["7", "8", "0", None, ERROR], ["7", "0", "0", "10", "0"])


def ids(workspace: Workspace, run: str, cells: Sequence[int] | None = None, **query: Any) -> list[int]:
    """The places of the rows that a query gives, in its order."""
    return [row.position for row in rows(workspace, run, cells, RowQuery(**query)).rows]


@pytest.mark.parametrize(
    ("only", "places"),
    [
        (["different"], [1, 3]),
        (["wrong"], [1, 2, 3, 4]),
        (["all_wrong"], [2, 4]),
        (["one_right"], [1, 3]),
        (["unanswered"], [3]),
        (["errors"], [4]),
        (["unscored"], []),
        (["different", "wrong", "unanswered"], [3]),
        (["errors", "unanswered"], []),
    ],
)
def test_filters_combine(workspace: Workspace, run: str, only: list[str], places: list[int]) -> None:
    assert ids(workspace, run, only=tuple(only)) == places


def test_filters_look_at_the_chosen_cells_alone(workspace: Workspace, run: str) -> None:
    assert ids(workspace, run, [1], only=("wrong",)) == [1, 2, 4]
    assert ids(workspace, run, [1], only=("errors",)) == []
    assert ids(workspace, run, [1], contains="answer: none") == []
    assert ids(workspace, run, [0], contains="ANSWER: none") == [3]


def test_a_score_can_be_bounded_in_one_cell_or_in_any(workspace: Workspace, run: str) -> None:
    in_first = ScoreRange("exact_match", 0, low=0.5)
    assert ids(workspace, run, scores=(in_first,)) == [0, 1]
    assert ids(workspace, run, scores=(ScoreRange("exact_match", None, high=0.0),)) == [1, 2, 3, 4]
    assert ids(workspace, run, scores=(in_first, ScoreRange("exact_match", 1, high=0.5))) == [1]


def test_a_column_is_held_against_its_value_as_text(workspace: Workspace, run: str) -> None:
    assert ids(workspace, run, column="answer", value="9") == [2]
    assert ids(workspace, run, column="answer", value="9", only=("different",)) == []
    assert ids(workspace, run, column="no such column", value="9") == []
    assert ("9", 1) in column_values(workspace, run, "answer")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ({"sort": "worst", "of": 1}, [1, 2, 4]),
        ({"sort": "best", "of": 0}, [0, 1, 2]),
        ({"sort": "lost"}, [1, 0, 2]),
        ({"sort": "gained"}, [3, 0, 2]),
        ({"sort": "gained", "of": 0, "versus": 1}, [1, 0, 2]),
        ({"sort": "disagreement"}, [1, 3, 0]),
        ({"sort": "longest", "of": 1}, [3, 4, 2]),  # a tie stays in the order of the rows
        ({"sort": "shortest", "of": 1}, [0, 1, 2]),
        ({"sort": "slowest", "of": 0}, [2, 0, 1]),
    ],
)
def test_rows_come_in_the_order_asked_for(
    workspace: Workspace, run: str, query: dict[str, Any], first: list[int]
) -> None:
    assert ids(workspace, run, **query)[:3] == first


def test_what_has_no_value_comes_last_in_both_directions(workspace: Workspace, run: str) -> None:
    for sort in ("worst", "best"):
        unscored = ids(workspace, run, sort=sort, of=0)[-8:]
        assert unscored == [4, *range(5, 12)]


def test_less_is_better_by_some_metrics(workspace: Workspace, experiment: Build) -> None:
    run = stored(workspace, experiment(metrics=["ter"]), ["7", "8"], ["7", "0"])
    assert ids(workspace, run, only=("wrong",)) == [1]
    assert ids(workspace, run, sort="worst")[0] == 1
    assert ids(workspace, run, sort="lost")[0] == 1


def test_regressions_are_rows_that_the_same_cell_did_better_before(
    workspace: Workspace, experiment: Build, run: str
) -> None:
    before = stored(workspace, experiment(), ["7", "0", "9", "10", "11"], ["7", "8", "9", "0", "0"])
    assert ids(workspace, run, only=("regressed",), against=before) == [1, 2, 3, 4]
    assert ids(workspace, run, [1], only=("regressed",), against=before) == [1, 2]
    assert ids(workspace, run, only=("regressed",), against=run) == []


def test_regressions_pair_rows_by_id(workspace: Workspace, experiment: Build, run: str) -> None:
    shuffled = experiment(dataset={"name": "sums", "shuffle": 3, "limit": 6})
    before = create_run(workspace, shuffled, owner="command")
    record = workspace.store.runs.get(before)
    assert record is not None
    places = {row_id: place for place, row_id in enumerate(workspace.store.row_facts.row_ids(record.row_set))}
    assert list(places) != [f"test-{n}" for n in range(6)]
    workspace.store.outputs.add(
        before,
        [
            Output(1, row_id, place, text="", answer=str(int(row_id.removeprefix("test-")) + 7))
            for row_id, place in places.items()
        ],
    )
    wrong_here = [n for n in (1, 2, 4) if f"test-{n}" in places]
    assert wrong_here and ids(workspace, run, [1], only=("regressed",), against=before) == wrong_here


def test_only_the_chosen_repeat_is_looked_at(workspace: Workspace, experiment: Build) -> None:
    run = stored(workspace, experiment(repeats=2), ["7", "0"], ["7", "0"])
    fill(workspace, run, ["0", "8"], ["7", "8"], repeat=1)
    assert row_choices(workspace, run).repeats == 2
    assert ids(workspace, run, only=("wrong",)) == [1]
    assert ids(workspace, run, only=("different",), repeat=1) == [0]
    assert rows(workspace, run, query=RowQuery(repeat=1)).rows[0].outputs[0].answer == "0"
    with pytest.raises(UsageError, match="no repeat 2"):
        rows(workspace, run, query=RowQuery(repeat=2))


def test_one_row_knows_its_neighbours_under_the_filters(workspace: Workspace, run: str) -> None:
    wrong = RowQuery(only=("wrong",), sort="lost")
    order = [row.row_id for row in rows(workspace, run, query=wrong).rows]
    page = rows(workspace, run, query=wrong, row=order[1])
    assert [row.row_id for row in page.rows] == [order[1]]
    assert (page.place, page.before, page.after, page.total) == (1, order[0], order[2], len(order))
    assert rows(workspace, run, query=wrong, row=order[-1]).after is None


def test_a_row_that_is_filtered_out_or_not_there(workspace: Workspace, run: str) -> None:
    hidden = rows(workspace, run, query=RowQuery(only=("errors",)), row="test-0")
    assert hidden.place is None and hidden.rows[0].row_id == "test-0" and hidden.after is None
    assert rows(workspace, run, row="nobody").rows == ()


def test_an_output_says_whether_it_is_right_where_and_why(workspace: Workspace, run: str) -> None:
    shown = rows(workspace, run, query=RowQuery()).rows
    assert [row.outputs[1].right for row in shown[:3]] == [True, False, False]
    assert shown[4].outputs[0].right is None and shown[4].outputs[0].error == "broken"
    output = shown[0].outputs[0]
    assert output.answer_at is not None and output.text[slice(*output.answer_at)] == "7"
    assert output.characters == len(output.text)


def test_a_metrics_reason_stands_beside_the_score(workspace: Workspace, run: str) -> None:
    from dataclasses import replace

    rows(workspace, run)
    scores = workspace.store.scores.of_run(run)[0, "exact_match"]
    workspace.store.scores.put(run, replace(scores, reasons={3: "The judge answered in prose."}))
    shown = rows(workspace, run).rows
    assert shown[3].outputs[0].reasons == {"exact_match": "The judge answered in prose."}
    assert shown[2].outputs[0].reasons == {}


def test_an_output_of_a_million_characters_is_cut_for_the_screen(
    workspace: Workspace, experiment: Build
) -> None:
    run = create_run(workspace, experiment(), owner="command")
    text = "<b>" * 400_000 + "Answer: 7"
    workspace.store.outputs.add(run, [Output(0, "test-0", 0, text=text, answer="7")])
    output = rows(workspace, run).rows[0].outputs[0]
    assert output.characters == len(text) and len(output.text) < 3_100
    assert output.answer_at is not None and output.text[slice(*output.answer_at)] == "7"


def test_a_run_without_outputs_has_rows_all_the_same(workspace: Workspace, experiment: Build) -> None:
    run = create_run(workspace, experiment(), owner="command")
    page = rows(workspace, run)
    assert page.total == 12 and all(row.outputs == {} for row in page.rows)
    for only in ("different", "wrong", "all_wrong", "unanswered", "unscored"):
        assert rows(workspace, run, query=RowQuery(only=(only,))).total == 0
    assert rows(workspace, run, query=RowQuery(sort="slowest")).total == 12
    assert rows(workspace, run, cells=[]).total == 12


def test_a_tag_belongs_to_the_row_in_every_run(workspace: Workspace, experiment: Build, run: str) -> None:
    assert tag_rows(workspace, run, ["test-1", "test-3"], "  wrong \n reference ") == "wrong reference"
    tag_rows(workspace, run, ["test-1"], "odd")
    tag_rows(workspace, run, ["test-1"], "odd")
    other = create_run(workspace, experiment(), owner="command")
    assert rows(workspace, other).rows[1].tags == ("wrong reference", "odd")
    assert known_tags(workspace, other) == ["odd", "wrong reference"]
    assert ids(workspace, other, tag="wrong reference") == [1, 3]
    assert ids(workspace, run, tag="wrong reference", only=("unanswered",)) == [3]
    untag_row(workspace, run, "test-1", "wrong reference")
    assert tags_of(workspace, run, "test-1") == ("odd",)
    assert ids(workspace, run, tag="wrong reference") == [3]


@pytest.mark.parametrize("tag", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_a_tag_is_short_and_printable(workspace: Workspace, run: str, tag: str) -> None:
    with pytest.raises(UsageError, match="1 to 60 printable"):
        tag_rows(workspace, run, ["test-1"], tag)
    assert known_tags(workspace, run) == []


def test_tags_need_a_row_that_is_there(workspace: Workspace, run: str) -> None:
    with pytest.raises(RunError, match="no row 'nobody'"):
        tag_rows(workspace, run, ["test-1", "nobody"], "odd")
    assert known_tags(workspace, run) == []
    with pytest.raises(RunError, match="no tag 'odd'"):
        untag_row(workspace, run, "test-1", "odd")


def test_a_query_that_names_what_is_not_there_is_one_sentence(
    workspace: Workspace, experiment: Build, run: str
) -> None:
    with pytest.raises(UsageError, match="'wrog' is no filter"):
        RowQuery(only=("wrog",))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no order of rows"):
        RowQuery(sort="up")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="which run"):
        RowQuery(only=("regressed",))
    with pytest.raises(UsageError, match="must be a number"):
        RowQuery(scores=(ScoreRange("exact_match", low=float("nan")),))
    with pytest.raises(UnknownName, match="no metric in this run named 'nope'"):
        rows(workspace, run, query=RowQuery(only=("wrong",), metric="nope"))
    with pytest.raises(RunError, match="no cell 9 to filter"):
        rows(workspace, run, query=RowQuery(scores=(ScoreRange("exact_match", 9, low=0),)))
    with pytest.raises(RunError, match="no cell 9 to sort"):
        rows(workspace, run, query=RowQuery(sort="worst", of=9))
    with pytest.raises(UnknownName, match="no run named 'gone'"):
        rows(workspace, run, query=RowQuery(only=("regressed",), against="gone"))
    stranger = stored(workspace, experiment(prompts=["three-shots"], baseline=None), ["7"])
    with pytest.raises(RunError, match="none of the chosen cells"):
        rows(workspace, run, query=RowQuery(only=("regressed",), against=stranger))
    by_other_metric = stored(workspace, experiment(metrics=["f1"]), ["7"], ["7"])
    with pytest.raises(RunError, match="no metric 'exact_match'"):
        rows(workspace, run, query=RowQuery(only=("regressed",), against=by_other_metric))
    cancel_run(workspace, run)
    delete_run(workspace, run)
    with pytest.raises(UnknownName):
        rows(workspace, run)
