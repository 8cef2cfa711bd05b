"""Ctrl-C ends a command with its last words alone, wherever the interruption lands."""

from __future__ import annotations

import subprocess
import sys

IN_A_DESTRUCTOR = """
import os, signal, time
from workbench.commands.session import stoppable

class Interrupted:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)

with stoppable("Stopped; go on with: this"):
    one = Interrupted()
    del one
    time.sleep(30)
"""


def test_an_interruption_in_a_destructor_is_heard_without_a_traceback():
    done = subprocess.run([sys.executable, "-c", IN_A_DESTRUCTOR], capture_output=True, text=True, timeout=99)
    assert done.returncode == 130
    assert (done.stdout, done.stderr) == ("", "Stopped; go on with: this\n")
