"""How long a rater waits for the next pair in a large run, and what the desk reads before the first.

    python -m bench.rating_desk

50 cells x 2,000 rows of texts of 60 words, 20,000 ratings by five raters. Seconds are of this process;
opening the database and imports are left out.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from workbench.core.document import content_hash
from workbench.core.rating import Criterion, Rating, RatingPlan
from workbench.core.run import Output
from workbench.engine import RatingDesk, Workspace, start_rating

CELLS, ROWS, RATINGS, KEYS = 50, 2_000, 20_000, 200
WORDS = [f"word{number}" for number in range(2_000)]
RUN = "20260101-000000-bench1"


def filled(folder: Path) -> Workspace:
    """A finished run with its ratings, in a database of its own."""
    for name in ("prompts", "experiments"):
        (folder / name).mkdir()
    opened = Workspace.open(folder)
    chance = random.Random(1)
    rows = [{"id": f"r{n}", "question": " ".join(chance.choices(WORDS, k=40))} for n in range(ROWS)]
    names = [f"p{cell}" for cell in range(CELLS)]
    experiment = {"name": "bench", "dataset": {"name": "rows"}, "prompts": names, "models": ["m"]}
    cells = [
        {"index": n, "prompt": name, "version": "v", "model": "m", "sampling": {}}
        for n, name in enumerate(names)
    ]
    definition: dict[str, Any] = {"experiment": experiment, "cells": cells, "prompts": {}, "reference": None}
    opened.store.runs.create(RUN, "bench", definition, "rows", content_hash(rows), rows, CELLS * ROWS)
    for cell in range(CELLS):
        new = [
            Output(cell, f"r{n}", n, text=" ".join(chance.choices(WORDS, k=60)), answer="x")
            for n in range(ROWS)
        ]
        opened.store.outputs.add(RUN, new, status="completed", done=(cell + 1) * ROWS)
    given = []
    for n in range(RATINGS):
        cell, other = sorted(chance.sample(range(CELLS), 2))
        value = 0.5 if chance.random() < 0.2 else float(chance.random() < 0.5 + (cell - other) / 200)
        given.append(
            Rating(
                RUN,
                f"i{n}",
                f"rater {n % 5}",
                "pairwise",
                chance.randrange(ROWS),
                0,
                cell,
                other,
                value=value,
                first=cell,
            )
        )
    opened.store.ratings.add(given)
    return opened


def timed(opened: Workspace, plan: RatingPlan, value: Any) -> list[tuple[str, str]]:
    """What the first item takes, and then rating, the next item and the progress after each."""
    start_rating(opened, RUN, plan)
    desk = RatingDesk(opened, RUN, "ada")
    began = time.perf_counter()
    shown = desk.next()
    first = time.perf_counter() - began
    taken: dict[str, list[float]] = {"rate": [], "next": [], "progress": []}
    for _ in range(KEYS):
        if shown is None:
            break
        moments = [time.perf_counter()]
        desk.rate(shown.item, value)
        moments.append(time.perf_counter())
        shown = RatingDesk(opened, RUN, "ada").next()
        moments.append(time.perf_counter())
        desk.progress()
        moments.append(time.perf_counter())
        for name, start, end in zip(taken, moments, moments[1:], strict=False):
            taken[name].append(end - start)
    lines = [("first item after a start", f"{first:.2f} s")]
    for name, spent in taken.items():
        high = statistics.quantiles(spent, n=20)[-1]
        lines.append((name, f"{1000 * statistics.median(spent):.0f} ms, 95 % within {1000 * high:.0f} ms"))
    return lines


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        opened = filled(Path(folder))
        criteria = (Criterion(name="clear"), Criterion(name="true"))
        plans: list[tuple[str, RatingPlan, Any]] = [
            ("pairs", RatingPlan(), 1),
            ("pairs, two raters each", RatingPlan(overlap=2), 1),
            ("likert", RatingPlan(mode="likert", criteria=criteria), {"clear": 4, "true": 2}),
        ]
        print("| | what | takes |\n| --- | --- | --- |")
        for name, plan, value in plans:
            for what, takes in timed(opened, plan, value):
                print(f"| {name} | {what} | {takes} |")
        opened.close()


if __name__ == "__main__":
    main()
