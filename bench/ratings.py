"""What statistics of ratings cost, and how often their intervals hold, by simulation.

    python -m bench.ratings              # both tables, two to three minutes of CPU
    python -m bench.ratings --runs 0.2   # rougher
    python -m bench.ratings --speed      # the times alone

Wanted: a ranking of 50 cells from 20,000 ratings with 1,000 resamples in under 5 s of CPU, Krippendorff's
α of 10,000 items by 5 raters with its interval in under 1 s, and 93.5 to 96.5 % of intervals that hold the
truth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from math import nan

import numpy as np
import numpy.typing as npt

from bench.coverage import shown, table
from workbench.statistics import (
    Coefficient,
    bradley_terry,
    cohen_kappa,
    fleiss_kappa,
    kendall,
    krippendorff_alpha,
    likert_mean,
    most_uncertain_pairs,
    pairwise_accuracy,
    prediction_powered_mean,
    spearman,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RUNS = {"ranking": 400, "coefficient": 1000, "mean": 2000}
TIE = 0.6


def preferences(
    strength: FloatArray, tie: float, ratings: int, seed: int, together: float = 0.0
) -> tuple[IntArray, IntArray, FloatArray]:
    """Ratings of random pairs by Davidson's model: first, second, outcome.

    `together`: the chance that a rating is by a strength of its row's own, drawn around the cell's: three
    ratings in a row share it, and so agree more than those of different rows.
    """
    rng = np.random.default_rng(seed)
    cells = len(strength)
    first = rng.integers(0, cells, ratings)
    second = (first + rng.integers(1, cells, ratings)) % cells
    own = together * rng.normal(size=(-(-ratings // 3), cells))
    in_row = strength + own[np.arange(ratings) // 3]
    place = np.arange(ratings)
    apart = in_row[place, first] - in_row[place, second]
    up, down = np.exp(apart / 2), np.exp(-apart / 2)
    said = rng.random(ratings) * (up + down + tie)
    return first, second, np.where(said < up, 1.0, np.where(said < up + tie, 0.5, 0.0))


def ranking_coverage(
    cells: int, rows: int, runs: int, together: float, strength: float
) -> tuple[float, float]:
    """Shares of intervals that hold the true strength, and of pairs called different; three ratings a row."""
    drawn = np.linspace(strength, -strength, cells)
    true = drawn
    if (
        together and strength
    ):  # tastes that differ make all look more alike: the truth is that of many ratings
        true = bradley_terry(*preferences(drawn, TIE, 300_000, 1, together), resamples=1).strength
    held, apart = [], []
    for run in range(runs):
        first, second, outcome = preferences(drawn, TIE, 3 * rows, run + 2, together)
        found = bradley_terry(first, second, outcome, np.arange(3 * rows) // 3, cells=cells, resamples=300)
        held.append(((found.low <= true) & (true <= found.high)).mean())
        apart.append(1 - found.undecided)
    return float(np.mean(held)), float(np.mean(apart))


def rated(items: int, raters: int, rng: np.random.Generator, missing: float = 0.1) -> FloatArray:
    """Likert ratings 1 to 5 (items, raters) that agree in part, some missing."""
    hidden = rng.normal(3.3, 1.0, items)[:, None] + rng.normal(0, 0.8, (items, raters))
    values = np.clip(np.round(hidden), 1, 5)
    values[rng.random(values.shape) < missing] = nan
    return values


def likert_held(raters: int, rows: int, runs: int, level: float) -> float:
    """Per cent of intervals of a mean that hold it; raters differ in level by this deviation."""
    rng = np.random.default_rng(5)
    rater, row = (ids.reshape(-1) for ids in np.meshgrid(range(raters), range(rows), indexing="ij"))
    held = 0
    for _ in range(runs):
        values = 3.5 + level * rng.normal(size=raters)[rater] + 0.7 * rng.normal(size=rows)[row]
        values += 0.6 * rng.normal(size=len(rater))
        found = likert_mean(values, rater, row)
        held += found.low <= 3.5 <= found.high
    return 100 * held / runs


def powered(labels: int, judged: int, agrees: float, runs: int) -> tuple[float, float, float]:
    """Per cent of corrected intervals that hold the mean, their width beside the people's, labels worth."""
    rng = np.random.default_rng(6)
    held, width, worth = [], [], []
    for _ in range(runs):
        people = rng.normal(size=labels + judged)
        judge = agrees * people + (1 - agrees**2) ** 0.5 * rng.normal(size=labels + judged) + 0.7
        people[labels:] = nan
        found = prediction_powered_mean(people, judge)
        held.append(found.low <= 0 <= found.high)
        width.append((found.high - found.low) / (found.human_high - found.human_low))
        worth.append(found.worth)
    return 100 * float(np.mean(held)), float(np.mean(width)), float(np.median(worth))


def speeds() -> Iterator[tuple[str, float]]:
    """What is measured, and its seconds of CPU."""
    rng = np.random.default_rng(0)
    first, second, outcome = preferences(np.linspace(-1.5, 1.5, 50), TIE, 20_000, 0)
    rows = rng.integers(0, 2000, 20_000)
    wins, ties = np.zeros((50, 50)), np.zeros((50, 50))
    np.add.at(wins, (first[outcome == 1], second[outcome == 1]), 1)
    np.add.at(ties, (first[outcome == 0.5], second[outcome == 0.5]), 1)
    five, graded = rated(10_000, 5, rng), rng.normal(size=10_000)[:, None] + rng.normal(size=(10_000, 5))
    many = rng.normal(size=10_000)
    other = many + rng.normal(size=10_000)
    work: dict[str, Callable[[], object]] = {
        "ranking, 50 cells, 20,000 ratings, 2,000 rows": lambda: bradley_terry(first, second, outcome, rows),
        "the same, each rating its own row": lambda: bradley_terry(first, second, outcome),
        "the next pair, 50 cells": lambda: most_uncertain_pairs(wins, ties + ties.T),
        "α nominal, 10,000 items × 5 raters, Likert": lambda: krippendorff_alpha(five, "nominal"),
        "α ordinal": lambda: krippendorff_alpha(five, "ordinal"),
        "α interval": lambda: krippendorff_alpha(five, "interval"),
        "α interval, all values different": lambda: krippendorff_alpha(graded, "interval"),
        "Fleiss' κ": lambda: fleiss_kappa(five),
        "Cohen's κ, quadratic": lambda: cohen_kappa(five[:, 0], five[:, 1], "quadratic"),
        "Spearman, 10,000 different values": lambda: spearman(many, other),
        "Kendall, 10,000 different values": lambda: kendall(many, other),
    }
    for name, call in work.items():
        start = time.process_time()
        call()
        yield name, time.process_time() - start


def coverages(times: float) -> Iterator[tuple[str, float]]:
    """What is simulated, and the per cent of intervals that hold the truth."""
    few, some, many = (max(20, int(RUNS[kind] * times)) for kind in ("ranking", "coefficient", "mean"))
    for rows in (30, 200):
        for together in (0.0, 0.6):
            held, _ = ranking_coverage(6, rows, few, together, 0.8)
            alike = "rows differ in taste" if together else "rows alike"
            yield f"strengths, 6 cells, {rows} rows × 3 ratings, {alike}", 100 * held
    yield from _coefficients(some)
    for raters, level in ((2, 0.1), (2, 0.3), (3, 0.3), (5, 0.3), (10, 0.3)):
        yield f"Likert mean, {raters} raters of level ±{level}, 50 rows", likert_held(raters, 50, many, level)


def _coefficients(runs: int) -> Iterator[tuple[str, float]]:
    rng = np.random.default_rng(3)
    whole = rated(200_000, 3, rng, 0.0)
    alphas: dict[str, Callable[[FloatArray, int], Coefficient]] = {
        "α nominal": lambda t, n: krippendorff_alpha(t, "nominal", resamples=n),
        "α ordinal": lambda t, n: krippendorff_alpha(t, "ordinal", resamples=n),
        "Cohen's κ": lambda t, n: cohen_kappa(t[:, 0], t[:, 1], resamples=n),
        "Spearman": lambda t, n: spearman(t[:, 0], t[:, 1], resamples=n),
        "Kendall": lambda t, n: kendall(t[:, 0], t[:, 1], resamples=n),
    }
    for name, of in alphas.items():
        truth = of(whole if name not in ("Kendall", "Spearman") else whole[:100_000], 2).value
        for items in (50, 200):
            found = [of(rated(items, 3, rng, 0.0), 300) for _ in range(runs)]
            held = [one.low <= truth <= one.high for one in found]
            yield f"{name}, {items} items", 100 * float(np.mean(held))
    held = []
    for _ in range(runs):
        chance = np.repeat(rng.beta(8, 3, 60), 3)  # three pairs a row; on some rows the metric is often right
        right = rng.random(180) < chance
        share = pairwise_accuracy(right, ~right, np.ones(180), np.arange(180) // 3)
        held.append(share.low <= 8 / 11 <= share.high)
    yield "pairwise accuracy, 60 rows × 3 pairs", 100 * float(np.mean(held))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.ratings")
    parser.add_argument("--runs", type=float, default=1.0, help="simulated data sets, as a multiple")
    parser.add_argument("--speed", action="store_true", help="only what they cost")
    asked = parser.parse_args()
    print(
        table(["1,000 resamples where there is an interval", "CPU s"], [[n, f"{s:.3f}"] for n, s in speeds()])
    )
    if asked.speed:
        return
    print()
    print(
        table(
            ["intervals at 95 %", "hold the truth"], [[n, shown(held)] for n, held in coverages(asked.runs)]
        )
    )
    print()
    lines = []
    for labels in (20, 50, 200):
        for agrees in (0.0, 0.5, 0.9):
            held, width, worth = powered(labels, 1000, agrees, max(20, int(RUNS["mean"] * asked.runs)))
            lines.append([str(labels), f"{agrees:g}", shown(held), f"{width:.2f}", f"{worth:.0f}"])
    head = ["labels by people", "correlation of the judge", "hold the truth", "width", "worth so many labels"]
    print(table(head, lines))


if __name__ == "__main__":
    main()
