"""The Fine-tune page: recipes as forms, a tuning while it works, and its verdict."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import MAIN, Visit, press, texts
from tests.app.tunings_made_by_hand import (
    BETTER,
    HEADLINE,
    HOSTILE,
    MODEL,
    RECIPE,
    TUNING,
    UNDECIDED,
    a_collection,
    a_finished_tuning,
    a_tuning,
    a_verdict,
)
from workbench.app.widgets.tune_charts import last_shown
from workbench.app.widgets.verdict_actions import experiment_with
from workbench.app.widgets.verdict_words import gap_words, headline, level
from workbench.core.document import dump, load
from workbench.core.tuning import Recipe
from workbench.engine import Workspace
from workbench.tuning import (
    TrainingState,
    TuningFolder,
    TuningVerdict,
    delete_tuned_model,
    get_tuning,
    load_recipe,
    recipe_names,
    save_recipe,
)
from workbench.tuning.records import hold
from workbench.tuning.verdict.records import Level

pytestmark = pytest.mark.usefixtures("weights")


@pytest.fixture
def ws(root: Path) -> Iterator[Workspace]:
    """The workspace that the page shows, with the recipe `rides`."""
    opened = Workspace.open(root)
    save_recipe(opened, Recipe.model_validate(RECIPE))
    yield opened
    opened.close()


def said(test: AppTest) -> str:
    """What the page says, without the signs that keep names from being Markdown."""
    return texts(test).replace("\\", "").replace("\u2060", "").replace("\u00a0", " ")


def tables(test: AppTest) -> str:
    """The cells of all tables."""
    return "\n".join(one.value.to_csv() for one in test.table).replace("\\", "").replace("\u00a0", " ")


def plain(verdict: TuningVerdict) -> str:
    """The headline without marks."""
    return headline(verdict).replace("\\", "").replace("*", "").replace("\u00a0", " ").replace("\u2060", "")


# --- the sentence


def test_the_headline_says_both_shares_the_gain_and_its_interval() -> None:
    assert plain(a_verdict()) == (
        "nano-rides answers 40 % of 200 rows of transit#test right, nano 20 %: better by 20 points [13, 27]."
    )


def test_an_undecided_verdict_says_how_many_rows_would_tell() -> None:
    one = replace(HEADLINE, gap=UNDECIDED)
    found = plain(a_verdict(headline=one))
    assert "undecided, a difference of +5.0 points [-2.0, +12.0]" in found
    assert "about 700 more rows would tell" in found


def test_a_metric_that_is_no_share_is_not_said_in_per_cent() -> None:
    one = replace(HEADLINE, base=Level(3.0, 2.5, 3.5, 200), tuned=Level(4.5, 4.0, 5.0, 200))
    one = replace(one, gap=replace(BETTER, difference=1.5, low=1.0, high=2.0))
    assert plain(a_verdict(metric="likert", headline=one)) == (
        "nano-rides reaches likert 4.50 on 200 rows of transit#test, nano 3.00: better by 1.5 [1, 2]."
    )


def test_what_could_not_be_measured_is_said_so() -> None:
    lost = Level(math.nan, math.nan, math.nan, 0)
    assert "could not be held against nano" in plain(a_verdict(headline=replace(HEADLINE, tuned=lost)))
    assert level(lost, True) == "not scored"
    assert gap_words(replace(BETTER, difference=math.nan), True) == "–"


# --- what stands first


def test_a_fresh_workspace_has_one_obvious_step(visit: Visit, root: Path) -> None:
    test = visit("tune")
    if "quickstart" not in recipe_names(Workspace.open(root)):
        pytest.skip("no quick start in this workspace")
    assert next(one.label for one in test.button if one.proto.type == "primary") == "Try the quick start"
    assert "the model's own right answers" in said(test)
    assert "Nothing was tuned yet." in said(test)


def test_the_list_says_what_each_tuning_gained(visit: Visit, ws: Workspace) -> None:
    a_finished_tuning(ws)
    found = said(visit("tune"))
    assert "nano → nano-rides" in found
    assert "▲ better" in found and "+20.0 points [+13.0, +27.0]" in found


def test_a_broken_recipe_is_named_and_the_others_work(visit: Visit, ws: Workspace, root: Path) -> None:
    (root / "experiments" / "recipes" / "odd.yaml").write_text("name: odd\nbase: nano\nbatsch: 3\n")
    found = said(visit("tune"))
    assert "odd.yaml" in found and "batsch" in found
    assert "rides" in found


@pytest.mark.parametrize("query", [{"recipe": "../../secrets"}, {"tuning": "none-of-this"}])
def test_what_is_not_there_is_a_sentence(visit: Visit, ws: Workspace, query: dict[str, str]) -> None:
    test = visit("tune", **query)
    assert not test.exception
    assert len(test.title) == 1
    assert next(iter(query.values())) in said(test)
    assert "All recipes and tunings" in [link.proto.label for link in test.get("page_link")]


def test_a_collection_leads_to_a_recipe_that_learns_from_it(visit: Visit, ws: Workspace) -> None:
    a_collection(ws)
    test = visit("tune", collection="c1")
    assert test.text_input(key="recipe of c1 name").value == "rides-2"
    test.button(key="recipe of c1 create").click().run()
    made = load_recipe(ws, "rides-2")
    assert (made.collection, made.train.objective) == ("rides", "supervised")


# --- the form


@pytest.mark.parametrize("name", ["", "rides", "../out", "a b"])
def test_a_recipe_needs_a_name_of_its_own_that_stays_in_its_folder(
    visit: Visit, ws: Workspace, name: str
) -> None:
    a_collection(ws)
    before = recipe_names(ws)
    test = visit("tune", collection="c1")
    test.text_input(key="recipe of c1 name").set_value(name).run()
    test = test.button(key="recipe of c1 create").click().run()
    assert len(test.error) == 1
    assert "name" in test.error[0].value and "went wrong" not in test.error[0].value
    assert recipe_names(ws) == before


def test_only_the_settings_that_a_method_looks_at_are_shown(visit: Visit, ws: Workspace) -> None:
    test = visit("tune", recipe="rides")
    labels = {one.label for one in test.number_input}
    assert "Rank" in labels and "Virtual tokens" not in labels and "Beta" not in labels
    method = next(one for one in test.selectbox if one.label == "Method")
    test = method.select("prefix").run()
    labels = {one.label for one in test.number_input}
    assert "Virtual tokens" in labels and "Rank" not in labels


def test_what_the_form_writes_is_the_same_recipe_with_nothing_lost(visit: Visit, ws: Workspace) -> None:
    save_recipe(ws, Recipe.model_validate(RECIPE | {"train": {"patience": None}}))
    test = visit("tune", recipe="rides")
    next(one for one in test.number_input if one.label == "Times through the data").set_value(5).run()
    press(test, "Save")
    kept = load_recipe(ws, "rides")
    assert (kept.train.epochs, kept.train.patience) == (5, None)
    assert kept.evaluate.forgetting == ()
    assert kept.collection == "rides"


def test_pairs_can_come_from_scores_and_are_asked_for_only_where_pairs_are_learnt(
    visit: Visit, ws: Workspace
) -> None:
    recipe = {"name": "rides", "base": "nano", "collect": {"runs": ["transit"], "pick": {"at_least": 1}}}
    save_recipe(ws, Recipe.model_validate(recipe))
    test = visit("tune", recipe="rides")
    assert "Pairs from" not in [one.label for one in test.radio]
    next(one for one in test.selectbox if one.label == "Objective").select("dpo").run()
    next(one for one in test.radio if one.label == "Pairs from").set_value("scores").run()
    press(test, "Save")
    kept = load_recipe(ws, "rides")
    assert kept.collect is not None
    assert (kept.train.objective, kept.collect.pairs, kept.collect.pick.at_least) == ("dpo", "scores", 1)


def test_a_form_that_nobody_touched_leaves_the_file_as_it_is(visit: Visit, ws: Workspace, root: Path) -> None:
    test = visit("tune", recipe="rides")
    assert "Save and start" not in [one.label for one in test.button]
    assert next(one for one in test.button if one.label == "Save").disabled


def test_an_edit_as_yaml_is_checked_with_its_line(visit: Visit, ws: Workspace) -> None:
    test = visit("tune", recipe="rides", view="yaml")
    area = test.text_area[0]
    assert load(Recipe, area.value).name == "rides"
    test = area.set_value(area.value + "train: {methot: lora}\n").run()
    assert "methot" in said(test) and "method" in said(test)
    assert next(one for one in test.button if one.label.endswith("tart")).disabled


def test_models_that_cannot_be_tuned_stand_there_with_the_reason(visit: Visit, ws: Workspace) -> None:
    models = ws.root / "experiments" / "models.yaml"
    row = "  - {name: cloud, provider: openai, model: big, base_url: 'http://127.0.0.1:9'}\n"
    models.write_text(f"models:\n{row}")
    test = visit("tune", recipe="rides")
    base = next(one for one in test.selectbox if one.label == "Base")
    assert "cloud" not in base.options
    assert "cloud" in said(test) and "weights cannot be trained here" in said(test)


def test_what_does_not_go_together_is_told_before_the_start(visit: Visit, ws: Workspace) -> None:
    a_collection(ws)
    save_recipe(ws, Recipe.model_validate(RECIPE | {"base": "nano@int8"}))
    test = visit("tune", recipe="rides")
    assert "quantized weights cannot be trained" in said(test)
    assert next(one for one in test.button if one.label == "Start").disabled


# --- at work


def test_a_tuning_at_work_shows_its_stages_and_can_be_cancelled(visit: Visit, ws: Workspace) -> None:
    tuning = a_tuning(ws, status="running", step=7, steps=20, seconds_left=42.0, message="Training")
    with hold(ws, tuning):
        test = visit("tune", tuning=tuning)
        found = said(test)
        assert "✓ Check" in found and "● Train" in found and "○ Measure" in found
        assert "7 of 20" in found or "7 of 20" in str([one.proto for one in test.get("progress")])
        assert "you may close this page" in found
        press(test, "Cancel")
        assert get_tuning(ws, tuning).cancel_requested


def test_a_queued_tuning_says_for_whom_it_waits(visit: Visit, ws: Workspace) -> None:
    tuning = a_tuning(ws, status="queued", owner="command", message="Waits for tuning 2026 ('other').")
    assert "Waits for tuning 2026 ('other')." in said(visit("tune", tuning=tuning))


def test_overfitting_is_called_out_and_the_best_step_named(visit: Visit, ws: Workspace) -> None:
    tuning = a_tuning(ws, status="cancelled", model=MODEL, message="Cancelled; the best weights are kept.")
    test = visit("tune", tuning=tuning)
    found = said(test)
    assert "was best at step 10 (0.500) and is worse since step 15" in found
    assert "Cancelled; the best weights are kept." in found
    assert {"Resume", "Measure it as it is"} <= {one.label for one in test.button}


@pytest.mark.parametrize(
    ("status", "seen", "shown"),
    [("training", 47, 94), ("training", 2_000, 3_000), ("training", 0, 1), ("cancelled", 47, 47)],
)
def test_a_long_training_is_drawn_as_far_as_it_is(status: str, seen: int, shown: int) -> None:
    assert last_shown(TrainingState(status=status, steps=3_000), seen) == shown  # type: ignore[arg-type]


def test_what_the_model_says_is_shown_as_text_over_time(visit: Visit, ws: Workspace) -> None:
    test = visit("tune", tuning=a_tuning(ws, status="cancelled"))
    assert HOSTILE not in texts(test)
    found = said(test)
    assert all(f"at {step} {HOSTILE}" in found for step in (5, 10, 15, 20))
    assert "step 10, the best" in found


def test_a_failed_tuning_says_why_and_shows_the_end_of_its_log(visit: Visit, ws: Workspace) -> None:
    tuning = a_tuning(ws, status="failed", message="The disk is full.")
    TuningFolder.of(ws.state_dir, tuning).log.write_text("one\nlast words\n")
    test = visit("tune", tuning=tuning)
    assert "The disk is full." in said(test)
    assert "last words" in test.code[0].value


# --- the verdict


def test_the_verdict_shows_gain_losses_and_what_is_repeated(visit: Visit, ws: Workspace) -> None:
    test = visit("tune", tuning=a_finished_tuning(ws))
    assert "answers 40 % of 200 rows" in said(test).replace("**", "")
    cells = tables(test)
    assert "40 % [33, 47]" in cells
    assert "(60 rows): 700." in said(test)
    assert "exact_match on 80 rows of team-labels#test" in said(test).replace("\\", "")
    assert "200 texts, none of them learnt: column reasoning of" in said(test)
    assert "▼ worse" in cells and "-20.0 points [-30.0, -10.0]" in cells
    assert "more than the base" in cells
    assert "Tokens a second" in cells and "310" in cells
    assert not test.error, [one.value for one in test.error]


def test_the_weights_are_written_from_the_page_and_again_only_where_the_button_says_so(
    visit: Visit, ws: Workspace, root: Path
) -> None:
    test = visit("tune", tuning=a_finished_tuning(ws))
    assert "workbench export model nano-rides --as adapter" in said(test)
    test = press(test, "Write the files")
    assert "Wrote" in said(test) and not test.error, [one.value for one in test.error]
    written = root / "models" / "nano-rides-adapter"
    assert {file.name for file in written.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert any(one.label == "Write the files again" for one in test.run().button)


def test_nothing_that_a_model_or_a_file_said_becomes_markdown(visit: Visit, ws: Workspace) -> None:
    test = visit("tune", tuning=a_finished_tuning(ws))
    raw = texts(test) + "\n".join(one.value.to_csv() for one in test.table)
    assert "![x]" not in raw and "<script>" not in raw and "**bold**" not in raw


def test_the_line_names_recipe_collection_and_what_made_the_items(visit: Visit, ws: Workspace) -> None:
    test = visit("tune", tuning=a_finished_tuning(ws), view="lineage")
    assert "rides" in tables(test) and "step-by-step" in tables(test)
    assert "12 items of 12 rows (output: 12)" in said(test)


def test_a_deleted_model_comes_back_and_names_who_needs_it(visit: Visit, ws: Workspace) -> None:
    tuning = a_finished_tuning(ws)
    made = experiment_with(ws, get_tuning(ws, tuning), MODEL)
    assert experiment_with(ws, get_tuning(ws, tuning), MODEL) == made
    assert ws.experiment(made).models == ("nano", MODEL)
    test = press(visit("tune", tuning=tuning), "Delete the model")
    assert MODEL not in ws.models.names()
    assert made in said(test) and "was deleted" in said(test)
    test = press(test, "Undo")
    assert MODEL in ws.models.names()
    delete_tuned_model(ws, MODEL)
    press(test.run(), "Bring the model back")
    assert MODEL in ws.models.names()


def test_continuing_with_nothing_new_is_a_sentence_and_makes_nothing(visit: Visit, ws: Workspace) -> None:
    test = press(visit("tune", tuning=a_finished_tuning(ws)), "Continue with what I rated since")
    assert "Nothing has come since tuning" in said(test) and not test.exception
    assert len(ws.store.tunings.newest()) == 1


def test_the_pages_of_models_lead_to_the_verdict_and_delete_the_model_so_that_it_comes_back(
    visit: Visit, ws: Workspace
) -> None:
    tuning = a_finished_tuning(ws)
    links = visit("model", model=MODEL).get("page_link")
    assert any(f"tuning={tuning}" in one.proto.query_string for one in links)
    made = experiment_with(ws, get_tuning(ws, tuning), MODEL)
    test = press(visit("models", model=MODEL), "Delete")
    assert MODEL not in ws.models.names() and made in said(test)
    press(test, "Undo")
    assert MODEL in ws.models.names()


def test_a_tuning_that_was_not_measured_says_so(visit: Visit, ws: Workspace) -> None:
    tuning = a_tuning(ws, status="completed", model=MODEL)
    assert "It was not measured." in said(visit("tune", tuning=tuning))


def test_the_page_loads_no_library_that_trains(ws: Workspace) -> None:
    a_finished_tuning(ws)
    script = f"""
import json, sys
from streamlit.testing.v1 import AppTest
tuning = {{"tuning": "{TUNING}"}}
for query in ({{}}, tuning, tuning | {{"view": "training"}}, {{"recipe": "rides"}}):
    test = AppTest.from_file("{MAIN}", default_timeout=100)
    for key, value in query.items():
        test.query_params[key] = value
    test.switch_page("views/tune.py")
    test.run()
    assert not test.exception
print(json.dumps([name for name in ("torch", "transformers", "trl", "peft") if name in sys.modules]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=200,
        check=True,
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == []


def test_recipes_are_written_as_people_write_them(ws: Workspace) -> None:
    assert "forgetting: []" in dump(load_recipe(ws, "rides"))
