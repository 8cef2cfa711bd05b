"""Agreement: published and independent figures come out of stored ratings; raters by themselves."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from tests.engine.rating.rated import pair, rate, rated_run, stars
from workbench.engine import Workspace, agreement_json, rating_agreement

Rated = tuple[Workspace, str]

# Hayes & Krippendorff's example: four observers, twelve units, some unseen
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


@pytest.fixture
def three(tmp_path: Path) -> Rated:
    """A run of three cells over twelve rows, without a rating."""
    return rated_run(tmp_path / "three")


def test_alpha_is_the_published_one_at_every_level(three: Rated) -> None:
    ws, run = three
    rate(
        ws,
        run,
        [
            stars(0, row, value, f"rater {observer}")
            for observer, said in enumerate(OBSERVERS)
            for row, value in enumerate(said)
            if value is not None
        ],
    )
    (scale,) = rating_agreement(ws, run).scales
    assert (scale.name, scale.items, scale.shared, scale.raters) == ("helpful", 12, 11, 4)
    published = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849}
    for level, value in published.items():
        found = scale.alpha[level]
        assert found.value == pytest.approx(value, abs=0.0006)
        assert found.low < found.value < found.high


def test_kappas_are_those_of_other_packages(three: Rated) -> None:
    ws, run = three
    rng = np.random.default_rng(4)
    truth = rng.choice([0.0, 0.5, 1.0], 36)
    table = np.array(
        [np.where(rng.random(36) < 0.7, truth, rng.choice([0.0, 0.5, 1.0], 36)) for _ in range(3)]
    )
    pairs = [(one, two) for one, two in ((0, 1), (0, 2), (1, 2))]
    rate(
        ws,
        run,
        [
            pair(*pairs[n // 12], n % 12, float(table[rater, n]), name)
            for rater, name in enumerate(("ada", "bob", "cy"))
            for n in range(36)
        ],
    )
    (scale,) = rating_agreement(ws, run).scales
    counts = np.stack([(table == value).sum(axis=0) for value in (0.0, 0.5, 1.0)], axis=1)
    assert scale.fleiss.value == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    found = {(one.first, one.second): one.kappa.value for one in scale.pairs}
    kinds = (2 * table).astype(int)
    assert found[("ada", "cy")] == pytest.approx(cohen_kappa_score(kinds[0], kinds[2]))
    assert found[("bob", "cy")] == pytest.approx(cohen_kappa_score(kinds[1], kinds[2]))
    assert scale.percent.value == pytest.approx(np.mean([(table[i] == table[j]).mean() for i, j in pairs]))


def test_a_raters_own_consistency_counts_items_shown_again_whatever_their_order(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(0, 1, row, 1.0, first=0) for row in range(4)])
    again = [1.0, 1.0, 1.0, 0.5]
    rate(ws, run, [pair(0, 1, row, again[row], first=1, chosen="again") for row in range(4)])
    rate(ws, run, [stars(0, 5, 4.0), stars(0, 5, 2.0, chosen="again")])
    rate(ws, run, [pair(0, 2, 9, 1.0, "bob", chosen="again")])  # what was there before is gone
    found = rating_agreement(ws, run)
    by_rater = {one.rater: one for one in found.raters}
    assert by_rater["ada"].same.mean == 3 / 5 and by_rater["ada"].same.n == 5
    assert by_rater["ada"].apart == 2.0 and by_rater["bob"].same.n == 0
    assert all(scale.shared == 0 for scale in found.scales)


def test_position_bias_is_the_share_of_decided_pairs_that_the_first_shown_won(three: Rated) -> None:
    ws, run = three
    wins = [(1.0, 0), (1.0, 0), (0.0, 1), (1.0, 1), (0.5, 0), (1.0, None)]  # (value, which stood first)
    rate(ws, run, [pair(0, 1, row, value, first=first) for row, (value, first) in enumerate(wins)])
    everyone, ada = rating_agreement(ws, run).raters
    assert everyone.rater is None and ada.first_won == everyone.first_won
    assert (ada.first_won.mean, ada.first_won.n) == (3 / 4, 4)
    assert ada.first_won.low < 0.5 < ada.first_won.high
    assert ada.ties == pytest.approx(1 / 6)


def test_rows_are_listed_by_how_far_raters_are_apart(three: Rated) -> None:
    ws, run = three
    rate(ws, run, [pair(0, 1, 3, 1.0), pair(0, 1, 3, 0.0, "bob")])  # as far as can be
    rate(ws, run, [stars(2, 7, 5.0), stars(2, 7, 3.0, "bob")])  # two steps of four
    rate(ws, run, [pair(0, 1, 4, 1.0), pair(0, 1, 4, 1.0, "bob")])  # agreed
    first, second = rating_agreement(ws, run).disputed
    assert (first.row_id, first.disagreement, first.cells) == ("test-3", 1.0, (0, 1))
    assert (second.row_id, second.disagreement, second.cells) == ("test-7", 0.5, (2,))
    assert first.said == (("ada", 1.0), ("bob", 0.0)) and first.raters == ("ada", "bob")


def test_one_rater_no_overlap_and_all_the_same_are_no_error(three: Rated) -> None:
    ws, run = three
    assert rating_agreement(ws, run).scales == () and rating_agreement(ws, run).raters == ()
    rate(ws, run, [pair(0, 1, row, 1.0) for row in range(4)])
    (alone,) = rating_agreement(ws, run).scales
    assert (alone.shared, alone.raters, alone.pairs) == (0, 1, ()) and math.isnan(alone.fleiss.value)
    rate(ws, run, [pair(0, 1, row, 1.0, "bob") for row in range(4, 8)])
    (apart,) = rating_agreement(ws, run).scales
    assert (apart.shared, apart.raters, apart.pairs) == (0, 2, ())
    rate(ws, run, [pair(0, 1, row, 1.0, "bob") for row in range(4)])
    found = rating_agreement(ws, run)
    assert found.scales[0].percent.value == 1.0 and math.isnan(found.scales[0].alpha["nominal"].value)
    assert agreement_json(found)["scales"][0]["krippendorff_alpha"]["nominal"]["value"] is None
