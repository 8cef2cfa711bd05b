"""Large files in bounded memory with progress; other encodings; judges; killed on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.finished.conftest import stored
from tests.fake_openai import openai_server
from workbench.engine import Workspace, add_metrics, execute_run, report, resume_run
from workbench.engine.finished.importing import import_finished
from workbench.engine.finished.records import ImportSettings
from workbench.errors import InvalidFile, RunError, UsageError

Write = Callable[[str, Any], Path]
ONE = [{"instruction": "Name a prime.", "output": "7", "generator": "m"}]


def test_memory_stays_below_the_files_size_and_progress_is_told(workspace: Workspace, tmp_path: Path):
    items = [
        {"instruction": f"{n // 2}", "output": f"{n} " + "words " * 1500, "generator": f"m{n % 2}"}
        for n in range(1000)
    ]
    file = tmp_path / "large.json"
    file.write_text(json.dumps(items), "utf-8")
    del items
    size = file.stat().st_size
    assert size > 9_000_000
    import_finished(workspace, [("small.json", json.dumps(ONE).encode())])  # loads what is loaded once
    told: list[int] = []
    tracemalloc.start()
    try:
        made = import_finished(workspace, [file], on_reading=lambda _, done, total: told.append(done))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (made.rows, made.cells, made.outputs) == (500, 2, 1000)
    assert peak < 0.8 * size
    assert len(told) > 5 and told == sorted(told) and told[-1] == size


def test_other_encodings_are_read_by_their_mark_or_name(workspace: Workspace, write: Write):
    text = '[{"instruction": "¿Qué?", "output": "ñandú", "generator": "m"}]'
    for name, raw in {"utf8": text.encode("utf-8-sig"), "utf16": text.encode("utf-16")}.items():
        made = import_finished(workspace, [write(f"{name}.json", raw)])
        assert workspace.store.outputs.of_cell(made.run, 0)[0].text == "ñandú"
    table = write("cp.csv", "q,reply\n1,ñandú\n".encode("cp1252"))
    with pytest.raises(InvalidFile, match=r"line 2: not UTF-8 .*--encoding cp1252"):
        import_finished(workspace, [table], settings=ImportSettings(output="reply"))
    made = import_finished(
        workspace, [table], "cp2", settings=ImportSettings(output="reply"), encoding="cp1252"
    )
    assert workspace.store.outputs.of_cell(made.run, 0)[0].text == "ñandú"


def test_names_inside_a_file_are_only_names(workspace: Workspace, write: Write):
    items = [{"instruction": "x", "output": "y", "generator": "../../m\x1b[31m", "dataset": "../d"}]
    made = import_finished(workspace, [("../../up/../evil name.json", json.dumps(items).encode())])
    assert made.name == "evil-name"
    record = workspace.store.runs.get(made.run)
    assert record is not None
    assert record.definition["imported"][0]["file"] == "evil name.json"
    assert record.definition["cells"][0]["model"] == "../../m [31m"
    assert sorted(path.name for path in workspace.root.iterdir()) == [".workbench", "experiments", "prompts"]


def test_an_import_that_is_killed_leaves_nothing(workspace: Workspace, write: Write):
    before = stored(workspace)
    file = write("a.json", [{"instruction": str(n), "output": "y", "generator": "m"} for n in range(2000)])
    script = (
        "import os, sys\n"
        "from workbench.engine import Workspace, import_finished\n"
        "import workbench.storage.imported_runs as written\n"
        "insert, calls = written._insert, []\n"
        "def count(*arguments):\n"
        "    insert(*arguments)\n"
        "    calls.append(1)\n"
        "    if len(calls) == 2: os.kill(os.getpid(), 9)\n"
        "written._insert = count\n"
        "import_finished(Workspace.open(sys.argv[1]), [sys.argv[2]])\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(workspace.root), str(file)], check=False)
    assert ended.returncode == -9
    assert stored(workspace) == before
    assert import_finished(workspace, [file]).outputs == 2000


def test_a_judge_scores_imported_outputs_and_asks_for_no_output_again(workspace: Workspace, write: Write):
    asked: list[str] = []

    def answer(body: dict[str, Any]) -> str:
        asked.append(body["messages"][-1]["content"])
        return "Score: 4"

    (workspace.root / "prompts" / "grade.yaml").write_text(
        'name: grade\nmessages: [{role: user, content: "{{ output }} {{ rubric }}"}]\n'
        "rubric: {kind: score, scale: [1, 5]}\n"
    )
    with openai_server(answer=answer) as url:
        (workspace.experiments_dir / "models.yaml").write_text(
            f"models:\n  - {{name: server, provider: openai, model: fake, base_url: '{url}', retries: 0}}\n"
        )
        items = [{"instruction": str(n), "output": f"{m}{n}", "generator": m} for n in (1, 2) for m in "ab"]
        made = import_finished(workspace, [write("ours.json", items[:3])])
        names, queued = add_metrics(
            workspace, made.run, [{"judge": "grade", "model": "server", "as": "grade"}], owner="command"
        )
        assert (names, queued) == (["grade"], True)
        execute_run(workspace, made.run)
    cells = report(workspace, made.run).cells
    assert [cell.metrics["grade"].n for cell in cells] == [2, 1]
    assert cells[0].metrics["grade"].mean == 4
    assert len(asked) == 3
    with pytest.raises(RunError, match="were imported"):
        resume_run(workspace, made.run)


def test_a_file_that_two_formats_know_asks_which(workspace: Workspace, write: Write, monkeypatch: Any):
    from workbench.engine.finished.registry import FinishedFormat, finished_formats

    class Greedy(FinishedFormat):
        name, suffixes = "greedy", (".json",)

        def recognises(self, head: Any, settings: Any) -> bool:
            return head.has("[].instruction")

    finished_formats.names()
    monkeypatch.setitem(finished_formats._found, "greedy", Greedy)
    file = write("ours.json", [{"instruction": "x", "output": "y", "generator": "m"}])
    with pytest.raises(UsageError, match="--format alpaca_eval or --format greedy"):
        import_finished(workspace, [file])
    assert import_finished(workspace, [file], format_name="alpaca_eval").outputs == 1
