"""The peak memory of a fresh process that loads a model and answers, beside what was estimated for it.

    python -m bench.local_memory
    python -m bench.local_memory --models small --quantizations fp32 nf4

Each line is a process of its own: `--rows` requests of the whole `--context` at once. The peak is what the
kernel recorded (VmHWM); the error is the estimate's, relative to it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from workbench.core.model import ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models.embedded_rows import embedded_specs
from workbench.models.local.memory import estimate_memory
from workbench.models.local.process_memory import peak_bytes

QUANTIZATIONS = ("fp32", "bf16", "int8", "nf4")
NEW_TOKENS = 16
MB = 10**6


def random_llama(folder: Path) -> Path:
    """Writes a random Llama of 110M weights with the embedded models' tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    AutoTokenizer.from_pretrained(_embedded("small")).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32_000,
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


async def answer(folder: str, quantization: str, rows: int, context: int) -> None:
    """Loads the model, fills `rows` rows up to the context, and prints the peak as JSON."""
    from workbench.models.transformers_local import TransformersModel

    spec = ModelSpec(
        name="bench",
        provider="transformers",
        model=folder,
        quantization=quantization,
        concurrency=rows,
        context=context,
    )
    model = TransformersModel(spec)
    await model.warm()
    loaded = peak_bytes()
    drawn = random.Random(1)
    sampling = Sampling(temperature=0.0, max_tokens=NEW_TOKENS, seed=1)
    requests = [Request((_message(model, context - NEW_TOKENS, drawn),), sampling) for _ in range(rows)]
    done = await asyncio.gather(*map(model.complete, requests))
    tokens = sum(one.prompt_tokens + one.completion_tokens for one in done)
    print(json.dumps({"loaded": loaded, "peak": peak_bytes(), "tokens": tokens}))
    await model.close()


def _message(model: object, tokens: int, drawn: random.Random) -> dict[str, str]:
    words = [str(drawn.randrange(10)) for _ in range(tokens)]
    while True:
        message = {"role": "user", "content": " ".join(words)}
        counted = model.count_tokens([message])  # type: ignore[attr-defined]
        if counted <= tokens:
            return message
        words = words[: len(words) - max(1, (counted - tokens) // 2)]


def measured(folder: str, quantization: str, rows: int, context: int) -> dict[str, int]:
    """What `answer` prints, from a process of its own."""
    command = [sys.executable, "-m", "bench.local_memory", "--child", folder, quantization]
    done = subprocess.run(
        [*command, "--rows", str(rows), "--context", str(context)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def _embedded(name: str) -> str:
    return next(spec.model for spec in embedded_specs() if spec.name == name)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", nargs="+", default=["small", "random 110M"])
    parser.add_argument("--quantizations", nargs="+", default=QUANTIZATIONS)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        folder, quantization = options.child
        asyncio.run(answer(folder, quantization, options.rows, options.context))
        return
    print(f"{options.rows} rows of {options.context} tokens, MB\n")
    print("| model | quantization | weights | cache | the rest | estimate | measured | error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.models:
            folder = str(random_llama(Path(temporary))) if name == "random 110M" else name
            folder = folder if Path(folder).is_dir() else _embedded(name)
            for quantization in options.quantizations:
                guess = estimate_memory(Path(folder), quantization, options.context, options.rows)
                found = measured(folder, quantization, options.rows, options.context)
                cells = [
                    f"{part / MB:.0f}"
                    for part in (
                        guess.weights_bytes,
                        guess.cache_bytes,
                        guess.overhead_bytes,
                        guess.total_bytes,
                        found["peak"],
                    )
                ]
                error = guess.total_bytes / found["peak"] - 1
                shown = Path(name).name
                print(f"| {shown} | {quantization} | {' | '.join(cells)} | {error:+.0%} |", flush=True)
                print(f"{shown} {quantization}: {found}", file=sys.stderr)


if __name__ == "__main__":
    main()
