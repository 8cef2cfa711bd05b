"""A judge as a metric: what it passes on, and what it is without anybody to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from workbench.errors import MetricError
from workbench.metrics import CellOutputs, Judgement, Likelihood, load_metric
from workbench.metrics.judge import BETTER, FLIP, TIE, flip_rate

SPEC = {"judge": "judge-score", "model": "small"}


class Bench:
    """Judges that give the length of a text, and nothing to an empty one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def likelihoods(self, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
        return ["not asked here"] * len(texts)

    def judgements(
        self, judge: str, model: str, outputs: CellOutputs, settings: Mapping[str, Any]
    ) -> list[Judgement]:
        self.asked.append((judge, model, dict(settings)))
        return [Judgement(len(t), f"{len(t)} long") if t else Judgement(None, "empty") for t in outputs.texts]


def test_scores_and_reasons_are_the_judges_and_no_verdict_is_unscored() -> None:
    bench = Bench()
    outputs = CellOutputs(["a", None], [None, None], texts=["abc", ""], models=bench)
    metric = load_metric({**SPEC, "samples": 2, "sampling": {"temperature": 0.5}, "as": "quality"})
    scores = metric.score_outputs(outputs)
    np.testing.assert_array_equal(scores.values, [3.0, np.nan])
    assert scores.reasons == {0: "3 long", 1: "empty"}
    ((judge, model, settings),) = bench.asked
    assert (judge, model, settings["samples"], settings["max_characters"]) == (
        "judge-score",
        "small",
        2,
        20_000,
    )
    assert settings["sampling"].stated() == {"temperature": 0.5}
    assert metric.name == "quality" and metric.asks_models and not metric.needs_reference


def test_without_a_run_nobody_is_asked_and_that_is_said() -> None:
    metric = load_metric(SPEC)
    with pytest.raises(MetricError, match="only happens in a run"):
        metric.score_outputs(CellOutputs(["a"], ["a"], texts=["a"]))
    with pytest.raises(MetricError, match="only happens in a run"):
        metric.score(["a"], ["a"])


@pytest.mark.parametrize(
    ("rubric", "expected", "kind"),
    [
        ({"kind": "score", "scale": [0, 3]}, (0, 3), "mean"),
        ({"kind": "checklist", "questions": ["Is it?"]}, (0, 1), "proportion"),
        ({"kind": "checklist", "questions": ["Is it?", "And?"]}, (0, 1), "mean"),
        ({"kind": "pairwise"}, (0, 1), "mean"),
    ],
)
def test_range_and_kind_follow_from_the_rubric(
    rubric: dict[str, Any], expected: tuple[float, float], kind: str
) -> None:
    metric = load_metric({**SPEC, "rubric": rubric})
    assert (metric.range, metric.kind) == (expected, kind)


def test_the_flip_rate_counts_only_what_was_asked_in_both_orders() -> None:
    assert flip_rate([]) is None
    assert flip_rate(["The baseline, compared with itself.", "The judge answered nothing."]) is None
    assert flip_rate([f"{BETTER}\nIt is shorter.", TIE, f"{FLIP}: better as A, worse as B.", "?"]) == 1 / 3
