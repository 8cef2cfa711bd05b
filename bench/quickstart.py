"""The quick start from a cold start, as a new user meets it: `workbench run quickstart`, with no cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TARGET_S = 60


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        for part in ("prompts", "experiments"):
            shutil.copytree(REPOSITORY / part, Path(folder) / part)
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "workbench.cli", "run", "quickstart", "--json", "--root", folder],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        wall_s, after = time.perf_counter() - started, os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    found = json.loads(done.stdout)
    print("| what | value | target |")
    print("| --- | ---: | ---: |")
    print(f"| wall s, start-up included | {wall_s:.1f} | {TARGET_S} |")
    print(f"| wall s of the run itself | {found['seconds']:.1f} | {TARGET_S} |")
    print(f"| CPU s | {cpu_s:.1f} | |")
    print(f"| model calls | {found['calls']} | |")
    print()
    print("| prompt | model | exact match | interval |")
    print("| --- | --- | ---: | --- |")
    for cell in found["cells"]:
        score = cell["metrics"]["exact_match"]
        interval = f"[{score['low']:.3f}, {score['high']:.3f}]"
        print(f"| {cell['prompt']} | {cell['model']} | {score['mean']:.3f} | {interval} |")


if __name__ == "__main__":
    main()
