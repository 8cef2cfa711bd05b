"""Which model is the smallest that is good enough: from real runs, against figures worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.conftest import adds, write_workspace
from tests.engine.local_adder import LocalAdder, adder_provider, with_models
from tests.fake_openai import openai_server
from workbench.core.experiment import Experiment
from workbench.core.model import Footprint
from workbench.core.sizing import SizePoint, Sizes
from workbench.engine import Workspace, create_run, execute_run, sizes, sizes_json, sizes_table
from workbench.errors import UnknownName, UsageError
from workbench.statistics import gain_per_doubling, non_inferiority

Build = Callable[..., Experiment]
ROWS = 200
MB = 1_000_000
LADDER = {"tiny": (2**20, 100), "mid": (2**21, 200), "mid@int8": (2**21, 150), "big": (2**23, 800)}
"""Parameters and MB of memory."""
WRONG = {"tiny": range(60), "mid": range(6), "mid@int8": range(8), "big": range(2, 6)}


@pytest.fixture
def adder() -> Iterator[type[LocalAdder]]:
    """Local models of several sizes, the larger ones wrong less often."""
    with adder_provider() as cls:
        cls.load_s, cls.wrong = 0.0, dict(WRONG)
        cls.footprints = {
            name: Footprint("cpu", 4 * parameters, memory * MB, parameters)
            for name, (parameters, memory) in LADDER.items()
        }
        yield cls


@pytest.fixture
def ladder(tmp_path: Path, adder: type[LocalAdder]) -> Iterator[Workspace]:
    """A workspace with `tiny`, `mid` and `big`, and the hosted `server`, over 200 sums."""
    with openai_server(answer=adds) as url:
        workspace = Workspace.open(write_workspace(tmp_path / "root", url, rows=ROWS))
        with_models(
            workspace,
            *(
                f"name: {name}, provider: adder, model: {name}, concurrency: 64"
                for name in ("tiny", "mid", "big")
            ),
        )
        yield workspace
        workspace.close()


def run_it(workspace: Workspace, experiment: Build, *models: str, **changes: Any) -> str:
    prompts = {"prompts": ["careful"], "baseline": None} | changes
    run = create_run(workspace, experiment(models=list(models), **prompts))
    return execute_run(workspace, run).run


def by_model(found: Sizes) -> dict[str, SizePoint]:
    return {point.cell.model: point for point in found.points}


def test_the_smallest_that_is_not_worse_by_more_than_the_margin_is_found(
    ladder: Workspace, experiment: Build
) -> None:
    found = sizes(ladder, run_it(ladder, experiment, "tiny", "mid", "mid@int8", "big"), margin=0.06)
    points = by_model(found)
    assert found.best is not None and found.best.cell.model == "big"
    assert found.smallest_good_enough is not None
    assert found.smallest_good_enough.cell.model == "mid@int8"
    assert [point.good_enough for point in found.points] == [False, True, True, True]
    assert (points["mid@int8"].base, points["mid@int8"].quantization) == ("mid", "int8")
    assert points["mid"].memory_bytes == 200 * MB and points["mid"].disk_bytes == 4 * 2**21
    assert points["mid"].first_token_s == 0.005
    wrong = np.zeros(ROWS)
    wrong[list(WRONG["mid"])] = -1
    wrong[list(WRONG["big"])] += 1
    expected = non_inferiority(wrong, 0.06)
    assert points["mid"].shortfall == pytest.approx(expected.shortfall) == pytest.approx(0.01)
    assert points["mid"].shortfall_high == pytest.approx(expected.shortfall_high)
    assert points["big"].shortfall == points["big"].shortfall_high == 0


def test_a_margin_too_tight_for_the_rows_is_undecided_and_says_how_many_it_takes(
    ladder: Workspace, experiment: Build
) -> None:
    found = sizes(ladder, run_it(ladder, experiment, "tiny", "mid", "big"), margin=0.012)
    points = by_model(found)
    assert not points["mid"].good_enough and (points["mid"].rows_needed or 0) > ROWS
    assert points["tiny"].rows_needed is None  # it is worse by more than that, and stays so
    assert found.smallest_good_enough is not None and found.smallest_good_enough.cell.model == "big"
    assert "undecided: about" in sizes_table(found)


def test_the_front_holds_what_nothing_beats_in_both(ladder: Workspace, experiment: Build) -> None:
    run = run_it(ladder, experiment, "tiny", "mid", "mid@int8", "big")
    for cost, value in (("memory", "memory_bytes"), ("disk", "disk_bytes")):
        found = sizes(ladder, run, cost=cost)  # type: ignore[arg-type]
        for point in found.points:
            beaten = [
                other
                for other in found.points
                if other.quality.mean >= point.quality.mean
                and getattr(other, value) <= getattr(point, value)
                and (other.quality.mean, -getattr(other, value))
                != (point.quality.mean, -getattr(point, value))
            ]
            assert point.on_front is (not beaten), (cost, point.cell.model)


def test_gains_are_per_quantization_and_over_the_same_rows(ladder: Workspace, experiment: Build) -> None:
    found = sizes(ladder, run_it(ladder, experiment, "tiny", "mid", "mid@int8", "big"))
    (gain,) = found.gains  # int8 has one size only
    assert (gain.quantization, gain.smaller, gain.larger, gain.doublings) == (None, "tiny", "big", 3.0)
    scores = np.ones((3, ROWS))
    for line, name in zip(scores, ("tiny", "mid", "big")):
        line[list(WRONG[name])] = 0
    expected = gain_per_doubling(scores, [20, 21, 23])
    assert (gain.gain, gain.low, gain.high) == pytest.approx((expected.mean, expected.low, expected.high))


def test_speed_and_memory_survive_a_run_out_of_the_cache(ladder: Workspace, experiment: Build) -> None:
    first = by_model(sizes(ladder, run_it(ladder, experiment, "mid", "server")))
    again = sizes(ladder, run_it(ladder, experiment, "mid", "server"))
    points = by_model(again)
    for name in ("mid", "server"):
        assert points[name].tokens_per_s == pytest.approx(first[name].tokens_per_s)
    assert points["mid"].memory_bytes == 200 * MB and points["mid"].first_token_s == 0.005
    assert any("came from the cache" in note for note in again.notes)
    # cached answers cost nothing, but a thousand new rows would
    hosted = points["server"]
    assert hosted.cost_basis == "api" and hosted.usd_per_1000_rows == first["server"].usd_per_1000_rows
    total = ladder.store.outputs.totals(again.run)[hosted.cell.index]
    assert total["cost_usd"] == 0
    assert hosted.usd_per_1000_rows == pytest.approx(
        1000 * 1000 * (total["prompt_tokens"] + total["completion_tokens"]) / 1e6 / ROWS
    )


def test_a_local_model_costs_its_machines_hours_and_pays_from_some_volume_on(
    ladder: Workspace, experiment: Build
) -> None:
    run = run_it(ladder, experiment, "mid", "server")
    without = sizes(ladder, run)
    assert by_model(without)["mid"].usd_per_1000_rows is None and without.break_evens == ()
    assert any("--machine-usd-per-hour" in note for note in without.notes)
    found = sizes(ladder, run, machine_usd_per_hour=0.5)
    local, hosted = by_model(found)["mid"], by_model(found)["server"]
    assert local.rows_per_s and local.tokens_per_s and hosted.usd_per_1000_rows
    assert local.rows_per_s == pytest.approx(local.tokens_per_s / 2)  # two tokens an answer
    assert local.cost_basis == "machine"
    assert local.usd_per_1000_rows == pytest.approx(0.5 / 3600 / local.rows_per_s * 1000)
    (pair,) = found.break_evens
    assert pair.rows_per_month == pytest.approx(0.5 * 730 / (hosted.usd_per_1000_rows / 1000))
    assert pair.most_rows_per_month == pytest.approx(local.rows_per_s * 3600 * 730)
    (dear,) = sizes(ladder, run, machine_usd_per_hour=1e9).break_evens
    assert dear.rows_per_month is None


def test_a_hosted_model_is_the_answer_only_where_no_local_one_is_good_enough(
    ladder: Workspace, experiment: Build
) -> None:
    run = run_it(ladder, experiment, "tiny", "mid", "server")
    found = sizes(ladder, run, margin=0.08)
    assert found.best is not None and found.best.cell.model == "server"
    assert found.smallest_good_enough is not None and found.smallest_good_enough.cell.model == "mid"
    strict = sizes(ladder, run, margin=0.001)
    assert strict.smallest_good_enough is not None and strict.smallest_good_enough.cell.model == "server"
    assert not by_model(found)["server"].on_front  # it takes no memory here
    assert any("not on the front" in note for note in found.notes)


def test_a_model_that_failed_is_named_and_the_others_are_judged(
    ladder: Workspace, experiment: Build, adder: type[LocalAdder]
) -> None:
    adder.cannot_load = {"mid"}
    found = sizes(ladder, run_it(ladder, experiment, "tiny", "mid", "big"), margin=0.5)
    failed = by_model(found)["mid"]
    assert failed.quality.n == 0 and not failed.good_enough and math.isnan(failed.shortfall)
    assert (failed.tokens_per_s, failed.memory_bytes, failed.on_front) == (None, None, False)
    assert found.smallest_good_enough is not None and found.smallest_good_enough.cell.model == "tiny"
    assert "Nothing was scored for mid; its errors say why." in found.notes
    document = json.loads(json.dumps(sizes_json(found), allow_nan=False))
    assert document["points"][1]["shortfall"] is None
    assert "not scored" in sizes_table(found, "md")


def test_memory_that_was_not_told_leaves_the_choice_to_parameters_or_open(
    ladder: Workspace, experiment: Build, adder: type[LocalAdder]
) -> None:
    adder.footprints["tiny"] = Footprint("cpu", 5, 0, 2**20)
    found = sizes(ladder, run_it(ladder, experiment, "tiny", "mid"), margin=0.9)
    assert by_model(found)["tiny"].memory_bytes is None
    assert found.smallest_good_enough is not None and found.smallest_good_enough.cell.model == "tiny"
    adder.footprints |= {"big": None, "mid@int8": None}
    open_case = sizes(ladder, run_it(ladder, experiment, "big", "mid@int8"), margin=0.9)
    assert open_case.smallest_good_enough is None
    assert any("was not told by its provider" in note for note in open_case.notes)


@pytest.mark.parametrize("metric", ["chrf", "ter"])  # of the second, less is better
def test_corpus_scores_are_judged_and_have_gains_too(
    ladder: Workspace, experiment: Build, metric: str
) -> None:
    run = run_it(ladder, experiment, "tiny", "big", metrics=[metric])
    found = sizes(ladder, run, margin=5.0)
    tiny = by_model(found)["tiny"]
    assert found.best is not None and found.best.cell.model == "big"
    assert 0 < tiny.shortfall < tiny.shortfall_high
    (gain,) = found.gains
    assert gain.gain == pytest.approx(tiny.shortfall / 3, rel=1e-6)
    assert gain.low < gain.gain < gain.high


def test_repeats_are_clustered_and_prompts_are_told_apart(ladder: Workspace, experiment: Build) -> None:
    run = run_it(ladder, experiment, "tiny", "big", prompts=["direct", "careful"], repeats=2)
    found = sizes(ladder, run, prompt="direct")
    assert {point.cell.prompt for point in found.points} == {"direct"}
    single = sizes(ladder, run_it(ladder, experiment, "tiny", "big", prompts=["direct"]))
    twice, once = by_model(found)["tiny"], by_model(single)["tiny"]
    assert twice.shortfall == once.shortfall
    assert twice.shortfall_high == pytest.approx(once.shortfall_high, abs=0.02)  # no new evidence


def test_every_format_tells_every_point(ladder: Workspace, experiment: Build) -> None:
    found = sizes(ladder, run_it(ladder, experiment, "tiny", "big", "server"))
    lines = list(csv.DictReader(io.StringIO(sizes_table(found, "csv"))))
    assert [line["model"] for line in lines] == ["tiny", "big", "server"]
    assert float(lines[1]["memory_bytes"]) == 800 * MB and lines[2]["memory_bytes"] == ""
    assert json.loads(sizes_table(found, "json")) == sizes_json(found)
    for kind in ("table", "md"):
        text = sizes_table(found, kind)
        assert "800 MB" in text and text.count("\n") == 5
    with pytest.raises(UsageError, match="no format"):
        sizes_table(found, "pdf")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"metric": "bleu"}, UnknownName),
        ({"prompt": "carefull"}, UnknownName),
        ({"margin": 0.0}, UsageError),
        ({"margin": math.nan}, UsageError),
        ({"confidence": 0.5}, UsageError),
        ({"confidence": 95}, UsageError),
        ({"cost": "beauty"}, UsageError),
        ({"machine_usd_per_hour": -1.0}, UsageError),
    ],
)
def test_what_the_run_does_not_have_or_makes_no_sense_is_one_sentence(
    workspace: Workspace, experiment: Build, asked: dict[str, Any], error: type[Exception]
) -> None:
    run = create_run(workspace, experiment())
    with pytest.raises(error):
        sizes(workspace, run, **asked)


def test_a_run_without_outputs_has_no_best(workspace: Workspace, experiment: Build) -> None:
    found = sizes(workspace, create_run(workspace, experiment()))
    assert found.best is None and found.smallest_good_enough is None and found.gains == ()
    assert any("not complete" in note for note in found.notes)
    assert "not scored" in sizes_table(found)
