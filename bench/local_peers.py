"""Rows with one shared eight-shot prefix: the workbench beside others on the same model files and prompts.

    python -m bench.local_peers                                     both models
    python -m bench.local_peers --models small --rounds 5 --peers PEERS/bin/python
    python -m bench.local_peers --models random-100m --rows 64 --slow-rows 32

Every contender has one thread and a process of its own, and they take turns: each round asks all of them
the same prompts, other ones than the round before. CPU seconds stand beside the wall time because they
change less on a machine that others use too. How to make the environment of PEERS: bench/peers/__init__.py.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench import models, prompts
from bench.peers.process import Answered, ContenderFailed, Worker
from workbench.errors import WorkbenchError

TOKENS = 48
WARM_UP = (9, 4, 8)  # variant of the prompts, rows, tokens: an asking that is not counted
# rows asked of the fast and of the slow contenders, by whether the model is large
ROWS = {False: (200, 200), True: (64, 32)}
OURS = "workbench, transformers"
REFERENCE = "generate, padded"


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender: its module, and which of ours it is compared with."""

    name: str
    module: str
    ours: str
    settings: dict[str, Any] = field(default_factory=dict)
    slow: bool = False
    """Whether it reads the prefix again for every row."""
    alone: bool = False
    """Whether it answers one row after the other, and thus gets an eighth of the rows."""
    gguf: str | None = None
    """The precision of the GGUF file that it reads instead of the folder."""
    python: str = sys.executable


def entries(peers: str | None, slots: int, large: bool, gguf: Sequence[str]) -> Iterator[Entry]:
    """Who takes part."""
    yield Entry(OURS, "workbench_models", OURS)
    yield Entry("workbench, one at a time", "workbench_models", OURS, {"in_flight": 1}, alone=True)
    yield Entry(REFERENCE, "padded_generate", OURS, {"batch": 32}, slow=True)
    if peers:
        # the search for the largest batch reads five times 64 rows of the whole context: an hour for the
        # large model, and 64 is what it ends with wherever memory holds
        batch = 64 if large else "auto"
        yield Entry(
            "lm-evaluation-harness, hf",
            "lm_evaluation_harness",
            OURS,
            {"batch": batch},
            slow=True,
            python=peers,
        )
    for held in gguf:
        name = f"workbench, llama_cpp, {held}"
        settings = {"provider": "llama_cpp", "in_flight": slots}
        yield Entry(name, "workbench_models", name, settings, gguf=held)
        yield Entry(f"llama.cpp's server, {held}", "llama_server", name, {"slots": slots}, gguf=held)


def contest(
    model: str, taking_part: Sequence[Entry], rows: int, slow_rows: int, rounds: int
) -> tuple[dict[str, list[Answered]], dict[str, str]]:
    """Answers by contender and round, and a note on each; one that fails has a note only."""
    answered: dict[str, list[Answered]] = {}
    notes: dict[str, str] = {}
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for entry in taking_part:
            try:
                file = models.gguf_file(model, entry.gguf) if entry.gguf else models.folder(model)
                worker = Worker(entry.module, file, entry.settings, entry.python)
                stack.callback(worker.close)
                variant, few, tokens = WARM_UP
                worker.answer(prompts.eight_shots(few, variant), tokens)
            except (ContenderFailed, ImportError, WorkbenchError) as problem:
                notes[entry.name] = f"left out: {problem}"
                print(f"{entry.name} is left out: {problem}", file=sys.stderr, flush=True)
                continue
            workers[entry.name], notes[entry.name] = worker, worker.note
        for turn in range(rounds):
            asked = prompts.eight_shots(max(rows, slow_rows), turn)
            for entry in taking_part:
                if entry.name not in workers:
                    continue
                count = slow_rows if entry.slow else rows // 8 if entry.alone else rows
                found = workers[entry.name].answer(asked[:count], TOKENS)
                answered.setdefault(entry.name, []).append(found)
                took = f"{count} rows, {found.wall_s:.1f} s, CPU {found.cpu_s:.1f} s"
                print(f"round {turn + 1}, {entry.name}: {took}", file=sys.stderr, flush=True)
    return answered, notes


def table(taking_part: Sequence[Entry], answered: dict[str, list[Answered]]) -> Iterator[str]:
    """A line a contender. How many times faster we are is the median over the rounds, each a fair pair."""
    yield "| | rows/s | CPU ms a row | we are faster by | by CPU time | same texts as `generate` |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for entry in taking_part:
        found, ours = answered.get(entry.name), answered.get(entry.ours)
        if not found:
            continue
        rate = median(len(one.texts) / one.wall_s for one in found)
        cpu = median(one.cpu_s / len(one.texts) for one in found)
        cells = [entry.name, f"{rate:.2f}", f"{cpu * 1000:.0f}", "", ""]
        if ours and entry.name != entry.ours:
            pairs = list(zip(ours, found, strict=True))
            wall = median((b.wall_s / len(b.texts)) / (a.wall_s / len(a.texts)) for a, b in pairs)
            work = median((b.cpu_s / len(b.texts)) / (a.cpu_s / len(a.texts)) for a, b in pairs)
            cells[3:] = [f"{wall:.2f}×", f"{work:.2f}×"]
        same = [
            mine.strip() == theirs.strip()
            for one, reference in zip(found, answered.get(REFERENCE, []), strict=False)
            for mine, theirs in zip(one.texts, reference.texts, strict=False)
        ]
        yield f"| {' | '.join([*cells, f'{sum(same)} of {len(same)}' if same else ''])} |"


def main() -> None:
    """Prints a table a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", default=",".join(models.WRITERS), help="names, with commas")
    parser.add_argument("--rows", type=int, help="default: 200, and 64 for a large model")
    parser.add_argument("--slow-rows", type=int, help="rows for those that read every prefix again: 200, 32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slots", type=int, default=8, help="of llama.cpp")
    parser.add_argument("--gguf", default="f32,q8_0", help="precisions, with commas; empty: none")
    parser.add_argument("--only", nargs="+", default=[""], help="contenders whose names contain one of these")
    parser.add_argument(
        "--peers", default=os.environ.get("BENCH_PEERS"), help="the Python of bench/peers/requirements.txt"
    )
    options = parser.parse_args()
    for name in options.models.split(","):
        large = models.is_large(name)
        usual, slow = ROWS[large]
        rows = options.rows or usual
        slow_rows = options.slow_rows or min(slow, rows)
        gguf = [held for held in options.gguf.split(",") if held]
        taking_part = [
            entry
            for entry in entries(options.peers, options.slots, large, gguf)
            if any(part in entry.name for part in options.only)
        ]
        answered, notes = contest(name, taking_part, rows, slow_rows, options.rounds)
        print(f"\n### {name}: {rows} rows ({slow_rows} for `generate` and its users), {TOKENS} new tokens\n")
        print("\n".join(table(taking_part, answered)), end="\n\n")
        for entry in taking_part:
            print(f"- {entry.name}: {notes[entry.name]}")
        if not options.peers:
            print("- lm-evaluation-harness: left out, as no --peers was given (see bench/peers/__init__.py)")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
