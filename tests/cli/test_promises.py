"""What holds for every command: quick help, nothing leaves, no key is shown, pipes may break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from tests.cli.conftest import Command, start
from tests.conftest import PRIVATE_NAMES
from tests.engine.conftest import write_workspace
from tests.fake_openai import error, openai_server
from tests.require import require
from workbench.cli import app, main

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "sk-this-key-must-appear-nowhere-0123456789"

GUARDED = """
import sys

def watch(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "local"
        if host not in ("127.0.0.1", "::1", "localhost", "local"):
            print(f"LEFT {event} {address}", file=sys.stderr, flush=True)
            raise OSError("the network is shut")
    elif event == "socket.getaddrinfo" and arguments[0] not in (None, "127.0.0.1", "::1", "localhost"):
        print(f"LEFT {event} {arguments[0]}", file=sys.stderr, flush=True)
        raise OSError("the network is shut")
    elif event in ("socket.sendto", "socket.gethostbyname"):
        print(f"LEFT {event} {arguments[1:]}", file=sys.stderr, flush=True)
        raise OSError("the network is shut")

sys.addaudithook(watch)
from workbench.cli import main
main(sys.argv[1:])
"""

MAIN_JOB = [
    ["run", "quickstart", "--limit", "2"],
    ["report", "latest", "--format", "html"],
    ["compare", "latest", "--json"],
    ["export", "winner", "latest"],
    ["doctor"],
]


def embedded_weights() -> list[Path]:
    return list((REPOSITORY / "workbench" / "models" / "embedded" / "weights").rglob("*.safetensors"))


ALONE = ["unshare", "--net", "--map-root-user"]


def has_namespaces() -> bool:
    """Whether this machine lets a process be without any network."""
    if shutil.which(ALONE[0]) is None:
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def main_job(tmp_path_factory: pytest.TempPathFactory) -> list[subprocess.CompletedProcess[str]]:
    """How the commands of the main job ended: all watched, two without any network where that can be."""
    require(embedded_weights(), "the embedded models")
    root = tmp_path_factory.mktemp("main-job")
    for folder in ("prompts", "experiments"):
        shutil.copytree(REPOSITORY / folder, root / folder)
    ours = (*PRIVATE_NAMES, "WORKBENCH_ROOT", "WORKBENCH_DATABASE", "HF_HUB_OFFLINE")  # people set none
    environment = {name: value for name, value in os.environ.items() if not name.endswith(ours)}
    environment["PYTHONPATH"] = str(REPOSITORY)
    alone = ALONE if has_namespaces() else []
    return [
        subprocess.run(
            [*(alone if arguments in MAIN_JOB[:2] else []), sys.executable, "-c", GUARDED, *arguments],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for arguments in MAIN_JOB
    ]


@pytest.mark.timeout(900)
def test_the_main_job_makes_no_attempt_to_leave(main_job: list[subprocess.CompletedProcess[str]]):
    for arguments, done in zip(MAIN_JOB, main_job):
        assert "LEFT" not in done.stderr
        assert done.returncode == 0, f"{arguments}: {done.stderr}"


@pytest.mark.timeout(900)
def test_the_main_job_works_where_there_is_no_network_at_all(
    main_job: list[subprocess.CompletedProcess[str]],
):
    require(has_namespaces(), "the right to make a network namespace")
    for done in main_job[:2]:
        assert done.args[: len(ALONE)] == ALONE
        assert done.returncode == 0, done.stderr


def test_the_guard_would_see_an_attempt():
    code = GUARDED.replace("from workbench.cli import main\nmain(sys.argv[1:])", "")
    code += "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "LEFT" in done.stderr


def test_a_key_appears_in_no_file_log_output_or_message(tmp_path: Path, workbench_in, monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", KEY)

    def refuse(body):
        return error(401, f"Incorrect API key provided: {KEY}. Find yours elsewhere.")

    with openai_server(answer=refuse) as url:
        root = write_workspace(tmp_path / "workspace", url, rows=2)
        models = root / "experiments" / "models.yaml"
        models.write_text(models.read_text().replace("retries: 0", "retries: 0, key: TEACHER_API_KEY"))
        run = workbench_in(root)
        printed = [
            run("run", "sums", "--json", code=3),
            run("report", "--format", "html"),
            run("runs", "show"),
            run("models", "show", "server"),
            run("export", "outputs", "--format", "jsonl"),
            run("doctor", "--json", code=run_code(run, "doctor")),
            run("models", "check", "server", "--call", "--debug", code=1),
        ]
        assert url.headers[0]["Authorization"] == f"Bearer {KEY}", "it was really sent"
    everything = "".join(ended.out + ended.err for ended in printed)
    files = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert KEY not in everything
    assert KEY.encode() not in files


def run_code(run: Command, *arguments: str) -> int:
    """The code that a command ends with, where it is not what is tested."""
    try:
        return run(*arguments).code
    except AssertionError:
        return 1


def test_a_reader_that_has_enough_breaks_nothing(root: Path):
    rows = root / "experiments" / "datasets" / "sums" / "test.jsonl"
    rows.write_text("".join(f'{{"id": "{n}", "question": "{"long " * 50}{n}"}}\n' for n in range(3000)))
    with start(root, "datasets", "show", "sums", "--limit", 3000) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("name")
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(60) == 0
    assert "Traceback" not in said
    assert "Broken" not in said


def test_an_unexpected_error_is_one_sentence_and_the_details_are_in_a_log(root: Path, workbench: Command):
    (root / ".workbench").mkdir()
    (root / ".workbench" / "workbench.db").write_bytes(b"this is no database" * 100)
    ended = workbench("runs", code=1)
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("Error: ")


def test_debug_shows_the_traceback(root: Path, capfd, monkeypatch):
    monkeypatch.chdir(root)
    with pytest.raises(SystemExit) as ending:
        main(["report", "nothing-like-it", "--debug"])
    assert ending.value.code == 1
    assert "Traceback" in capfd.readouterr().err


def test_a_bug_is_reported_without_a_traceback_and_kept(root: Path, capfd, monkeypatch):
    from workbench.commands.session import failed

    monkeypatch.setenv("SOME_API_KEY", KEY)
    monkeypatch.chdir(root)
    (root / ".workbench").mkdir()
    with pytest.raises(ZeroDivisionError) as bug:
        raise ZeroDivisionError(f"oh {KEY}")
    assert failed(bug.value, ["run"]) == 1
    said = capfd.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said
    log = root / ".workbench" / "workbench-errors.log"
    assert "Traceback" in log.read_text()
    assert KEY not in said + log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def leaf_paths(command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        return [path]
    return [found for name, inner in command.commands.items() for found in leaf_paths(inner, (*path, name))]


@pytest.mark.parametrize("path", leaf_paths(get_command(app)), ids=" ".join)
def test_help_works_anywhere_and_shows_an_example(workbench_in, tmp_path: Path, path: tuple[str, ...]):
    shown = workbench_in(tmp_path)(*path, "--help").out
    assert "Usage: workbench" in shown
    assert f"workbench {' '.join(path)}" in shown.split("Usage:", 1)[1].split("\n", 1)[1]


def test_the_version_is_shown(workbench_in, tmp_path: Path):
    from workbench import __version__

    assert workbench_in(tmp_path)("--version").out == f"workbench {__version__}\n"
