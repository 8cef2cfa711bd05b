"""What racing saves, by simulation: cells over rows, right or wrong, alike on hard and easy rows.

    python -m bench.racing                  both tables, some minutes
    python -m bench.racing --races 50       rougher

Rows are drawn from a latent difficulty that all cells share (a Gaussian copula, correlation 0.6): the best
cell is right on 70 % of them, the others on `gap` points fewer; with a close second, one of them on a
single point fewer. The truth is known, so that it can be counted how often a race keeps the best.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from workbench.statistics.anytime import BETS, PairwiseEvidence

BEST, CORRELATION, SECOND = 0.70, 0.6, 0.01
CONFIDENCE, BLOCK = 0.95, 20
ROWS = (400, 1000, 2000)
CELLS = (4, 8, 16)
GAPS = (0.05, 0.10, 0.20)


@dataclass(frozen=True)
class Race:
    """One simulated race: the row after which each cell stopped (the most where none), and the scores."""

    stopped: np.ndarray
    scores: np.ndarray


def draw(shares: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, cells) of 0 and 1, each cell with its share of ones."""
    shared = rng.standard_normal((rows, 1))
    own = rng.standard_normal((rows, len(shares)))
    latent = CORRELATION**0.5 * shared + (1 - CORRELATION) ** 0.5 * own
    return (latent < [NormalDist().inv_cdf(share) for share in shares]).astype(float)


def race(shares: np.ndarray, rng: np.random.Generator) -> Race:
    """Races cells until one is left or the rows are used up, as `workbench run --race` does."""
    scores = draw(shares, max(ROWS), rng)
    stopped = np.full(len(shares), len(scores) + 1)
    evidence = PairwiseEvidence(len(shares))
    for start in range(0, len(scores), BLOCK):
        block = scores[start : start + BLOCK].copy()
        block[:, stopped <= start] = np.nan
        evidence.add(block)
        beaten = (evidence.against() >= 1 / (1 - CONFIDENCE)) & (stopped > len(scores))
        stopped[beaten] = start + BLOCK
        if (stopped > len(scores)).sum() <= 1:
            break
    return Race(stopped, scores)


def line(races: list[Race], rows: int) -> list[float]:
    """Of these races cut at `rows`: best kept, the full run's best kept, decided, calls saved (shares)."""
    kept, same, decided, saved = [], [], [], []
    for one in races:
        left = one.stopped > rows
        full = one.scores[:rows].mean(axis=0)
        kept.append(left[0])
        same.append(left[full == full.max()].any())
        decided.append(left.sum() == 1)
        ended = one.stopped[~left].max(initial=0) if left.sum() == 1 else rows
        asked = np.where(left, ended, np.minimum(one.stopped, rows))
        saved.append(1 - asked.sum() / (rows * len(asked)))
    return [float(np.mean(column)) for column in (kept, same, decided, saved)]


def fields() -> Iterator[tuple[str, np.ndarray]]:
    """The fields of cells that race: a name and each cell's share of right answers, the best first."""
    for cells in CELLS:
        for gap in GAPS:
            shares = np.full(cells, BEST - gap)
            shares[0] = BEST
            yield f"{cells} | {gap * 100:.0f} points", shares
            close = shares.copy()
            close[1] = BEST - SECOND
            yield f"{cells} | {gap * 100:.0f} points, a close second", close


def rows_to_decide(gap: float, differing: float, races: int, rng: np.random.Generator) -> list[float]:
    """Mean rows until one pair's e-value reaches 20, with mixed and with adaptive bets."""
    up, down = (differing + gap) / 2, (differing - gap) / 2
    found = rng.choice([1.0, -1.0, 0.0], p=[up, down, 1 - differing], size=(races, max(ROWS)))
    mixed = np.zeros((races, len(BETS)))
    adaptive, total = np.zeros(races), np.zeros(races)
    squares = np.full(races, 0.25)
    hit = np.full((2, races), max(ROWS))
    for row, gained in enumerate(found.T):
        mixed += np.log1p(BETS * gained[:, None])
        mean, square = total / (row + 1), squares / (row + 1)
        adaptive += np.log1p(np.clip(mean / (square + mean**2), 0, 0.75) * gained)
        total += gained
        squares += (gained - total / (row + 2)) ** 2
        for place, logs in enumerate((np.log(np.exp(mixed).mean(axis=1)), adaptive)):
            crossed = logs >= np.log(20)
            hit[place][crossed] = np.minimum(hit[place][crossed], row + 1)
    return [float(one.mean()) for one in hit]


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.racing")
    parser.add_argument("--races", type=int, default=400, help="races simulated for each line")
    races = parser.parse_args().races
    print(f"{races} races a line; confidence {CONFIDENCE}, blocks of {BLOCK} rows.\n")
    print(
        "| cells | the others are behind by | " + " | ".join(f"{n} rows: kept · saved" for n in ROWS) + " |"
    )
    print("| ---: | --- |" + " ---: |" * len(ROWS))
    worst = 1.0
    same = []
    for name, shares in fields():
        rng = np.random.default_rng(0)
        run = [race(shares, rng) for _ in range(races)]
        found = [line(run, rows) for rows in ROWS]
        worst = min(worst, *(one[0] for one in found))
        same += [one[1] for one in found]
        shown = " | ".join(f"{one[0] * 100:.1f} % · {one[3] * 100:.0f} %" for one in found)
        print(f"| {name} | {shown} |", flush=True)
    print(f"\nThe best was kept in {worst * 100:.1f} % or more of the races of each line; ", end="")
    print(f"the best of the full run in {min(same) * 100:.1f} % or more.\n")
    print("| gain of a row | rows that differ | mixed bets: rows | adaptive bets: rows |")
    print("| ---: | ---: | ---: | ---: |")
    for gap, differing in ((0.05, 0.2), (0.05, 0.35), (0.1, 0.2), (0.1, 0.35), (0.2, 0.3), (0.4, 0.5)):
        mixed, adaptive = rows_to_decide(gap, differing, races, np.random.default_rng(1))
        print(f"| {gap:.2f} | {differing:.2f} | {mixed:.0f} | {adaptive:.0f} |")


if __name__ == "__main__":
    main()
