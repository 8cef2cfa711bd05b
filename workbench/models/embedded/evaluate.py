"""Measures the embedded models on held-out rows and writes the model card.

python -m workbench.models.embedded.evaluate              # all figures, printed
python -m workbench.models.embedded.evaluate --write      # ... and into CARD.md and card.json
python -m workbench.models.embedded.evaluate --limit 50 --models nano --precisions fp32
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.models.embedded import EMBEDDED, embedded_path
from workbench.models.embedded.claims import Measured, check
from workbench.models.embedded.inference import PRECISIONS, Completer
from workbench.models.embedded.measures import BATCH_SECONDS, Scores, measure_everything
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
    kept: Path | None = None,
) -> dict[str, Any]:
    """Measures every model in every precision: scores and claims.

    With a folder to keep columns in, a model that was measured there before, with the same weights
    and rows, is not measured again.
    """
    measured: Measured = {}
    for name, folder in models.items():
        for precision in precisions or PRECISIONS:
            print(f"measuring {name} {precision} …", file=sys.stderr)
            measured[f"{name} {precision}"] = _columns(folder, precision, split, limit, kept)
    return {
        "split": split,
        "scores": summarise(measured),
        "claims": [claim.as_dict() for claim in check(measured)],
    }


def _columns(folder: Path, precision: str, split: str, limit: int | None, kept: Path | None) -> Scores:
    weights = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]
    path = kept / f"{folder.name}-{precision}-{split}-{limit or 'all'}-{weights}.json" if kept else None
    if path and path.exists():
        columns: Scores = json.loads(path.read_text(encoding="utf-8"))
        return columns
    columns = measure_everything(Completer(folder, precision), split, limit)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(columns), encoding="utf-8")
    return columns


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
    parser.add_argument("--keep", type=Path, help="folder that keeps measured columns, to go on after a stop")
    parser.add_argument("--write", action="store_true", help="write CARD.md and card.json")
    options = parser.parse_args(arguments)
    if options.write and (options.limit or options.split != "test" or set(options.models) != set(EMBEDDED)):
        parser.error("--write needs every model and all test rows")

    import torch

    from workbench.models.embedded.model_card import as_markdown, tables, write_card

    torch.set_num_threads(options.threads)
    folders = {name: embedded_path(name) for name in options.models}
    result = evaluate(folders, options.precisions, options.split, options.limit, options.keep)
    if options.write:
        print(as_markdown(write_card(result)))
    else:
        print(tables(result))


if __name__ == "__main__":
    main()
