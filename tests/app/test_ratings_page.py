"""The Ratings page: each view over a rated run, what it says when there is nothing, and hostile text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Visit, texts
from tests.engine.rating.rated import pair, rate, rated_run, stars
from workbench.app.widgets.disputed_rows import said_of
from workbench.app.widgets.rating_downloads import rating_files
from workbench.engine import Workspace, corrections, corrections_jsonl, delete_run, leaderboard
from workbench.engine.rating.disagreeing import DisputedRow

Rated = tuple[Workspace, str]
HOSTILE = "![x](http://127.0.0.1:9/x.png) <script>alert(1)</script>"


@pytest.fixture
def rated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rated:
    """A run of three cells in the workspace that the app serves, without a rating."""
    root = tmp_path / "rated"
    monkeypatch.setenv("WORKBENCH_ROOT", str(root))
    return rated_run(root)


def links(page: AppTest) -> list[str]:
    return [f"{link.proto.label} {link.proto.query_string}" for link in page.get("page_link")]


def of_two_raters(rated: Rated) -> None:
    ws, run = rated
    rate(
        ws,
        run,
        [
            pair(*cells, row, 0.0 if (row + turn) % 4 else 1.0, rater, first=cells[0])
            for turn, cells in enumerate(((0, 1), (1, 2), (0, 2)))
            for row in range(12)
            for rater in ("ada", "bob")
        ],
    )
    rate(ws, run, [pair(0, 1, 2, 1.0, "cy")])


def test_the_leaderboard_says_who_leads_and_shows_each_pair(visit: Visit, rated: Rated) -> None:
    of_two_raters(rated)
    page = visit("ratings", run=rated[1])
    assert not page.exception and not page.error
    said = texts(page).replace("\\", "")
    assert "three-shots · server" in said and "73 ratings of 12 rows by 3 raters" in said
    cells, pairs = (table.value for table in page.table)
    assert len(cells) == 3 and len(pairs) == 3
    assert list(pairs["Ties"]) == ["0", "0", "0"]
    sliced = visit("ratings", run=rated[1], slice="column:answer")
    assert not sliced.exception and not sliced.error and len(sliced.table) == 3


def test_agreement_shows_coefficients_raters_and_leads_to_disputed_rows(visit: Visit, rated: Rated) -> None:
    of_two_raters(rated)
    page = visit("ratings", run=rated[1], view="agreement")
    assert not page.exception and not page.error
    scale, _, raters = (table.value for table in page.table)
    assert scale["Items of two raters"][0] == "36 of 36"
    assert list(raters["Rater"]) == ["all", "**ada**", "**bob**", "**cy**"]
    assert any("test" in link and "view=rows" in link and "cells=0%2C1" in link for link in links(page))
    said = texts(page).replace("\\", "")
    assert "ada prefers careful · server, bob prefers careful · server, cy prefers direct · server" in said


def test_what_raters_said_of_a_row_is_told_in_words() -> None:
    names = {0: "short · small", 1: "long · small"}
    pair_of = DisputedRow("r", 0, 0.5, 1, ("a", "b"), (0, 1), (("a", 1.0), ("b", 0.0), ("c", 0.5)))
    told = "a prefers short · small, b prefers long · small, c calls it a tie"
    assert said_of(pair_of, names) == told
    grades = DisputedRow("r", 0, 0.5, 1, ("a", "b"), (1,), (("a", 4.0), ("b", 1.0)), "clear")
    assert said_of(grades, names) == "clear of long · small: a 4, b 1"
    thumbs = DisputedRow("r", 0, 0.5, 1, ("a", "b"), (1,), tuple((name, 0.0) for name in "abcdef"))
    assert (
        said_of(thumbs, names) == "thumbs of long · small: a down, b down, c down, d down and 2 more raters"
    )


def test_one_rater_alone_is_told_what_agreement_needs(visit: Visit, rated: Rated) -> None:
    rate(*rated, [pair(0, 1, row, 1.0) for row in range(3)])
    page = visit("ratings", run=rated[1], view="agreement")
    assert not page.exception and not page.error
    assert "All ratings are by ada" in texts(page) and any("Rate" in link for link in links(page))


def test_a_metric_says_how_often_it_would_have_picked_the_winner(visit: Visit, rated: Rated) -> None:
    rate(*rated, [pair(0, 2, row, 0.0) for row in range(4, 12)])
    rate(*rated, [stars(cell, row, 2.0 + cell) for cell in range(3) for row in range(6)])
    page = visit("ratings", run=rated[1], view="metrics")
    assert not page.exception and not page.error
    assert "would have picked your raters’ winner **100 %** of the time" in texts(page)
    other = visit("ratings", run=rated[1], view="metrics", by="helpful")
    assert not other.exception and other.table[0].value["Decided pairs"][0] == "18"


def test_corrections_are_shown_as_text_and_can_be_taken_away(visit: Visit, rated: Rated) -> None:
    ws, run = rated
    rate(ws, run, [pair(0, 1, 3, 0.5, correction=HOSTILE, corrects=1, note=HOSTILE, rater="ada")])
    rate(ws, run, [pair(1, 2, 5, 0.5, correction="x" * 1_000_000, rater="bob")])
    page = visit("ratings", run=run, view="corrections")
    assert not page.exception and not page.error
    said = texts(page)
    assert "<script>" not in said and "![x]" not in said and "alert" in said
    assert len(said) < 20_000 and "998,000 more characters" in said
    lines = [json.loads(line) for line in corrections_jsonl(corrections(ws, run)).splitlines()]
    assert [(line["prompt"], len(line["correction"])) for line in lines] == [
        ("careful", 1_000_000),
        ("careful", len(HOSTILE)),
    ]
    assert lines[1]["row"]["id"] == "test-3" and lines[1]["output"] == "Answer: 10"


def test_ratings_leaderboard_and_preferences_leave_as_files(visit: Visit, rated: Rated) -> None:
    of_two_raters(rated)
    page = visit("ratings", run=rated[1])
    files = rating_files(*rated, leaderboard(*rated))
    assert list(files) == [button.proto.label for button in page.get("download_button")]
    lines = {name: len(make().splitlines()) for name, make in files.values()}
    assert lines["ratings.csv"] == 74 and lines["ratings.jsonl"] == 73
    assert lines["leaderboard.csv"] == 4 and lines["leaderboard.jsonl"] == 3
    assert lines["preferences.jsonl"] == 36


@pytest.mark.parametrize("view", ["leaderboard", "agreement", "metrics", "corrections"])
def test_a_run_without_ratings_leads_to_rating_it(visit: Visit, rated: Rated, view: str) -> None:
    page = visit("ratings", run=rated[1], view=view)
    assert not page.exception and not page.error
    assert "Nobody has rated this run yet" in texts(page) and any(
        "Go to Rate" in link for link in links(page)
    )


def test_ratings_that_were_all_taken_back_are_none(visit: Visit, rated: Rated) -> None:
    rate(*rated, [pair(0, 1, 3, 1.0, item="x"), pair(0, 1, 3, 1.0, item="x") | {"value": None}])
    page = visit("ratings", run=rated[1])
    assert not page.exception and "No rating of this run counts" in texts(page)


def test_a_criterion_and_a_rater_named_in_markdown_stay_text(visit: Visit, rated: Rated) -> None:
    said = [
        stars(cell, row, 3.0, rater, criterion="**b** <i>")
        for cell in (0, 1)
        for row in range(3)
        for rater in ("<b>", "_u_")
    ]
    rate(*rated, said)
    for view in ("leaderboard", "agreement", "metrics"):
        page = visit("ratings", run=rated[1], view=view)
        assert not page.exception and not page.error
        words = texts(page) + "".join(str(table.value) for table in page.table)
        assert "<b>" not in words and "<i>" not in words


def test_a_new_rating_is_seen_at_once_and_a_deleted_run_is_one_sentence(visit: Visit, rated: Rated) -> None:
    ws, run = rated
    rate(ws, run, [pair(0, 1, 0, 1.0)])
    assert "1 rating of 1 row by 1 rater" in texts(visit("ratings", run=run))
    rate(ws, run, [pair(0, 1, 1, 1.0, "bob")])
    assert "2 ratings of 2 rows by 2 raters" in texts(visit("ratings", run=run))
    delete_run(ws, run)
    page = visit("ratings", run=run)
    assert not page.exception and len(page.error) == 1 and "no run named" in page.error[0].value
