"""The Collections page: what is learnt from is gathered, looked through, cleaned and taken along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.app.conftest import press, texts
from tests.tuning.finished_runs import finished_run, make_workspace, rate
from workbench.app.widgets.collection_words import suggested_name
from workbench.core.collection import CollectionItem, Item, Origin
from workbench.core.document import check_name
from workbench.core.tuning import Collect
from workbench.engine import Workspace
from workbench.tuning import collect, delete_collection, kept_items
from workbench.tuning.collecting.foreseeing import foresee, foresee_pairs


def says(row: dict[str, Any], cell: int, repeat: int) -> str:
    """Of four tries the first two are right; each is written in its own words."""
    answer = int(row["answer"]) + (0 if repeat < 2 else 1)
    return f"Try {repeat}: {row['question']} That makes {answer}.\nAnswer: {answer}"


@pytest.fixture
def sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one completed run: six rows, four tries each, half of them right."""
    root = tmp_path / "sums"
    monkeypatch.setenv("WORKBENCH_ROOT", str(root))
    ws = make_workspace(root)
    finished_run(ws, says, repeats=4)
    return ws


@pytest.fixture
def collected(sums: Workspace) -> str:
    """The id of a collection of twelve items, two a row."""
    run = sums.store.runs.newest(1)[0].id
    settings = Collect.model_validate({"runs": [run], "pick": {"metric": "exact_match", "per_row": 2}})
    return collect(sums, "sums", settings)


@pytest.fixture
def opened(sums: Workspace) -> Any:
    """`opened(run=…)` opens the page as its link would."""
    main = Path(__file__).resolve().parents[2] / "workbench" / "app" / "main.py"

    def visit(**query: str) -> AppTest:
        test = AppTest.from_file(str(main), default_timeout=200)
        for key, value in query.items():
            test.query_params[key] = value
        test.switch_page("views/collections.py")
        return test.run()

    yield visit
    st.cache_resource.clear()
    st.cache_data.clear()


def address(test: AppTest, key: str) -> str | None:
    found = test.query_params.get(key)
    return found[0] if isinstance(found, list) else found


def newest_run(ws: Workspace) -> str:
    return ws.store.runs.newest(1)[0].id


def stored(ws: Workspace, *items: Item, task: Any = "completion") -> str:
    places = [CollectionItem(number, item) for number, item in enumerate(items)]
    ws.store.collections.create("20261121-1", "written", task, {}, {}, places)
    return "20261121-1"


def item(question: str, completion: str, **more: Any) -> Item:
    return Item(({"role": "user", "content": question},), completion, Origin("import", file="a"), **more)


# --- what would be collected, before it is


def test_what_passes_is_told_before_anything_is_made(opened: Any, sums: Workspace) -> None:
    test = opened(run=newest_run(sums))
    assert not test.exception and not test.error
    assert "**12 of 24 outputs pass**, of 6 of 6 rows: at most 6 items" in texts(test)
    assert sums.store.collections.newest() == []


def test_the_count_follows_the_bar_and_the_share_of_a_row(opened: Any, sums: Workspace) -> None:
    test = opened(run=newest_run(sums))
    next(one for one in test.number_input if one.label.startswith("At most so many")).set_value(2).run()
    assert "at most 12 items" in texts(test)
    next(one for one in test.number_input if one.label.endswith("at least")).set_value(0.0).run()
    assert "**24 of 24 outputs pass**" in texts(test)
    next(one for one in test.number_input if one.label.endswith("at least")).set_value(2.0).run()
    assert "**0 of 24 outputs pass**" in texts(test)
    assert "the best seen is 1.000" in texts(test)
    assert next(button for button in test.button if button.label == "Collect").disabled


def test_what_was_foreseen_is_what_is_collected(sums: Workspace) -> None:
    run = newest_run(sums)
    for task in ("completion", "label", "preference"):
        settings = Collect.model_validate(
            {"runs": [run], "task": task, "pairs": "scores", "pick": {"per_row": 2}}
        )
        foreseen = foresee(sums, settings, settings.task or "completion").passing(per_row=2)
        assert len(kept_items(sums, collect(sums, f"as-{task}", settings))) == foreseen.items


def test_preferences_are_foreseen_from_ratings(sums: Workspace) -> None:
    run = finished_run(sums, says, prompts=["direct", "careful"])
    rate(
        sums,
        run,
        *(
            {"position": row, "cell": 0, "other": 1, "value": value}
            for row, value in enumerate((1.0, 0.5, 0.0))
        ),
    )
    found = foresee_pairs(sums, Collect.model_validate({"runs": [run], "task": "preference"}))
    assert (found.compared, found.decided, found.rows, found.items) == (3, 2, 2, 2)


def test_a_run_over_rows_kept_for_evaluation_is_refused_in_a_sentence(opened: Any, sums: Workspace) -> None:
    run = finished_run(sums, says, dataset={"name": "sums", "split": "test"})
    test = opened(run=run)
    assert "kept for evaluation" in test.error[0].value
    assert next(button for button in test.button if button.label == "Collect").disabled


def test_other_rows_can_be_kept_apart_and_none_is_warned_of(opened: Any, sums: Workspace) -> None:
    test = opened(run=finished_run(sums, says, dataset={"name": "sums", "split": "test"}))
    next(one for one in test.multiselect if one.label == "Apart from the rows of").set_value([]).run()
    assert not test.error
    assert "6 of 6 outputs pass" in texts(test)
    assert "Nothing is kept apart" in test.warning[0].value


def test_nobody_rated_is_a_sentence(opened: Any, sums: Workspace) -> None:
    test = opened(run=newest_run(sums))
    next(one for one in test.radio if one.label.startswith("Good is")).set_value("rating").run()
    assert "rate it first" in test.error[0].value.replace("\\", "")
    next(one for one in test.radio if one.label == "What the items teach").set_value("preference").run()
    assert "Nobody compared two outputs" in test.warning[0].value


def test_collecting_opens_what_was_collected(opened: Any, sums: Workspace) -> None:
    test = press(opened(run=newest_run(sums)), "Collect")
    assert not test.error, [error.value for error in test.error]
    assert "Collected 6 items" in test.success[0].value
    record = sums.store.collections.newest()[0]
    assert (address(test, "collection"), address(test, "run")) == (record.id, None)
    assert (record.name, record.task) == ("samples-best", "completion")


def test_a_name_that_is_none_is_a_sentence_and_nothing_is_made(opened: Any, sums: Workspace) -> None:
    test = opened(run=newest_run(sums))
    next(one for one in test.text_input if one.label == "Name of the collection").set_value("a/b").run()
    press(test, "Collect")
    assert len(test.error) == 1
    assert sums.store.collections.newest() == []


def test_the_suggested_name_can_be_taken_whatever_the_run_is_called() -> None:
    assert suggested_name("sums") == "sums-best"
    for experiment in ("sums (nano against its base)", "a/b", "…", "ü" * 90, "x" * 200, "../x."):
        check_name(suggested_name(experiment))


def test_what_passed_and_yet_stayed_out_is_told_where_the_items_are(opened: Any, sums: Workspace) -> None:
    report = {"left_out": {"repeats a held-back row": 4}, "overlaps": {"rows": 2, "listed": []}}
    places = [CollectionItem(0, item("1 + 1?", "2"))]
    sums.store.collections.create("20261121-1", "written", "completion", {}, report, places)
    assert "4 outputs of 2 rows passed and yet stayed out" in texts(opened(collection="20261121-1"))


def test_runs_that_measured_a_tuned_model_are_offered_after_those_of_people(
    opened: Any, sums: Workspace
) -> None:
    before = newest_run(sums)
    measured = finished_run(sums, says, name="measured")
    definition = sums.store.runs.get(measured).definition  # type: ignore[union-attr]
    sums.store.runs.set(measured, definition=definition | {"tuning": {"id": "t", "for": "verdict"}})
    chosen = next(one for one in opened(view="collect").multiselect if one.label == "Runs")
    assert newest_run(sums) != before and chosen.value == [before]


def test_an_unknown_run_and_an_unknown_collection_are_sentences(opened: Any) -> None:
    test = opened(run="nowhere")
    assert not test.exception and "nowhere" in test.error[0].value
    test = opened(collection="nowhere")
    assert not test.exception and test.title[0].value == "Collections"
    assert any("nowhere" in one.value for one in test.markdown)


# --- the list


def test_the_empty_list_says_what_to_do_next(opened: Any) -> None:
    test = opened()
    assert "No collection yet" in texts(test)
    assert "Collect the best outputs of a run" in [button.label for button in test.button]


def test_the_list_has_the_newest_of_each_name(opened: Any, sums: Workspace, collected: str) -> None:
    settings = Collect.model_validate({"runs": [newest_run(sums)]})
    collect(sums, "sums", settings)
    said = texts(opened())
    assert said.count("**sums**") == 1
    assert "6 kept" in said and "1 older one" in said


def test_what_another_tab_deleted_first_is_told(opened: Any, sums: Workspace, collected: str) -> None:
    test = opened(collection=collected)
    delete_collection(sums, collected)
    test.button(key="collection delete").click().run()
    assert not test.exception
    assert "was deleted" in texts(test)


def test_deleting_can_be_undone(opened: Any, sums: Workspace, collected: str) -> None:
    test = press(opened(collection=collected), "Delete")
    assert "Deleted the collection sums" in texts(test)
    assert sums.store.collections.newest() == []
    test.button(key="undo:yes").click().run()
    assert [one.id for one in sums.store.collections.newest()] == [collected]


# --- looking through


def states(ws: Workspace, collection: str) -> dict[int, str]:
    return {one.number: one.state for one in ws.store.collections.items(collection)}


def test_rejecting_goes_on_to_the_next_and_undo_comes_back(
    opened: Any, sums: Workspace, collected: str
) -> None:
    test = opened(collection=collected, item="3")
    press(test, "`R` Reject")
    assert states(sums, collected)[3] == "dropped"
    assert address(test, "item") == "4"
    assert "Rejected item 3" in test.info[0].value
    press(test, "`U` Undo")
    assert states(sums, collected)[3] == "kept"
    assert address(test, "item") == "3"
    assert "Took back" in test.info[0].value


def test_the_last_item_says_so(opened: Any, sums: Workspace, collected: str) -> None:
    test = press(opened(collection=collected, item="11"), "`R` Reject")
    assert "the last one shown" in test.info[0].value
    assert states(sums, collected)[11] == "dropped"
    test = press(opened(collection=collected, item="0"), "`J` Next")
    assert address(test, "item") == "1"


def test_an_edit_is_kept_with_what_it_was(opened: Any, sums: Workspace, collected: str) -> None:
    test = press(opened(collection=collected, item="0"), "`E` Edit")
    before = test.text_area[0].value
    test.text_area[0].set_value("It is 107.\nAnswer: 107")
    press(test, "Save")
    one = sums.store.collections.items(collected, numbers=[0])[0].item
    assert (one.completion, one.original) == ("It is 107.\nAnswer: 107", before)
    assert "Edited item 0" in test.info[0].value


def test_an_empty_edit_is_a_sentence_and_changes_nothing(
    opened: Any, sums: Workspace, collected: str
) -> None:
    test = press(opened(collection=collected, item="0"), "`E` Edit")
    test.text_area[0].set_value("  ")
    press(test, "Save")
    assert "needs a text" in test.error[0].value
    assert sums.store.collections.items(collected, numbers=[0])[0].item.original is None


def test_a_page_is_rejected_at_once_and_taken_back_at_once(
    opened: Any, sums: Workspace, collected: str
) -> None:
    test = press(opened(collection=collected), "Reject these 12 items")
    assert set(states(sums, collected).values()) == {"dropped"}
    press(test, "`U` Undo")
    assert set(states(sums, collected).values()) == {"kept"}


def test_items_are_found_by_a_text_and_by_why_they_were_dropped(
    opened: Any, sums: Workspace, collected: str
) -> None:
    assert "2 items" in texts(opened(collection=collected, find="What is 103"))
    assert "No item is shown" in texts(opened(collection=collected, find='100% "_'))
    press(opened(collection=collected, item="3"), "`R` Reject")
    test = opened(collection=collected, shown="reason:person")
    assert "1 item" in texts(test) and "rejected by a person" in texts(test)


def test_only_a_page_of_a_large_collection_is_drawn(opened: Any, sums: Workspace) -> None:
    many = stored(sums, *(item(f"question {number}", f"answer {number}") for number in range(220)))
    test = opened(collection=many, page="3")
    labels = [button.label for button in test.button if button.label.startswith("Item ")]
    assert labels == [f"Item {number}" for number in range(100, 150)]


def test_a_preference_shows_both_texts_with_the_words_that_differ(opened: Any, sums: Workspace) -> None:
    pair = stored(sums, item("Say it", "a clear answer", rejected="a vague answer"), task="preference")
    said = texts(opened(collection=pair, item="0"))
    assert ":green-background[**clear**]" in said
    assert ":red-background[~~vague~~]" in said


def test_texts_of_models_are_shown_as_text(opened: Any, sums: Workspace) -> None:
    hostile = "<img src=x onerror=alert(1)> ![x](http://a.example/b.png) $x$ **b**"
    one = Item(
        ({"role": "system", "content": hostile}, {"role": "user", "content": hostile}),
        f"{hostile} yes",
        Origin("output", prompt=hostile, model=hostile, raters=(hostile,), file=hostile),
        rejected=f"{hostile} no",
    )
    ws_id = stored(sums, one, task="preference")
    for query in ({}, {"item": "0"}, {"view": "profile"}, {"view": "sources"}, {"view": "cleaning"}):
        test = opened(collection=ws_id, **query)
        assert not test.exception and not test.error
        for element in test.markdown:
            bare = element.value.replace("\\!", "").replace("\\<", "").replace("\\*", "").replace("\\$", "")
            assert "![" not in bare and "<img" not in bare and "**b**" not in bare and "$x$" not in bare


# --- cleaning, profile, sources, export


def test_a_step_is_previewed_with_its_examples_and_changes_nothing(opened: Any, sums: Workspace) -> None:
    one = stored(sums, item("a", "two  blanks"), item("b", "fine"), item("b", "fine"))
    test = press(opened(collection=one, view="cleaning"), "Preview")
    assert not test.error, [error.value for error in test.error]
    labels = [expander.label for expander in test.expander]
    assert "**white space** changes 1 of 3 items" in [label.replace("\\", "") for label in labels]
    assert any("exact duplicates" in label and "drops 1" in label for label in labels)
    assert "two··blanks" in texts(test).replace("\\", "")
    assert set(states(sums, one).values()) == {"kept"}


def test_a_preview_names_what_nobody_sees(opened: Any, sums: Workspace) -> None:
    family = "\U0001f469\u200d\U0001f467"
    one = stored(sums, item("q", f"It is\u200b 4 {family}"), item("r", "5"))
    said = texts(press(opened(collection=one, view="cleaning"), "Preview"))
    assert "⟨U+200B⟩" in said.replace("\\", "") and family in said


def test_cleaning_is_applied_as_one_change_that_undo_takes_back(opened: Any, sums: Workspace) -> None:
    one = stored(sums, item("a", "two  blanks"), item("b", "fine"), item("b", "fine"))
    test = press(opened(collection=one, view="cleaning"), "Preview")
    press(test, "Apply")
    assert "1 dropped, 1 changed" in test.success[0].value
    assert states(sums, one) == {0: "kept", 1: "kept", 2: "dropped"}
    press(test, "Undo")
    assert set(states(sums, one).values()) == {"kept"}
    assert sums.store.collections.items(one)[0].item.completion == "two  blanks"


def test_settings_that_are_none_are_a_sentence(opened: Any, sums: Workspace, collected: str) -> None:
    test = opened(collection=collected, view="cleaning")
    test.multiselect[0].set_value(["regex"]).run()
    assert len(test.error) == 1 and not test.exception
    next(one for one in test.text_input if one.label == "Pattern").set_value("(").run()
    assert "not a regular expression" in test.error[0].value


def test_every_step_can_be_chosen_with_its_fields(opened: Any, collected: str) -> None:
    from workbench.tuning.cleaning import step_names

    test = opened(collection=collected, view="cleaning")
    for name in step_names():
        test.multiselect[0].set_value([name]).run()
        assert not test.exception, name


def test_values_are_evened_out_by_leaving_out_or_repeating(opened: Any, sums: Workspace) -> None:
    items = [item(f"{number}", f"Answer: {'yes' if number < 8 else 'no'}") for number in range(10)]
    one = stored(sums, *items)
    test = opened(collection=one, view="cleaning")
    assert "10 items become **4**" in texts(test)
    press(test, "Even out")
    assert list(states(sums, one).values()).count("kept") == 4
    test = press(test, "Undo")
    next(radio for radio in test.radio if radio.label == "How").set_value("over").run()
    press(test, "Even out")
    assert list(states(sums, one).values()).count("kept") == 10
    assert sums.store.collections.get(one).settings["balance"]["how"] == "over"  # type: ignore[union-attr]
    press(test, "Repeat no more")
    assert "balance" not in sums.store.collections.get(one).settings  # type: ignore[union-attr]
    press(test, "Undo")
    assert sums.store.collections.get(one).settings["balance"]["how"] == "over"  # type: ignore[union-attr]
    test = opened(collection=one, view="export")
    assert "--once" not in texts(test)
    repeats = next(box for box in test.checkbox if box.label.startswith("Rare values of answer"))
    assert "--once" in texts(repeats.uncheck().run())


def test_a_profile_says_what_it_shows(opened: Any, collected: str) -> None:
    test = opened(collection=collected, view="profile")
    assert not test.exception and not test.error
    assert {"Items", "Rows", "Exact repeats"} <= {metric.label for metric in test.metric}
    assert "nine of ten at most" in texts(test)


def test_sources_say_what_was_left_out_and_what_was_kept_apart(opened: Any, collected: str) -> None:
    test = opened(collection=collected, view="sources")
    said = texts(test).replace("\\", "")
    assert "24 outputs looked at, 12 picked by exact_match of at least 1" in said
    assert "Compared with every row of sums#test" in said
    assert not test.error


def test_each_format_of_the_task_can_be_taken_along(opened: Any, collected: str) -> None:
    test = opened(collection=collected, view="export")
    labels = {button.proto.label for button in test.get("download_button")}
    assert labels == {"openai", "trl", "alpaca", "sharegpt"}
    assert f"workbench export collection {collected} --format openai -o sums.jsonl" in texts(test)


def test_what_no_file_can_hold_is_told_before_anybody_clicks(opened: Any, sums: Workspace) -> None:
    one = stored(sums, item("1 + 1?", "2"), item("2 + 2?", "4\0"))
    test = opened(collection=one, view="export")
    assert not test.get("download_button")
    said = test.error[0].value.replace("\\", "")
    assert "Item 1 cannot be written as openai" in said and "The cleaning step `unicode`" in said


def test_half_a_character_is_shown_as_one_that_is_not_known(opened: Any, sums: Workspace) -> None:
    one = stored(sums, item("half \ud83d", "smile \ude00"))
    for query in ({}, {"item": "0"}):
        test = opened(collection=one, **query)
        assert not test.exception and not test.error
        shown = " ".join([texts(test), *(text.value for text in test.text)])
        assert "half \ufffd" in shown and "smile \ufffd" in shown


def test_a_collection_that_keeps_nothing_has_no_dead_end(
    opened: Any, sums: Workspace, collected: str
) -> None:
    press(opened(collection=collected), "Reject these 12 items")
    for view in ("items", "cleaning", "profile", "sources", "export"):
        test = opened(collection=collected, view=view)
        assert not test.exception and not test.error, view
