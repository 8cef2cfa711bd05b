"""Metrics and judges against people: who would have picked the raters' winner, and what a judge adds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from tests.engine.rating.rated import pair, rate, rated_run, stars
from workbench.engine import Workspace, against_people, against_people_json
from workbench.engine.rating.against_people import AgainstPeople
from workbench.metrics.judge import BETTER, FLIP, WORSE
from workbench.statistics.partial import partial_spearman
from workbench.storage.scores import CellScores

ROWS = 12
JUDGES = {"quality": "judge-score", "wins": "judge-pairwise"}


def put(
    ws: Workspace, run: str, metric: str, table: np.ndarray, reasons: dict[int, str] | None = None
) -> None:
    """Stores a metric's scores (cells, rows) as if they had been computed."""
    for cell, values in enumerate(table):
        estimate = {"mean": 0.0, "low": 0.0, "high": 0.0, "n": len(values), "unscored": 0, "signature": None}
        scores = CellScores(
            cell, metric, len(values), np.array(values, float), None, estimate, (), reasons or {}
        )
        ws.store.scores.put(run, scores)


def judged(tmp_path: Path, *names: str, **changes: Any) -> tuple[Workspace, str]:
    """A run of three cells with judges, which have not been asked."""
    shipped = Path(__file__).resolve().parents[3] / "prompts"
    specs = [{"judge": JUDGES[name], "model": "server", "as": name} for name in names]
    files = {f"prompts/{JUDGES[name]}.yaml": (shipped / f"{JUDGES[name]}.yaml").read_text() for name in names}
    metrics = ["exact_match", *specs]
    return rated_run(tmp_path / "judged", ROWS, metrics=metrics, files=files, **changes)


def line(found: AgainstPeople, metric: str, name: str) -> Any:
    return next(one for one in found.metrics if (one.metric, one.name) == (metric, name))


def test_a_metrics_accuracy_and_correlations_are_counted_as_by_hand(tmp_path: Path) -> None:
    ws, run = rated_run(tmp_path / "plain", ROWS)
    # cell 0 is right on rows 0 to 3, cell 1 on 0 to 7, cell 2 on all
    said = [(0, 2, row, 0.0) for row in range(8)] + [(0, 1, row, 1.0) for row in range(4, 8)]
    said += [(1, 2, 11, 0.5), (0, 1, 0, 1.0)]
    rate(ws, run, [pair(*one) for one in said])
    found = line(against_people(ws, run), "exact_match", "pairs")
    # 4 of 8 tied by the metric (half a point each), 4 right; 4 wrong; one more tie by the metric
    assert found.accuracy.n == 13 and found.accuracy.mean == pytest.approx((4 + 4 * 0.5 + 0 + 0.5) / 13)
    right = np.array([[row * 3 < (cell + 1) * ROWS for row in range(ROWS)] for cell in range(3)], float)
    apart = np.array([right[one, row] - right[two, row] for one, two, row, _ in said])
    liked = np.array([value - 0.5 for *_, value in said])
    both = np.concatenate([apart, -apart]), np.concatenate([liked, -liked])
    assert found.spearman.value == pytest.approx(stats.spearmanr(*both).statistic)
    assert found.kendall.value == pytest.approx(stats.kendalltau(*both).statistic)
    assert found.spearman.n == len(said)


def test_likert_means_are_held_against_scores_and_unscored_rows_are_left_out(tmp_path: Path) -> None:
    ws, run = rated_run(tmp_path / "likert", ROWS)
    rng = np.random.default_rng(0)
    table = rng.random((3, ROWS))
    table[0, :3] = np.nan
    people = rng.integers(1, 6, (3, ROWS)).astype(float)
    put(ws, run, "exact_match", table)
    rate(ws, run, [stars(cell, row, people[cell, row]) for cell in range(3) for row in range(ROWS)])
    found = line(against_people(ws, run), "exact_match", "helpful")
    kept = ~np.isnan(table)
    assert found.spearman.n == kept.sum() == 33
    assert found.spearman.value == pytest.approx(stats.spearmanr(table[kept], people[kept]).statistic)
    pairs = [
        (table[[i, j], row], people[[i, j], row]) for row in range(ROWS) for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    decided = [(s[0] > s[1]) == (p[0] > p[1]) for s, p in pairs if p[0] != p[1] and not np.isnan(s).any()]
    assert found.accuracy.mean == pytest.approx(np.mean(decided)) and found.accuracy.n == len(decided)


def test_a_metric_for_which_lower_is_better_is_turned_round(tmp_path: Path) -> None:
    ws, run = rated_run(tmp_path / "lower", ROWS, metrics=["levenshtein", "cost"])
    better = np.tile(np.arange(3.0)[:, None], (1, ROWS))
    put(ws, run, "levenshtein", better)
    put(ws, run, "cost", 3 - better)
    rate(ws, run, [pair(0, 2, row, 0.0) for row in range(ROWS)])
    found = against_people(ws, run)
    assert {one.metric: one.accuracy.mean for one in found.metrics} == {"levenshtein": 1.0, "cost": 1.0}


def test_a_judges_kappa_bias_and_corrected_means_on_a_criterion(tmp_path: Path) -> None:
    ws, run = judged(tmp_path, "quality")
    rng = np.random.default_rng(2)
    people = rng.integers(1, 4, (3, ROWS)).astype(float)
    judge = people + np.array([1, 1, 2, 0] * 9).reshape(3, ROWS)  # too kind, mostly
    put(ws, run, "quality", judge)
    labelled = range(6)
    rate(ws, run, [stars(cell, row, people[cell, row]) for cell in range(3) for row in labelled])
    (found,) = against_people(ws, run).judges
    assert found.bias.mean == pytest.approx((judge - people)[:, :6].mean()) and found.bias.low > 0
    assert found.flip_rate is None
    expected = cohen_kappa_score(judge[:, :6].ravel(), people[:, :6].ravel(), weights="quadratic")
    assert found.kappa.value == pytest.approx(expected)
    for one in found.corrected:
        cell, estimate = one.cell.index, one.estimate
        assert (estimate.n, estimate.judged) == (6, 6) and one.against is None
        assert estimate.judge == pytest.approx(judge[cell].mean())
        assert estimate.human == pytest.approx(people[cell, :6].mean())
        assert 1 <= estimate.low <= estimate.value <= estimate.high <= 5


def test_a_judge_of_pairs_shows_how_often_the_order_changed_its_mind(tmp_path: Path) -> None:
    ws, run = judged(tmp_path, "wins")
    table = np.array([[0.5] * ROWS, [1.0] * 8 + [0.0] * 4, [0.5] * 6 + [1.0] * 6])
    reasons = {
        row: f"{FLIP}: better as A, worse as B." if row < 3 else BETTER if row < 8 else WORSE
        for row in range(ROWS)
    }
    put(ws, run, "wins", table, reasons)
    # `cell` 0 is the baseline: value 0 prefers the other one
    rate(ws, run, [pair(0, 1, row, 0.0 if row < 6 else 1.0) for row in range(ROWS)])
    (found,) = against_people(ws, run).judges
    assert found.flip_rate == pytest.approx(0.25)
    (one,) = found.corrected
    assert one.cell.index == 1 and one.against is not None and one.against.index == 0
    assert one.estimate.human == pytest.approx(0.5) and one.estimate.judge == pytest.approx(8 / 12)
    assert found.bias.mean == pytest.approx(2 / 12)
    prefers, people = [0] * 8 + [1] * 4, [0] * 6 + [1] * 6
    assert found.kappa.value == pytest.approx(cohen_kappa_score(prefers, people))


def test_a_judge_that_likes_long_texts_is_found_out_beyond_what_people_like(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    words = rng.integers(1, 60, (3, ROWS))
    texts = {(cell, row): "word " * int(words[cell, row]) for cell in range(3) for row in range(ROWS)}
    ws, run = judged(tmp_path, "quality", texts=texts)
    people = rng.integers(1, 6, (3, ROWS)).astype(float)
    judge = np.clip(np.round(1 + 4 * words / 60 + 0.3 * (people - 3)), 1, 5)
    put(ws, run, "quality", judge)
    rate(ws, run, [stars(cell, row, people[cell, row]) for cell in range(3) for row in range(ROWS)])
    (found,) = against_people(ws, run).judges
    assert found.length.value == pytest.approx(stats.spearmanr(judge.ravel(), words.ravel()).statistic)
    assert found.length_beyond_people.low > 0.5
    told = against_people_json(against_people(ws, run))["judges"][0]
    assert told["length"]["value"] == found.length.value and len(told["cells"]) == 3


def test_what_was_not_asked_or_not_rated_is_said_and_no_error(tmp_path: Path) -> None:
    ws, run = judged(tmp_path, "quality")
    assert against_people(ws, run).metrics == ()
    rate(ws, run, [pair(0, 1, 0, 0.5)])
    found = against_people(ws, run)
    assert found.unscored == ("quality",) and found.judges == ()
    assert found.metrics[0].accuracy.n == 0 and math.isnan(found.metrics[0].accuracy.mean)
    put(ws, run, "quality", np.full((3, ROWS), np.nan))
    (judge,) = against_people(ws, run).judges
    assert math.isnan(judge.kappa.value) and math.isnan(judge.length.value) and math.isnan(judge.bias.mean)


def test_partial_rank_correlation_is_that_of_residuals() -> None:
    rng = np.random.default_rng(5)
    third = rng.normal(size=80)
    one, two = third + rng.normal(size=80), third + rng.normal(size=80)
    ranks = [stats.rankdata(column) for column in (one, two, third)]
    left, right = (rank - np.polyval(np.polyfit(ranks[2], rank, 1), ranks[2]) for rank in ranks[:2])
    found = partial_spearman(one, two, third)
    assert found.value == pytest.approx(np.corrcoef(left, right)[0, 1])
    order = rng.permutation(80)
    assert partial_spearman(one[order], two[order], third[order]) == found
    assert math.isnan(partial_spearman(one, two, one).value)
    assert math.isnan(partial_spearman([], [], []).value)
    with pytest.raises(ValueError, match="same length"):
        partial_spearman([1.0], [1.0, 2.0], [1.0])
