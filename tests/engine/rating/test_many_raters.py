"""Several raters at once: nobody gets what another has, unless the plan asks for it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.engine.rating.rated_runs import empty_workspace, finished_run
from tests.postgres import postgres_url
from workbench.core.rating import Rating, RatingPlan
from workbench.engine import RatingDesk, Workspace, start_rating
from workbench.engine.rating import desk as desk_module
from workbench.engine.rating.choosing import choose, counted, fitted
from workbench.engine.rating.ledger import Ledger
from workbench.engine.rating.offer import Offer

PLAIN = RatingPlan(again_share=0)
RATER = """
import sys
from workbench.engine import RatingDesk, Workspace
desk = RatingDesk(Workspace.open(sys.argv[1]), sys.argv[2], "ada")
shown = desk.next()
print("begins", flush=True)
while shown is not None:
    desk.rate(shown.item, 1)
    shown = desk.next()
"""


def keys(ratings: list[Rating]) -> Counter[tuple[int, int, int | None]]:
    return Counter((r.position, r.cell, r.other) for r in ratings)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/w.db" if request.param == "sqlite" else postgres_url()


def rate_all(desk: RatingDesk) -> None:
    while (shown := desk.next()) is not None:
        desk.rate(shown.item, 1)


def test_two_processes_that_rate_at_once_share_the_items_out(tmp_path: Path, repository: Path) -> None:
    workspace = empty_workspace(tmp_path)
    run = finished_run(workspace, cells=3, rows=40)
    start_rating(workspace, run, PLAIN)
    grace = RatingDesk(workspace, run, "grace")
    assert grace.next() is not None  # of what ada cannot take, however fast
    with subprocess.Popen(
        [sys.executable, "-c", RATER, str(tmp_path), run],
        env=os.environ | {"PYTHONPATH": str(repository)},
        stdout=subprocess.PIPE,
        text=True,
    ) as ada:
        assert ada.stdout is not None and ada.stdout.readline() == "begins\n"
        rate_all(grace)
        assert ada.wait(120) == 0
    ratings = workspace.store.ratings.history(run)
    assert len(keys(ratings)) == len(ratings) == 120
    assert len({rating.rater for rating in ratings}) == 2
    workspace.close()


def test_two_servers_on_one_database_share_the_items_out(url: str, tmp_path: Path) -> None:
    servers = [empty_workspace(tmp_path, url) for _ in range(2)]
    run = finished_run(servers[0], cells=3, rows=10)
    start_rating(servers[0], run, PLAIN)
    threads = [
        threading.Thread(target=rate_all, args=(RatingDesk(server, run, name),))
        for server, name in zip(servers, ("ada", "grace"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ratings = servers[0].store.ratings.history(run)
    assert len(keys(ratings)) == len(ratings) == 30
    for server in servers:
        server.close()


def test_threads_that_ask_at_once_get_different_items(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path)
    run = finished_run(workspace, cells=3, rows=10)
    start_rating(workspace, run, PLAIN)
    start = threading.Barrier(6)

    def rate(name: str) -> None:
        start.wait()
        rate_all(RatingDesk(workspace, run, name))

    # two tabs of each of three raters
    threads = [threading.Thread(target=rate, args=(f"rater {n % 3}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ratings = workspace.store.ratings.history(run)
    assert len(keys(ratings)) == len(ratings) == 30
    workspace.close()


def test_with_an_overlap_of_two_everything_is_rated_by_two(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path)
    run = finished_run(workspace, cells=2, rows=8)
    start_rating(workspace, run, RatingPlan(again_share=0, overlap=2))
    ada, grace, edsger = (RatingDesk(workspace, run, name) for name in ("ada", "grace", "edsger"))
    first = ada.next()
    assert first is not None
    ada.rate(first.item, 1)
    same = grace.next()
    assert same is not None and same.row == first.row
    grace.rate(same.item, 0)
    for turn in range(60):
        desk = (ada, grace, edsger)[turn % 3]
        if (shown := desk.next()) is not None:
            desk.rate(shown.item, 1)
    by_two = keys(workspace.store.ratings.current(run))
    assert len(by_two) == 8 and set(by_two.values()) == {2}
    workspace.close()


def test_what_lies_open_too_long_goes_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = empty_workspace(tmp_path)
    run = finished_run(workspace, cells=2, rows=1)
    ada, grace = RatingDesk(workspace, run, "ada"), RatingDesk(workspace, run, "grace")
    left = ada.next()
    assert left is not None and grace.next() is None
    later = time.time() + desk_module.OPEN_S + 1
    monkeypatch.setattr(desk_module.time, "time", lambda: later)
    taken = grace.next()
    assert taken is not None
    grace.rate(taken.item, 1)
    assert ada.next() is None
    ada.rate(left.item, 1)  # from a page that stood open: nothing is lost
    assert len(workspace.store.ratings.current(run)) == 2
    workspace.close()


def test_imported_ratings_take_no_work_away(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path)
    run = finished_run(workspace, cells=2, rows=4)
    annotator = [
        Rating(run, f"i{n}", "annotator", "pairwise", n, 0, 0, 1, value=1.0, chosen="import")
        for n in range(4)
    ]
    workspace.store.ratings.add(annotator)
    progress = RatingDesk(workspace, run, "ada").progress()
    assert (progress.total, progress.all_raters_done) == (4, 0)
    workspace.close()


def chosen_pairs(workspace: Workspace, run: str, plan: RatingPlan, draws: int = 200) -> Counter[object]:
    """Which pairs a newcomer would get, over many throws of the dice."""
    record = workspace.store.runs.get(run)
    assert record is not None
    offer, ledger = Offer(workspace, record, plan), Ledger(plan, 4, 1)
    with workspace.store.rating_items.reading(run) as table:
        ledger.take(table.said_after(0))
    found = (choose(plan, offer, ledger, "new", {}, random.Random(n)) for n in range(draws))
    return Counter((choice.key[0], choice.chosen) for choice in found if choice is not None)


def test_the_pair_that_tells_most_comes_first_and_a_stated_share_is_random(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path)
    run = finished_run(workspace, cells=4, rows=60)
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4) if (a, b) != (1, 2)]
    workspace.store.ratings.add(
        [
            Rating(run, f"{a}{b}{n}", "ada", "pairwise", n, 0, a, b, value=1.0 if n % 5 else 0.0)
            for a, b in pairs
            for n in range(20)
        ]
    )
    wins, ties = np.full((4, 4), 16.0), np.zeros((4, 4))
    wins[2, 1] = wins[1, 2] = 0
    for order in (fitted, counted):
        first, second = order(wins, ties)
        assert (first[0], second[0]) == (1, 2) and len(first) == 6
    sure = chosen_pairs(workspace, run, RatingPlan(random_share=0, again_share=0))
    assert set(sure) == {((1, 2), "uncertain")}
    mixed = chosen_pairs(workspace, run, RatingPlan(random_share=0.3, again_share=0))
    by_chance = sum(count for (_, why), count in mixed.items() if why == "random")
    assert 35 <= by_chance <= 85
    assert len({pair for pair, why in mixed if why == "random"}) == 6
    workspace.close()
