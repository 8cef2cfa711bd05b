"""Rows per second of a local model: one at a time, batched, and by `transformers`' own `generate`.

python -m bench.local_decoding                       the embedded `small`
python -m bench.local_decoding --model FOLDER --quantization int8 --rows 128 --tokens 64
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from workbench.core.model import Completion, ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models.embedded_rows import embedded_specs
from workbench.models.transformers_local import TransformersModel

SYSTEM = 'You solve arithmetic word problems. End with "Answer:" and the number.'
STEPS = "Let's think step by step."  # long answers: short ones measure the reading of prompts
STORY = (
    "{name} has {a} apples and {b} pears. {name} buys {c} more apples and gives {d} pears away. "
    "How many pieces of fruit does {name} have now?"
)
NAMES = ("Ana", "Ben", "Cleo", "Dario", "Edda", "Farid", "Gala")


def requests(rows: int, tokens: int) -> list[Request]:
    """Word problems that share a system text and ask for steps."""
    sampling = Sampling(temperature=0.0, max_tokens=tokens, seed=1)
    found = []
    for row in range(rows):
        story = STORY.format(name=NAMES[row % 7], a=row % 50, b=row % 31, c=row % 9, d=row % 5)
        messages = (
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": f"{story}\n{STEPS}"},
        )
        found.append(Request(messages, sampling))
    return found


async def one_at_a_time(model: TransformersModel, asked: list[Request]) -> list[Completion]:
    """Each request after the one before."""
    return [await model.complete(request) for request in asked]


async def batched(model: TransformersModel, asked: list[Request]) -> list[Completion]:
    """As many in flight as the model takes, as the engine does it."""
    flying = asyncio.Semaphore(model.concurrency)

    async def one(request: Request) -> Completion:
        async with flying:
            return await model.complete(request)

    return list(await asyncio.gather(*map(one, asked)))


def by_generate(folder: Path, asked: list[Request], batch: int) -> list[str]:
    """Padded batches through `generate`, sorted by length, as a script would do it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    texts = [
        tokenizer.apply_chat_template(list(request.messages), tokenize=False, add_generation_prompt=True)
        for request in asked
    ]
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    found = [""] * len(texts)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        inputs = tokenizer(
            [texts[index] for index in chosen], add_special_tokens=False, padding=True, return_tensors="pt"
        )
        with torch.inference_mode():
            out = network.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                max_new_tokens=asked[0].sampling.max_tokens,
                do_sample=False,
            )
        width = inputs["input_ids"].shape[1]
        for index, ids in zip(chosen, out[:, width:], strict=True):
            found[index] = tokenizer.decode(ids, skip_special_tokens=True).lstrip()
    return found


def line(name: str, rows: int, tokens: int, wall_s: float, cpu_s: float) -> None:
    """One line of the table; CPU time is what a loaded machine does not change much."""
    cells = (
        name,
        f"{rows / wall_s:.1f}",
        f"{tokens / wall_s:.0f}",
        f"{wall_s:.2f}",
        f"{cpu_s / rows * 1000:.1f}",
    )
    print(f"| {' | '.join(cells)} |", flush=True)


async def main() -> None:
    """Prints the table."""
    embedded = next(spec for spec in embedded_specs() if spec.name == "small")
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=embedded.model)
    parser.add_argument("--quantization", default="fp32")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--concurrency", type=int, default=None)
    options = parser.parse_args()
    spec = ModelSpec(
        name="bench",
        provider="transformers",
        model=options.model,
        quantization=options.quantization,
        concurrency=options.concurrency,
    )
    asked = requests(options.rows, options.tokens)
    model = TransformersModel(spec)
    started = time.perf_counter()
    await model.warm()
    loaded = time.perf_counter()
    async for _ in model.stream(asked[0]):
        break
    print(f"loaded in {loaded - started:.1f} s, first text after {time.perf_counter() - loaded:.3f} s\n")
    print("| way | rows/s | tokens/s | wall s | CPU ms/row |")
    print("| --- | --- | --- | --- | --- |")
    alone = asked[: max(8, options.rows // 8)]
    texts: dict[str, list[str]] = {}
    for name, way, some in (("one at a time", one_at_a_time, alone), ("batched", batched, asked)):
        wall, cpu = time.perf_counter(), time.process_time()
        answers = await way(model, some)
        tokens = sum(answer.completion_tokens for answer in answers)
        line(name, len(some), tokens, time.perf_counter() - wall, time.process_time() - cpu)
        texts[name] = [answer.text for answer in answers]
    if options.quantization == "fp32":
        for batch, some in ((1, alone), (64, asked)):
            wall, cpu = time.perf_counter(), time.process_time()
            texts["generate"] = by_generate(Path(options.model), some, batch)
            count = len(some) * options.tokens
            line(
                f"generate, batch of {batch}",
                len(some),
                count,
                time.perf_counter() - wall,
                time.process_time() - cpu,
            )
        same = sum(ours == theirs for ours, theirs in zip(texts["batched"], texts["generate"], strict=True))
        print(f"\ntexts equal to generate's: {same} of {len(asked)}")
    await model.close()


if __name__ == "__main__":
    asyncio.run(main())
