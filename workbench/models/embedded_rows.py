"""The rows of the models that ship inside the package, so that there is always something to run."""

from __future__ import annotations

from pathlib import Path

from workbench.core.model import ModelSpec
from workbench.errors import UnknownName
from workbench.models.embedded import EMBEDDED, embedded_path

DESCRIPTIONS = {
    "nano": "The smaller model that ships with the workbench: fastest, makes more mistakes.",
    "small": "The larger model that ships with the workbench: better answers, a little slower.",
}


def embedded_specs() -> list[ModelSpec]:
    """One row for each embedded model."""
    return [
        ModelSpec(
            name=name,
            provider="transformers",
            model=str(_folder(name)),
            description=DESCRIPTIONS.get(name, "A model that ships with the workbench."),
        )
        for name in EMBEDDED
    ]


def _folder(name: str) -> Path:
    try:
        return embedded_path(name)
    except UnknownName:  # a checkout without the weights: the row stays, and its check says what is missing
        return Path(__file__).parent / "embedded" / "weights" / name
