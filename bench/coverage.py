"""How often each interval holds the true value: exactly where outcomes can be counted, else by simulation.

    python -m bench.coverage            # the tables of docs/statistics.md, two to three minutes of CPU
    python -m bench.coverage --runs 4   # four times as many simulated columns, half the noise

What is wanted at a nominal 95 %: 93.5 to 96.5. A cell outside is marked with *.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, lgamma, log

import numpy as np
import numpy.typing as npt

from workbench.metrics import load_metric
from workbench.statistics import (
    Estimate,
    Interval,
    PairedComparison,
    bootstrap_mean,
    bootstrap_statistic,
    compare_corpus,
    compare_paired,
    gain_per_doubling,
    non_inferiority,
    paired_bootstrap,
    proportion,
    share_interval,
    tango,
    wilson,
)

FloatArray = npt.NDArray[np.float64]
Drawn = tuple[FloatArray, ...]

ROWS = (30, 100, 1000)
RUNS = {30: 2500, 100: 2000, 1000: 1000}
SHARES = (0.01, 0.05, 0.5, 0.95, 0.99)
REPEATS = 5
RESAMPLES = 600
LOWEST, HIGHEST = 93.5, 96.5


@dataclass(frozen=True)
class Case:
    """One kind of scores and one interval: how columns of n rows are drawn, and what is true of them."""

    name: str
    draw: Callable[[np.random.Generator, int], Drawn]
    truth: float
    interval: Callable[..., Interval]


def covered(case: Case, rows: int, runs: int, seed: int = 1) -> float:
    """The share of `runs` simulated columns, in per cent, whose interval holds the truth."""
    rng = np.random.default_rng(seed)
    held = 0
    for trial in range(runs):
        low, high = case.interval(*case.draw(rng, rows), seed=trial)
        held += low - 1e-12 <= case.truth <= high + 1e-12
    return 100 * held / runs


def covered_exactly(interval: Callable[[int, int], Interval], n: int, shares: FloatArray) -> FloatArray:
    """Coverage of a share's interval, in per cent: the probability of the counts whose interval holds it."""
    counts = np.arange(n + 1)
    low, high = np.array([interval(int(count), n) for count in counts]).T
    chosen = np.array([lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for k in counts])
    log_p = chosen[:, None] + counts[:, None] * np.log(shares) + (n - counts[:, None]) * np.log1p(-shares)
    held = (low[:, None] <= shares + 1e-12) & (shares - 1e-12 <= high[:, None])
    return 100 * np.asarray((np.exp(log_p) * held).sum(axis=0), dtype=np.float64)


def tango_covered(worse: float, better: float, n: int) -> float:
    """Exact coverage of Tango's interval, in per cent, over the counts of the two ways to differ."""
    total, same = 0.0, 1 - worse - better
    for b in range(n + 1):
        for c in range(n - b + 1):
            rest = n - b - c
            if (b and not worse) or (c and not better):
                continue
            log_p = lgamma(n + 1) - lgamma(b + 1) - lgamma(c + 1) - lgamma(rest + 1) + rest * log(same)
            log_p += (b * log(worse) if b else 0.0) + (c * log(better) if c else 0.0)
            if log_p > -18:
                low, high = _tango(b, c, n)
                total += exp(log_p) * (low - 1e-9 <= better - worse <= high + 1e-9)
    return 100 * total


@cache
def _tango(only_baseline: int, only_candidate: int, n: int) -> Interval:
    return tango(only_baseline, only_candidate, n)


def _mean(values: FloatArray, clusters: FloatArray | None = None, *, seed: int) -> Interval:
    return _bounds(bootstrap_mean(values, clusters, resamples=RESAMPLES, seed=seed))


def _within(least: float, greatest: float) -> Callable[..., Interval]:
    def interval(values: FloatArray, *, seed: int) -> Interval:
        bounds = (least, greatest)
        return _bounds(bootstrap_mean(values, resamples=RESAMPLES, seed=seed, bounds=bounds))

    return interval


def _bounds(found: Estimate | PairedComparison) -> Interval:
    return Interval(found.low, found.high)


def _repeated(column: FloatArray) -> Drawn:
    """Five repeats of each row that say the same again."""
    return np.repeat(column, REPEATS), np.repeat(np.arange(len(column), dtype=np.float64), REPEATS)


def _varying(share: float) -> Callable[[np.random.Generator, int], Drawn]:
    """Right-or-wrong repeats whose chance differs from row to row: beta with mean `share`, ICC 0.3."""
    together = (1 - 0.3) / 0.3

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        chance = rng.beta(share * together, (1 - share) * together, n)
        right = rng.random((n, REPEATS)) < chance[:, None]
        return right.reshape(-1).astype(float), np.repeat(np.arange(n, dtype=np.float64), REPEATS)

    return draw


def shares_repeated() -> list[Case]:
    """Shares of right-or-wrong scores, five repeats a row."""

    def interval(values: FloatArray, clusters: FloatArray, *, seed: int) -> Interval:
        return _bounds(proportion(values, clusters))

    return [
        Case(f"share {share:g}, repeats alike in part", _varying(share), share, interval) for share in SHARES
    ]


LIKERT = np.array([0.03, 0.05, 0.12, 0.30, 0.50])
HIGH_LIKERT = np.array([0.01, 0.01, 0.03, 0.10, 0.85])


def means() -> list[Case]:
    """Means of scores of every shape."""
    five = np.arange(1.0, 6.0)

    def likert(shares: FloatArray) -> Callable[[np.random.Generator, int], Drawn]:
        return lambda rng, n: (rng.choice(five, n, p=shares),)

    def mostly_right(rng: np.random.Generator, n: int) -> Drawn:
        return (np.where(rng.random(n) < 0.9, 1.0, rng.random(n)),)

    def skewed_rows(rng: np.random.Generator, n: int) -> Drawn:
        row = np.repeat(rng.exponential(1.0, n), REPEATS)
        return row + rng.normal(0, 0.5, n * REPEATS), np.repeat(np.arange(n, dtype=np.float64), REPEATS)

    return [
        Case("normal", lambda rng, n: (rng.normal(0.3, 1, n),), 0.3, _mean),
        Case("graded, beta(2, 3)", lambda rng, n: (rng.beta(2, 3, n),), 0.4, _within(0, 1)),
        Case("graded, nine in ten are 1", mostly_right, 0.95, _within(0, 1)),
        Case("Likert, mean 4.2", likert(LIKERT), float(five @ LIKERT), _within(1, 5)),
        Case("Likert, mean 4.8", likert(HIGH_LIKERT), float(five @ HIGH_LIKERT), _within(1, 5)),
        Case("exponential", lambda rng, n: (rng.exponential(1, n),), 1.0, _mean),
        Case("lognormal, sigma 0.5", lambda rng, n: (rng.lognormal(0, 0.5, n),), exp(0.125), _mean),
        Case("lognormal, sigma 1", lambda rng, n: (rng.lognormal(0, 1, n),), exp(0.5), _mean),
        Case("exponential rows, five repeats", skewed_rows, 1.0, _mean),
    ]


def _lengths(rng: np.random.Generator, n: int) -> FloatArray:
    return np.maximum(4, rng.lognormal(2.7, 0.5, n)).round()


def _corpus(rng: np.random.Generator, n: int, better: float = 0.0) -> FloatArray:
    """Counts as BLEU sums them: output and reference length, matches and totals of 1- to 4-grams."""
    length = _lengths(rng, n)
    reference = np.maximum(1, length + rng.integers(-2, 4, n))
    chance = np.clip(rng.beta(4, 3, n) + better, 0, 1)
    totals = np.maximum(0, length[:, None] - np.arange(4))
    found = rng.binomial(totals.astype(int), chance[:, None] ** np.array([1, 1.6, 2.2, 2.8]))
    return np.column_stack([length, reference, found, totals]).astype(np.float64)


@cache
def _bleu() -> Callable[[FloatArray], FloatArray]:
    return load_metric("bleu").aggregate


@cache
def _true_bleu(better: float = 0.0) -> float:
    return float(_bleu()(_corpus(np.random.default_rng(99), 1_000_000, better).sum(axis=0)))


def _ratio(sums: FloatArray) -> FloatArray:
    return np.asarray(sums[..., 0] / sums[..., 1])


def corpora() -> list[Case]:
    """Statistics of sums: a ratio of totals, and BLEU."""

    def errors(rng: np.random.Generator, n: int) -> Drawn:
        length = _lengths(rng, n)
        return (np.column_stack([rng.binomial(length.astype(int), rng.beta(1, 9, n)), length]),)

    def ratio(rows: FloatArray, *, seed: int) -> Interval:
        return _bounds(bootstrap_statistic(rows, _ratio, resamples=RESAMPLES, seed=seed, bounds=(0, 1)))

    def bleu(rows: FloatArray, *, seed: int) -> Interval:
        return _bounds(bootstrap_statistic(rows, _bleu(), resamples=RESAMPLES, seed=seed, bounds=(0, 100)))

    return [
        Case("errors a word, ratio of sums", errors, 0.1, ratio),
        Case("BLEU", lambda rng, n: (_corpus(rng, n),), _true_bleu(), bleu),
    ]


def differences() -> list[Case]:
    """Paired differences, slopes over sizes, and the one-sided bound of "not worse than"."""

    def graded(rng: np.random.Generator, n: int) -> Drawn:
        row = rng.beta(2, 2, n)
        return 0.7 * row + 0.3 * rng.beta(2, 3, n), 0.7 * row + 0.3 * rng.beta(3, 2, n)

    def seldom(rng: np.random.Generator, n: int) -> Drawn:
        first = rng.beta(2, 2, n)
        moved = np.where(rng.random(n) < 0.4, rng.normal(0.1, 0.3, n), 0.0)
        return first, first + moved

    def repeated(rng: np.random.Generator, n: int) -> Drawn:
        chance = rng.beta(1, 1, n)[:, None]
        first = rng.random((n, REPEATS)) < chance
        second = rng.random((n, REPEATS)) < 0.2 + 0.8 * chance
        clusters = np.repeat(np.arange(n, dtype=np.float64), REPEATS)
        return first.reshape(-1).astype(float), second.reshape(-1).astype(float), clusters

    def paired(
        first: FloatArray, second: FloatArray, clusters: FloatArray | None = None, *, seed: int
    ) -> Interval:
        return paired_bootstrap(second - first, clusters, resamples=RESAMPLES, seed=seed)

    def corpus(first: FloatArray, second: FloatArray, *, seed: int) -> Interval:
        found = compare_corpus(first, second, _bleu(), resamples=RESAMPLES, permutations=1, seed=seed)
        return _bounds(found)

    def sizes(rng: np.random.Generator, n: int) -> Drawn:
        return ((rng.random((3, n)) < np.array([[0.2], [0.35], [0.5]])).astype(float),)

    def slope(scores: FloatArray, *, seed: int) -> Interval:
        return _bounds(gain_per_doubling(scores, [20, 21, 22], resamples=RESAMPLES, seed=seed))

    def one_sided(values: FloatArray, *, seed: int) -> Interval:
        found = non_inferiority(values, 0.1, 0.95, resamples=RESAMPLES, seed=seed)
        return Interval(-found.shortfall_high, 2.0)

    def right_or_wrong(rng: np.random.Generator, n: int) -> Drawn:
        return (rng.choice([-1.0, 0.0, 1.0], n, p=[0.15, 0.8, 0.05]),)

    return [
        Case("graded, most rows differ", graded, 0.3 * (3 / 5 - 2 / 5), paired),
        Case("graded, two rows in five differ", seldom, 0.04, paired),
        Case("right or wrong, five repeats", repeated, 0.1, paired),
        Case("BLEU", lambda rng, n: (_corpus(rng, n), _corpus(rng, n, 0.05)), _gap(), corpus),
        Case("gain per doubling", sizes, 0.15, slope),
        Case("not worse than, right or wrong (one side)", right_or_wrong, -0.1, one_sided),
        Case(
            "not worse than, graded (one side)", lambda rng, n: (rng.normal(-0.1, 0.3, n),), -0.1, one_sided
        ),
    ]


def _gap() -> float:
    return _true_bleu(0.05) - _true_bleu()


def wrongly_different(rows: int, runs: int, seed: int = 3) -> float:
    """How often equal systems are called different at 5 %, in per cent, five identical repeats a row."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(runs):
        first, clusters = _repeated((rng.random(rows) < 0.5).astype(float))
        second, _ = _repeated((rng.random(rows) < 0.5).astype(float))
        found += compare_paired(first, second, clusters).p < 0.05
    return 100 * found / runs


def shown(per_cent: float) -> str:
    """`95.1`, or `92.0 *` outside what is wanted."""
    return f"{per_cent:.1f}" + ("" if LOWEST <= round(per_cent, 1) <= HIGHEST else " *")


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def exact_shares() -> str:
    """Shares without repeats, Wilson's own interval beside ours."""
    lines = []
    for name, interval in (("ours", share_interval), ("Wilson's", wilson)):
        for n in ROWS:
            near = np.linspace(0.2 / n, 0.05, 1000)
            everywhere = np.linspace(0.0005, 0.9995, 2000)
            cells = covered_exactly(interval, n, np.array(SHARES))
            edge, whole = (covered_exactly(interval, n, shares) for shares in (near, everywhere))
            summary = (edge.mean(), whole.mean(), whole.min())
            lines.append([f"{name}, n = {n:,}", *map(shown, cells), *(f"{one:.1f}" for one in summary)])
    head = ["share", *(f"p = {p:g}" for p in SHARES), "mean, p < 0.05", "mean, all p", "worst p"]
    return table(head, lines)


def exact_tango() -> str:
    """Differences of two right-or-wrong columns."""
    lines = []
    for worse, better in ((0.01, 0.0), (0.02, 0.03), (0.05, 0.15), (0.2, 0.2), (0.1, 0.4)):
        lines.append(
            [
                f"{worse:g} lost, {better:g} gained",
                *(shown(tango_covered(worse, better, n)) for n in (30, 100)),
            ]
        )
    return table(["Tango, right or wrong", "n = 30", "n = 100"], lines)


def simulated(title: str, cases: Sequence[Case], times: float) -> str:
    """One line a case."""
    lines = [[case.name, *(shown(covered(case, n, int(RUNS[n] * times))) for n in ROWS)] for case in cases]
    return table([title, *(f"n = {n:,}" for n in ROWS)], lines)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.coverage")
    parser.add_argument("--runs", type=float, default=1.0, help="simulated columns, as a multiple")
    times = parser.parse_args().runs
    start = time.process_time()
    print(exact_shares(), end="\n\n")
    print(exact_tango(), end="\n\n")
    print(simulated("share, five repeats a row", shares_repeated(), times), end="\n\n")
    print(simulated("mean", means(), times), end="\n\n")
    print(simulated("corpus score", corpora(), times), end="\n\n")
    print(simulated("difference", differences(), times), end="\n\n")
    wrong = [f"{wrongly_different(n, int(1500 * times)):.1f}" for n in (30, 100)]
    print(
        table(
            ["called different, equal systems, five identical repeats", "n = 30", "n = 100"],
            [["p < 0.05", *wrong]],
        )
    )
    noise = ", ".join(f"{100 * (0.95 * 0.05 / (RUNS[n] * times)) ** 0.5:.1f} at n = {n:,}" for n in ROWS)
    print(f"\nIn per cent; simulated cells have a standard error of {noise}.")
    print(f"{time.process_time() - start:.0f} s of CPU.", file=sys.stderr)


if __name__ == "__main__":
    main()
