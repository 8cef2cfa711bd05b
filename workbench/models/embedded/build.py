"""Rebuilds the embedded models from nothing: tokenizer and training.

    python -m workbench.models.embedded.build --only train --models small --minutes 84 --resume
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .sizes import RECIPES
from .tokenizer import load_tokenizer, train_tokenizer
from .training import train

WORK_FOLDER = Path(".workbench") / "embedded"


def main() -> None:
    """Parses the command line and runs the wanted stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--work", type=Path, default=WORK_FOLDER)
    options = parser.parse_args()
    path = options.work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(path)
    import torch

    torch.set_num_threads(1)
    for name in options.models:
        train(RECIPES[name], load_tokenizer(path), options.work / name, options.minutes, options.resume)


if __name__ == "__main__":
    main()
