"""`workbench run`, `report` and `compare`: the JSON contract, exit codes, stopping and resuming."""

from __future__ import annotations

import csv
import io
import re
import signal
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.cli.conftest import Command, start
from tests.cli.shapes import COMPARE, METRIC, RUN, problems
from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import BaseUrl, Stalling, error, openai_server


def test_run_prints_the_document_of_the_contract(workbench: Command):
    document = workbench("run", "sums", "--json").json
    assert problems(document, RUN) == []
    assert document["status"] == "completed"
    assert document["calls"] == 24
    for cell in document["cells"]:
        assert cell["rows"] == 12
        assert problems(cell["metrics"]["exact_match"], METRIC) == []


def test_report_prints_the_same_document_later(workbench: Command):
    ran = workbench("run", "sums", "--json").json
    assert workbench("report", ran["run"], "--json").json == ran
    assert workbench("report", "--format", "json").json == ran


def test_run_takes_a_name_or_a_file(workbench: Command, root: Path):
    assert workbench("run", "experiments/sums.yaml", "--limit", 3, "--json").json["cells"][0]["rows"] == 3
    assert workbench("run", root / "experiments" / "sums.yaml", "--limit", 3, "--json").json["cached"] == 6


def test_run_shows_a_table_and_the_next_step(workbench: Command):
    ended = workbench("run", "sums")
    assert "careful" in ended.out
    assert "exact_match" in ended.out
    assert "workbench compare" in ended.err
    assert "24/24" in ended.err, "progress goes to stderr"


def test_a_rerun_is_answered_from_the_cache(workbench: Command, server: BaseUrl):
    workbench("run", "sums")
    asked = len(server.bodies)
    assert workbench("run", "sums", "--json").json["cached"] == 24
    assert len(server.bodies) == asked
    workbench("run", "sums", "--no-cache")
    assert len(server.bodies) == 2 * asked


def test_compare_gives_verdicts_against_the_baseline(workbench: Command):
    workbench("run", "sums")
    document = workbench("compare", "latest", "--json").json
    assert problems(document, COMPARE) == []
    assert document["baseline"]["prompt"] == "direct"
    (line,) = document["comparisons"]
    assert line["prompt"] == "careful"
    assert line["difference"] == pytest.approx(0.5)
    assert line["verdict"] == "better"
    shown = workbench("compare", "--metric", "exact_match")
    assert "better" in shown.out
    assert "workbench export winner" in shown.err


def test_compare_across_two_runs_pairs_each_cell_with_itself(workbench: Command):
    first = workbench("run", "sums", "--json").json["run"]
    workbench("run", "sums", "--limit", 6)
    document = workbench("compare", "latest", "--across", first, "--json").json
    assert [line["difference"] for line in document["comparisons"]] == [0, 0]
    assert {line["n"] for line in document["comparisons"]} == {6}


@pytest.mark.parametrize("kind", ["table", "md", "html", "csv", "json", "junit"])
def test_every_report_format_is_written(workbench: Command, root: Path, kind: str):
    workbench("run", "sums")
    file = root / "out" / f"report.{kind}"
    ended = workbench("report", "latest", "--format", kind, "-o", file)
    assert ended.out == ""
    text = file.read_text("utf-8")
    assert "careful" in text
    if kind == "junit":
        assert ElementTree.fromstring(text).tag in ("testsuite", "testsuites")
    if kind == "csv":
        assert len(list(csv.DictReader(io.StringIO(text)))) >= 2


@pytest.mark.parametrize(
    ("bar", "code"), [("exact_match=0.5", 0), ("exact_match=0.9", 4), ("exact_match=90%", 4)]
)
def test_a_missed_bar_is_exit_code_4(workbench: Command, bar: str, code: int):
    ended = workbench("run", "sums", "--fail-under", bar, code=code)
    assert ("Missed: direct" in ended.err) is (code == 4)
    assert "careful" in ended.out, "the table is printed all the same"


def test_a_bar_may_be_for_the_cells_of_one_prompt(workbench: Command):
    workbench("run", "sums", "--fail-under", "careful:exact_match=0.9", code=0)
    ended = workbench("run", "sums", "--fail-under", "direct:exact_match=0.9", code=4)
    assert ended.err.count("Missed:") == 1


def test_a_metric_of_which_less_is_better_has_a_bar_from_above(root: Path, workbench: Command):
    file = root / "experiments/sums.yaml"
    file.write_text(file.read_text().replace("[exact_match]", "[{name: ter, as: edits}]"))
    ended = workbench("run", "sums", "--fail-under", "edits=5", code=2)
    assert "lower is better for 'edits'; use --fail-over edits=5" in ended.err
    workbench("run", "sums", "--fail-over", "careful:edits=0", code=0)
    assert "edits is" in workbench("run", "sums", "--fail-over", "edits=0", code=4).err


@pytest.mark.parametrize("bar", ["exact_match", "bleu=0.5", "exact_match=high", "=1"])
def test_a_bar_that_cannot_be_read_is_wrong_usage_before_any_call(
    workbench: Command, server: BaseUrl, bar: str
):
    assert "--fail-under" in workbench("run", "sums", "--fail-under", bar, code=2).err
    assert server.bodies == []


def test_calls_that_end_in_errors_are_exit_code_3_and_can_be_asked_again(tmp_path: Path, workbench_in):
    working = False

    def answer(body):
        fails = "What is 5 +" in body["messages"][-1]["content"] and not working
        return error(400, "cannot do that") if fails else adds(body)

    with openai_server(answer=answer) as url:
        run = workbench_in(write_workspace(tmp_path / "workspace", url))
        document = run("run", "sums", "--json", code=3).json
        assert document["errors"] == 2
        assert document["status"] == "completed"
        asked = len(url.bodies)
        working = True
        again = run("run", "--resume", "latest", "--json").json
        assert (again["run"], again["errors"]) == (document["run"], 0)
        assert len(url.bodies) == asked + 2


JUDGE = """\
name: judge-sum
messages: [{role: user, content: "Judge this sum. {{ output }} {{ rubric }}"}]
rubric: {kind: score}
"""


def test_a_judge_that_ends_in_errors_is_exit_code_3_and_is_asked_again(tmp_path: Path, workbench_in):
    working = False

    def judged(body):
        return body["messages"][-1]["content"].startswith("Judge")

    def answer(body):
        if not judged(body):
            return adds(body)
        return "Score: 4" if working else error(400, "cannot judge")

    with openai_server(answer=answer) as url:
        folder = write_workspace(tmp_path / "workspace", url)
        (folder / "prompts" / "judge-sum.yaml").write_text(JUDGE)
        run = workbench_in(folder)
        run("run", "sums", "--limit", 3)
        asked = len(url.bodies)
        spec = "{judge: judge-sum, model: server, as: quality}"
        ended = run("runs", "score", "latest", "--metric", spec, code=3)
        assert "6 outputs, judged: " in ended.err and "cannot judge" in ended.err
        assert "Judges failed about 6 outputs; ask again with: workbench run --resume" in ended.err
        assert "3 unscored" in ended.out
        document = run("run", "--resume", "latest", "--json", code=3).json
        assert document["cells"][0]["metrics"]["quality"]["failed"] == 3
        working = True
        found = run("run", "--resume", "latest", "--json").json["cells"][0]["metrics"]["quality"]
        assert (found["mean"], found["n"], "failed" in found) == (4.0, 3, False)
        assert all(judged(body) for body in url.bodies[asked:])


def test_the_budget_stops_a_run_and_a_larger_one_lets_it_go_on(
    workbench: Command, server: BaseUrl, root: Path
):
    models = root / "experiments" / "models.yaml"
    models.write_text(models.read_text().replace("retries: 0", "retries: 0, concurrency: 2"))
    ended = workbench("run", "sums", "--budget", 0.05, code=1)
    assert "budget of 0.05 USD" in ended.err
    assert 0 < len(server.bodies) < 24
    document = workbench("run", "--resume", "latest", "--budget", 100, "--json").json
    assert document["status"] == "completed"
    assert len(server.bodies) == 24


def test_a_model_that_cannot_be_loaded_fails_alone_and_its_reason_is_said(workbench: Command, root: Path):
    (root / "broken").mkdir()
    (root / "broken" / "config.json").write_text("{}")
    (root / "broken" / "model.safetensors").write_bytes(b"cut short")
    models, sums = root / "experiments" / "models.yaml", root / "experiments" / "sums.yaml"
    models.write_text(models.read_text() + "  - {name: broken, provider: transformers, model: ./broken}\n")
    sums.write_text(re.sub(r"(?m)^models:.*$", "models: [broken, server]", sums.read_text()))
    ended = workbench("run", "sums", code=3)
    reason = next(line for line in ended.err.splitlines() if "Model 'broken'" in line)
    assert reason.startswith("24 outputs: ") and "is not whole" in reason
    failed = [line for line in ended.out.splitlines() if " broken " in line]
    assert failed and "nan" not in "".join(failed)
    assert [cell["errors"] for cell in workbench("report", "--json").json["cells"]] == [12, 0, 12, 0]


@pytest.mark.parametrize("command", [("models", "check", "small", "--call"), ("run", "sums")], ids=" ".join)
def test_ctrl_c_is_heard_at_once_while_a_model_is_loading(
    root: Path, tmp_path: Path, command: tuple[str, ...]
):
    sums = root / "experiments" / "sums.yaml"
    sums.write_text(sums.read_text().replace("server", "small"))
    begun = tmp_path / "begun"
    slow = tmp_path / "slow" / "torch"
    slow.mkdir(parents=True)
    (slow / "__init__.py").write_text(f"import time\nopen({str(begun)!r}, 'w')\ntime.sleep(60)\n")
    process = start(root, *command, PYTHONPATH=f"{slow.parent}:{Path(__file__).parents[2]}")
    while not begun.exists() and process.poll() is None:
        time.sleep(0.02)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < 40, "nobody waits until the library is there"
    assert (process.returncode, out) == (130, "")
    assert err.count("Stopped.") == 1 and "Traceback" not in err


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stopped_run_says_how_to_go_on_and_loses_nothing(tmp_path: Path, signal_sent, workbench_in):
    answer = Stalling(adds, 100)
    with openai_server(answer=answer) as url:
        root = write_workspace(tmp_path / "workspace", url, rows=150)
        process = start(root, "run", "sums")
        while len(url.bodies) < 40 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal_sent)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        assert out == ""
        run = re.search(r"workbench run --resume (\S+)", err)
        assert run, err
        answer.go_on()
        document = workbench_in(root)("run", "--resume", run[1], "--json").json
        assert document["status"] == "completed"
        assert [cell["rows"] for cell in document["cells"]] == [150, 150]
        in_flight = len(url.bodies) - 300
        assert 0 <= in_flight <= 64, "only what was in flight was asked twice"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "sums", "--resume", "latest"],
        ["run", "sums", "--limit", "0"],
        ["run", "sums", "--limit", "many"],
        ["run", "sums", "--no-such-option"],
        ["nonsense"],
        ["report", "latest", "--format", "pdf"],
        ["score", "file.csv"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(workbench: Command, arguments: list[str]):
    ended = workbench(*arguments, code=2)
    assert ended.out == ""
    assert len(ended.err.strip()) > 10


def test_what_does_not_exist_is_one_sentence_with_the_nearest_name(workbench: Command, root: Path):
    assert "Did you mean 'sums'?" in workbench("run", "sum", code=1).err
    assert "nowhere/x.yaml" in workbench("run", "nowhere/x.yaml", code=1).err
    assert "no run yet" in workbench("report", code=1).err
    workbench("run", "sums", "--limit", 1)
    assert "There is no run named 'zzz'" in workbench("report", "zzz", code=1).err


def test_a_mistake_in_the_experiment_names_file_line_and_key(workbench: Command, root: Path):
    file = root / "experiments" / "sums.yaml"
    file.write_text(file.read_text().replace("prompts:", "promts:"))
    ended = workbench("run", "sums", code=1)
    assert "sums.yaml, line 4, key `promts`" in ended.err
    assert "'prompts'" in ended.err


def test_a_folder_that_is_no_workspace_says_what_one_needs(workbench: Command, tmp_path: Path):
    ended = workbench("--root", tmp_path, "runs", code=1)
    assert "prompts/ and experiments/" in ended.err
    assert "--root" in ended.err


def test_shared_options_may_stand_anywhere(workbench: Command, root: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    database = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    workbench("run", "sums", "--limit", 2, "--root", root, f"--database={database}")
    assert (tmp_path / "elsewhere.db").exists()
    assert workbench("--database", database, "runs", "list", "--root", root, "--json").json["runs"]
    assert workbench("runs", "--root", root, "--json").json["runs"] == []
