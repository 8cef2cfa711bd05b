"""How fast a training reads, beside a bare TRL script with the same data and settings.

    python -m bench.tuning_speed
    python -m bench.tuning_speed --rounds 1 --objectives supervised

Each side is a process of its own at one thread, one after the other in every round. What is measured is the
training alone: imports, loading and what is saved afterwards do not count. Only speed is looked at here; the
texts are worked answers of the training split, and wrong ones to prefer them over.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.peers.process import ONE_THREAD, ROOT
from workbench.core.tuning import Train
from workbench.models.embedded import embedded_path
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.events import read_state

DATASET = ROOT / "experiments" / "datasets" / "word-problems" / "train.jsonl"
TARGET = 0.9
POLL_S = 0.02
TRAININGS = {
    "supervised": Train(batch=16, learning_rate=5e-3, validation=0),
    "dpo": Train(objective="dpo", batch=8, learning_rate=5e-4, beta=0.1, validation=0),
}


@dataclass(frozen=True)
class Timed:
    """Seconds of a training without what comes before and after."""

    wall_s: float
    cpu_s: float


def prepare(folder: TuningFolder, model: str, train: Train, steps: int) -> None:
    """Writes the files that both sides train from."""
    rows = [json.loads(line) for line in DATASET.read_text("utf-8").splitlines()]
    lines = []
    for number in range(steps * (train.batch or 1)):
        row, other = rows[number % len(rows)], rows[(number + 1) % len(rows)]
        line = {
            "messages": [{"role": "user", "content": row["question"]}],
            "completion": f"{row['reasoning']} Answer: {row['answer']}",
        }
        if train.objective == "dpo":
            line["rejected"] = f"{other['reasoning']} Answer: {other['answer']}"
        lines.append(json.dumps(line))
    folder.path.mkdir(parents=True)
    folder.train.write_text("\n".join(lines) + "\n", "utf-8")
    settled = train.model_copy(update={"max_steps": steps, "evaluate_every": steps})
    TrainingJob("bench", str(embedded_path(model)), settled, device="cpu").write(folder.job)


def ours(folder: TuningFolder) -> Timed:
    """The workbench's own process; its CPU time from its start to what it tells of the last step."""
    command = [sys.executable, "-m", "workbench.tuning.training.process", "--folder", str(folder.path)]
    with folder.log.open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | ONE_THREAD, stdout=log, stderr=subprocess.STDOUT
        )
    last = TrainingJob.read(folder.job).train.max_steps
    marks = {"start": '"event": "start"', "last": f'"event": "log", "step": {last},'}
    seen: dict[str, float] = {}
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        spent = sum(watched.cpu_times()[:2]) if watched.is_running() else 0.0
        told = folder.events.read_text("utf-8") if folder.events.exists() else ""
        for name, mark in marks.items():
            if mark in told and spent:
                seen.setdefault(name, spent)
        time.sleep(POLL_S)
    if process.returncode:
        raise SystemExit(folder.log.read_text("utf-8")[-2000:])
    return Timed(read_state(folder).parts["training"], seen["last"] - seen["start"])


def bare(folder: TuningFolder) -> Timed:
    """The script; it takes its own time around the training."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare_trl", str(folder.path)],
        cwd=ROOT,
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    told = json.loads(done.stdout.splitlines()[-1])
    return Timed(told["wall_s"], told["cpu_s"])


def tokens(folder: TuningFolder) -> int:
    """Tokens that one time through the data reads."""
    from workbench.core.collection import Item, Origin
    from workbench.core.model import ModelSpec
    from workbench.core.tuning import TASK_OF
    from workbench.tuning.checking.base import find_base
    from workbench.tuning.checking.facts import measure

    job = TrainingJob.read(folder.job)
    base = find_base(ModelSpec(name="bench", provider="transformers", model=job.base))
    rows = [json.loads(line) for line in folder.train.read_text("utf-8").splitlines()]
    items = [
        Item(tuple(row["messages"]), row["completion"], Origin("import"), rejected=row.get("rejected"))
        for row in rows
    ]
    return measure(base, items, TASK_OF[job.train.objective]).tokens


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="small")
    parser.add_argument("--objectives", nargs="+", default=list(TRAININGS), choices=list(TRAININGS))
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"LoRA on `{options.model}`, {options.steps} steps, medians of {options.rounds} rounds\n")
    print("| objective | side | tokens/s | tokens per CPU s | by CPU time, of the bare script | wanted |")
    print("| --- | --- | ---: | ---: | ---: | ---: |", flush=True)
    for objective in options.objectives:
        sides: dict[str, list[Timed]] = {"workbench": [], "bare TRL": []}
        with tempfile.TemporaryDirectory() as temporary:
            for number in range(options.rounds):
                for side, run in (("workbench", ours), ("bare TRL", bare)):
                    folder = TuningFolder(Path(temporary) / f"{number}-{side.replace(' ', '-')}")
                    prepare(folder, options.model, TRAININGS[objective], options.steps)
                    sides[side].append(run(folder))
            read = tokens(folder)
        ratio = statistics.median(
            bare_one.cpu_s / our_one.cpu_s
            for our_one, bare_one in zip(sides["workbench"], sides["bare TRL"], strict=True)
        )
        for side, timed in sides.items():
            wall = read / statistics.median(one.wall_s for one in timed)
            cpu = read / statistics.median(one.cpu_s for one in timed)
            compared = f"{ratio:.0%} | {TARGET:.0%}" if side == "workbench" else " | "
            print(f"| {objective} | {side} | {wall:,.0f} | {cpu:,.0f} | {compared} |", flush=True)


if __name__ == "__main__":
    main()
