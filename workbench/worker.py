"""The worker's process: it works runs, and looks after tunings, which train in processes of their own.

`python -m workbench.worker --root ROOT` — the app starts it; see `workbench.engine.worker`.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from workbench.engine.worker import serve
from workbench.tuning.dispatch import TuningDispatch


def main(arguments: list[str] | None = None) -> None:
    """Works until there is nobody to work for."""
    parser = argparse.ArgumentParser(prog="workbench.worker", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--parent", type=int, help="ends when this process is gone and nothing is left")
    parser.add_argument("--warm", action="store_true", help="imports torch while nobody waits for it")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    serve(options.root, options.parent, options.warm, beside=[TuningDispatch()])


if __name__ == "__main__":
    main()
