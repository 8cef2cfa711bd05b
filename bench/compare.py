"""What the Compare page waits for over 100,000 outputs: its first screen, and each filter and order.

    python -m bench.compare

25,000 rows × 4 cells with texts of 60 words lie in a database of its own; all is scored before. Seconds
are of this process, its imports left out, the best of three; drawing the page adds 0.1 s of CPU.
"""

from __future__ import annotations

import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from workbench.core.experiment import Experiment
from workbench.core.run import Output
from workbench.engine import (
    RowQuery,
    ScoreRange,
    Workspace,
    compare,
    create_run,
    report,
    rows,
    tag_rows,
    winner,
)

ROWS, CELLS, TIMES = 25_000, 4, 3
WORDS = [f"word{number}" for number in range(2_000)]
MODELS = "models:\n" + "".join(
    f"  - {{name: m{n}, provider: openai, model: m, base_url: 'http://127.0.0.1:1/v1'}}\n" for n in (1, 2)
)


def workspace(folder: Path) -> Workspace:
    """Two prompts on two models over questions of 40 words."""
    data = folder / "experiments" / "datasets" / "sums"
    data.mkdir(parents=True)
    (folder / "prompts").mkdir()
    for name in ("direct", "careful"):
        (folder / "prompts" / f"{name}.yaml").write_text(
            f'name: {name}\nmessages: [{{role: user, content: "{{{{ question }}}} {name}"}}]\n'
            'answer: {after: "Answer:", type: number}\n'
        )
    chance = random.Random(1)
    with (data / "test.jsonl").open("w", encoding="utf-8") as file:
        for n in range(ROWS):
            question = f"{' '.join(chance.choices(WORDS, k=40))} {n} + 38?"
            row = {"id": f"r{n}", "question": question, "topic": chance.choice("abc"), "answer": str(n + 38)}
            file.write(json.dumps(row) + "\n")
    (folder / "experiments" / "models.yaml").write_text(MODELS)
    return Workspace.open(folder)


def filled(opened: Workspace, seed: int) -> str:
    """A run with every output: 10 to 40 % wrong by cell, 1 % without an answer, 0.2 % errors."""
    experiment = Experiment.model_validate(
        {
            "name": "sums",
            "dataset": {"name": "sums"},
            "prompts": ["direct", "careful"],
            "models": ["m1", "m2"],
            "metrics": ["exact_match", "rouge_l"],
        }
    )
    run = create_run(opened, experiment, owner="bench")
    chance = random.Random(seed)
    for cell in range(CELLS):
        for start in range(0, ROWS, 5_000):
            outputs = [_output(cell, n, chance) for n in range(start, start + 5_000)]
            opened.store.outputs.add(run, outputs)
    return run


def _output(cell: int, n: int, chance: random.Random) -> Output:
    answer = str(n + 38 + (chance.random() < 0.1 * (cell + 1)))
    failed, unanswered = chance.random() < 0.002, chance.random() < 0.01
    return Output(
        cell,
        f"r{n}",
        n,
        text="" if failed else f"{' '.join(chance.choices(WORDS, k=60))}\nAnswer: {answer}",
        answer=None if failed or unanswered else answer,
        error="the model broke" if failed else None,
        latency_s=chance.random(),
        cost_usd=chance.random() / 1000,
    )


def best_of(work: Callable[[], object]) -> str:
    """Wall and CPU seconds as two columns, each the least of a few times."""
    wall, cpu = [], []
    for _ in range(TIMES):
        started, worked = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - worked)
    return f"{min(wall):.2f} | {min(cpu):.2f}"


def first_screen(opened: Workspace, run: str) -> None:
    """What the page asks for when it is opened on its rows."""
    table = report(opened, run)
    found = compare(opened, run)
    chosen = [found.baseline.index, winner(opened, run, found.metric, table).cell.index]
    rows(opened, run, sorted(set(chosen)))


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        opened = workspace(Path(folder))
        before, run = filled(opened, 2), filled(opened, 3)
        report(opened, before)
        report(opened, run)
        tag_rows(opened, run, ["r7", "r20000"], "odd")
        print(f"| over {ROWS * CELLS:,} outputs, four cells chosen | wall s | CPU s | rows found |")
        print("| --- | --- | --- | --- |")
        print(f"| first screen: table, verdicts, 50 rows | {best_of(lambda: first_screen(opened, run))} | |")
        scores = (ScoreRange("rouge_l", None, high=0.5),)
        asked = {
            "all rows": RowQuery(),
            "answers differ": RowQuery(only=("different",)),
            "failures": RowQuery(only=("wrong",)),
            "exactly one right": RowQuery(only=("one_right",)),
            "no answer": RowQuery(only=("unanswered",)),
            "errors": RowQuery(only=("errors",)),
            "regressions against another run": RowQuery(only=("regressed",), against=before),
            "text in rows and outputs": RowQuery(contains="word77 "),
            "value of a column": RowQuery(column="topic", value="a"),
            "score of any cell": RowQuery(scores=scores),
            "tag": RowQuery(tag="odd"),
            "worst score first": RowQuery(sort="worst"),
            "largest loss first": RowQuery(sort="lost"),
            "longest first": RowQuery(sort="longest"),
            "most different answers first": RowQuery(sort="disagreement"),
            "all of: differ, failures, text, score, longest": RowQuery(
                only=("different", "wrong"), contains="word77 ", scores=scores, sort="longest"
            ),
        }
        for name, query in asked.items():
            found = rows(opened, run, query=query).total
            taken = best_of(lambda query=query: rows(opened, run, query=query))  # type: ignore[misc]
            print(f"| {name} | {taken} | {found:,} |", flush=True)
        opened.close()
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")


if __name__ == "__main__":
    main()
