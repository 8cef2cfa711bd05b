"""What it costs to start: CPU seconds of `workbench --help` and of the imports behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

REPEATS = 7
CASES = {
    "python -c pass": ["-c", "pass"],
    "import workbench": ["-c", "import workbench"],
    "import workbench.cli": ["-c", "import workbench.cli"],
    "workbench --help": ["-m", "workbench.cli", "--help"],
    "workbench run --help": ["-m", "workbench.cli", "run", "--help"],
    "workbench prompts list": ["-m", "workbench.cli", "prompts", "list"],
    "workbench runs list": ["-m", "workbench.cli", "runs", "list"],
}
TARGET_S = {"workbench --help": 0.4}


def cpu_s(arguments: list[str]) -> float:
    """User and system seconds of one python process."""
    before = os.times()
    subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Prints the table."""
    print("| command | CPU s (median of 7) | most | target |")
    print("| --- | ---: | ---: | ---: |")
    for name, arguments in CASES.items():
        taken = [cpu_s(arguments) for _ in range(REPEATS)]
        target = f"{TARGET_S[name]:.2f}" if name in TARGET_S else ""
        print(f"| {name} | {median(taken):.3f} | {max(taken):.3f} | {target} |")


if __name__ == "__main__":
    main()
