"""Rebuilds the embedded models from nothing, in stages that can be run one by one.

    python -m workbench.models.embedded.build                          # everything, about 40 minutes
    python -m workbench.models.embedded.build --resume                 # goes on where it was stopped
    python -m workbench.models.embedded.build --only train --models nano --minutes 10

The stages: tokenizer, train, export, datasets, evaluate (which writes the card).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from workbench.models.embedded.dataset_files import write_datasets
from workbench.models.embedded.sizes import MINIATURE, RECIPES, Recipe
from workbench.models.embedded.tokenizer import load_tokenizer, train_tokenizer

STAGES = ("tokenizer", "train", "export", "datasets", "evaluate")
WORK_FOLDER = Path(".workbench") / "embedded"
PACKAGE_FOLDER = Path(__file__).parent
DATASETS_FOLDER = Path("experiments") / "datasets"


@dataclass(frozen=True)
class Build:
    """Where a build keeps its state and where its products go."""

    recipes: dict[str, Recipe]
    work: Path
    weights: Path
    curves: Path
    datasets: Path
    minutes: float | None = None
    resume: bool = False
    tokenizer_episodes: int = 30_000

    @property
    def tokenizer_path(self) -> Path:
        """The tokenizer that both models share."""
        return self.work / "tokenizer.json"

    def tokenizer(self) -> None:
        """Learns the tokenizer, unless a resumed build has it already."""
        if not (self.resume and self.tokenizer_path.exists()):
            vocabulary = next(iter(self.recipes.values())).size.vocabulary
            train_tokenizer(self.tokenizer_path, vocabulary, self.tokenizer_episodes)

    def train(self) -> None:
        """Trains every model for its minutes."""
        from workbench.models.embedded.training import train

        for name, recipe in self.recipes.items():
            print(f"training {name} …", file=sys.stderr)
            train(recipe, load_tokenizer(self.tokenizer_path), self.work / name, self.minutes, self.resume)

    def export(self) -> None:
        """Writes the folders that `transformers` loads, and the training curves for the card."""
        from workbench.models.embedded.export import export
        from workbench.models.embedded.training import LOG

        self.curves.mkdir(parents=True, exist_ok=True)
        for name in self.recipes:
            export(self.work / name, self.tokenizer_path, self.weights / name)
            shutil.copyfile(self.work / name / LOG, self.curves / f"{name}.jsonl")

    def write_datasets(self) -> None:
        """Writes the datasets' files."""
        write_datasets(self.datasets)


def package_build(names: list[str], work: Path, minutes: float | None, resume: bool) -> Build:
    """The build whose products are the package's own weights."""
    return Build(
        recipes={name: RECIPES[name] for name in names},
        work=work,
        weights=PACKAGE_FOLDER / "weights",
        curves=PACKAGE_FOLDER / "curves",
        datasets=DATASETS_FOLDER,
        minutes=minutes,
        resume=resume,
    )


def miniature_build(folder: Path) -> Build:
    """The whole recipe on a tiny model, in seconds, with every product under `folder`."""
    return Build(
        recipes={"tiny": MINIATURE},
        work=folder / "work",
        weights=folder / "weights",
        curves=folder / "curves",
        datasets=folder / "datasets",
        tokenizer_episodes=200,
    )


def main(arguments: list[str] | None = None) -> None:
    """Parses the command line and runs the wanted stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=STAGES, default=list(STAGES), help="stages to run")
    parser.add_argument("--models", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument(
        "--minutes", type=float, help="training time of each model; the recipe's own if left out"
    )
    parser.add_argument("--resume", action="store_true", help="keep the tokenizer and go on from checkpoints")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=WORK_FOLDER, help="folder of checkpoints and logs")
    options = parser.parse_args(arguments)

    import torch

    torch.set_num_threads(options.threads)
    build = package_build(options.models, options.work, options.minutes, options.resume)
    steps = {
        "tokenizer": build.tokenizer,
        "train": build.train,
        "export": build.export,
        "datasets": build.write_datasets,
    }
    for stage in STAGES:
        if stage in options.only and stage in steps:
            steps[stage]()
    if "evaluate" in options.only:
        from workbench.models.embedded import evaluate

        evaluate.main(["--write", "--threads", str(options.threads), "--keep", str(options.work / "columns")])


if __name__ == "__main__":
    main()
