"""The Size page: what it says of hand-made figures, and what it shows of a real run."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Visit, texts
from tests.app.sizes_made_by_hand import hosted, made, point
from tests.fake_openai import openai_server
from workbench.app.widgets.size_axes import AXES
from workbench.app.widgets.size_labels import box_of, overlap, positions
from workbench.app.widgets.size_pays import rows, said
from workbench.app.widgets.size_table import ORDERS, ordered, unmeasured
from workbench.app.widgets.size_words import answer, difference, rows_to_tell, verdict
from workbench.core.run import MetricEstimate
from workbench.core.sizing import BreakEven, DoublingGain, Sizes
from workbench.engine import Workspace, create_run, execute_run

BEST = point(0, "small", "fp32", 0.80, 500, good=True)
GOOD = point(1, "small", "int8", 0.79, 205, 0.01, 0.018, good=True)
OPEN = point(2, "small", "nf4", 0.79, 150, 0.01, 0.05, rows_needed=7400)
SHORT = point(3, "nano", "fp32", 0.40, 100, 0.40, 0.46)


def plain(sizes: Sizes, axis: str = "memory") -> str:
    """The head of the page without its marks."""
    found = answer(sizes, AXES[axis])
    return " ".join([found.sentence, *found.more]).replace("\\", "").replace("*", "").replace("\u2060", "")


# --- the sentence


def test_the_smallest_that_is_good_enough_is_named_with_both_qualities_and_its_share() -> None:
    assert plain(made(BEST, GOOD, smallest=1)) == (
        "small@int8 is the smallest that is not worse than small@fp32 by more than 2 points: "
        "0.790 [0.730, 0.850] against 0.800 [0.740, 0.860], in 41 % of the memory."
    )


def test_a_share_that_is_not_known_is_left_out() -> None:
    assert plain(made(BEST, GOOD, smallest=1), "usd").endswith("0.800 [0.740, 0.860].")


def test_a_smaller_model_that_cannot_be_judged_yet_says_how_many_rows_would_tell() -> None:
    found = plain(made(BEST, OPEN, smallest=0))
    assert "cannot be told yet whether the smaller small@nf4 is good enough" in found
    assert "about 7,200 more rows would tell" in found
    assert not answer(made(BEST, OPEN, smallest=0), AXES["memory"]).found


def test_a_model_that_falls_short_is_not_promised_more_rows() -> None:
    found = plain(made(BEST, SHORT, smallest=0))
    assert "no smaller model has been shown to be within 2 points of it" in found
    assert "nano@fp32: it falls 40 points short so far" in found
    assert "more rows" not in found


def test_the_best_may_be_the_smallest() -> None:
    assert "no other model of this run is smaller" in plain(
        made(replace(BEST, memory_bytes=50_000_000), SHORT, smallest=0)
    )


def test_a_hosted_best_that_no_local_model_comes_near_is_said_so() -> None:
    best = hosted(0, "big", 0.95, 0.4, good=True)
    assert "No local model of this run has been shown to be good enough: big, which is hosted" in plain(
        made(best, SHORT, smallest=0)
    )


def test_several_good_ones_of_unknown_size_are_all_named() -> None:
    found = plain(made(BEST, replace(GOOD, memory_bytes=None)))
    assert "by more than 2 points: small@fp32, small@int8" in found
    assert "cannot be told yet" in found


def test_a_run_without_scores_cannot_be_told() -> None:
    lost = replace(BEST, quality=MetricEstimate(math.nan, math.nan, math.nan, 0, 20))
    assert "cannot be told yet: no output of this run has a score" in plain(made(lost))


def test_names_are_shown_as_written_and_never_as_markdown() -> None:
    odd = point(1, "**[x](http://a.b)**", "int8", 0.79, 200, good=True)
    assert "**[x]" not in answer(made(BEST, odd, smallest=1), AXES["memory"]).sentence


def test_a_metric_that_is_no_share_is_not_said_in_points() -> None:
    assert difference(0.021, True) == "2.1 points"
    assert difference(0.01, True) == "1 point"
    assert difference(2.5, False) == "2.5"


def test_rows_that_would_tell_are_those_that_are_still_missing() -> None:
    assert rows_to_tell(replace(OPEN, rows_needed=1000)) == 800
    assert rows_to_tell(replace(OPEN, rows_needed=150)) == 20  # an estimate below what there is
    assert rows_to_tell(replace(OPEN, rows_needed=10**9)) is None
    assert rows_to_tell(SHORT) is None


@pytest.mark.parametrize(
    ("one", "words"),
    [(BEST, "best"), (GOOD, "good enough"), (OPEN, "about 7,200 more rows"), (SHORT, "falls short")],
)
def test_each_model_has_a_verdict(one: object, words: str) -> None:
    assert words in verdict(one, made(BEST, GOOD, OPEN, SHORT))  # type: ignore[arg-type]


# --- figures in words, order, places


def test_rows_are_rounded_to_what_matters() -> None:
    found = [rows(value) for value in (94, 12_345, 3.42e6, 250e6)]
    assert found == ["94", "12,000", "3.42 million", "250 million"]


def test_what_is_not_known_stands_last_in_every_order() -> None:
    lost = point(9, "lost", "fp32", math.nan, None, tokens_per_s=None, first_token_s=None)
    for order in set(ORDERS) - {"usd"}:
        assert ordered([lost, GOOD, BEST], order)[-1] is lost
    assert [one.base for one in ordered([BEST, GOOD, SHORT], "size")] == ["nano", "small", "small"]


def test_figures_that_were_not_measured_say_how_to_get_them() -> None:
    assert unmeasured(made(BEST, GOOD)) == ""
    lacking = unmeasured(made(BEST, replace(GOOD, memory_bytes=None)))
    assert "small@int8" in lacking and "--no-cache" in lacking


def test_a_volume_that_one_machine_cannot_work_off_is_said_so() -> None:
    assert "does not become cheaper" in said(BreakEven("small", "big", None, 1e6))
    assert "from about 120,000 rows a month on" in said(BreakEven("small", "big", 120_000, 1e6)).replace(
        "\\", ""
    )


def test_names_in_a_chart_lie_beside_each_other() -> None:
    places = [(100.0, 50.0), (120.0, 52.0), (300.0, 50.0), (630.0, 200.0)]
    names = ["small@fp32", "small@int8", "nano@int8", "a-long-name@q4_k_m"]
    sides = positions(places, names, 640)
    boxes = [box_of(x, y, 7.2 * len(name), side) for (x, y), name, side in zip(places, names, sides)]
    assert not any(overlap(one, other) for one in boxes for other in boxes if one is not other)
    assert all(box[2] <= 640 for box in boxes)


def test_of_two_dots_close_together_the_upper_has_its_name_above() -> None:
    sides = positions([(100.0, 50.0), (101.0, 64.0)], ["nano@int8", "nano@fp32"], 640)
    assert [side.split()[0] for side in sides] == ["bottom", "top"]


# --- drawn


def shown(sizes: Sizes, axis: str = "memory") -> AppTest:
    """The page's parts over hand-made figures."""

    def script(sizes: object, axis: str) -> None:
        from workbench.app.widgets.size_answer import size_answer, size_chart
        from workbench.app.widgets.size_axes import AXES
        from workbench.app.widgets.size_gains import gain_section
        from workbench.app.widgets.size_pays import break_even_section
        from workbench.app.widgets.size_table import size_table

        size_answer(sizes, AXES[axis])
        size_chart(sizes, AXES[axis], "chart")
        size_table(sizes)
        gain_section(sizes)
        break_even_section(sizes)

    test = AppTest.from_function(script, default_timeout=200, args=(sizes, axis)).run()
    assert not test.exception, [error.value for error in test.exception]
    return test


def test_every_model_stands_in_both_tables_and_the_chart_says_its_figures() -> None:
    test = shown(made(BEST, GOOD, OPEN, SHORT, hosted(4, "big", 0.85, 0.4), smallest=1))
    assert [len(table.value) for table in test.table] == [5, 5]
    alt = test.get("plotly_chart")[0].proto.alt
    assert "small@int8: 0.790 [0.730, 0.850], 205 MB" in alt


def test_figures_that_are_not_known_are_not_measured_and_not_zero() -> None:
    lost = replace(GOOD, memory_bytes=None, disk_bytes=None, tokens_per_s=None, rows_per_s=None)
    test = shown(made(BEST, lost, smallest=0))
    line = test.table[1].value.iloc[1].to_string()
    assert line.count("not\u00a0measured") == 4
    assert "Not drawn, as not measured" in texts(test).replace("\\", "")


def test_gains_and_break_evens_have_a_chart_and_a_table_each() -> None:
    priced = replace(GOOD, usd_per_1000_rows=0.003, cost_basis="machine")
    test = shown(
        made(
            priced,
            SHORT,
            hosted(2, "big", 0.7, 0.4),
            smallest=0,
            gains=(DoublingGain("int8", "nano", "small", 2.4, 0.15, -0.01, 0.2),),
            break_evens=(BreakEven("small@int8", "big", 80_000, 9e6),),
        )
    )
    assert len(test.get("plotly_chart")) == 3
    assert "has not been shown to be better" in texts(test)
    assert "80,000" in test.table[3].value.to_string().replace("\\", "")


@pytest.mark.parametrize("axis", AXES)
def test_a_run_of_hosted_models_only_is_compared_by_quality_and_usd(axis: str) -> None:
    test = shown(made(hosted(0, "big", 0.9, 0.4, good=True), hosted(1, "tiny", 0.6, None), smallest=0), axis)
    assert len(test.get("plotly_chart")) == 1
    if axis not in ("usd", "first_token"):  # what can be known of a hosted model as well
        assert "Every model of this run is hosted" in test.info[0].value


@pytest.mark.parametrize("axis", AXES)
def test_nothing_measured_says_what_to_do_instead_of_an_empty_chart(axis: str) -> None:
    measured = ("memory_bytes", "disk_bytes", "rows_per_s", "tokens_per_s", "first_token_s")
    nothing = dict.fromkeys(measured)
    test = shown(made(replace(BEST, **nothing), replace(SHORT, **nothing), smallest=0), axis)
    assert not test.get("plotly_chart")
    assert ("price" if axis == "usd" else "--no-cache") in test.info[0].value


def test_a_metric_above_one_and_models_without_scores_can_be_drawn() -> None:
    bleu = replace(BEST, quality=MetricEstimate(31.2, 29.0, 33.0, 200))
    lost = replace(SHORT, quality=MetricEstimate(math.nan, math.nan, math.nan, 0), shortfall=math.nan)
    test = shown(made(bleu, lost, smallest=0, margin=1.0))
    assert "not scored" in test.table[0].value.to_string().replace("\u00a0", " ")


# --- the page


def test_a_workspace_without_runs_offers_to_make_one(visit: Visit, root: Path) -> None:
    test = visit("size")
    assert "No run has several models yet" in texts(test)
    if (root / "experiments" / "sizes.yaml").exists():
        assert "Run sizes" in [button.label for button in test.button]


def test_a_real_run_is_answered_in_words_charts_and_tables(visit: Visit, finished_run: str) -> None:
    test = visit("size", run=finished_run)
    assert not test.error, [error.value for error in test.error]
    assert [len(table.value) for table in test.table[:2]] == [2, 2]
    assert "@int8" in texts(test)
    assert len(test.get("plotly_chart")) == 2
    assert [button.label for button in test.get("download_button")] == ["CSV", "JSON", "Markdown"]


def test_a_choice_stands_in_the_address_and_a_shared_address_shows_it(
    visit: Visit, finished_run: str
) -> None:
    test = visit("size", run=finished_run, margin="0.25", cost="disk", prompt="direct", hour="0.4")
    fields = {field.label: field for field in test.number_input}
    assert fields["May be worse by, points"].value == 25
    assert fields["An hour of this machine, USD"].value == 0.4
    assert "Quality against disk" in texts(test)
    fields["May be worse by, points"].set_value(50).run()
    assert test.query_params["margin"] in ("0.5", ["0.5"])
    assert "no price" not in test.table[1].value.to_string().replace("\u00a0", " ")


def test_with_a_wide_margin_every_model_is_good_enough(visit: Visit, finished_run: str) -> None:
    found = visit("size", run=finished_run, margin="1").table[0].value["Verdict"].tolist()
    assert sorted("best" in one or "good" in one for one in found) == [True, True]


def test_what_an_address_says_is_checked(visit: Visit, finished_run: str) -> None:
    bad = {"margin": "-1", "cost": "x", "hour": "nan", "confidence": "2", "sort": "?", "metric": "<b>"}
    test = visit("size", run=finished_run, **bad)
    assert not test.exception
    assert not test.error, [error.value for error in test.error]
    assert next(field for field in test.number_input if "worse" in field.label).value == 2


def test_a_run_of_one_model_says_what_to_add_and_where(visit: Visit, root: Path, weights: None) -> None:
    ws = Workspace.open(root)
    experiment = ws.experiment("quickstart").model_copy(
        update={"models": ("nano",), "prompts": ("direct",), "baseline": None}
    )
    run = create_run(ws, experiment, limit=2, owner="command")
    execute_run(ws, run)
    ws.close()
    test = visit("size", run=run)
    assert "This run has one model only" in texts(test)
    assert "quantization" in texts(test)


def test_a_hosted_model_is_held_against_the_price_of_this_machine(
    visit: Visit, root: Path, weights: None
) -> None:
    with openai_server(answer=lambda body: "Answer: 42") as url:
        (root / "experiments" / "models.yaml").write_text(
            f"models:\n- {{name: big, provider: openai, model: big-1, base_url: '{url}', "
            "price: {prompt: 1, completion: 4}}\n"
        )
        ws = Workspace.open(root)
        experiment = ws.experiment("quickstart").model_copy(
            update={"models": ("nano", "big"), "prompts": ("step-by-step",), "quantization": ()}
        )
        run = create_run(ws, experiment.model_copy(update={"baseline": None}), limit=4, owner="command")
        execute_run(ws, run)
        ws.close()
    test = visit("size", run=run, hour="0.001")
    assert not test.error, [error.value for error in test.error]
    assert "big** (hosted)" in test.table[0].value.to_string().replace("\u00a0", " ")
    assert "rows a month" in texts(test)
    assert "What a hosted model costs is not known" not in texts(test)
    assert len(test.get("plotly_chart")) == 2  # quality, and where the local model pays


@pytest.mark.parametrize("page", ["run", "compare"])
def test_pages_about_a_run_of_several_models_lead_here(visit: Visit, finished_run: str, page: str) -> None:
    labels = [link.proto.label for link in visit(page, run=finished_run).get("page_link")]
    assert "Which size is enough?" in labels
