"""Promises of the verdict: the same experiment on unseen rows, honest numbers, and nothing asked twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.require import require
from tests.tuning.tuned_nano import learnt, tuned_workspace, write_experiment
from workbench.core.collection import Item
from workbench.core.tuning import Recipe
from workbench.engine import Workspace
from workbench.engine.lifecycle import create_run, runs
from workbench.engine.records import find_run, get_run
from workbench.engine.score import score_run
from workbench.errors import TuningCancelled, TuningError
from workbench.statistics import holm, mcnemar_exact, tango, wilson
from workbench.tuning.verdict.as_json import verdict_from_json, verdict_json
from workbench.tuning.verdict.evaluating import evaluate_tuning
from workbench.tuning.verdict.records import TuningVerdict

require(find_spec("peft"), "the package peft")

TUNING = "20261121-120000-aaaaaa"


@dataclass
class Measured:
    workspace: Workspace
    recipe: Recipe
    items: list[Item]
    verdict: TuningVerdict
    said: list[str]

    def again(self, tuning: str = TUNING, **more: object) -> TuningVerdict:
        return evaluate_tuning(self.workspace, tuning, self.recipe, "nano", "tuned", self.items, **more)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    workspace = tuned_workspace(tmp_path_factory.mktemp("tuned"))
    collected = create_run(workspace, workspace.experiment("transit-samples"), owner="command")
    recipe = Recipe.model_validate(
        {
            "name": "quick",
            "base": "nano",
            "collect": {"runs": ["transit-samples"]},
            "train": {"objective": "dpo"},
            "evaluate": {"limit": 10, "slices": ["steps", "nothing"]},
        }
    )
    workspace.store.tunings.create(TUNING, "quick", recipe.model_dump(mode="json"))
    items, said = learnt(collected), []
    found = evaluate_tuning(workspace, TUNING, recipe, "nano", "tuned", items, said.append)
    yield Measured(workspace, recipe, items, found, said)
    workspace.close()


def test_the_source_experiment_is_asked_again_on_rows_that_were_not_learnt(measured: Measured):
    record = get_run(measured.workspace, measured.verdict.runs["verdict"])
    asked = set(measured.workspace.store.row_facts.row_ids(record.row_set))
    assert record.definition["experiment"]["models"] == ["nano", "tuned"]
    assert (measured.verdict.split, measured.verdict.rows, len(asked)) == ("test", 10, 10)
    assert not asked & {item.origin.row_id for item in measured.items}
    assert "it is asked on #test here" in " ".join(measured.verdict.notes)


def test_its_runs_are_in_the_list_and_do_not_pass_for_runs_of_the_experiment(measured: Measured):
    by_id = {one.id: one for one in runs(measured.workspace)}
    assert all(by_id[run].status == "completed" for run in measured.verdict.runs.values())
    assert by_id[measured.verdict.runs["verdict"]].experiment == "transit-samples (tuned against its base)"
    assert find_run(measured.workspace, "transit-samples") == measured.items[0].origin.run


def test_the_headline_is_what_the_outputs_say(measured: Measured):
    run, headline = measured.verdict.runs["verdict"], measured.verdict.headline
    outputs = measured.workspace.store.outputs
    rows = measured.workspace.store.runs.rows(get_run(measured.workspace, run).row_set)
    right = {
        cell["model"]: np.array(
            [
                answer == rows[place]["answer"]
                for place, _, answer, _, _ in outputs.answers(run, cell["index"])
            ]
        )
        for cell in get_run(measured.workspace, run).definition["cells"]
        if cell["prompt"] == "step-by-step"
    }
    assert headline.prompt == "step-by-step"
    assert headline.base.mean == pytest.approx(right["nano"].mean())
    assert headline.tuned.mean == pytest.approx(right["tuned"].mean())
    assert headline.gap.difference == pytest.approx(right["tuned"].mean() - right["nano"].mean())
    lost, gained = (right["nano"] & ~right["tuned"]).sum(), (right["tuned"] & ~right["nano"]).sum()
    expected = binomtest(int(gained), int(lost + gained)).pvalue if lost + gained else 1.0
    assert headline.gap.p == pytest.approx(expected)
    assert headline.base.high >= wilson(right["nano"].sum(), 10).high - 1e-9


def test_prompts_are_adjusted_together(measured: Measured):
    prompts = measured.verdict.prompts
    assert [one.prompt for one in prompts] == ["step-by-step", "direct"]
    assert [one.gap.p_adjusted for one in prompts] == holm([one.gap.p for one in prompts])


def test_slices_share_out_the_rows_and_one_that_is_not_there_is_told(measured: Measured):
    assert sum(one.rows for one in measured.verdict.slices) == 10
    assert {one.by for one in measured.verdict.slices} == {"steps"}
    total = sum(one.base.mean * one.rows for one in measured.verdict.slices)
    assert total == pytest.approx(measured.verdict.headline.base.mean * 10)
    assert any("'nothing'" in note for note in measured.verdict.notes)


def test_forgetting_asks_what_each_other_dataset_shows_best(measured: Measured):
    lines = measured.verdict.forgetting
    asked = [(one.dataset, one.experiment, one.prompt) for one in lines]
    assert asked == [
        ("team-labels", "labels", "label-four-shots"),
        ("word-problems", "problems", "step-by-step"),
    ]
    assert [one.gap.p_adjusted for one in lines] == holm([one.gap.p for one in lines])
    scores = score_run(measured.workspace, lines[1].run)
    assert lines[1].tuned.mean == pytest.approx(np.nanmean(scores[1, "exact_match"].values))


def test_wins_count_rows_and_draws_count_half(measured: Measured):
    wins = measured.verdict.win_rate
    assert wins is not None and wins.better + wins.worse + wins.equal == 10
    assert wins.rate == pytest.approx((wins.better + wins.equal / 2) / 10)
    low, high = tango(wins.worse, wins.better, 10)
    assert (wins.low, wins.high) == pytest.approx(((1 + low) / 2, (1 + high) / 2))
    assert wins.p == pytest.approx(mcnemar_exact(wins.worse, wins.better))


def test_perplexity_is_over_text_that_no_prompt_shows(measured: Measured):
    found = measured.verdict.perplexity
    assert found is not None and found.texts == "column reasoning of transit#test"
    assert found.gap.difference == pytest.approx(found.tuned.mean - found.base.mean)
    assert found.base.n == found.tuned.n == 10 and found.base.mean > 1


def test_learnt_questions_are_asked_as_they_were_learnt(measured: Measured):
    found, store = measured.verdict.recall, measured.workspace.store
    assert found is not None and found.questions == 10
    record = get_run(measured.workspace, found.run)
    asked = store.runs.rows(record.row_set).values()
    learnt_texts = {item.messages[0]["content"]: item.completion for item in measured.items}
    assert all(row["learnt"] == [learnt_texts[row["message_0"]]] for row in asked)
    given = [store.outputs.texts(found.run, cell) for cell in (0, 1)]
    exact = [
        np.mean([texts[place, 0].strip() == row["learnt"][0] for place, row in enumerate(asked)])
        for texts in given
    ]
    assert (found.base.mean, found.tuned.mean) == pytest.approx(tuple(exact), abs=0.11)


def test_what_both_models_took_stands_side_by_side(measured: Measured):
    assert [one.model for one in measured.verdict.takes] == ["nano", "tuned"]
    assert all(one.outputs == 10 and one.completion_tokens > 0 for one in measured.verdict.takes)
    assert all(one.memory_bytes and one.tokens_per_s for one in measured.verdict.takes)


def test_the_verdict_comes_back_from_its_json_whole(measured: Measured):
    kept = json.loads(json.dumps(verdict_json(measured.verdict), allow_nan=False))
    assert verdict_from_json(kept) == measured.verdict
    assert {"base", "tuned", "comparison", "forgetting"} <= kept.keys()
    assert {"difference", "low", "high", "p", "verdict"} <= kept["comparison"].keys()
    assert {"experiment", "difference", "verdict", "base", "tuned"} <= kept["forgetting"][0].keys()


def test_a_verdict_that_is_asked_for_again_asks_no_model(measured: Measured):
    kept = measured.workspace.store.tunings.get(TUNING).result
    assert kept == {"runs": measured.verdict.runs}
    before = [(one.id, one.done) for one in runs(measured.workspace)]
    assert measured.again() == measured.verdict
    assert [(one.id, one.done) for one in runs(measured.workspace)] == before
    assert measured.said[-1].startswith("Looking for training text")


def test_a_stopped_verdict_goes_on_in_the_same_run(measured: Measured):
    tuning, store = "20261121-120000-bbbbbb", measured.workspace.store
    store.tunings.create(tuning, "quick", {})

    def stop(words: str) -> None:
        if words.startswith("labels"):
            store.tunings.set(tuning, cancel_requested=True)

    with pytest.raises(TuningCancelled, match="cancelled"):
        measured.again(tuning, on_progress=stop)
    made = store.tunings.get(tuning).result["runs"]
    assert list(made) == ["verdict", "forgetting: labels"]
    store.tunings.set(tuning, cancel_requested=False)
    found = measured.again(tuning)
    assert {name: found.runs[name] for name in made} == made
    assert found.headline == measured.verdict.headline


def test_a_deleted_run_is_made_anew(measured: Measured):
    tuning, store = "20261121-120000-cccccc", measured.workspace.store
    store.tunings.create(tuning, "quick", {})
    store.tunings.set(tuning, result={"runs": {"verdict": "20200101-000000-ffffff"}, "steps": 3})
    assert measured.again(tuning).headline.base == measured.verdict.headline.base
    result = store.tunings.get(tuning).result
    assert result["steps"] == 3 and result["runs"]["verdict"] != "20200101-000000-ffffff"


def test_a_model_that_gives_nothing_is_told_and_asked_again_once_mended(measured: Measured):
    tuning, workspace = "20261121-120000-dddddd", measured.workspace
    workspace.store.tunings.create(tuning, "quick", {})
    adapter = workspace.root / "adapter" / "adapter_model.safetensors"
    kept = adapter.read_bytes()
    adapter.write_bytes(b"damaged")
    with pytest.raises(TuningError, match=r"tuned model gave nothing that can be measured: .*'tuned'"):
        measured.again(tuning)
    run = workspace.store.tunings.get(tuning).result["runs"]["verdict"]
    adapter.write_bytes(kept)
    found = measured.again(tuning)
    assert found.runs["verdict"] == run and found.headline == measured.verdict.headline


def test_an_experiment_that_cannot_be_asked_leaves_the_verdict_standing(measured: Measured, tmp_path: Path):
    write_experiment(measured.workspace.root, "broken", "word-problems", "nowhere", "direct")
    evaluate = measured.recipe.evaluate.model_copy(update={"forgetting": ("broken",), "slices": ()})
    recipe = measured.recipe.model_copy(update={"evaluate": evaluate})
    try:
        found = evaluate_tuning(measured.workspace, "none", recipe, "nano", "tuned", measured.items)
    finally:
        (measured.workspace.root / "experiments" / "broken.yaml").unlink()
    assert found.forgetting == () and found.headline == measured.verdict.headline
    assert any(note.startswith("What was lost in 'broken' is not known") for note in found.notes)
