"""The Rate page: what a rater is asked, what each button keeps, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Visit, press, texts
from tests.app.rated_run import rated_run
from workbench.app.widgets.rate_actions import FIELDS, answers, first_open, keys_of
from workbench.app.widgets.rate_setup import read_criteria
from workbench.core.rating import Criterion, Rating, RatingPlan
from workbench.engine import Shown, Workspace, delete_run, start_rating
from workbench.errors import InvalidFile

NAMES = ("direct", "step-by-step", "nano", "quickstart")


def word(cell: int, place: int) -> str:
    return f"**Row {place}** says {'abcdefgh'[cell]}"


@pytest.fixture
def run(root: Path) -> str:
    """Four cells over five rows."""
    return rated_run(root, word, 5)


def kept(root: Path, run: str) -> list[Rating]:
    ws = Workspace.open(root)
    found = ws.store.ratings.history(run)
    ws.close()
    return found


def plan(root: Path, run: str, **content: object) -> None:
    ws = Workspace.open(root)
    start_rating(ws, run, RatingPlan.model_validate(content))
    ws.close()


def rating(visit: Visit, root: Path, run: str, rater: str = "ada", **content: object) -> AppTest:
    """The rating screen of a run that is rated in this way."""
    plan(root, run, **content)
    test = visit("rate", run=run, rater=rater)
    assert not test.exception
    assert not test.error, [error.value for error in test.error]
    return test


def click(test: AppTest, words: str) -> AppTest:
    """Presses the first button whose label ends so."""
    return next(button for button in test.button if button.label.endswith(words)).click().run()


def item(test: AppTest) -> str:
    """The item on the screen, by the key of its note."""
    return str(test.text_area[0].key).split()[-1]


def everything(test: AppTest) -> str:
    """All that a page sends: texts, labels, options, keys."""
    return repr(test.main) + repr(test.sidebar) + texts(test)


# --- before the first item


def test_who_rates_is_asked_first_and_nothing_names_a_prompt_or_model(visit: Visit, run: str) -> None:
    test = visit("rate", run=run)
    assert not test.error
    assert [field.label for field in test.text_input] == ["Your name"]
    assert not [name for name in NAMES if name in everything(test)]
    assert run in test.selectbox[0].options[0]


def test_a_name_starts_the_rating_and_stands_in_the_address(visit: Visit, run: str) -> None:
    test = visit("rate", run=run)
    test.text_input[0].set_value("  Ada   LOVELACE ")
    press(test, "Start rating")
    assert test.query_params["rater"] in ("ada lovelace", ["ada lovelace"])
    assert "ada lovelace rates" in texts(test)
    assert test.get("progress")[0].proto.text == "0 of 30 items done"


@pytest.mark.parametrize("name", ["", "   "])
def test_no_name_is_a_sentence(visit: Visit, run: str, name: str) -> None:
    test = visit("rate", run=run)
    test.text_input[0].set_value(name)
    press(test, "Start rating")
    assert "Write your name first" in test.error[0].value


def test_a_run_that_was_deleted_is_a_sentence(visit: Visit, root: Path, run: str) -> None:
    plan(root, run)
    ws = Workspace.open(root)
    delete_run(ws, run)
    ws.close()
    test = visit("rate", run=run, rater="ada")
    assert not test.exception
    assert len(test.error) == 1


def test_criteria_are_written_a_line_each() -> None:
    assert read_criteria("helpful: does it answer?\n\n clear \n") == [
        Criterion(name="helpful", description="does it answer?"),
        Criterion(name="clear"),
    ]
    with pytest.raises(InvalidFile):
        read_criteria(": only a description")


def test_scores_on_own_criteria_are_set_up_on_the_page(visit: Visit, root: Path, run: str) -> None:
    test = visit("rate", run=run, view="setup")
    assert not [name for name in NAMES if name in everything(test)]
    test.radio[0].set_value("likert").run()
    press(test, "Keep these choices")
    assert "at least one criterion" in test.error[0].value.replace("\\", "")
    test.text_area[0].set_value("helpful\nclear: easy to read").run()
    test.number_input[0].set_value(7).run()
    press(test, "Keep these choices")
    assert not test.error
    ws = Workspace.open(root)
    stored = ws.store.ratings.plan(run)
    ws.close()
    assert stored is not None
    assert [one.name for one in stored.criteria] == ["helpful", "clear"]
    assert stored.scale == 7


def test_cells_are_named_only_when_asked_for(visit: Visit, root: Path, run: str) -> None:
    test = visit("rate", run=run, view="setup")
    test.toggle[0].set_value(True).run()
    assert "direct" in test.multiselect[0].options[0]


def test_one_cell_has_no_pairs_and_says_so(visit: Visit, root: Path) -> None:
    run = rated_run(root, word, 3, prompts=["direct"], models=["nano"])
    test = visit("rate", run=run, view="setup")
    assert "pairs need two" in texts(test)
    assert test.radio[0].options == ["Grades", "Thumbs"]
    test = rating(visit, root, run, mode="thumbs")
    assert {"`+` Good", "`−` Bad"} <= {button.label for button in test.button}


# --- rating


def test_a_pair_is_blind_and_its_answer_is_kept(visit: Visit, root: Path, run: str) -> None:
    test = rating(visit, root, run)
    assert not [name for name in NAMES if name in everything(test)]
    first = item(test)
    click(test, "Left is better")
    assert item(test) != first
    [one] = kept(root, run)
    assert (one.item, one.rater, one.both_bad) == (first, "ada", False)
    assert one.value == (1.0 if one.first == one.cell else 0.0)
    assert not [name for name in NAMES if name in everything(test)]


def test_a_tie_and_both_bad_are_told_apart(visit: Visit, root: Path, run: str) -> None:
    test = rating(visit, root, run)
    click(test, "Tie")
    click(test, "Both are bad")
    assert [(one.value, one.both_bad) for one in kept(root, run)] == [(0.5, False), (0.5, True)]


def test_undo_brings_an_item_back_with_its_note(visit: Visit, root: Path, run: str) -> None:
    test = rating(visit, root, run)
    first = item(test)
    test.text_area[0].set_value("much clearer").run()
    test.text_area[1].set_value("Answer: 7").run()
    test.radio[0].set_value(1).run()
    click(test, "Right is better")
    [one] = kept(root, run)
    assert one.note == "much clearer" and one.correction == "Answer: 7"
    click(test, "Undo")
    assert item(test) == first
    assert [field.value for field in test.text_area] == ["much clearer", "Answer: 7"]
    assert kept(root, run)[-1].value is None
    ws = Workspace.open(root)
    assert ws.store.ratings.count(run) == 0
    ws.close()
    test.radio[0].set_value(0).run()
    click(test, "Right is better")
    last = kept(root, run)[-1]
    assert last.correction == "Answer: 7" and last.corrects != one.corrects, "the other side alone"


def test_what_was_written_is_there_in_another_window_until_it_is_rated(
    visit: Visit, root: Path, run: str
) -> None:
    test = rating(visit, root, run)
    test.text_area[0].set_value("much clearer").run()
    test.text_area[1].set_value("Answer: 7").run()
    test.radio[0].set_value(1).run()
    assert not kept(root, run)
    other = visit("rate", run=run, rater="ada")
    assert [field.value for field in other.text_area] == ["much clearer", "Answer: 7"]
    assert other.radio[0].value == 1
    click(other, "Tie")
    [one] = kept(root, run)
    assert (one.note, one.correction) == ("much clearer", "Answer: 7")
    assert [field.value for field in other.text_area] == ["", ""]


def test_skipping_goes_on_and_counts_nothing(visit: Visit, root: Path, run: str) -> None:
    test = rating(visit, root, run)
    first = item(test)
    click(test, "Skip")
    assert item(test) != first
    assert all(one.value is None for one in kept(root, run))


def test_scores_go_from_criterion_to_criterion(visit: Visit, root: Path, run: str) -> None:
    test = rating(visit, root, run, mode="likert", criteria=[{"name": "helpful"}, {"name": "clear"}], scale=3)
    first = item(test)
    assert "▶ **helpful**" in texts(test)
    test.button(key=f"rate 3 helpful {first}").click().run()
    assert item(test) == first
    assert "▶ **clear**" in texts(test)
    test.button(key=f"rate 1 clear {first}").click().run()
    assert item(test) != first
    assert [(one.criterion, one.value, one.scale) for one in kept(root, run)] == [
        ("helpful", 3.0, 3),
        ("clear", 1.0, 3),
    ]


def test_a_second_tab_shows_the_same_item_and_an_answer_counts_once(
    visit: Visit, root: Path, run: str
) -> None:
    one = rating(visit, root, run)
    two = visit("rate", run=run, rater=" ADA ")
    assert item(one) == item(two)
    click(one, "Tie")
    click(two, "Tie")
    assert len(kept(root, run)) == 1
    assert item(one) == item(two)


def test_the_end_leads_to_the_leaderboard(visit: Visit, root: Path) -> None:
    run = rated_run(root, word, 1, prompts=["direct"])
    test = rating(visit, root, run, again_share=0)
    click(test, "Left is better")
    assert "Nothing is left for you" in texts(test)
    click(test, "Undo")
    assert "Nothing is left" not in texts(test)


# --- outputs that mean harm


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", "![x](http://a.example/b.png)", ""])
def test_outputs_are_shown_as_text(visit: Visit, root: Path, hostile: str) -> None:
    run = rated_run(root, lambda cell, place: hostile if cell else "fine", 2, prompts=["direct"])
    test = rating(visit, root, run)
    bodies = [element.value for element in test.markdown]
    assert not any("![" in body.replace("\\!", "") or "<img" in body.replace("\\<", "") for body in bodies)
    assert ("The output is empty." in texts(test)) == (hostile == "")


def test_an_output_of_a_megabyte_is_cut_and_can_be_had_whole(visit: Visit, root: Path) -> None:
    run = rated_run(root, lambda cell, place: f"{cell} " + "x" * 1_000_000, 1, prompts=["direct"])
    test = rating(visit, root, run)
    assert len(texts(test)) < 20_000
    assert "The first 6,000 of 1,000,002 characters." in texts(test)
    press(test, "Show more")
    assert "The first 48,000 of 1,000,002 characters." in texts(test)
    for _ in range(2):
        press(test, "Show more")
    assert max(len(element.value) for element in test.text) == 1_000_002


def test_the_switch_shows_markdown_as_it_was_written(visit: Visit, root: Path, run: str) -> None:
    test = rating(visit, root, run)
    assert not test.text
    test.toggle[-1].set_value(True).run()
    assert all(element.value.startswith("**Row") for element in test.text)


# --- keys


def shown(mode: str, **more: object) -> Shown:
    return Shown("0f", mode, {}, None, ("a", "b") if mode == "pairwise" else ("a",), **more)  # type: ignore[arg-type]


def test_every_answer_has_a_key_of_its_own() -> None:
    criteria = (Criterion(name="a"), Criterion(name="b"))
    for one in (shown("pairwise"), shown("thumbs"), shown("likert", criteria=criteria, scale=9)):
        keys = keys_of(one)
        assert {action.name for action in answers(one)} <= set(keys.values())
        assert not keys.keys() & FIELDS.keys()
        assert keys["u"] == "undo" and keys["s"] == "skip"
    assert keys_of(None) == {"u": "undo"}


def test_the_first_criterion_without_a_value_is_next() -> None:
    criteria = (Criterion(name="a"), Criterion(name="b"))
    assert first_open(shown("likert", criteria=criteria, given={"a": 2.0})) == 1
    assert first_open(shown("likert", criteria=criteria, given={"a": 2.0, "b": 1.0})) == 0
