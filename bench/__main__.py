"""`make bench`: runs every measurement of this folder, one process each, and keeps its table.

    python -m bench                                 all of them
    python -m bench commands                        only bench/commands.py
    python -m bench local --peers PEERS/bin/python  bench/local_*.py, beside others (bench/peers/__init__.py)

A measurement is a module that prints a Markdown table when it is run. Results go to bench/results/.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import datetime
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
TIMEOUT_S = 3600
SHARED = ("bare_trl", "models", "prompts")  # what measurements have in common; they measure nothing


def names() -> list[str]:
    """Every measurement of this folder."""
    stems = (file.stem for file in FOLDER.glob("*.py"))
    return sorted(stem for stem in stems if not stem.startswith("_") and stem not in SHARED)


def measure(name: str) -> bool:
    """Runs one measurement in a process of its own and writes its table. Returns whether it worked."""
    print(f"bench.{name} …", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"],
            cwd=FOLDER.parent,
            stdout=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"bench.{name} took longer than {TIMEOUT_S} s", file=sys.stderr)
        return False
    if done.returncode:
        print(f"bench.{name} ended with {done.returncode}", file=sys.stderr)
        return False
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    when = datetime.now().astimezone().isoformat(timespec="minutes")
    (RESULTS / f"{name}.md").write_text(f"# {name}\n\n{where}, {when}\n\n{done.stdout.strip()}\n", "utf-8")
    print(f"\n## {name}\n\n{done.stdout.strip()}")
    return True


def main() -> int:
    """Runs what was asked, else everything; 1 if something failed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", help="measurements, or what the names of several begin with")
    parser.add_argument("--peers", help="the Python of an environment with bench/peers/requirements.txt")
    options = parser.parse_args()
    if options.peers:
        os.environ["BENCH_PEERS"] = options.peers
    asked: list[str] = []
    for name in options.names:
        found = [known for known in names() if known == name or known.startswith(f"{name}_")]
        if not found:
            print(f"There is no bench/{name}.py; known: {', '.join(names())}.", file=sys.stderr)
            return 2
        asked += found
    RESULTS.mkdir(exist_ok=True)
    worked = [measure(name) for name in dict.fromkeys(asked) or names()]
    return 0 if all(worked) else 1


if __name__ == "__main__":
    sys.exit(main())
