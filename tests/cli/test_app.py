"""`workbench app` as a process: it answers on loopback only and ends when it is told to."""

from __future__ import annotations

import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from tests.cli.conftest import start
from tests.ports import free_port


def test_the_app_answers_on_loopback_only_and_stops_on_ctrl_c(root: Path):
    port = free_port()
    with start(root, "app", "--no-browser", "--port", port) as process:
        try:
            wait_until_healthy(port, process)
            listening = {
                connection.laddr.ip
                for connection in psutil.Process(process.pid).net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
            assert listening == {"127.0.0.1"}
            (worker,) = psutil.Process(process.pid).children()
            assert "workbench.worker" in worker.cmdline()
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert psutil.wait_procs([worker], timeout=60)[1] == [], "the worker ends with its app"


def test_a_port_that_is_taken_is_one_sentence(root: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with start(root, "app", "--no-browser", "--port", taken.getsockname()[1]) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--port" in said


def wait_until_healthy(port: int, process) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the app did not answer within two minutes")
