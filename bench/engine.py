"""What the engine costs: 2,000 calls, a warm rerun, and scoring, reporting and comparing 40,000 outputs.

    python -m bench.engine

The server is a process of its own; CPU seconds are those of this process, start-up left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.providers import DELAY_S
from workbench.core.run import Output
from workbench.engine import (
    Workspace,
    compare,
    create_run,
    execute_run,
    report,
    rows,
)

IN_FLIGHT = 32


class Stopwatch:
    """Wall and CPU seconds of a block."""

    wall_s = 0.0
    cpu_s = 0.0

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self._wall, time.process_time() - self._cpu


def workspace(folder: Path, base_url: str, count: int) -> Workspace:
    """Two prompts over `count` questions on one OpenAI-compatible server."""
    data = folder / "experiments" / "datasets" / "sums"
    data.mkdir(parents=True)
    (folder / "prompts").mkdir()
    for name, ending in (("direct", ""), ("careful", " Think.")):
        (folder / "prompts" / f"{name}.yaml").write_text(
            f'name: {name}\nmessages: [{{role: user, content: "{{{{ question }}}}{ending}"}}]\n'
            'answer: {after: "Answer:", type: number}\n'
        )
    lines = (
        {
            "id": str(n),
            "question": f"Ana has {n} apples and buys 38 more. How many now?",
            "answer": str(n + 38),
        }
        for n in range(count)
    )
    (data / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "experiments" / "models.yaml").write_text(
        f"models:\n  - {{name: server, provider: openai, model: m, base_url: '{base_url}', "
        f"concurrency: {IN_FLIGHT}}}\n"
    )
    for name, prompts in (("both", "[direct, careful]"), ("one", "[direct]")):
        (folder / "experiments" / f"{name}.yaml").write_text(
            f"name: {name}\ndataset: {{name: sums}}\nprompts: {prompts}\nmodels: [server]\n"
        )
    return Workspace.open(folder)


@contextmanager
def server() -> Iterator[str]:
    """The 50 ms server of bench.providers, in a process of its own."""
    command = [sys.executable, "-m", "bench.providers", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline()) if process.stdout else 0
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def line(what: str, watch: Stopwatch, wanted: str) -> None:
    """One line of the table."""
    print(f"| {what} | {watch.wall_s:.2f} | {watch.cpu_s:.2f} | {wanted} |", flush=True)


def main() -> None:
    """Prints the table."""
    print("| what | wall s | CPU s | wanted |")
    print("| --- | --- | --- | --- |")
    with server() as url, tempfile.TemporaryDirectory() as folder:
        opened = workspace(Path(folder), url, 1000)
        execute_run(opened, create_run(opened, opened.experiment("one"), limit=1))  # imports are start-up
        both = opened.experiment("both")
        ideal_s = 2000 / IN_FLIGHT * DELAY_S
        for what, wanted in (
            ("2,000 calls, 32 in flight, 50 ms", f"wall < {1.25 * ideal_s:.1f}, CPU < 3"),
            ("the same again, all cached", "CPU < 2"),
        ):
            with Stopwatch() as watch:
                shown = execute_run(opened, create_run(opened, both))
            line(what, watch, wanted)
        assert shown.cached == 2000
        opened.close()
    with tempfile.TemporaryDirectory() as folder:
        opened = workspace(Path(folder), "http://127.0.0.1:1/v1", 10_000)
        four = opened.experiment("both").model_copy(
            update={"sampling": {"temperature": [0.0, 0.7]}, "metrics": ("exact_match",)}
        )
        run = create_run(opened, four, owner="bench")
        for cell in range(4):
            outputs = [
                Output(
                    cell,
                    str(n),
                    position=n,
                    text=f"Answer: {n + 38}",
                    answer=str(n + 38 + (n % (cell + 2) == 0)),
                )
                for n in range(10_000)
            ]
            opened.store.outputs.add(run, outputs)
        with Stopwatch() as watch:
            report(opened, run)
        line("score 10,000 rows × 4 cells (exact_match) with intervals", watch, "CPU < 5")
        with Stopwatch() as watch:
            report(opened, run)
        line("report of the same", watch, "wall < 1")
        with Stopwatch() as watch:
            report(opened, run)
            compare(opened, run)
            rows(opened, run, limit=50)
        line("what Compare shows first: table, verdicts, 50 rows", watch, "wall < 2")
        opened.close()


if __name__ == "__main__":
    main()
