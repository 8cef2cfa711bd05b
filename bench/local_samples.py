"""What eight samples of a prompt cost against one: tokens that the network reads, and time.

    python -m bench.local_samples
    python -m bench.local_samples --models small --prompts 16 --samples 8

Every token that enters the network is counted where its embedding is looked up; what is left without those of
the decoding steps (one a token, but for an answer's last) is the reading of prompts, padding included.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import models, prompts
from bench.peers.process import ONE_THREAD
from bench.peers.workbench_models import complete_all, local_model
from workbench.core.model import Request
from workbench.core.prompt import Sampling

TOKENS = 48
TARGET = 1.3


@dataclass
class Read:
    """Tokens that entered the network."""

    tokens: int = 0


@contextmanager
def counted() -> Iterator[Read]:
    """Counts the tokens of every embedding that is looked up meanwhile, in any thread."""
    from torch.nn import Embedding
    from torch.nn.modules.module import register_module_forward_pre_hook

    read = Read()

    def count(module: object, arguments: tuple[object, ...]) -> None:
        if isinstance(module, Embedding):
            read.tokens += arguments[0].numel()  # type: ignore[attr-defined]

    hook = register_module_forward_pre_hook(count)
    try:
        yield read
    finally:
        hook.remove()


def requests(asked: list[prompts.Messages], samples: int) -> list[Request]:
    """Every prompt `samples` times, each with a seed of its own."""
    return [
        Request(messages, Sampling(temperature=0.7, max_tokens=TOKENS, seed=sample))
        for messages in asked
        for sample in range(samples)
    ]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a number of samples took."""

    samples: int
    prefill_tokens: int
    prompt_tokens: int
    wall_s: float
    cpu_s: float


async def measure(name: str, count: int, samples: int) -> Measured:
    """Answers counted, then others timed without counting, by a model that has read nothing yet."""
    model = local_model(str(models.folder(name)))
    await complete_all(model, requests(prompts.no_shots(2, 20), 1))
    with counted() as read:
        found = await complete_all(model, requests(prompts.no_shots(count, 0), samples))
    wall, cpu = time.perf_counter(), time.process_time()
    await complete_all(model, requests(prompts.no_shots(count, 1), samples))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await model.close()
    decoded = sum(one.completion_tokens - 1 for one in found)
    prompt_tokens = sum(one.prompt_tokens for one in found) // samples
    return Measured(samples, read.tokens - decoded, prompt_tokens, wall, cpu)


async def table(name: str, count: int, samples: int) -> None:
    """Prints one model's table."""
    one, many = await measure(name, count, 1), await measure(name, count, samples)
    print(f"\n### {name}: {count} prompts of {one.prompt_tokens} tokens in all, {TOKENS} new tokens\n")
    print("| samples a prompt | tokens read | wall s | CPU s |")
    print("| ---: | ---: | ---: | ---: |")
    for found in (one, many):
        print(f"| {found.samples} | {found.prefill_tokens} | {found.wall_s:.2f} | {found.cpu_s:.2f} |")
    ratio = many.prefill_tokens / one.prefill_tokens
    print(f"\n{samples} samples read {ratio:.2f}× what one reads (wanted: at most {TARGET}×)", flush=True)


def main() -> None:
    """Prints a table a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", default=",".join(models.WRITERS), help="names, with commas")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--samples", type=int, default=8)
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    for name in options.models.split(","):
        asyncio.run(table(name, options.prompts, options.samples))


if __name__ == "__main__":
    main()
