"""A real PostgreSQL server for tests: started once, in a folder of its own, on a free port."""

from __future__ import annotations

import atexit
import functools
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg
from psycopg import sql

from tests.ports import free_port
from tests.require import require


def postgres_url() -> str:
    """The URL of a new, empty database. Skips (or fails, under CI) without PostgreSQL."""
    port = _server(require(_binaries(), "PostgreSQL (initdb, pg_ctl)"))
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"postgresql+psycopg://tester@127.0.0.1:{port}/{name}"


def _binaries() -> str | None:
    beside = shutil.which("initdb")
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or ([str(Path(beside).parent)] if beside else [])
    return found[-1] if found else None


@functools.cache
def _server(binaries: str) -> int:
    folder = tempfile.mkdtemp(prefix="workbench-postgres-")
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    port = free_port()
    _as_owner([f"{binaries}/initdb", "-D", f"{folder}/data", "-U", "tester", "-A", "trust", "-E", "UTF8"])
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    start = [
        f"{binaries}/pg_ctl",
        "-D",
        f"{folder}/data",
        "-o",
        options,
        "-l",
        f"{folder}/log",
        "-w",
        "start",
    ]
    _as_owner(start)

    def stop() -> None:
        _as_owner([f"{binaries}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return port


def _as_owner(command: list[str]) -> None:
    # the server refuses to run as root
    user = "postgres" if os.geteuid() == 0 else None
    home = pwd.getpwnam("postgres").pw_dir if user else None
    subprocess.run(command, check=True, capture_output=True, user=user, cwd=home, timeout=120)
