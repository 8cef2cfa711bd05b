"""What perplexity of 1,000 outputs takes: in batches as the metric asks for them, and text by text.

    python -m bench.local_likelihood
    python -m bench.local_likelihood --models small --texts 1000

The texts are worked answers of the word problems; text by text is a plain forward of transformers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from bench import models, prompts
from bench.peers.process import ONE_THREAD
from bench.peers.workbench_models import local_model
from workbench.core.model import TextScorer

ROUNDS = 3


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds, each the median of some rounds."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return sorted(walls)[ROUNDS // 2], sorted(cpus)[ROUNDS // 2]


def text_by_text(folder: str, texts: list[str]) -> Callable[[], None]:
    """A plain forward for each text; the network is loaded now."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def work() -> None:
        with torch.inference_mode():
            for text in texts:
                ids = tokenizer(text, return_tensors="pt")["input_ids"]
                network(ids, labels=ids).loss.item()

    return work


def table(name: str, count: int) -> None:
    """Prints one model's table."""
    folder = str(models.folder(name))
    texts = prompts.worked_answers(count)
    model = local_model(folder)
    if not isinstance(model, TextScorer):
        raise SystemExit(f"{folder} tells no likelihoods.")
    told = asyncio.run(model.log_likelihoods(texts))
    tokens = sum(one[1] for one in told if not isinstance(one, str))
    ways = {
        "batched": lambda: asyncio.run(model.log_likelihoods(texts)),
        "text by text": text_by_text(folder, texts),
    }
    print(f"\n### {name}: {len(texts):,} texts, {tokens:,} tokens\n")
    print("| | wall s | CPU s |")
    print("| --- | ---: | ---: |")
    for way, work in ways.items():
        wall, cpu = timed(work)
        print(f"| {way} | {wall:.2f} | {cpu:.2f} |", flush=True)
    asyncio.run(model.close())


def main() -> None:
    """Prints a table a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", default="small", help="names, with commas")
    parser.add_argument("--texts", type=int, default=1000)
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    for name in options.models.split(","):
        table(name, options.texts)


if __name__ == "__main__":
    main()
