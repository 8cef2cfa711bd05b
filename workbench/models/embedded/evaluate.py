"""Measures the embedded models on held-out rows and writes the model card.

python -m workbench.models.embedded.evaluate              # all figures, printed
python -m workbench.models.embedded.evaluate --write      # ... and into CARD.md and card.json
python -m workbench.models.embedded.evaluate --limit 50 --models nano --precisions fp32
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.models.embedded import EMBEDDED, embedded_path
from workbench.models.embedded.claims import Measured, check
from workbench.models.embedded.inference import PRECISIONS, Completer
from workbench.models.embedded.measures import BATCH_SECONDS, measure_everything
from workbench.statistics.intervals import Estimate, bootstrap_mean, proportion

Figures = dict[str, dict[str, Any]]


def summarise(measured: Measured) -> dict[str, Figures]:
    """Mean, 95 % interval and number of rows of every column."""
    return {
        model: {name: asdict(_estimate(name, column)) for name, column in scores.items()}
        for model, scores in measured.items()
    }


def _estimate(name: str, column: list[float]) -> Estimate:
    return bootstrap_mean(column) if name == BATCH_SECONDS else proportion(column)


def evaluate(
    models: dict[str, Path],
    precisions: list[str] | None = None,
    split: str = "test",
    limit: int | None = None,
) -> dict[str, Any]:
    """Measures every model in every precision: scores, seconds and claims."""
    measured: Measured = {}
    seconds: dict[str, float] = {}
    for name, folder in models.items():
        for precision in precisions or PRECISIONS:
            completer = Completer(folder, precision)
            print(f"measuring {name} {precision} …", file=sys.stderr)
            measured[f"{name} {precision}"] = measure_everything(completer, split, limit)
            seconds[f"{name} {precision}"] = round(completer.seconds, 1)
    return {
        "split": split,
        "scores": summarise(measured),
        "seconds": seconds,
        "claims": [claim.as_dict() for claim in check(measured)],
    }


def main(arguments: list[str] | None = None) -> None:
    """Parses the command line, measures, prints, and writes the card when asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(EMBEDDED), choices=list(EMBEDDED))
    parser.add_argument("--precisions", nargs="+", default=list(PRECISIONS), choices=list(PRECISIONS))
    parser.add_argument("--split", default="test", choices=["dev", "test"])
    parser.add_argument("--limit", type=int, help="rows of each dataset; the card uses all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write CARD.md and card.json")
    options = parser.parse_args(arguments)
    if options.write and (options.limit or options.split != "test" or set(options.models) != set(EMBEDDED)):
        parser.error("--write needs every model and all test rows")

    import torch

    from workbench.models.embedded.card import as_markdown, tables, write_card

    torch.set_num_threads(options.threads)
    folders = {name: embedded_path(name) for name in options.models}
    result = evaluate(folders, options.precisions, options.split, options.limit)
    if options.write:
        print(as_markdown(write_card(result)))
    else:
        print(tables(result))


if __name__ == "__main__":
    main()
