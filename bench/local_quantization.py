"""What each quantization changes in the texts of a local model, and whether neighbours in a batch do.

    python -m bench.local_quantization                        the embedded `small`, 200 word problems
    python -m bench.local_quantization --model FOLDER --rows 100 --only int8,nf4

Every row is decoded greedily three times: by `fp32` and by the quantization with 64 requests in flight, and
by the quantization one request at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from workbench.core.model import ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.errors import ModelUnavailable
from workbench.models.embedded_rows import embedded_specs
from workbench.models.local.quantization import QUANTIZATIONS
from workbench.models.transformers_local import TransformersModel

PROBLEMS = Path(__file__).resolve().parents[1] / "experiments" / "datasets" / "word-problems" / "test.jsonl"
SYSTEM = 'You solve arithmetic word problems. End with "Answer:" and the number.'
STEPS = "Let's think step by step."
TOKENS = 120


def requests(rows: int) -> list[Request]:
    """The first test rows with a prompt that asks for steps."""
    sampling = Sampling(temperature=0.0, max_tokens=TOKENS, seed=1)
    found = []
    for line in PROBLEMS.read_text("utf-8").splitlines()[:rows]:
        question = json.loads(line)["question"]
        messages = (
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": f"{question}\n{STEPS}"},
        )
        found.append(Request(messages, sampling))
    return found


async def answers(spec: ModelSpec, asked: list[Request]) -> tuple[list[str], float, int]:
    """Texts, CPU seconds and tokens of all requests, as many in flight as the row says."""
    model = TransformersModel(spec)
    try:
        await model.warm()
        flying = asyncio.Semaphore(model.concurrency)

        async def one(request: Request) -> tuple[str, int]:
            async with flying:
                done = await model.complete(request)
                return done.text, done.completion_tokens

        started = time.process_time()
        found = await asyncio.gather(*map(one, asked))
        spent = time.process_time() - started
    finally:
        await model.close()
    return [text for text, _ in found], spent, sum(tokens for _, tokens in found)


def share(ours: list[str], theirs: list[str]) -> str:
    """How many rows differ, and their share."""
    different = sum(one != other for one, other in zip(ours, theirs, strict=True))
    return f"{different} ({different / len(ours):.1%})"


async def main() -> None:
    """Prints the table."""
    embedded = next(spec for spec in embedded_specs() if spec.name == "small")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=embedded.model)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--only", default=",".join(QUANTIZATIONS))
    options = parser.parse_args()
    asked = requests(options.rows)
    base = ModelSpec(name="bench", provider="transformers", model=options.model)
    reference, _, _ = await answers(
        base.model_copy(update={"quantization": "fp32", "concurrency": 64}), asked
    )
    print(f"{len(asked)} rows, at most {TOKENS} tokens each\n")
    print("| quantization | differs from fp32 | differs alone | tokens/CPU s, batch | tokens/CPU s, alone |")
    print("| --- | --- | --- | --- | --- |")
    for name in options.only.split(","):
        try:
            texts, rates = [], []
            for concurrency in (64, 1):
                held = base.model_copy(update={"quantization": name, "concurrency": concurrency})
                found, spent, tokens = await answers(held, asked)
                texts.append(found)
                rates.append(f"{tokens / spent:.0f}")
        except ModelUnavailable as problem:
            print(f"| {name} | {problem.problem} | | | |", flush=True)
            continue
        cells = (name, share(texts[0], reference), share(texts[0], texts[1]), *rates)
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
