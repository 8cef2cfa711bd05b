"""The command line as people and scripts use it: in this process for speed, in its own where that matters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import BaseUrl, openai_server
from workbench.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


Command = Callable[..., Ended]


@pytest.fixture
def server() -> Iterator[BaseUrl]:
    """An OpenAI-compatible server on loopback that adds numbers, carefully when asked to."""
    with openai_server(answer=adds) as url:
        yield url


@pytest.fixture
def root(tmp_path: Path, server: BaseUrl) -> Path:
    """A workspace with prompts, a dataset of sums, an experiment, and the server as its model."""
    return write_workspace(tmp_path / "workspace", server)


@pytest.fixture
def workbench_in(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], Command]:
    """`workbench_in(folder)(*arguments)`: the command line in that folder, in this process."""

    def enter(folder: Path) -> Command:
        def run(*arguments: object, code: int = 0) -> Ended:
            monkeypatch.chdir(folder)
            capfd.readouterr()
            before = signal.getsignal(signal.SIGTERM)
            try:
                with pytest.raises(SystemExit) as ending:
                    main([str(argument) for argument in arguments])
            finally:
                signal.signal(signal.SIGTERM, before)
            printed = capfd.readouterr()
            ended = Ended(int(ending.value.code or 0), printed.out, printed.err)
            assert ended.code == code, f"{ended.code} instead of {code}:\n{ended.out}\n{ended.err}"
            assert "--debug" in arguments or "Traceback" not in ended.err
            return ended

        return run

    return enter


@pytest.fixture
def workbench(root: Path, workbench_in: Callable[[Path], Command]) -> Command:
    """`workbench(*arguments)` in the workspace of sums, in this process."""
    return workbench_in(root)


def start(folder: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The command line in that folder, as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    )


def _heed_ctrl_c() -> None:
    # a shell that runs the tests in the background has it ignored, and that is inherited
    signal.signal(signal.SIGINT, signal.SIG_DFL)
