"""Quality over sizes, of scores that are given."""

import math

import numpy as np
import pytest

from workbench.core.run import Cell, MetricEstimate
from workbench.core.sizing import SizePoint
from workbench.engine.size_judging import QualityJudge
from workbench.metrics import load_metric
from workbench.storage.scores import CellScores

RIGHT = ["cat", "dog", "cat", "dog", "bird", "cat", "dog", "bird"] * 10


def point(index: int, model: str, parameters: int) -> SizePoint:
    return SizePoint(
        cell=Cell(index, "direct", "v1", model),
        base=model,
        quantization=None,
        quality=MetricEstimate(0.5, 0.4, 0.6, len(RIGHT)),
        local=True,
        parameters=parameters,
        tokens_per_s=None,
        first_token_s=None,
        memory_bytes=None,
        disk_bytes=None,
        rows_per_s=None,
        usd_per_1000_rows=None,
        cost_basis=None,
        on_front=False,
        shortfall=math.nan,
        shortfall_high=math.nan,
        good_enough=False,
    )


def test_a_metric_of_labels_compares_cells_that_answered_with_other_labels() -> None:
    metric = load_metric({"name": "macro_f1", "labels": "all"})
    answers = {0: [*RIGHT[:40], *["fish"] * 40], 1: RIGHT}
    scores = {}
    for cell, given in answers.items():
        found = metric.score(given, RIGHT)
        scores[cell] = CellScores(
            cell, "macro_f1", len(given), found.values, found.sufficient, {}, found.blocks
        )
    judge = QualityJudge(metric, scores, None, 0.95)
    small, large = point(0, "small", 2**20), point(1, "large", 2**22)
    halved = metric.value(metric.score(answers[1], RIGHT)) - metric.value(metric.score(answers[0], RIGHT))

    judged = judge.against_best(small, large, margin=0.1)
    (gain,) = judge.gains([small, large])

    assert judged.shortfall == pytest.approx(halved) and not judged.good_enough
    assert gain.doublings == 2 and gain.gain == pytest.approx(halved / 2)
    assert gain.low < gain.gain < gain.high


def test_of_a_metric_where_lower_is_better_less_is_a_gain() -> None:
    metric = load_metric("latency")
    assert metric.direction == "lower"
    scores = {
        cell: CellScores(cell, "latency", 80, np.full(80, value) + np.arange(80) % 2, None, {})
        for cell, value in ((0, 4.0), (1, 2.0))
    }
    judge = QualityJudge(metric, scores, None, 0.95)
    small, large = point(0, "small", 2**20), point(1, "large", 2**21)

    assert judge.against_best(small, large, margin=3.0).shortfall == pytest.approx(2.0)
    (gain,) = judge.gains([small, large])
    assert (gain.low, gain.gain, gain.high) == pytest.approx((2.0, 2.0, 2.0))
