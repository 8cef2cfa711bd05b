"""Collections from runs: what is picked, what it becomes, where it came from, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.finished_runs import PROMPTS, finished_run, make_workspace, rate, sum_row, write_split
from workbench.core.collection import Item, collection_version
from workbench.core.prompt import AnswerRule
from workbench.core.tuning import Collect
from workbench.engine import ImportSettings, Workspace, import_finished
from workbench.errors import CollectionError, PromptError, UnknownName
from workbench.tuning.collecting import collect, collections, find_collection, find_sources, kept_items
from workbench.tuning.collecting.splits import held_back_splits
from workbench.tuning.example_imports import import_examples


@pytest.fixture
def workspace(tmp_path: Path):
    opened = make_workspace(tmp_path / "root")
    yield opened
    opened.close()


def steps(row: dict[str, Any], cell: int = 0, repeat: int = 0) -> str:
    """Right in the first two repeats, the second time in more words; wrong in the third."""
    right = int(row["answer"])
    said = (f"It is {right}. Answer: {right}", f"Adding makes {right}. Answer: {right}", "Answer: 1")
    return said[repeat % 3]


def made(
    workspace: Workspace, task: str = "completion", **settings: Any
) -> tuple[list[Item], dict[str, Any]]:
    """The kept items of a collection by these settings, and its report."""
    found = collect(workspace, "mine", Collect.model_validate(settings), task)  # type: ignore[arg-type]
    return kept_items(workspace, found), find_collection(workspace, found).report


def test_the_best_output_of_each_row_is_taken_with_where_it_came_from(workspace: Workspace):
    run = finished_run(
        workspace, steps, repeats=3, sampling={"temperature": 0.7}, metrics=["exact_match", "f1"]
    )
    items, report = made(workspace, runs=[run])
    assert [item.completion for item in items] == [f"It is {n}. Answer: {n}" for n in range(107, 113)]
    first = items[0]
    assert first.messages == ({"role": "user", "content": "What is 100 + 7?"},)
    assert first.row["parity"] == "even"
    origin = first.origin
    assert (origin.kind, origin.run, origin.cell, origin.row_id, origin.repeat) == (
        "output",
        run,
        0,
        "train-100",
        0,
    )
    assert (origin.dataset, origin.split, origin.prompt, origin.model) == ("sums", "train", "direct", "one")
    assert origin.version == workspace.prompts.version("direct")
    assert origin.sampling == {"temperature": 0.7}
    assert origin.scores == {"exact_match": 1.0, "f1": 1.0}
    assert report["looked_at"] == 18 and report["picked"] == 6 and report["items"] == 6
    assert report["left_out"] == {"below the bar": 6, "more than per_row": 6}


def test_at_most_per_row_the_shorter_first_and_each_text_once(workspace: Workspace):
    run = finished_run(workspace, steps, repeats=6)
    items, report = made(workspace, runs=[run], pick={"per_row": 4})
    assert len(items) == 12
    assert [item.origin.repeat for item in items[:2]] == [0, 1]
    assert report["left_out"]["same text"] == 12


def test_a_lower_score_is_better_where_the_metric_says_so(workspace: Workspace):
    def says(row: dict[str, Any], cell: int, repeat: int) -> str:
        return f"{'So ' * (2 - repeat)}Answer: {row['answer']}"

    run = finished_run(workspace, says, repeats=3, metrics=["tokens"])
    items, report = made(workspace, runs=[run])
    assert items[0].completion == "Answer: 107"
    assert report["picked_by"] == "the best tokens of its row"
    items, _ = made(workspace, runs=[run], pick={"at_least": 3})
    assert items[0].completion == "So Answer: 107"
    with pytest.raises(CollectionError, match=r"None of the 18 outputs .* at least 99, the best seen is 2"):
        made(workspace, runs=[run], pick={"at_least": 99})


def test_failed_cut_and_empty_outputs_are_never_taken(workspace: Workspace):
    odd = ({"error": "Model 'one': down."}, {"text": "Answer: 107 Answer: ", "finish_reason": "length"}, " ")

    def says(row: dict[str, Any], cell: int, repeat: int) -> Any:
        return steps(row) if repeat == 3 else odd[repeat]

    items, report = made(
        workspace, runs=[finished_run(workspace, says, repeats=4)], pick={"at_least": 0, "per_row": 9}
    )
    assert [item.origin.repeat for item in items] == [3] * 6
    assert report["left_out"] == {"error": 6, "unfinished": 6, "empty": 6}


def test_only_the_prompts_and_models_that_are_named(workspace: Workspace):
    run = finished_run(workspace, steps, prompts=["direct", "careful"], models=["one", "two"])
    items, report = made(workspace, runs=[run], prompts="careful", models="two")
    assert {(item.origin.prompt, item.origin.model) for item in items} == {("careful", "two")}
    assert report["sources"][0]["cells"] == ["careful · two"]
    with pytest.raises(UnknownName, match=r"prompt in run .* named 'vote'"):
        made(workspace, runs=[run], prompts="vote")


def test_a_costly_prompts_outputs_teach_a_plain_one_with_the_answer_alone(workspace: Workspace):
    run = finished_run(workspace, steps, prompts=["careful"])
    items, report = made(workspace, runs=[run], teach="plain", reasoning="drop")
    assert items[0].messages == (
        {"role": "system", "content": "Add."},
        {"role": "user", "content": "Sum: What is 100 + 7?"},
    )
    assert items[0].completion == "107"
    assert items[0].origin.prompt == "careful"
    assert report["taught"] == {"prompt": "plain", "version": workspace.prompts.version("plain")}
    items, _ = made(workspace, runs=[run], teach="direct", reasoning="drop")
    assert items[0].completion == "Answer: 107"
    items, _ = made(workspace, runs=[run], teach="direct")
    assert items[0].completion == "It is 107. Answer: 107"


def test_what_the_taught_prompt_would_read_another_answer_out_of_is_left_out(workspace: Workspace):
    text = "messages: [{role: user, content: '{{ question }}'}]\nanswer: {type: regex, pattern: '([0-9]+)'}"
    (workspace.root / "prompts" / "first.yaml").write_text(f"name: first\n{text}\n")
    said = {"train-100": "100 and 7 make 107. Answer: 107"}
    run = finished_run(workspace, lambda row, cell, repeat: said.get(row["id"], steps(row)))
    items, report = made(workspace, runs=[run], teach="first")
    assert len(items) == 5 and report["left_out"] == {"answer not read back": 1}
    assert len(made(workspace, runs=[run], teach="direct")[0]) == 6


def test_what_the_taught_prompt_cannot_read_is_left_out(workspace: Workspace):
    run = finished_run(workspace, lambda row, cell, repeat: f"It is {row['answer']}.", prompts=["plain"])
    with pytest.raises(CollectionError, match=r"6 answer not read back"):
        made(workspace, runs=[run], teach="direct")


def test_an_ensembles_outputs_need_a_prompt_to_teach(workspace: Workspace):
    run = finished_run(workspace, steps, prompts=["vote", "careful"])
    items, report = made(workspace, runs=[run])
    assert {item.origin.prompt for item in items} == {"careful"}
    assert report["left_out"]["made by no single prompt"] == 6
    with pytest.raises(CollectionError, match=r"ensemble.*teach: PROMPT"):
        made(workspace, runs=[run], prompts="vote")
    items, _ = made(workspace, runs=[run], prompts="vote", teach="direct", reasoning="drop")
    assert items[0].origin.prompt == "vote" and items[0].completion == "Answer: 107"
    with pytest.raises(CollectionError, match=r"`teach: vote` is an ensemble"):
        made(workspace, runs=[run], teach="vote")
    with pytest.raises(PromptError, match=r"sums#train"):
        made(workspace, runs=[run], teach="shots")


def test_pairs_of_scores_are_of_one_row_the_best_against_the_worst(workspace: Workspace):
    run = finished_run(workspace, steps, repeats=3, prompts=["direct", "careful"])
    items, _ = made(workspace, "preference", runs=[run], pairs="scores", pick={"per_row": 2})
    assert len(items) == 12
    assert {(item.completion, item.rejected) for item in items[:2]} == {
        ("It is 107. Answer: 107", "Answer: 1")
    }
    assert {item.origin.prompt for item in items[:2]} == {"direct", "careful"}
    assert items[0].origin.rejected == "direct · one"


def test_pairs_that_say_the_same_twice_are_left_out(workspace: Workspace):
    run = finished_run(
        workspace, lambda row, cell, repeat: "Answer: 107" if repeat else "Answer:  107", repeats=2
    )
    with pytest.raises(CollectionError, match=r"without its opposite"):
        made(workspace, "preference", runs=[run], pairs="scores", pick={"at_least": 1})
    run = finished_run(
        workspace,
        lambda row, cell, repeat: f"{'Right' if repeat else 'Wrong'}. Answer: {row['answer']}",
        repeats=2,
    )
    rate(workspace, run, {"mode": "thumbs", "value": 0.0})
    rate(workspace, run, {"mode": "thumbs", "value": 1.0, "repeat": 1})
    with pytest.raises(CollectionError, match=r"1 chosen equals rejected"):
        made(workspace, "preference", runs=[run], pairs="scores", pick={"by": "rating"}, reasoning="drop")


def test_labels_are_what_passes_and_what_fails(workspace: Workspace):
    run = finished_run(workspace, steps, repeats=3)
    items, _ = made(workspace, "label", runs=[run])
    assert [(item.completion, item.label) for item in items[:2]] == [
        ("It is 107. Answer: 107", True),
        ("Answer: 1", False),
    ]
    assert len(items) == 12


def test_without_a_bar_nothing_is_good_or_bad(workspace: Workspace):
    run = finished_run(workspace, steps, repeats=3, metrics=["tokens"])
    with pytest.raises(CollectionError, match=r"By 'tokens' alone.*at_least"):
        made(workspace, "label", runs=[run])


def test_thumbs_that_most_put_up_and_likert_above_the_middle(workspace: Workspace):
    run = finished_run(workspace, steps, repeats=2)
    rate(
        workspace,
        run,
        {"mode": "thumbs", "value": 1.0},
        {"mode": "thumbs", "value": 1.0, "rater": "bob"},
        {"mode": "thumbs", "value": 0.0, "rater": "cai"},
        {"mode": "thumbs", "value": 0.0, "position": 1},
    )
    items, report = made(workspace, runs=[run], pick={"by": "rating"})
    assert [item.origin.row_id for item in items] == ["train-100"]
    assert items[0].origin.kind == "rating"
    assert items[0].origin.raters == ("ada", "bob", "cai")
    assert items[0].origin.scores["rating"] == pytest.approx(2 / 3)
    assert report["left_out"] == {"not judged": 10, "below the bar": 1}
    likert = {"mode": "likert", "criterion": "clear", "scale": 5, "position": 2}
    rate(workspace, run, likert | {"value": 3.0}, likert | {"value": 4.0, "repeat": 1})
    items, _ = made(workspace, runs=[run], pick={"by": "rating"})
    assert [(item.origin.row_id, item.origin.repeat) for item in items] == [("train-102", 1)]


def test_wins_are_the_share_of_comparisons_won(workspace: Workspace):
    run = finished_run(workspace, steps, models=["one", "two"], prompts=["direct", "careful"])
    rate(
        workspace,
        run,
        {"cell": 0, "other": 1, "value": 0.0},
        {"cell": 1, "other": 2, "value": 0.5},
        {"cell": 0, "other": 1, "value": 1.0, "position": 1, "chosen": "again"},
    )
    items, _ = made(workspace, runs=[run], pick={"by": "wins"})
    assert [(item.origin.row_id, item.origin.cell) for item in items] == [("train-100", 1)]
    assert items[0].origin.scores["wins"] == 0.75


def test_preferences_are_what_most_raters_preferred(workspace: Workspace):
    run = finished_run(
        workspace, lambda row, cell, repeat: f"Cell {cell}. Answer: {row['answer']}", models=["one", "two"]
    )
    pair = {"cell": 0, "other": 1}
    rate(
        workspace,
        run,
        pair | {"value": 0.0},
        pair | {"value": 0.0, "rater": "bob"},
        pair | {"value": 1.0, "rater": "cai"},
        pair | {"value": 1.0, "position": 1},
        pair | {"value": 0.0, "position": 1, "rater": "bob"},
    )
    items, report = made(workspace, "preference", runs=[run])
    assert [(item.completion, item.rejected) for item in items] == [
        ("Cell 1. Answer: 107", "Cell 0. Answer: 107")
    ]
    assert items[0].origin.raters == ("ada", "bob", "cai")
    assert items[0].origin.scores == {"exact_match": 1.0}
    assert report["left_out"]["undecided by raters"] == 1


def test_what_raters_wrote_goes_before_any_output(workspace: Workspace):
    run = finished_run(workspace, steps)
    rate(workspace, run, {"mode": "thumbs", "value": 0.0, "correction": "100 + 7 = 107. Answer: 107"})
    items, _ = made(workspace, runs=[run])
    assert items[0].completion == "100 + 7 = 107. Answer: 107"
    assert (items[0].origin.kind, items[0].origin.raters, items[0].origin.row_id) == (
        "correction",
        ("ada",),
        "train-100",
    )
    assert len(items) == 6
    items, _ = made(workspace, runs=[run], corrections=False)
    assert items[0].origin.kind == "output"
    items, _ = made(workspace, "preference", runs=[run])
    assert [(item.completion, item.rejected) for item in items] == [
        ("100 + 7 = 107. Answer: 107", "It is 107. Answer: 107")
    ]


def test_an_experiment_means_its_newest_completed_run(workspace: Workspace):
    older = finished_run(workspace, steps)
    newer = finished_run(workspace, steps)
    assert find_sources(workspace, Collect(runs=("samples",))) == ((newer,), ())
    assert find_sources(workspace, Collect(runs=(older, "latest"))) == ((older, newer), ())
    workspace.store.runs.set(newer, status="cancelled")
    assert find_sources(workspace, Collect(runs=("samples",))) == ((older,), ())
    with pytest.raises(CollectionError, match=r"is cancelled.*--resume"):
        find_sources(workspace, Collect(runs=(newer,)))
    with pytest.raises(UnknownName, match=r"Did you mean 'samples'|no run or experiment"):
        find_sources(workspace, Collect(runs=("sampels",)))


def test_an_experiment_without_a_run_is_named(workspace: Workspace):
    text = "name: later\ndataset: {name: sums, split: train}\nprompts: direct\nmodels: one\n"
    (workspace.experiments_dir / "later.yaml").write_text(text)
    assert find_sources(workspace, Collect(runs=("later",))) == ((), ("later",))
    with pytest.raises(CollectionError, match=r"'later' has no completed run.*workbench run"):
        made(workspace, runs="later")


def test_an_experiment_whose_runs_all_stopped_and_whose_file_is_gone(workspace: Workspace):
    run = finished_run(workspace, steps)
    workspace.store.runs.set(run, status="failed")
    with pytest.raises(CollectionError, match=rf"None of the runs of 'samples'.*--resume {run}"):
        find_sources(workspace, Collect(runs=("samples",)))


def test_the_best_of_a_row_is_taken_over_all_runs(workspace: Workspace):
    first = finished_run(
        workspace, lambda row, cell, repeat: f"It may be {row['answer']}. Answer: {row['answer']}"
    )
    second = finished_run(workspace, lambda row, cell, repeat: f"Answer: {row['answer']}")
    items, report = made(workspace, runs=[first, second])
    assert [item.origin.run for item in items] == [second] * 6
    assert [source["run"] for source in report["sources"]] == [first, second]


def test_finished_outputs_of_other_tools_teach_a_prompt_of_the_library(workspace: Workspace, tmp_path: Path):
    file = tmp_path / "theirs.csv"
    lines = (
        "question,answer,output",
        "What is 1 + 1?,2,It is 2",
        "What is 2 + 2?,4,It is 5",
        "What is 3 + 1?,4,It is 4",
    )
    file.write_text("\n".join(lines) + "\n")
    settings = ImportSettings("output", reference="answer", answer=AnswerRule(type="number"))
    run = import_finished(workspace, [file], settings=settings).run
    with pytest.raises(
        CollectionError, match=r"imported file that does not tell what was asked.*teach: PROMPT"
    ):
        made(workspace, runs=[run])
    items, _ = made(workspace, runs=[run], teach="direct", reasoning="drop")
    assert [(item.question, item.completion) for item in items] == [
        ("What is 1 + 1?", "Answer: 2"),
        ("What is 3 + 1?", "Answer: 4"),
    ]


def test_a_correction_is_taught_by_its_answer_too(workspace: Workspace):
    run = finished_run(workspace, lambda row, cell, repeat: "Answer: 1")
    rate(workspace, run, {"mode": "thumbs", "value": 0.0, "correction": "100 + 7 = 107. Answer: 107"})
    items, _ = made(workspace, runs=[run], reasoning="drop")
    assert [(item.completion, item.origin.scores) for item in items] == [("Answer: 107", {})]


def test_one_clear_sentence_where_nothing_passes(workspace: Workspace):
    run = finished_run(workspace, lambda row, cell, repeat: f"Answer: {repeat}", repeats=2)
    with pytest.raises(
        CollectionError,
        match=r"None of the 12 outputs .*exact_match of at least 1, the best seen is 0; .*at_least",
    ):
        made(workspace, runs=[run])
    assert collections(workspace) == []


def test_outputs_that_are_all_the_same_teach_nothing(workspace: Workspace):
    run = finished_run(workspace, lambda row, cell, repeat: "Answer: 107")
    with pytest.raises(CollectionError, match=r"All 6 items would teach the same text"):
        made(workspace, runs=[run], pick={"at_least": 0})


def test_a_metric_that_the_run_does_not_have_is_named_with_what_measures_it(workspace: Workspace):
    run = finished_run(workspace, steps)
    with pytest.raises(CollectionError, match=rf"'bleu'.*runs score {run} --metrics bleu"):
        made(workspace, runs=[run], pick={"metric": "bleu"})
    with pytest.raises(CollectionError, match=r"rate it first"):
        made(workspace, runs=[run], pick={"by": "wins"})
    with pytest.raises(CollectionError, match="Nobody compared"):
        made(workspace, "preference", runs=[run])


def test_the_task_is_the_trainings_own(workspace: Workspace):
    run = finished_run(workspace, steps)
    with pytest.raises(CollectionError, match=r"'label'.*'completion'"):
        collect(workspace, "mine", Collect(runs=(run,), task="label"), "completion")


def test_cleaning_balance_and_limit_leave_what_they_drop_to_be_looked_at(workspace: Workspace):
    run = finished_run(workspace, steps, models=["one", "two"], repeats=2)
    pick = {"per_row": 4}
    items, report = made(workspace, runs=[run], pick=pick, clean=[{"contains": "Adding"}])
    assert (len(items), report["items"], report["dropped"]) == (6, 12, {"contains": 6})
    with pytest.raises(CollectionError, match=r"none of the 12 items \(12 by length\)"):
        made(workspace, runs=[run], pick=pick, clean=[{"length": 3}])
    items, report = made(workspace, runs=[run], balance={"by": "parity"}, limit=4, seed=3)
    assert len(items) == 4
    assert report["dropped"] == {"limit": 2}
    again, _ = made(workspace, runs=[run], balance={"by": "parity"}, limit=4, seed=3)
    assert again == items


def test_a_file_of_examples_joins_the_same_collection(workspace: Workspace):
    run = finished_run(workspace, steps)
    line = '{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "%s"}]}\n'
    file = workspace.root / "mine.jsonl"
    file.write_text(line % ("What is 1 + 1?", "2") + line % ("what is  900 + 7", "907"))
    items, report = made(workspace, runs=[run], files="mine.jsonl")
    assert [item.origin.kind for item in items] == ["output"] * 6 + ["import"]
    assert report["files"] == [{"file": "mine.jsonl", "items": 2, "unmapped": []}]
    assert report["overlaps"]["listed"][0]["row_id"] == "test-900"
    with pytest.raises(CollectionError, match=r"mine.jsonl holds items of task 'completion'"):
        made(workspace, "label", files="mine.jsonl")


@pytest.mark.parametrize(
    "line",
    [
        {"messages": [{"role": "system", "content": "what is 900 + 7"}, {"role": "user", "content": "Go."}]},
        {
            "messages": [
                {"role": "user", "content": "what is 900 + 7"},
                {"role": "assistant", "content": "907"},
                {"role": "user", "content": "Sure?"},
            ]
        },
        {"instruction": "Add.", "input": "what is 900 + 7", "output": "907"},
    ],
)
def test_a_held_back_row_is_found_wherever_a_file_shows_it(workspace: Workspace, line: dict[str, Any]):
    if "messages" in line:
        line = {"messages": [*line["messages"], {"role": "assistant", "content": "907"}]}
    file = workspace.root / "mine.jsonl"
    file.write_text(json.dumps(line) + "\n")
    assert import_examples(workspace, [file]).held_back == 1
    with pytest.raises(CollectionError, match="all repeat held-back rows"):
        made(workspace, files="mine.jsonl")


def test_the_list_names_each_collection_by_what_it_keeps(workspace: Workspace):
    run = finished_run(workspace, steps)
    items, _ = made(workspace, runs=[run])
    (line,) = collections(workspace)
    assert (line.name, line.task, line.kept, line.dropped) == ("mine", "completion", 6, 0)
    assert line.version == collection_version(items)
    with pytest.raises(CollectionError, match=r"not a usable name"):
        collect(workspace, "../mine", Collect(runs=(run,)))


def test_nothing_is_learnt_from_a_split_that_is_kept_for_evaluation(workspace: Workspace):
    run = finished_run(workspace, steps, dataset={"name": "sums", "split": "test"})
    with pytest.raises(CollectionError, match=r"'sums#test', which is kept for evaluation.*--splits train"):
        made(workspace, runs=[run])
    items, _ = made(workspace, runs=[run], apart_from=["sums#train"])
    assert len(items) == 6
    text = "name: later\ndataset: {name: sums}\nprompts: direct\nmodels: one\n"
    (workspace.experiments_dir / "later.yaml").write_text(text)
    with pytest.raises(CollectionError, match=r"Experiment 'later' is over 'sums#test'"):
        find_sources(workspace, Collect(runs=("later",)))


def test_rows_that_repeat_a_held_back_row_are_dropped_and_listed(workspace: Workspace):
    story = "The tram starts with 30 passengers. At the depot it gets {} passengers. How many are there now?"
    write_split(workspace.root, "more", "dev", [sum_row(101, "dev") | {"question": "what is 101 + 7"}])
    write_split(workspace.root, "more", "validation", [{"id": "v", "text": story.format(18)}])
    rows = [sum_row(number, "train") for number in (100, 101)]
    rows.append(
        {"id": "long", "question": "Well: " + story.format(18).replace("now", "left"), "answer": "48"}
    )
    rows.append({"id": "other", "question": "Well: " + story.format(19), "answer": "49"})
    write_split(workspace.root, "sums", "train", rows)
    items, report = made(workspace, runs=[finished_run(workspace, steps)])
    assert [item.origin.row_id for item in items] == ["train-100", "other"]
    assert report["apart_from"] == ["more#dev", "more#validation", "sums#test"]
    same, long = sorted(report["overlaps"]["listed"], key=lambda one: one["row"], reverse=True)
    assert (same["row"], same["how"], same["split"], same["row_id"]) == (
        "train-101",
        "same words",
        "more#dev",
        "dev-101",
    )
    assert (long["row"], long["how"], long["split"]) == ("long", "13 words in a row", "more#validation")
    assert long["words"].startswith("the tram starts with 30 passengers")
    assert report["left_out"] == {"repeats a held-back row": 2}


@pytest.mark.parametrize(
    "examples", ["{from: 'sums#test', count: 2}", "{rows: [{question: 'what is 901 + 7', answer: 908}]}"]
)
def test_held_back_rows_are_no_examples_of_a_taught_prompt(workspace: Workspace, examples: str):
    text = f"name: peek\n{PROMPTS['direct']}\nexamples: {examples}\n"
    (workspace.root / "prompts" / "peek.yaml").write_text(text)
    run = finished_run(workspace, steps, prompts=["peek", "direct"])
    for settings in ({}, {"teach": "peek"}, {"prompts": "peek"}):
        with pytest.raises(CollectionError, match=r"'peek' shows examples out of 'sums#test'.*teach: PROMPT"):
            made(workspace, runs=[run], **settings)
    for settings in ({"teach": "direct"}, {"prompts": "direct"}):
        items, _ = made(workspace, runs=[run], **settings)
        assert {len(item.messages) for item in items} == {1}


@pytest.mark.parametrize(
    ("split", "kept_back"), [("test-hard", True), ("Dev2", True), ("latest", False), ("contest", False)]
)
def test_a_split_is_kept_apart_by_a_word_of_its_name(workspace: Workspace, split: str, kept_back: bool):
    write_split(workspace.root, "more", split, [sum_row(1, "x")])
    held_back = held_back_splits(workspace, Collect(runs=("samples",)))
    assert (f"more#{split}" in held_back) is kept_back


def test_splits_to_be_kept_apart_must_be_there(workspace: Workspace):
    run = finished_run(workspace, steps)
    with pytest.raises(UnknownName, match=r"split in dataset 'sums' named 'tset'"):
        made(workspace, runs=[run], apart_from=["sums#tset"])
    with pytest.raises(CollectionError, match=r"DATASET#SPLIT"):
        made(workspace, runs=[run], apart_from=["sums"])
