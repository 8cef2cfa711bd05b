"""The peak memory of a training's process beside what was estimated for it before the start.

    python -m bench.tuning_memory
    python -m bench.tuning_memory --models small --trainings lora dpo

Each line is a training of its own, of two steps, a look and a save. The peak is what the kernel recorded of
the process; the error is the estimate's, relative to it. `random 110M` is a Llama of random weights with a
vocabulary of 32,000 tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.local_memory import random_llama
from bench.peers.process import ONE_THREAD, ROOT
from workbench.core.collection import Item, Origin
from workbench.core.model import ModelSpec
from workbench.core.tuning import TASK_OF, Train
from workbench.models.embedded import embedded_path
from workbench.tuning.checking.base import Base, find_base
from workbench.tuning.checking.choosing import chosen
from workbench.tuning.checking.facts import measure
from workbench.tuning.checking.memory import estimate_training_memory
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.events import read_state

MODELS = ("small", "random 110M")
ALL_BUT_ZEROS = ("v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TRAININGS: dict[str, Train] = {
    "lora": Train(),
    "full": Train(method="full"),
    "dora": Train(method="dora", targets=ALL_BUT_ZEROS),
    "qlora": Train(method="qlora"),
    "ia3": Train(method="ia3"),
    "prefix": Train(method="prefix"),
    "prompt": Train(method="prompt"),
    "lora, checkpointing": Train(gradient_checkpointing=True),
    "lora, bf16": Train(precision="bf16"),
    "full, bf16": Train(method="full", precision="bf16"),
    "dpo": Train(objective="dpo"),
    "full dpo": Train(method="full", objective="dpo"),
    "kto": Train(objective="kto"),
    "orpo": Train(objective="orpo"),
}
FIRST = ("lora", "full", "dora", "qlora", "dpo")
STEPS = 2
MB = 10**6


def examples(train: Train, texts: int, digits: int) -> list[Item]:
    """Questions and answers of so many digits, some shorter."""
    drawn = random.Random(1)
    task = TASK_OF[train.objective]
    found = []
    for number in range(texts * STEPS):
        length = digits if number % texts == 0 else drawn.randint(digits // 2, digits)
        question, answer = (" ".join(str(drawn.randrange(10)) for _ in range(length)) for _ in range(2))
        found.append(
            Item(
                ({"role": "user", "content": question},),
                answer,
                Origin("import"),
                rejected=answer[::-1] if task == "preference" else None,
                label=number % 2 == 0 if task == "label" else None,
            )
        )
    return found


def prepared(base: Base, train: Train, folder: TuningFolder, batch: int, digits: int) -> tuple[Train, int]:
    """Writes a training's files; returns its settings and the bytes estimated for it."""
    task = TASK_OF[train.objective]
    size = batch // 2 if task == "preference" else batch
    items = examples(train, size, digits)
    wanted = train.model_copy(
        update={"batch": size, "max_steps": STEPS, "evaluate_every": STEPS, "learning_rate": 1e-4}
    )
    facts = measure(base, items, task)
    complete = chosen(wanted, facts, base.parameters)
    rows = [
        {"messages": list(item.messages), "completion": item.completion}
        | ({} if item.rejected is None else {"rejected": item.rejected})
        | ({} if item.label is None else {"label": item.label})
        for item in items
    ]
    folder.path.mkdir(parents=True)
    folder.train.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    folder.validation.write_text("\n".join(map(json.dumps, rows[:size])) + "\n", "utf-8")
    asked = ({"role": "user", "content": "1 2 3"},)
    TrainingJob(
        "bench", str(base.folder), complete, samples=(asked,) * 4, sample_tokens=16, device="cpu"
    ).write(folder.job)
    return complete, estimate_training_memory(base, complete, facts).total


def peak(folder: TuningFolder) -> int:
    """Trains in a process of its own and gives the most that it held."""
    command = [sys.executable, "-m", "workbench.tuning.training.process", "--folder", str(folder.path)]
    with folder.log.open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | ONE_THREAD, stdout=log, stderr=subprocess.STDOUT
        )
        process.wait()
    if process.returncode:
        raise SystemExit(folder.log.read_text("utf-8")[-2000:])
    return int(read_state(folder).peak_memory_bytes or 0)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--trainings", nargs="+", default=FIRST, choices=list(TRAININGS))
    parser.add_argument("--batch", type=int, help="texts a step; default: 16, and 4 of the larger model")
    parser.add_argument("--digits", type=int, default=70, help="of a question and of an answer")
    options = parser.parse_args()
    print("| model | training | texts a step | estimate, MB | measured, MB | error |")
    print("| --- | --- | ---: | ---: | ---: | ---: |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.models:
            large = name == "random 110M"
            folder = random_llama(Path(temporary) / "random") if large else embedded_path(name)
            base = find_base(ModelSpec(name="bench", provider="transformers", model=str(folder)))
            batch = options.batch or (4 if large else 16)
            for training in options.trainings:
                state = TuningFolder(Path(temporary) / f"{folder.name}-{training}".replace(", ", "-"))
                _, guess = prepared(base, TRAININGS[training], state, batch, options.digits)
                found = peak(state)
                cells = f"{batch} | {guess / MB:.0f} | {found / MB:.0f} | {guess / found - 1:+.0%}"
                print(f"| {name} | {training} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
