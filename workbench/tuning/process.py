"""One tuning in a process of its own: `python -m workbench.tuning.process --root ROOT --tuning ID`.

The worker starts it. It says how it is going in the database, and ends when the tuning ends. Killed, it
leaves everything as after a power cut: the worker begins again where it was.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError
from workbench.tuning.lifecycle import execute_tuning
from workbench.tuning.records import is_held

log = logging.getLogger("workbench.tuning")


def main(arguments: list[str] | None = None) -> None:
    """Works the tuning, unless some other process is at it."""
    parser = argparse.ArgumentParser(prog="workbench.tuning.process", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--tuning", required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    workspace = Workspace.open(options.root)
    try:
        if not is_held(workspace, options.tuning):
            execute_tuning(workspace, options.tuning)
    except WorkbenchError as error:
        log.warning("tuning %s: %s", options.tuning, error)
    except Exception:
        log.exception("tuning %s failed", options.tuning)
    finally:
        workspace.close()


if __name__ == "__main__":
    main()
