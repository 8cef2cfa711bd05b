"""All pairs of four cells over 10,000 rows, 10,000 paired resamples: CPU time and memory, beside others.

    python -m bench.statistics              # a minute or two
    python -m bench.statistics --rows 1000

Wanted: under 3 s of CPU and 1 GB. Each contender runs in a process of its own, whose peak memory is
that process's, its packages included. Scores are continuous, so that no two rows are equal: the worst
case. A contender that is not installed is left out and said.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import subprocess
import sys
import time
from itertools import combinations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

CELLS = 4


def scores(rows: int) -> FloatArray:
    """Four cells on the same rows: hard rows are hard for all."""
    rng = np.random.default_rng(0)
    row = rng.beta(2, 2, rows)
    return 0.7 * row + 0.3 * rng.beta(2, 2, (CELLS, rows)) + 0.002 * np.arange(CELLS)[:, None]


def ours(columns: FloatArray, resamples: int) -> None:
    """Intervals, sign-flip p-values and Holm for every pair."""
    from workbench.statistics import compare_all_pairs

    compare_all_pairs(columns, resamples=resamples)


def one_by_one(columns: FloatArray, resamples: int) -> None:
    """The same, each pair with resamples of its own."""
    from workbench.statistics import paired_bootstrap, permutation_test

    for first, second in combinations(columns, 2):
        paired_bootstrap(second - first, resamples=resamples)
        permutation_test(second - first, permutations=resamples)


def scipy_percentile(columns: FloatArray, resamples: int) -> None:
    """Percentile intervals alone, in batches that fit into memory."""
    from scipy import stats

    for first, second in combinations(columns, 2):
        stats.bootstrap(
            (second - first,),
            np.mean,
            n_resamples=resamples,
            method="percentile",
            batch=500,
            rng=np.random.default_rng(0),
        )


def evalstats(columns: FloatArray, resamples: int) -> None:
    """Its bootstrap of all pairs, Holm's adjustment, no intervals for the family."""
    from evalstats.core.paired import all_pairwise  # type: ignore[import-not-found]

    all_pairwise(
        columns,
        [str(cell) for cell in range(len(columns))],
        method="bootstrap",
        n_bootstrap=resamples,
        correction="holm",
        rng=np.random.default_rng(0),
        simultaneous_ci=False,
    )


CONTENDERS = {
    "workbench, all pairs at once": ours,
    "workbench, pair by pair": one_by_one,
    "scipy.stats.bootstrap, percentile, no p": scipy_percentile,
    "evalstats": evalstats,
}
NEEDS = {"scipy.stats.bootstrap, percentile, no p": "scipy", "evalstats": "evalstats"}


def measure(name: str, rows: int, resamples: int) -> None:
    """Runs one contender here and prints its CPU seconds and this process's peak memory in MB."""
    columns = scores(rows)
    CONTENDERS[name](columns[:, :50], 50)  # imports, and what is done once
    start = time.process_time()
    CONTENDERS[name](columns, resamples)
    used = time.process_time() - start
    print(f"{used:.2f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.statistics")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        measure(asked.only, asked.rows, asked.resamples)
        return
    print(f"{CELLS} cells, {asked.rows:,} rows, {asked.resamples:,} resamples, 6 pairs\n")
    print("| | CPU s | peak MB |\n| --- | --- | --- |")
    for name in CONTENDERS:
        if (package := NEEDS.get(name)) and importlib.util.find_spec(package) is None:
            print(f"| {name} | not installed | |")
            continue
        command = [sys.executable, "-m", "bench.statistics", "--only", name]
        command += ["--rows", str(asked.rows), "--resamples", str(asked.resamples)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds, megabytes = done.stdout.split()
        print(f"| {name} | {seconds} | {megabytes} |", flush=True)


if __name__ == "__main__":
    main()
