"""What a collection from 100,000 outputs costs: picked by a metric, compared with held-back rows, stored.

    python -m bench.collecting            # wanted: under 10 s of wall time
    python -m bench.collecting --profile  # where the time goes

25,000 rows of a train split, each answered four times, half of the outputs right; 2,000 rows are held back.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import tempfile
from pathlib import Path

import numpy as np

from bench.engine import Stopwatch
from workbench.core.run import Output
from workbench.core.tuning import Collect
from workbench.engine import Workspace, create_run, report
from workbench.tuning.collecting import collect, collections, edit, item_page, reject, undo
from workbench.tuning.collecting.foreseeing import foresee

ROWS, REPEATS, HELD_BACK = 25_000, 4, 2_000
PLACES = ("Mill Street", "the harbour", "Hill Road", "the bridge", "the depot", "Long Lane", "the museum")


def workspace(folder: Path) -> Workspace:
    """One prompt over bus stories; the server that its model names is never asked."""
    data = folder / "experiments" / "datasets" / "stories"
    data.mkdir(parents=True)
    (folder / "prompts").mkdir()
    (folder / "prompts" / "steps.yaml").write_text(
        "name: steps\nreasoning: step_by_step\nmessages:\n"
        "  - {role: system, content: You solve arithmetic word problems.}\n"
        '  - {role: user, content: "{{ question }}"}\nanswer: {after: "Answer:", type: number}\n'
    )
    draw = np.random.default_rng(0)
    for split, count in (("train", ROWS), ("test", HELD_BACK)):
        lines = []
        for number in range(count):
            first, second, third = draw.integers(2, 900, 3).tolist()
            one, two = draw.choice(PLACES, 2).tolist()
            question = (
                f"The bus starts with {first} passengers. At {one} it gets {second} more passengers. "
                f"Then {third} passengers board at {two}. How many passengers does the bus have now?"
            )
            answer = str(first + second + third)
            lines.append({"id": f"{split}-{number}", "question": question, "answer": answer, "steps": 2})
        (data / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "experiments" / "models.yaml").write_text(
        "models:\n  - {name: server, provider: openai, model: m, base_url: 'http://127.0.0.1:1/v1'}\n"
    )
    (folder / "experiments" / "stories.yaml").write_text(
        "name: stories\ndataset: {name: stories, split: train}\nprompts: steps\nmodels: server\n"
        f"sampling: {{temperature: 0.8}}\nrepeats: {REPEATS}\nmetrics: exact_match\n"
    )
    return Workspace.open(folder)


def finished_run(opened: Workspace) -> str:
    """A run of ROWS × REPEATS outputs, scored."""
    run = create_run(opened, opened.experiment("stories"), owner="bench")
    rows = opened.datasets.load("stories", "train").rows
    outputs = [
        _output(row, position, repeat) for position, row in enumerate(rows) for repeat in range(REPEATS)
    ]
    opened.store.outputs.add(run, outputs)
    opened.store.runs.set(run, status="completed", done=len(outputs), total=len(outputs))
    report(opened, run)
    return run


def _output(row: dict[str, str], position: int, repeat: int) -> Output:
    answer = str(int(row["answer"]) + (position + repeat) % 2)
    text = (
        f"Attempt {repeat}: the bus has some, and it gets more, so that {answer} are there. Answer: {answer}"
    )
    return Output(0, row["id"], position, repeat, text, answer, completion_tokens=20 + repeat)


def main() -> None:
    """Prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--profile", action="store_true", help="print where the time goes")
    shown = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        opened = workspace(Path(folder))
        run = finished_run(opened)
        print("| what | items | wall s | CPU s | wanted |")
        print("| --- | ---: | ---: | ---: | --- |")
        for what, pick, wanted in (
            ("the best right output of each row", {"per_row": 1}, "wall < 10"),
            ("every right output", {"per_row": REPEATS}, "wall < 10"),
            ("every output", {"per_row": REPEATS, "at_least": 0}, "wall < 10"),
        ):
            settings = Collect.model_validate({"runs": [run], "pick": {"metric": "exact_match", **pick}})
            profile = cProfile.Profile()
            if shown.profile:
                profile.enable()
            with Stopwatch() as watch:
                found = collect(opened, "stories", settings)
            profile.disable()
            line(f"collect {what} of {ROWS * REPEATS:,}", opened, found, watch, wanted)
            if shown.profile:
                pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        for what, work in (
            ("a page of 50 in the middle", lambda: item_page(opened, found, limit=50, offset=50_000)),
            ("what passes a bar, told before", lambda: foresee(opened, settings).passing(at_least=0.5)),
            ("where an item stands", lambda: opened.store.collections.place(found, 50_000, "kept")),
            ("a page of what holds a word", lambda: item_page(opened, found, find="harbour", offset=9_000)),
            ("reject 50", lambda: reject(opened, found, range(1_000, 1_050), "ada")),
            ("edit one", lambda: edit(opened, found, 7, "Answer: 1", "ada")),
            ("undo both", lambda: (undo(opened, found, "ada"), undo(opened, found, "ada"))),
            ("the list of collections, with versions", lambda: collections(opened)),
        ):
            with Stopwatch() as watch:
                work()
            line(what, opened, found, watch, "wall < 0.5")
        opened.close()


def line(what: str, opened: Workspace, collection: str, watch: Stopwatch, wanted: str) -> None:
    """One line of the table."""
    items = sum(opened.store.collections.count(collection).values())
    print(f"| {what} | {items:,} | {watch.wall_s:.2f} | {watch.cpu_s:.2f} | {wanted} |", flush=True)


if __name__ == "__main__":
    main()
