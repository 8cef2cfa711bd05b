"""How long somebody at the Prompts page waits for the first text while a run of 200 rows goes on.

    python -m bench.local_first_token
    python -m bench.local_first_token --models small --streams 40

Once in the run's own process, where the stream joins the running batch, and once beside it, where the run is
a process of its own (the app's worker), and the two share the machine. `short` is a question; `new` has
eight examples that no row of the run has, so that its prefix has to be read first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from bench import models, prompts
from bench.peers.process import ONE_THREAD, ROOT
from bench.peers.workbench_models import complete_all, local_model
from workbench.core.model import Model, Request
from workbench.core.prompt import Sampling

ROWS = 200
TOKENS = 48
PAUSE_S = 0.3
TARGET_S = 0.5
RUN_READY = "running"


async def run_for_ever(model: Model, ready: asyncio.Event) -> None:
    """Runs of 200 rows with one prefix each, one after the other."""
    variant = 0
    while True:
        asked = [
            Request(messages, Sampling(temperature=0.0, max_tokens=TOKENS, seed=1))
            for messages in prompts.eight_shots(ROWS, variant % 10)
        ]
        run = asyncio.create_task(complete_all(model, asked))
        await asyncio.sleep(1)
        ready.set()
        await run
        variant += 1


@asynccontextmanager
async def run_here(model: Model) -> AsyncIterator[None]:
    """The run in this process, on the same model."""
    ready = asyncio.Event()
    task = asyncio.create_task(run_for_ever(model, ready))
    await ready.wait()
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def run_beside(name: str) -> Iterator[None]:
    """The run in a process of its own."""
    command = [sys.executable, "-m", "bench.local_first_token", "--run", name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or process.stdout.readline().strip() != RUN_READY:
                raise RuntimeError("the run beside did not start")
            yield
        finally:
            process.terminate()


async def first_text_s(model: Model, messages: prompts.Messages) -> float:
    """Seconds from asking to the first piece of text; the stream is left then."""
    started = time.perf_counter()
    stream = model.stream(Request(messages, Sampling(temperature=0.0, max_tokens=TOKENS, seed=1)))
    async for _ in stream:
        break
    waited = time.perf_counter() - started
    await stream.aclose()  # type: ignore[attr-defined]
    await asyncio.sleep(PAUSE_S)
    return waited


async def waits(model: Model, streams: int, part: int) -> dict[str, list[float]]:
    """Seconds by kind of prompt; each part of the measurement has prompts of its own."""
    short = prompts.no_shots(streams, part)
    new = [prompts.eight_shots(1, 100 * part + turn)[0] for turn in range(streams)]
    found: dict[str, list[float]] = {"short": [], "new": []}
    for turn in range(streams):
        found["short"].append(await first_text_s(model, short[turn]))
        found["new"].append(await first_text_s(model, new[turn]))
    return found


async def table(name: str, streams: int) -> None:
    """Prints one model's table."""
    model = local_model(str(models.folder(name)))
    await first_text_s(model, prompts.no_shots(1, 30)[0])
    found = {"nothing else": await waits(model, streams, 1)}
    async with run_here(model):
        found["a run in the same process"] = await waits(model, streams, 2)
    with run_beside(name):
        found["a run in another process"] = await waits(model, streams, 3)
    await model.close()
    print(f"\n### {name}: {streams} streams of each kind\n")
    print("| beside | prompt | p50 s | p95 s | wanted |")
    print("| --- | --- | ---: | ---: | ---: |")
    for beside, kinds in found.items():
        for kind, seconds in kinds.items():
            ranked = sorted(seconds)
            p50, p95 = (ranked[min(len(ranked) - 1, int(len(ranked) * share))] for share in (0.5, 0.95))
            print(f"| {beside} | {kind} | {p50:.3f} | {p95:.3f} | {TARGET_S if name == 'small' else ''} |")
    sys.stdout.flush()


async def _run(name: str) -> None:
    ready = asyncio.Event()
    task = asyncio.create_task(run_for_ever(local_model(str(models.folder(name))), ready))
    await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        print(RUN_READY, flush=True)
    await task


def main() -> None:
    """Prints a table a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", default="small", help="names, with commas")
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--run", metavar="MODEL", help="only the run, until it is stopped")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    if options.run:
        asyncio.run(_run(options.run))
        return
    for name in options.models.split(","):
        asyncio.run(table(name, options.streams))


if __name__ == "__main__":
    main()
