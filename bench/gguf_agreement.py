"""How much of a model's greedy text stays the same as GGUF, and how fast it is beside `transformers`.

python -m bench.gguf_agreement --model small --rows 200
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from workbench.core.model import Completion, LocalModel, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models import Catalog

ROWS = Path("experiments/datasets/word-problems/test.jsonl")
SYSTEM = 'You solve arithmetic word problems. End with "Answer:" and the number.'
QUANTIZATIONS = ("f32", "f16", "bf16", "q8_0", "q5_0", "q4_k_m", "q4_0")


@dataclass(frozen=True)
class Measured:
    """What one model gave for all rows."""

    completions: list[Completion]
    seconds: float

    @property
    def tokens_per_s(self) -> float:
        """Completion tokens a second, all requests in flight together."""
        return sum(one.completion_tokens for one in self.completions) / self.seconds


def requests(count: int) -> list[Request]:
    """Greedy questions, answered step by step."""
    lines = ROWS.read_text("utf-8").splitlines()[:count]
    sampling = Sampling(temperature=0.0, max_tokens=120, seed=1)
    return [
        Request(
            (
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": f"{json.loads(line)['question']}\nLet's think step by step."},
            ),
            sampling,
        )
        for line in lines
    ]


async def measure(spec: ModelSpec, asked: list[Request]) -> Measured:
    """Asks everything, as many at once as the model takes; loading is left out of the time."""
    from workbench.models.registry import find_provider

    model = find_provider(spec.provider)(spec)
    assert isinstance(model, LocalModel) or hasattr(model, "warm")
    await model.warm()
    places = asyncio.Semaphore(model.concurrency)

    async def ask(request: Request) -> Completion:
        async with places:
            return await model.complete(request)

    started = time.perf_counter()
    completions = await asyncio.gather(*map(ask, asked))
    seconds = time.perf_counter() - started
    await model.close()
    return Measured(list(completions), seconds)


def main() -> None:
    """Prints one row a quantization, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="small")
    parser.add_argument("--rows", type=int, default=200)
    options = parser.parse_args()
    asked = requests(options.rows)
    catalog = Catalog(Path("experiments/models.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = folder
        base = asyncio.run(measure(catalog.spec(options.model), asked))
        print(f"{options.model}, {len(asked)} rows, load {os.getloadavg()[0]:.1f}")
        print("| held as | same text, alone | same text, 8 at once | tokens/s, alone | tokens/s, 8 at once |")
        print("| --- | --- | --- | --- | --- |")
        print(f"| fp32, transformers | – | – | – | {base.tokens_per_s:,.0f} (64 at once) |")
        for name in QUANTIZATIONS:
            spec = catalog.spec(f"{options.model}@{name}")
            alone = asyncio.run(measure(spec.model_copy(update={"concurrency": 1}), asked))
            beside = asyncio.run(measure(spec, asked))
            print(
                f"| {name} | {_same(base, alone)} | {_same(base, beside)} "
                f"| {alone.tokens_per_s:,.0f} | {beside.tokens_per_s:,.0f} |",
                flush=True,
            )


def _same(base: Measured, other: Measured) -> str:
    pairs = zip(base.completions, other.completions, strict=True)
    return f"{sum(one.text == two.text for one, two in pairs) / len(base.completions):.1%}"


if __name__ == "__main__":
    main()
