"""Importing is safe whichever threads come together."""

from __future__ import annotations

import subprocess
import sys


def test_threads_that_import_together_all_find_the_whole_library() -> None:
    script = """
import threading
from workbench.models.local.libraries import import_libraries

failures = []

def use():
    try:
        import_libraries()
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except BaseException as error:
        failures.append(error)

threads = [threading.Thread(target=use) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
raise SystemExit(repr(failures) if failures else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
