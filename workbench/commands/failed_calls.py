"""What is said where calls of a run ended in errors: each reason once, and how to ask again.

3 outputs: 'small' could not be loaded: no room for the weights
12 outputs, judged: 'gpt': HTTP 503, the server is overloaded
3 outputs ended in errors, and judges failed about 12 outputs; ask again with: workbench run --resume …
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.commands.printing import counted
from workbench.commands.session import redacted, say

if TYPE_CHECKING:
    from workbench.core.run import Report
    from workbench.engine import Workspace

SOME_CALLS_FAILED = 3
ERRORS_SHOWN = 12


def failed_calls(opened: Workspace, report: Report) -> bool:
    """Whether a call of the run, or of its judges, ended in an error; if so, it is said.

    A metric that could score nothing at all is said too, with its reason.
    """
    from workbench.engine import unmeasured

    for metric, reason in unmeasured(opened, report):
        say(f"{metric} scored no output: {redacted(reason)}")
    if not report.errors and not report.unheard:
        return False
    _say_why(opened, report.run)
    happened = []
    if report.errors:
        happened.append(f"{counted(report.errors, 'output')} ended in errors")
    if report.unheard:
        words = "and judges failed" if happened else "Judges failed"
        happened.append(f"{words} about {counted(report.unheard, 'output')}")
    say(f"{', '.join(happened)}; ask again with: workbench run --resume {report.run}")
    return True


def _say_why(opened: Workspace, run: str) -> None:
    from workbench.engine import judging_errors, run_errors

    reasons = [(counted(count, "output"), reason) for reason, count in run_errors(opened, run)]
    reasons += [(f"{counted(count, 'output')}, judged", why) for why, count in judging_errors(opened, run)]
    for outputs, reason in reasons[:ERRORS_SHOWN]:
        say(f"{outputs}: {redacted(reason)}")
    if len(reasons) > ERRORS_SHOWN:
        say(f"… and {counted(len(reasons) - ERRORS_SHOWN, 'other error')}: workbench export outputs {run}")
