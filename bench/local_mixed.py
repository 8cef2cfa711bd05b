"""Rows of very different lengths against rows of one length with the same totals.

    python -m bench.local_mixed
    python -m bench.local_mixed --models small --rows 128 --rounds 5

Mixed: 20 to 400 tokens in, 8 to 128 out, drawn apart from each other. Uniform: the means of those. The two
take turns, with other prompts each round.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench import models, prompts
from bench.peers.process import ONE_THREAD
from bench.peers.workbench_models import complete_all, local_model
from workbench.core.model import Model, Request
from workbench.core.prompt import Sampling

TOKENS_IN = (20, 400)
TOKENS_OUT = (8, 128)
TARGET = 0.8


@dataclass(frozen=True, slots=True)
class Measured:
    """One asking of all rows."""

    prompt_tokens: int
    completion_tokens: int
    wall_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Tokens a second, read and written."""
        return (self.prompt_tokens + self.completion_tokens) / self.wall_s

    @property
    def per_cpu_s(self) -> float:
        """The same by CPU time."""
        return (self.prompt_tokens + self.completion_tokens) / self.cpu_s


def requests(model: Model, lengths: Sequence[tuple[int, int]], seed: int) -> list[Request]:
    """A request for each pair of tokens in and out."""
    asked = prompts.of_lengths([length for length, _ in lengths], model.count_tokens, seed)
    return [
        Request(messages, Sampling(temperature=0.0, max_tokens=out, seed=1))
        for messages, (_, out) in zip(asked, lengths, strict=True)
    ]


async def measure(model: Model, asked: Sequence[Request]) -> Measured:
    """Answers them all."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = await complete_all(model, asked)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measured(
        sum(one.prompt_tokens for one in found), sum(one.completion_tokens for one in found), wall, cpu
    )


async def table(name: str, rows: int, rounds: int) -> None:
    """Prints one model's table."""
    model = local_model(str(models.folder(name)))
    draw = random.Random(3)
    mixed = [(draw.randint(*TOKENS_IN), draw.randint(*TOKENS_OUT)) for _ in range(rows)]
    mean_in, mean_out = (round(sum(side) / rows) for side in zip(*mixed, strict=True))
    shapes = {"mixed": mixed, "uniform": [(mean_in, mean_out)] * rows}
    found: dict[str, list[Measured]] = {shape: [] for shape in shapes}
    await complete_all(model, requests(model, [(20, 8)] * 4, seed=99))
    for turn in range(rounds):
        for place, (shape, lengths) in enumerate(shapes.items()):
            asked = requests(model, lengths, seed=2 * turn + place)
            found[shape].append(await measure(model, asked))
    await model.close()
    print(f"\n### {name}: {rows} rows, {rounds} rounds\n")
    print("| | tokens in | tokens out | tokens/s | wall s | CPU s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for shape, measured in found.items():
        cells = [
            shape,
            f"{median(one.prompt_tokens for one in measured):.0f}",
            f"{median(one.completion_tokens for one in measured):.0f}",
            f"{median(one.per_s for one in measured):.0f}",
            f"{median(one.wall_s for one in measured):.2f}",
            f"{median(one.cpu_s for one in measured):.2f}",
        ]
        print(f"| {' | '.join(cells)} |")
    pairs = list(zip(found["mixed"], found["uniform"], strict=True))
    wall = median(one.per_s / other.per_s for one, other in pairs)
    cpu = median(one.per_cpu_s / other.per_cpu_s for one, other in pairs)
    print(
        f"\nmixed has {wall:.2f} of uniform's tokens/s, {cpu:.2f} by CPU time (wanted: {TARGET})", flush=True
    )


def main() -> None:
    """Prints a table a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", default=",".join(models.WRITERS), help="names, with commas")
    parser.add_argument("--rows", type=int, help="default: 128, and 48 for a large model")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    for name in options.models.split(","):
        rows = options.rows or (48 if models.is_large(name) else 128)
        asyncio.run(table(name, rows, options.rounds))


if __name__ == "__main__":
    main()
