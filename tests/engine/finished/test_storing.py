"""Finished outputs become a run like any other, whole or not at all."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.engine.finished.conftest import stored
from workbench.core.prompt import AnswerRule
from workbench.engine import (
    Workspace,
    add_metrics,
    compare,
    export_winner,
    find_run,
    progress,
    remove_metric,
    report,
    resume_run,
    rows,
    winner,
)
from workbench.engine.finished.prompt_stand_ins import PromptNames, as_literal, stand_in
from workbench.engine.finished.records import (
    FinishedOutput,
    FinishedPreference,
    ImportSettings,
    Side,
    Unmapped,
)
from workbench.engine.finished.storing import Origin, store_finished
from workbench.errors import DatasetError, RunError, UsageError
from workbench.prompting.render import Renderer

SUM = FinishedOutput("1", {"question": "1 + 1?"}, "direct", "gpt", "Answer: 2", reference="2")


def sums(**changes: object) -> list[FinishedOutput]:
    """Two models on three rows; the second is always right."""
    return [
        replace(
            SUM,
            row_id=str(number),
            row={"question": f"{number} + 1?"},
            reference=str(number + 1),
            model=model,
            text=f"Answer: {number + 1 if model == 'right' or number == 1 else 0}",
            **changes,  # type: ignore[arg-type]
        )
        for number in (1, 2, 3)
        for model in ("some", "right")
    ]


def test_an_imported_run_is_reported_compared_won_and_browsed(workspace: Workspace):
    made = store_finished(workspace, sums(), "sums")
    assert (made.rows, made.cells, made.outputs, made.ratings) == (3, 2, 6, 0)
    run = find_run(workspace, "sums")
    assert run == made.run
    add_metrics(workspace, run, ["contains"])
    means = {cell.cell.model: cell.metrics["contains"].mean for cell in report(workspace, run).cells}
    assert means == {"some": pytest.approx(1 / 3), "right": 1.0}
    (line,) = compare(workspace, run, "contains").comparisons
    assert (line.cell.model, line.n, line.difference) == ("right", 3, pytest.approx(2 / 3))
    assert winner(workspace, run, "contains").cell.model == "right"
    page = rows(workspace, run)
    assert next((row.row_id, row.reference, len(row.outputs)) for row in page.rows) == ("1", "2", 2)
    state = progress(workspace, run)
    assert (state.status, state.done, state.total) == ("completed", 6, 6)


def test_where_the_outputs_come_from_is_kept(workspace: Workspace):
    origin = Origin("sums.json", "table", "0" * 64)
    made = store_finished(workspace, sums(), "sums", origins=[origin])
    record = workspace.store.runs.get(made.run)
    assert record is not None
    assert record.message == "Imported from sums.json (table)."
    assert record.definition["imported"] == [{"file": "sums.json", "format": "table", "sha256": "0" * 64}]


def test_nothing_can_be_resumed_in_an_imported_run(workspace: Workspace):
    made = store_finished(workspace, [replace(SUM, text="", error="timed out")], "sums")
    before = stored(workspace)
    with pytest.raises(RunError, match="were imported, so there is nothing to ask again"):
        resume_run(workspace, made.run)
    assert stored(workspace) == before


def test_scores_come_along_with_intervals_and_can_be_taken_out_and_put_back(workspace: Workspace):
    items = [replace(item, scores={"ok": float("2" in item.text), "grade": 3.0}) for item in sums()]
    made = store_finished(workspace, items, "sums")
    assert made.scores == ("imported:ok", "imported:grade")
    cell = report(workspace, made.run).cells[0]
    assert cell.metrics["imported:ok"].mean == pytest.approx(1 / 3)
    assert cell.metrics["imported:ok"].low < 1 / 3 < cell.metrics["imported:ok"].high
    assert cell.metrics["imported:grade"].mean == 3
    spec = remove_metric(workspace, made.run, "imported:grade")
    assert "imported:grade" not in report(workspace, made.run).cells[0].metrics
    add_metrics(workspace, made.run, [spec])
    assert report(workspace, made.run).cells[0].metrics["imported:grade"].mean == 3


def test_less_of_a_score_may_be_better(workspace: Workspace):
    items = [replace(item, scores={"toxicity": 0.9 if item.model == "some" else 0.1}) for item in sums()]
    made = store_finished(workspace, items, "sums", settings=ImportSettings(lower=("toxicity",)))
    assert winner(workspace, made.run).cell.model == "right"
    with pytest.raises(UsageError, match=r"No output has a score 'toxic'.*scores: toxicity"):
        store_finished(workspace, items, "more", settings=ImportSettings(lower=("toxic",)))


def test_what_is_not_a_number_is_not_scored(workspace: Workspace):
    values = [1.0, math.nan, None, math.inf, 0.0, 1.0]
    items = [replace(item, scores={"ok": value}) for item, value in zip(sums(), values, strict=True)]
    made = store_finished(workspace, items, "sums")
    some, right = (cell.metrics["imported:ok"] for cell in report(workspace, made.run).cells)
    assert (some.n, some.unscored, some.mean) == (2, 1, 0.5)
    assert (right.n, right.unscored, right.mean) == (1, 2, 1.0)


def test_answers_are_the_files_unless_a_rule_reads_them(workspace: Workspace):
    given = store_finished(workspace, sums(answer="B"), "given")
    assert workspace.store.outputs.of_cell(given.run, 0)[0].answer == "B"
    rule = AnswerRule(after="Answer:", type="number")
    read = store_finished(workspace, sums(answer="B"), "read", settings=ImportSettings(answer=rule))
    assert workspace.store.outputs.of_cell(read.run, 0)[0].answer == "2"
    means = [cell.metrics["exact_match"].mean for cell in report(workspace, read.run).cells]
    assert means == [pytest.approx(1 / 3), 1.0]


def test_what_the_file_does_not_tell_of_time_and_tokens_is_unknown_and_not_nothing(workspace: Workspace):
    told = replace(SUM, row_id="2", prompt_tokens=7, completion_tokens=2, latency_s=1.5, cost_usd=0.25)
    made = store_finished(workspace, [SUM, told], "sums")
    add_metrics(workspace, made.run, ["latency", "tokens", "cost"])
    metrics = report(workspace, made.run).cells[0].metrics
    assert [(metrics[name].mean, metrics[name].n) for name in ("latency", "tokens", "cost")] == [
        (1.5, 1),
        (9, 1),
        (0.25, 1),
    ]


def test_repeats_are_numbered_where_the_file_does_not(workspace: Workspace):
    made = store_finished(workspace, [SUM, replace(SUM, text="3"), replace(SUM, model="other")], "sums")
    assert [o.repeat for o in workspace.store.outputs.of_cell(made.run, 0)] == [0, 1]
    assert (made.rows, made.outputs) == (1, 3)
    add_metrics(workspace, made.run, ["stability"])
    assert [cell.rows for cell in report(workspace, made.run).cells] == [1, 1]


def test_errors_are_kept_and_not_scored(workspace: Workspace):
    items = [SUM, replace(SUM, row_id="2", text="", error="429: too many requests", scores={"ok": 1.0})]
    made = store_finished(workspace, items, "sums")
    cell = report(workspace, made.run).cells[0]
    assert (cell.outputs, cell.errors) == (2, 1)
    assert cell.metrics["exact_match"].n == 1


def test_prompts_get_usable_names_and_keep_what_they_were_called(workspace: Workspace):
    label = "You are {{ terse }}.\n" + "Answer: {{ question }} " * 20
    items = [replace(SUM, prompt=label), replace(SUM, prompt="../../etc/passwd"), replace(SUM, prompt="")]
    made = store_finished(workspace, items, "sums")
    cells = report(workspace, made.run).cells
    names = [cell.cell.prompt for cell in cells]
    assert names[0].startswith("You-are-terse")
    assert names[1:] == ["etc-passwd", "prompt"]
    assert len(names[0]) <= 60


def test_two_labels_never_share_a_name():
    names = PromptNames()
    found = [names.name_of(label) for label in ("a b", "a-b", "A b", "a b")]
    assert found == ["a-b", "a-b-2", "A-b-3", "a-b"]


def test_a_text_that_only_looks_like_a_template_stays_that_text():
    text = "{% for {{ x }} {# {{{ a }"
    assert Renderer(stand_in("p", "p", (("user", text),), AnswerRule())).messages({})[0]["content"] == text
    assert as_literal("{a} is plain") == "{a} is plain"


def test_the_winner_is_exported_with_its_template(workspace: Workspace):
    items = [replace(item, messages=(("system", "Be brief."), ("user", "{{ question }}"))) for item in sums()]
    made = store_finished(workspace, items, "sums")
    _, text = export_winner(workspace, made.run)
    assert "content: '{{ question }}'" in text
    assert "Be brief." in text


def preference(**changes: object) -> FinishedPreference:
    """Ada prefers the second."""
    one = FinishedPreference("1", {"q": "?"}, "Ada", Side("p", "m1", "a"), Side("p", "m2", "b"), 0.0)
    return replace(one, **changes)  # type: ignore[arg-type]


def test_preferences_become_ratings_and_draws_stay_draws(workspace: Workspace):
    turned = preference(first=Side("p", "m2", "b"), second=Side("p", "m1", "a"), value=1.0, rater="Bob")
    draw = preference(row_id="2", value=0.5)
    made = store_finished(workspace, [preference(), turned, draw], "pairs")
    assert (made.rows, made.cells, made.outputs, made.ratings) == (2, 2, 4, 3)
    ratings = workspace.store.ratings.current(made.run)
    found = [(r.rater, r.position, r.cell, r.other, r.value, r.first, r.chosen) for r in ratings]
    assert found == [
        ("ada", 0, 0, 1, 0.0, 0, "import"),
        ("bob", 0, 0, 1, 0.0, 1, "import"),
        ("ada", 1, 0, 1, 0.5, 0, "import"),
    ]


def test_a_preference_that_stands_twice_counts_once_and_a_changed_mind_twice(workspace: Workspace):
    notes = Unmapped()
    made = store_finished(
        workspace, [preference(), preference(), preference(value=1.0)], "pairs", unmapped=notes
    )
    assert made.ratings == 2
    assert made.unmapped == ("preference that stands more than once, word for word",)
    assert len(workspace.store.ratings.current(made.run)) == 2


def test_preferences_over_other_texts_are_about_another_repeat(workspace: Workspace):
    other = preference(first=Side("p", "m1", "another text"))
    made = store_finished(workspace, [preference(), other], "pairs")
    assert [rating.repeat for rating in workspace.store.ratings.current(made.run)] == [0, 1]
    assert made.outputs == 4


def test_preferences_without_a_value_or_two_sides_make_no_rating(workspace: Workspace):
    same = preference(second=Side("p", "m1", "b"), row_id="2")
    made = store_finished(workspace, [preference(value=None), same], "pairs")
    assert (made.ratings, made.outputs) == (0, 2)
    assert len(made.unmapped) == 2


BAD = {
    "two different right answers": [SUM, replace(SUM, model="b", reference="3")],
    "two outputs of direct · gpt": [replace(SUM, repeat=0), replace(SUM, repeat=0)],
    "more than 1,000 outputs in one cell": [replace(SUM, repeat=1000)],
    "more than 200 pairs of prompt and model": [replace(SUM, model=f"m{n}") for n in range(201)],
    "NUL character": [SUM, replace(SUM, row_id="2", text="a\x00b")],
    "half of a character": [SUM, replace(SUM, row_id="2", row={"a": "\ud800"})],
    "cannot be kept as JSON": [SUM, replace(SUM, row_id="2", row={"a": math.nan})],
    "no outputs": [],
}


@pytest.mark.parametrize("sentence", BAD)
def test_what_cannot_be_stored_is_one_sentence_and_changes_nothing(workspace: Workspace, sentence: str):
    before = stored(workspace)
    with pytest.raises(DatasetError, match=sentence):
        store_finished(workspace, BAD[sentence], "sums")
    assert stored(workspace) == before


def test_a_name_that_is_taken_or_leaves_its_folder_is_refused(workspace: Workspace):
    (workspace.experiments_dir / "sums.yaml").write_text(
        "name: sums\ndataset: {name: sums}\nprompts: [direct]\nmodels: [small]\n"
    )
    for name in ("sums", "../sums", "", "a" * 101):
        with pytest.raises(UsageError):
            store_finished(workspace, sums(), name)


def test_rows_are_shared_by_content_and_other_columns_are_told(workspace: Workspace):
    later = replace(SUM, model="other", row={"question": "1 + 1?", "seconds": 3})
    made = store_finished(workspace, [SUM, later], "one")
    assert "other columns" in made.unmapped[0]
    again = store_finished(workspace, [SUM], "two")
    first, second = (workspace.store.runs.get(run) for run in (made.run, again.run))
    assert first is not None and second is not None
    assert first.row_set == second.row_set
    (line,) = compare(workspace, again.run, across=made.run).comparisons
    assert line.n == 1


def test_an_output_of_a_megabyte_and_one_of_html_stay_texts(workspace: Workspace):
    long = "word " * 200_000
    html = "<img src=x onerror=alert(1)>"
    made = store_finished(workspace, [replace(SUM, text=long), replace(SUM, row_id="2", text=html)], "sums")
    texts = [output.text for output in workspace.store.outputs.of_cell(made.run, 0)]
    assert texts == [long, html]
