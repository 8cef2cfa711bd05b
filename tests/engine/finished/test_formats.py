"""Tables, AlpacaEval and ChainForge: what maps to what, what is left out, and bad files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.finished.conftest import public, stored
from workbench.engine import (
    RatingDesk,
    Workspace,
    add_metrics,
    compare,
    leaderboard,
    report,
    rows,
    slices,
    winner,
)
from workbench.engine.finished.importing import finished_format_of, import_finished, name_of
from workbench.engine.finished.records import ImportSettings
from workbench.errors import InvalidFile, UnknownName, UsageError, WorkbenchError

Write = Callable[[str, Any], Path]

TABLE = [
    {"q": "1 + 1?", "gold": "2", "who": "gpt", "reply": "2", "ok": True, "note": 1},
    {"q": "1 + 1?", "gold": "2", "who": "claude", "reply": "3", "ok": False, "note": 1},
    {"q": "2 + 1?", "gold": "3", "who": "gpt", "reply": None, "ok": None, "note": 2},
    {"q": "2 + 1?", "gold": "3", "who": "claude", "reply": "3", "ok": True, "note": 2},
]
COLUMNS = ImportSettings(output="reply", model="who", reference="gold", scores=("ok",))

OUTPUTS = [
    {"instruction": "Name a prime.", "output": "7", "generator": "m1", "dataset": "koala"},
    {"instruction": "Say hi.", "output": "hi", "generator": "m1", "dataset": "vicuna", "raw": {}},
]
ANNOTATION = {
    "instruction": "Name a prime.",
    "output_1": "7",
    "generator_1": "m1",
    "output_2": "9",
    "generator_2": "m2",
    "annotator": "GPT4 ",
    "preference": 1.0,
}


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_a_table_of_any_kind_is_imported_by_its_columns(workspace: Workspace, tmp_path: Path, kind: str):
    import pandas

    frame = pandas.DataFrame(TABLE[:2] + TABLE[3:])
    file = tmp_path / f"replies.{kind}"
    if kind == "parquet":
        frame.to_parquet(file)
    elif kind.startswith("json"):
        frame.to_json(file, orient="records", lines=kind == "jsonl")
    else:
        frame.to_csv(file, index=False, sep="\t" if kind == "tsv" else ",")
    made = import_finished(workspace, [file], settings=COLUMNS)
    assert (made.name, made.rows, made.cells, made.outputs) == ("replies", 2, 2, 3)
    metrics = [cell.metrics["imported:ok"].mean for cell in report(workspace, made.run).cells]
    assert metrics == [1.0, 0.5]
    add_metrics(workspace, made.run, ["exact_match"])
    assert [c.metrics["exact_match"].mean for c in report(workspace, made.run).cells] == [1.0, 0.5]
    assert set(rows(workspace, made.run).rows[0].row) == {"id", "q", "note", "reference"}


def test_an_empty_cell_of_json_is_a_call_that_failed(workspace: Workspace, write: Write):
    made = import_finished(workspace, [write("replies.json", TABLE)], settings=COLUMNS)
    assert [cell.errors for cell in report(workspace, made.run).cells] == [1, 0]


def test_the_row_column_brings_lines_of_several_files_together(workspace: Workspace, write: Write):
    one = write("a.jsonl", '{"n": 1, "text": "x", "t": 0.1}\n{"n": 2, "text": "y", "t": 0.2}\n')
    two = write("b.jsonl", '{"n": 2, "text": "z", "t": 0.3}\n')
    settings = ImportSettings(output="text", row="n")
    made = import_finished(workspace, [one, two], "both", settings=settings)
    assert (made.rows, made.cells, made.outputs) == (2, 1, 3)
    assert "other columns" in made.unmapped[0]


def test_wrong_columns_and_scores_are_one_sentence(workspace: Workspace, write: Write):
    file = write("replies.json", TABLE)
    with pytest.raises(UnknownName, match=r"no column named 'rely'\. Did you mean 'reply'"):
        import_finished(workspace, [file], settings=ImportSettings(output="rely"))
    with pytest.raises(InvalidFile, match="item 1: column 'who' holds 'gpt', which is no score"):
        import_finished(workspace, [file], settings=ImportSettings(output="reply", scores=("who",)))
    with pytest.raises(UsageError, match="--output COLUMN"):
        import_finished(workspace, [file], format_name="table")
    both = ImportSettings(output="reply", model="who", model_name="gpt")
    with pytest.raises(UsageError, match="not with both"):
        import_finished(workspace, [file], settings=both)


def test_a_table_without_the_option_is_no_finished_output(workspace: Workspace, write: Write):
    assert finished_format_of(write("replies.json", TABLE)) is None
    with pytest.raises(UsageError, match="no finished outputs of a known format"):
        import_finished(workspace, [write("replies.json", TABLE)])


def test_alpaca_eval_outputs_and_annotations_meet_in_one_run(workspace: Workspace, write: Write):
    draw = ANNOTATION | {"preference": 1.5, "annotator": "ada"}
    old_draw = ANNOTATION | {"preference": 0, "annotator": "old"}
    between = ANNOTATION | {"preference": 1.93, "annotator": "judge", "time_per_example": 2.0}
    missing = ANNOTATION | {"preference": None, "annotator": "none"}
    annotations = write("annotations.json", [ANNOTATION, draw, old_draw, between, missing])
    made = import_finished(workspace, [write("m1.json", OUTPUTS), annotations], "alpaca")
    assert (made.rows, made.cells, made.outputs, made.ratings) == (2, 2, 3, 4)
    assert made.unmapped == (
        "key 'raw' of an output",
        "other columns in a later output of a row; those of its first were kept (5 times)",
        "key 'time_per_example' of an annotation",
        "annotation without a preference",
    )
    found = {r.rater: (r.value, r.note) for r in workspace.store.ratings.current(made.run)}
    assert found == {
        "gpt4": (1.0, ""),
        "ada": (0.5, ""),
        "old": (0.5, ""),
        "judge": (0.0, "preference 1.93 of 1 to 2"),
    }


def test_imported_preferences_count_in_the_leaderboard_and_rating_goes_on(workspace: Workspace, write: Write):
    asked = [ANNOTATION | {"instruction": f"Name {n} primes."} for n in range(20)]
    made = import_finished(workspace, [write("annotations.json", asked)])
    best, worst = leaderboard(workspace, made.run).cells
    assert (best.cell.model, best.n, worst.win_rate) == ("m1", 20, 0.0)
    desk = RatingDesk(workspace, made.run, "ada")
    shown = desk.next()
    assert shown is not None and sorted(shown.texts) == ["7", "9"]
    desk.rate(shown.item, 0.5)
    assert leaderboard(workspace, made.run).cells[0].n == 21


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"preference": 3}, "item 1: `preference` is 1"),
        ({"preference": "first"}, "item 1: `preference` is a number"),
        ({"output_1": None}, "item 1: `output_1` is a text, and here it is null"),
    ],
)
def test_a_wrong_annotation_is_named_by_its_place(
    workspace: Workspace, write: Write, changed: dict[str, Any], sentence: str
):
    with pytest.raises(InvalidFile, match=sentence):
        import_finished(workspace, [write("annotations.json", [ANNOTATION | changed])])


def test_a_damaged_file_changes_nothing(workspace: Workspace, write: Write):
    good, text = write("a.json", OUTPUTS), json.dumps(OUTPUTS * 50)
    before = stored(workspace)
    for number, cut in enumerate((text[:-1], text[:-40], text[:300], text + "]", text[:-1] + ", 7]")):
        damaged = write(f"damaged-{number}.json", cut)
        with pytest.raises(InvalidFile, match=damaged.name):
            import_finished(workspace, [good, damaged], "both")
    assert stored(workspace) == before


def test_formats_that_are_named_wrongly_are_one_sentence(workspace: Workspace, write: Write):
    file = write("a.json", OUTPUTS)
    with pytest.raises(UnknownName, match="Did you mean 'alpaca_eval'"):
        import_finished(workspace, [file], format_name="alpaca-eval")
    with pytest.raises(UsageError, match=r"ends in \.json"):
        import_finished(workspace, [write("a.csv", "a,b\n1,2\n")], format_name="alpaca_eval")
    with pytest.raises(InvalidFile):
        import_finished(workspace, [file], format_name="chainforge")
    with pytest.raises(InvalidFile, match="does not begin like a file of format chainforge"):
        import_finished(workspace, [write("b.cforge", OUTPUTS)])


def test_a_file_that_may_be_two_things_asks_which(workspace: Workspace, write: Write):
    both = [OUTPUTS[0] | {"flow": {"nodes": []}}]
    assert finished_format_of(write("a.json", both)) == "alpaca_eval"
    text = json.dumps({"flow": {"nodes": []}, "cache": {}, "a": 1})
    with pytest.raises(InvalidFile, match="keeps no responses"):
        import_finished(workspace, [write("b.cforge", text)])


def test_names_of_runs_come_from_file_names_without_their_folders():
    assert name_of("/data/GSM8K test (1).jsonl") == "GSM8K-test-1"
    assert name_of("..\\..\\secret.json") == "secret"
    assert name_of("../../..") == "imported"
    assert name_of("a/alpaca_eval_claude-2.json", "b/alpaca_eval_vicuna-7b.json") == "alpaca_eval"
    assert name_of("gpt-4.json", "gpt-3.5.json") == "gpt"
    assert name_of("claude.jsonl", "clever.jsonl") == "claude"


FLOW: dict[str, Any] = {
    "flow": {
        "nodes": [
            {"id": "p", "type": "prompt", "data": {"title": "Ask", "prompt": "Say {x} \\{now\\} {y}"}},
            {"id": "s", "type": "simpleval",
             "data": {"operation": "contains", "varSelected": True, "varValue": "Gold"}},
            {"id": "e", "type": "evaluator", "data": {"title": "Length", "code": "import os"}},
            {"id": "j", "type": "join", "data": {}},
        ],
        "edges": [],
    },
    "cache": {
        "p_0.json": {"Say a": [{"responses": ["old"], "uid": "u0", "llm": "m", "vars": {"x": "a"}}]},
        "p.json": {
            "responses_last_run": [
                {"uid": "u1", "llm": {"name": "m"}, "vars": {"x": 1}, "metavars": {"Gold": 0, "LLM_0": "m"},
                 "prompt": "Say a", "responses": [0, 2, {"t": "img", "d": "…"}]},
            ]
        },
        "s.json": [
            {"uid": "u1", "responses": [0], "eval_res": {"items": [True]}},
            {"uid": "u1", "responses": [2], "eval_res": {"items": [False]}},
        ],
        "e.json": [
            {"uid": "u1", "responses": [0, 2],
             "eval_res": {"items": [{"words": 1, "kind": "short"}, {"words": 3}]}},
        ],
        "r.u1.grade": {"0": True},
        "__s": ["b", "a", "not that"],
    },
}  # fmt: skip


def test_a_flow_becomes_cells_rows_repeats_and_scores(workspace: Workspace, write: Write):
    made = import_finished(workspace, [write("x.cforge", FLOW)])
    assert (made.rows, made.cells, made.outputs) == (1, 1, 2)
    assert set(made.scores) == {"imported:contains", "imported:Length: words", "imported:grade"}
    (view,) = rows(workspace, made.run).rows
    assert view.row == {"id": view.row_id, "x": "a", "Gold": "b", "reference": "b"}
    first, second = workspace.store.outputs.of_cell(made.run, 0)
    assert (first.text, second.text, second.repeat) == ("b", "not that", 1)
    record = workspace.store.runs.get(made.run)
    assert record is not None
    content = record.definition["prompts"]["Ask"]["messages"][0]["content"]
    assert content == "Say {{ x }} {now} {y}"
    assert record.definition["imported"][0]["format"] == "chainforge"
    scores = workspace.store.scores.of_run(made.run)
    assert scores[0, "imported:contains"].values.tolist() == [1.0, 0.0]
    assert scores[0, "imported:Length: words"].values.tolist() == [1.0, 3.0]
    assert "code of evaluator 'Length' (its scores were imported)" in made.unmapped
    assert "node 'j' of type join" in made.unmapped
    assert "image among the responses" in made.unmapped


def test_a_flow_of_before_last_runs_were_kept_is_read_from_its_cache(workspace: Workspace, write: Write):
    old = json.loads(json.dumps(FLOW))
    del old["cache"]["p.json"]
    made = import_finished(workspace, [write("x.cforge", old)])
    assert [o.text for o in workspace.store.outputs.of_cell(made.run, 0)] == ["old"]


def test_hostile_flows_are_one_sentence(workspace: Workspace, write: Write):
    before = stored(workspace)
    for number, change in enumerate(
        [
            {"flow": {"nodes": [7]}},
            {"flow": {"nodes": [{"id": "p"}]}, "cache": {"p.json": {"responses_last_run": [7]}}},
            {"flow": {"nodes": []}, "cache": {"p.json": {"responses_last_run": [{"responses": 3}]}}},
            {"flow": {"nodes": []}, "cache": []},
            {"flow": {"nodes": []}, "cache": {"s.json": [{"eval_res": {"items": 3}, "responses": [1]}]}},
        ]
    ):
        with pytest.raises(WorkbenchError, match=f"{number}.cforge"):
            import_finished(workspace, [write(f"{number}.cforge", change)])
    assert stored(workspace) == before


def test_the_public_alpaca_eval_files_are_compared_side_by_side(workspace: Workspace):
    names = ("text_davinci_003", "claude-2", "vicuna-7b")
    files = public(*(f"alpaca_eval_{name}.json" for name in names))
    told: list[tuple[str, int, int]] = []
    made = import_finished(workspace, files, "alpaca", on_reading=lambda *at: told.append(at))
    assert (made.rows, made.cells, made.outputs, made.unmapped) == (805, 3, 2415, ())
    assert {file for file, _, _ in told} == {file.name for file in files}
    assert all(0 < done <= total for _, done, total in told)
    add_metrics(workspace, made.run, [{"name": "length", "max": 100}])
    shown = report(workspace, made.run)
    assert [cell.cell.model for cell in shown.cells] == list(names)
    found = compare(workspace, made.run, 'length{"max": 100}')
    assert {line.cell.model: line.verdict for line in found.comparisons} == {
        "claude-2": "worse",
        "vicuna-7b": "worse",
    }
    assert winner(workspace, made.run, 'length{"max": 100}').cell.model == "text_davinci_003"
    page = rows(workspace, made.run, limit=50)
    assert page.total == 805
    assert all(len(row.outputs) == 3 for row in page.rows)
    assert len(slices(workspace, made.run, "dataset").slices) == 5
    for rater in ("ada", "bob"):
        for _ in range(3):
            shown = RatingDesk(workspace, made.run, rater).next()
            assert shown is not None
            assert set(shown.row) == {"instruction"}
            RatingDesk(workspace, made.run, rater).rate(shown.item, 1.0)
    board = leaderboard(workspace, made.run)
    assert sum(cell.n for cell in board.cells) == 12


def test_our_own_metric_gives_the_public_flows_scores_on_all_fifty_responses(workspace: Workspace):
    made = import_finished(workspace, public("chainforge_basic-math.cforge"))
    assert (made.rows, made.cells, made.outputs) == (5, 5, 50)
    add_metrics(workspace, made.run, ["contains", {"name": "contains_any", "case": True}, "exact_match"])
    scores = workspace.store.scores.of_run(made.run)
    equal = {
        name: sum(
            int(np.sum(scores[cell, name].values == scores[cell, "imported:contains"].values))
            for cell in range(5)
        )
        for name in ("contains", 'contains_any{"case": true}', "exact_match")
    }
    assert equal == {"contains": 50, 'contains_any{"case": true}': 50, "exact_match": 46}
