"""At the rating desk everything said is kept, counts once, and says nothing of where a text came from."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.rating.rated_runs import empty_workspace, finished_run
from workbench.core.rating import Criterion, RatingPlan
from workbench.engine import (
    Draft,
    RatingDesk,
    Workspace,
    default_plan,
    delete_run,
    start_rating,
    undelete_run,
)
from workbench.errors import RunError, UnknownName, UsageError, WorkbenchError

PLAIN = RatingPlan(again_share=0)
LIKERT = RatingPlan(mode="likert", criteria=(Criterion(name="clear"), Criterion(name="true")), again_share=0)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = empty_workspace(tmp_path)
    yield opened
    opened.close()


def rated_by(desk: RatingDesk, value: Any = 1, limit: int = 1000) -> list[Any]:
    """Rates until there is nothing left; gives what was shown."""
    shown = []
    while len(shown) < limit and (item := desk.next()) is not None:
        desk.rate(item.item, value)
        shown.append(item)
    return shown


def test_what_is_shown_says_nothing_of_where_it_came_from(workspace: Workspace) -> None:
    run = finished_run(workspace)
    start_rating(workspace, run, PLAIN)
    shown = rated_by(RatingDesk(workspace, run, "ada"))
    words = json.dumps([dataclasses.asdict(item) for item in shown])
    assert "secret-model" not in words and "prompt-" not in words and run not in words
    assert "row-" not in words
    assert len({item.item for item in shown}) == len(shown) == 18
    assert shown[0].row.keys() == {"question"} and shown[0].reference is not None


def test_a_preference_is_kept_for_the_cell_whose_text_was_chosen(workspace: Workspace) -> None:
    run = finished_run(workspace)
    start_rating(workspace, run, PLAIN)
    desk = RatingDesk(workspace, run, "ada")
    while (shown := desk.next()) is not None:
        desk.rate(shown.item, 1 if shown.texts[0].endswith("from a") else 0)
        given = desk.show(shown.item).given
        assert given == {"": 1 if shown.texts[0].endswith("from a") else 0}
    of_a = [r for r in workspace.store.ratings.current(run) if r.cell == 0]
    assert len(of_a) == 12 and {r.value for r in of_a} == {1.0}
    assert {r.first for r in of_a} != {0}


def test_each_cell_stands_left_as_often_as_right(workspace: Workspace) -> None:
    run = finished_run(workspace, cells=4, rows=10)
    start_rating(workspace, run, PLAIN)
    rated_by(RatingDesk(workspace, run, "ada"))
    lean: Counter[int] = Counter()
    for rating in workspace.store.ratings.current(run):
        for cell in (rating.cell, rating.other):
            lean[cell] += 1 if cell == rating.first else -1
    assert all(abs(times) <= 2 for times in lean.values())


def test_equal_texts_errors_and_missing_outputs_are_not_shown(workspace: Workspace) -> None:
    def say(cell: int, row: int) -> str | None:
        if row == 0:
            return "the same" + " " * cell
        return None if (cell, row) == (1, 1) else f"{cell} {row}"

    run = finished_run(workspace, cells=2, rows=4, say=say)
    desk = RatingDesk(workspace, run, "ada")
    assert desk.progress().total == 2 and desk.progress().identical == 1
    assert {item.row["question"] for item in rated_by(desk)} == {"What is 2?", "What is 3?"}


def test_the_open_item_is_the_same_in_two_tabs_and_after_days(workspace: Workspace) -> None:
    run = finished_run(workspace)
    first = RatingDesk(workspace, run, "Ada Lovelace").next()
    assert first is not None
    assert RatingDesk(workspace, run, " ada  LOVELACE ").next() == first
    other = RatingDesk(workspace, run, "grace").next()
    assert other is not None and other.item != first.item


def test_the_same_said_twice_counts_once_and_another_word_replaces_it(workspace: Workspace) -> None:
    run = finished_run(workspace)
    desk = RatingDesk(workspace, run, "ada")
    shown = desk.next()
    assert shown is not None
    for _ in range(2):
        desk.rate(shown.item, 1, note="shorter")
    assert len(workspace.store.ratings.history(run)) == 1
    desk.rate(shown.item, 0.5, both_bad=True)
    assert len(workspace.store.ratings.history(run)) == 2
    (now,) = workspace.store.ratings.current(run)
    assert (now.value, now.both_bad, now.note) == (0.5, True, "shorter")
    desk.rate(shown.item, 0.5)
    assert not desk.show(shown.item).both_bad
    assert desk.progress().done == 1 and desk.progress().all_raters_done == 1


def test_undo_goes_back_item_by_item_and_next_leads_forward_again(workspace: Workspace) -> None:
    run = finished_run(workspace)
    start_rating(workspace, run, PLAIN)
    desk = RatingDesk(workspace, run, "ada")
    assert desk.undo() is None
    first, second = rated_by(desk, limit=2)
    third = desk.next()
    assert third is not None
    desk.skip(third.item)
    back = [desk.undo(), desk.undo(), desk.undo()]
    assert [shown and shown.item for shown in back] == [third.item, second.item, first.item]
    assert desk.undo() is None
    assert workspace.store.ratings.current(run) == []
    forward = rated_by(desk, limit=3)
    assert [shown.item for shown in forward] == [first.item, second.item, third.item]
    assert desk.progress().done == 3 and desk.progress().total == 18


def test_likert_keeps_every_key_and_gives_the_item_again_until_it_is_done(workspace: Workspace) -> None:
    run = finished_run(workspace, cells=2, rows=2)
    start_rating(workspace, run, LIKERT)
    desk = RatingDesk(workspace, run, "ada")
    shown = desk.next()
    assert shown is not None and len(shown.texts) == 1
    assert [c.name for c in shown.criteria] == ["clear", "true"]
    desk.rate(shown.item, {"clear": 4})
    again = RatingDesk(workspace, run, "ada").next()
    assert again is not None and again.item == shown.item and again.given == {"clear": 4}
    desk.rate(shown.item, {"true": 2}, note="half")
    assert desk.next() != again and desk.progress().done == 1
    assert {r.criterion: (r.value, r.scale, r.note) for r in workspace.store.ratings.current(run)} == {
        "clear": (4, 5, "half"),
        "true": (2, 5, "half"),
    }
    back = desk.undo()
    assert back is not None and back.item == shown.item and back.given == {"clear": 4}
    back = desk.undo()
    assert back is not None and back.given == {}


def test_single_outputs_come_row_by_row_each_once(workspace: Workspace) -> None:
    run = finished_run(workspace, cells=3, rows=5)
    start_rating(workspace, run, RatingPlan(mode="thumbs", again_share=0, rows=4))
    shown = rated_by(RatingDesk(workspace, run, "ada"), 0)
    assert len({item.texts for item in shown}) == len(shown) == 12
    questions = [item.row["question"] for item in shown]
    assert all(len(set(questions[at : at + 3])) == 1 for at in range(0, 12, 3))
    assert len({tuple(item.texts[0][-1] for item in shown[at : at + 3]) for at in range(0, 12, 3)}) > 1


def test_repeats_of_a_row_are_items_of_their_own(workspace: Workspace) -> None:
    run = finished_run(workspace, cells=2, rows=3, repeats=2)
    start_rating(workspace, run, PLAIN)
    shown = rated_by(RatingDesk(workspace, run, "ada"))
    assert len(shown) == 6
    assert all(left[0] == right[0] for left, right in (item.texts for item in shown))
    assert {(r.position, r.repeat) for r in workspace.store.ratings.current(run)} == {
        (row, repeat) for row in range(3) for repeat in range(2)
    }


def test_some_items_come_once_more_the_other_way_round(workspace: Workspace) -> None:
    run = finished_run(workspace, rows=20)
    start_rating(workspace, run, RatingPlan(again_share=0.4))
    rated_by(RatingDesk(workspace, run, "ada"))
    ratings = workspace.store.ratings.current(run)
    firsts = {(r.position, r.cell, r.other): r.first for r in ratings if r.chosen != "again"}
    again = [r for r in ratings if r.chosen == "again"]
    assert len(firsts) == 60 and len(again) > 10
    assert all(firsts[r.position, r.cell, r.other] != r.first for r in again)
    assert len({(r.position, r.cell, r.other) for r in again}) == len(again)


def test_a_better_answer_belongs_to_the_text_it_betters(workspace: Workspace) -> None:
    run = finished_run(workspace, cells=2)
    desk = RatingDesk(workspace, run, "ada")
    shown = desk.next()
    assert shown is not None
    desk.rate(shown.item, 1, correction="It is 3.", correction_for=1)
    (rating,) = workspace.store.ratings.current(run)
    assert rating.correction == "It is 3." and rating.corrects != rating.first
    seen = desk.show(shown.item)
    assert (seen.correction, seen.correction_for) == ("It is 3.", 1)
    desk.rate(shown.item, 1, correction=" ")
    assert desk.show(shown.item).correction is None


def test_what_is_being_written_is_kept_until_it_is_sent_and_counts_for_nothing_before(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(workspace, cells=2, rows=2)
    start_rating(workspace, run, PLAIN)
    shown = RatingDesk(workspace, run, "ada").next()
    draft = Draft("a long tho", "Answer: 7", 1)
    RatingDesk(workspace, run, "ada").keep_draft(shown.item, draft)
    assert RatingDesk(workspace, run, "ada").next() == dataclasses.replace(shown, draft=draft)
    assert not workspace.store.ratings.history(run)
    with pytest.raises(UnknownName):
        RatingDesk(workspace, run, "bob").keep_draft(shown.item, Draft("mine"))
    with pytest.raises(UsageError, match="at most"):
        RatingDesk(workspace, run, "ada").keep_draft(shown.item, Draft("x" * 20_000))

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    rated_by(RatingDesk(workspace, run, "bob"))  # an hour later others get it, too
    desk = RatingDesk(workspace, run, "ada")
    assert desk.next().draft == draft
    desk.rate(shown.item, 0, note="a long thought")
    assert desk.show(shown.item).draft == Draft()


def test_skipped_items_come_back_to_others_only(workspace: Workspace) -> None:
    run = finished_run(workspace, cells=2, rows=3)
    start_rating(workspace, run, PLAIN)
    desk = RatingDesk(workspace, run, "ada")
    while (shown := desk.next()) is not None:
        desk.skip(shown.item)
        desk.skip(shown.item)
    assert desk.progress().done == desk.progress().total == 3
    assert desk.progress().all_raters_done == 0
    assert len(rated_by(RatingDesk(workspace, run, "grace"))) == 3


def test_a_plan_said_anew_leads_on_and_what_was_rated_before_stays(workspace: Workspace) -> None:
    run = finished_run(workspace)
    desk = RatingDesk(workspace, run, "ada")
    rated_by(desk, limit=4)
    start_rating(workspace, run, RatingPlan(mode="thumbs"))
    shown = desk.next()
    assert shown is not None and shown.mode == "thumbs" and desk.progress().done == 0
    desk.rate(shown.item, 1)
    start_rating(workspace, run, RatingPlan(cells=(0, 2), rows=3))
    assert desk.progress().total <= 3
    assert len(workspace.store.ratings.current(run)) == 5


def test_what_an_old_window_sends_after_the_mode_changed_is_kept_or_refused(workspace: Workspace) -> None:
    run = finished_run(workspace)
    desk = RatingDesk(workspace, run, "ada")
    pair = desk.next()
    start_rating(workspace, run, LIKERT)
    graded = desk.next()
    assert pair is not None and graded is not None
    desk.rate(pair.item, 1, seconds=float("nan"))
    start_rating(workspace, run, PLAIN)
    with pytest.raises(RunError, match="not rated on criteria any more"):
        desk.rate(graded.item, {"clear": 4})
    assert desk.progress().done == 1
    following = desk.next()
    assert following is not None and following.item != pair.item


@pytest.mark.parametrize("value", [2, 0.4, -1, float("nan"), {"clear": 1}])
def test_a_value_that_means_nothing_is_refused(workspace: Workspace, value: Any) -> None:
    run = finished_run(workspace)
    desk = RatingDesk(workspace, run, "ada")
    shown = desk.next()
    assert shown is not None
    with pytest.raises(UsageError):
        desk.rate(shown.item, value)
    with pytest.raises(UsageError, match="tie"):
        desk.rate(shown.item, 1, both_bad=True)
    with pytest.raises(UsageError, match="characters"):
        desk.rate(shown.item, 1, note="x" * 10_001)
    assert workspace.store.ratings.history(run) == []


@pytest.mark.parametrize("value", [3, {"clear": 6}, {"clear": 2.5}, {"claer": 3}])
def test_a_grade_that_means_nothing_is_refused(workspace: Workspace, value: Any) -> None:
    run = finished_run(workspace)
    start_rating(workspace, run, LIKERT)
    desk = RatingDesk(workspace, run, "ada")
    shown = desk.next()
    assert shown is not None
    with pytest.raises(UsageError):
        desk.rate(shown.item, value)


def test_nobody_speaks_of_what_another_was_shown(workspace: Workspace) -> None:
    run = finished_run(workspace)
    shown = RatingDesk(workspace, run, "ada").next()
    assert shown is not None
    desk = RatingDesk(workspace, run, "grace")
    for call in (lambda: desk.rate(shown.item, 1), lambda: desk.show(shown.item), lambda: desk.skip("no")):
        with pytest.raises(UnknownName):
            call()


def test_a_deleted_run_takes_no_ratings_and_loses_none(workspace: Workspace) -> None:
    run = finished_run(workspace)
    desk = RatingDesk(workspace, run, "ada")
    rated_by(desk, limit=2)
    shown = desk.next()
    assert shown is not None
    delete_run(workspace, run)
    with pytest.raises(RunError, match=r"deleted.*undelete"):
        desk.rate(shown.item, 1)
    with pytest.raises(RunError, match="deleted"):
        RatingDesk(workspace, run, "ada")
    undelete_run(workspace, run)
    assert RatingDesk(workspace, run, "ada").progress().done == 2
    assert desk.next() == shown


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (RatingPlan(cells=(0, 9)), "no cell 9"),
        (RatingPlan(cells=(1,)), "two cells"),
    ],
)
def test_a_plan_that_does_not_fit_the_run_is_refused(
    workspace: Workspace, plan: RatingPlan, said: str
) -> None:
    run = finished_run(workspace)
    with pytest.raises(UsageError, match=said):
        start_rating(workspace, run, plan)
    assert workspace.store.ratings.plan(run) is None


def test_a_run_with_nothing_to_rate_says_why(workspace: Workspace) -> None:
    same = finished_run(workspace, cells=2, say=lambda cell, row: "same")
    with pytest.raises(UsageError, match="say the same"):
        start_rating(workspace, same, RatingPlan())
    failed = finished_run(workspace, cells=2, say=lambda cell, row: None, run="failed")
    with pytest.raises(UsageError, match="no outputs"):
        start_rating(workspace, failed, RatingPlan(mode="thumbs"))
    assert RatingDesk(workspace, failed, "ada").next() is None
    with pytest.raises(WorkbenchError):
        RatingDesk(workspace, "no-such-run", "ada")
    with pytest.raises(UsageError, match="name"):
        RatingDesk(workspace, same, "  ")


def test_one_cell_is_rated_by_thumbs_unless_said_otherwise(workspace: Workspace) -> None:
    assert default_plan(workspace, finished_run(workspace, cells=1)).mode == "thumbs"


KILLED = """
import os, signal, sys
from workbench.engine import RatingDesk, Workspace
desk = RatingDesk(Workspace.open(sys.argv[1]), sys.argv[2], "ada")
for _ in range(3):
    desk.rate(desk.next().item, 1)
print(desk.next().item, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_server_loses_no_rating_and_the_open_item_comes_back(
    workspace: Workspace, tmp_path: Path, repository: Path
) -> None:
    run = finished_run(workspace)
    start_rating(workspace, run, PLAIN)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), run],
        env=os.environ | {"PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(workspace.store.ratings.current(run)) == 3
    desk = RatingDesk(workspace, run, "ada")
    shown = desk.next()
    assert shown is not None and shown.item == killed.stdout.strip()
    assert desk.progress().done == 3
