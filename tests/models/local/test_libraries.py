"""Importing is safe whichever threads come together, and what was imported is not looked through again."""

from __future__ import annotations

import subprocess
import sys


def test_threads_that_import_together_all_find_the_whole_library_and_set_it_aside_for_good() -> None:
    script = """
import gc
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
set_aside = gc.get_freeze_count()
import_libraries()
if not gc.get_freeze_count() == set_aside > len(gc.get_objects()):
    failures.append(set_aside)
raise SystemExit(repr(failures) if failures else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
