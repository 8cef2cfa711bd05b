"""Cleaning and describing collections: CPU seconds by step, memory, and the near duplicates that are found.

    python -m bench.cleaning               # about two minutes
    python -m bench.cleaning --items 10000

Texts are 30 and 30 made-up words drawn from 3,000; pairs are 80 words of which up to seven are drawn again.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections import Counter

from workbench.core.collection import Item, Origin
from workbench.tuning import clean, profile
from workbench.tuning.cleaning import Spec
from workbench.tuning.cleaning.likeness import Shingler, jaccard

WORDS = ["".join(random.Random(number).choices("aeioulnrst", k=6)) for number in range(3_000)]
STEPS: list[Spec] = [
    "unicode",
    "white_space",
    "exact_duplicates",
    "near_duplicates",
    {"language": "en"},
    {"length": 4_000},
    "refusals",
    "pii",
    {"regex": r"\b[ae]\w+ [io]\w+ [lnrst]{6}\b"},
]
PAIRS = 4_000
PROFILED = 10_000


def item(question: str, completion: str) -> Item:
    """One item of these two texts."""
    return Item(({"role": "user", "content": question},), completion, Origin("output"))


def speed(count: int, draw: random.Random) -> None:
    """Each step over `count` items, and a profile of 10,000 of them."""
    items = [
        item(" ".join(draw.choices(WORDS, k=30)), " ".join(draw.choices(WORDS, k=30))) for _ in range(count)
    ]
    clean(items[:100], STEPS)  # packages are imported, models read
    profile(items[:100])
    print("| what | items | CPU seconds |\n| --- | ---: | ---: |")
    for step in STEPS:
        started = time.process_time()
        clean(items, [step])
        name = step if isinstance(step, str) else next(iter(step))
        print(f"| {name} | {count:,} | {time.process_time() - started:.2f} |")
    started = time.process_time()
    profile(items[:PROFILED])
    print(f"| profile | {min(count, PROFILED):,} | {time.process_time() - started:.2f} |")
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB.\n")


def recall(draw: random.Random) -> None:
    """How many pairs of a known likeness the step drops, by that likeness; threshold 0.8."""
    shingler = Shingler()
    items: list[Item] = []
    alike: list[float] = []
    for _ in range(PAIRS):
        words = draw.choices(WORDS, k=80)
        other = list(words)
        for _ in range(draw.randrange(8)):
            other[draw.randrange(80)] = draw.choice(WORDS)
        pair = " ".join(words), " ".join(other)
        items += [item("", text) for text in pair]
        alike.append(jaccard(shingler.shingles(pair[0]), shingler.shingles(pair[1])))
    outcomes = clean(items, ["near_duplicates"]).outcomes
    pairs, found = Counter[float](), Counter[float]()
    for place, similarity in enumerate(alike):
        band = int(similarity * 20) / 20
        pairs[band] += 1
        found[band] += bool(outcomes[2 * place + 1].reason)
    print("| Jaccard similarity | pairs | dropped |\n| --- | ---: | ---: |")
    for band in sorted(pairs):
        name = "1" if band == 1 else f"{band:.2f} to {band + 0.05:.2f}"
        print(f"| {name} | {pairs[band]:,} | {found[band]:,} |")


def main() -> int:
    """Prints both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.cleaning")
    parser.add_argument("--items", type=int, default=100_000)
    options = parser.parse_args()
    draw = random.Random(0)
    speed(options.items, draw)
    recall(draw)
    return 0


if __name__ == "__main__":
    sys.exit(main())
