"""An experiment: prompts × models × sampling over a dataset, with metrics and a baseline."""

from __future__ import annotations

import itertools
from typing import Any

from pydantic import Field, field_validator, model_validator

from workbench.core.document import Name, Strict, content_hash
from workbench.core.prompt import Sampling

SAMPLING_KEYS = ("temperature", "top_p", "max_tokens", "stop", "seed")


class DatasetChoice(Strict):
    """Which rows an experiment is about."""

    name: Name
    split: str = "test"
    limit: int | None = Field(None, ge=1)
    shuffle: int | None = Field(None, description="seed; omitted: the first rows in file order")
    reference: str | None = Field(None, description="column with the right answer; default: the dataset's")
    transform: tuple[str | dict[str, Any], ...] = Field(
        (), description="texts said differently, such as {typos: {rate: 0.05}}, one after the other"
    )

    @field_validator("transform", mode="before")
    @classmethod
    def _one_transform_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (str, dict)) else value


class Baseline(Strict):
    """The cell that the others are compared with."""

    prompt: Name
    model: str
    sampling: dict[str, Any] = {}


class Budget(Strict):
    """Where a run stops by itself."""

    usd: float = Field(ge=0)


class Experiment(Strict):
    """experiments/NAME.yaml. A list under `sampling`, and `quantization`, make axes of the grid."""

    name: Name
    description: str = ""
    dataset: DatasetChoice
    prompts: tuple[Name, ...] = Field(min_length=1)
    models: tuple[str, ...] = Field(min_length=1)
    quantization: tuple[str, ...] = ()
    sampling: dict[str, Any] = {}
    repeats: int = Field(1, ge=1, le=1000)
    metrics: tuple[str | dict[str, Any], ...] = ("exact_match",)
    baseline: Baseline | None = None
    budget: Budget | None = None
    margin: float = Field(0.0, ge=0, description="a difference this small counts as a tie")
    confidence: float = Field(0.95, gt=0.5, lt=1)

    @field_validator("quantization", "metrics", "prompts", "models", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (str, dict)) else value

    @field_validator("prompts", "models")
    @classmethod
    def _no_repeats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for index, name in enumerate(value) if name in value[:index]]
        if twice:
            raise ValueError(f"'{twice[0]}' stands twice")
        return value

    @model_validator(mode="after")
    def _sampling_is_sampling(self) -> Experiment:
        for key in self.sampling:
            if key not in SAMPLING_KEYS:
                raise ValueError(f"unknown sampling setting '{key}'; known: {', '.join(SAMPLING_KEYS)}")
        for point in self.sampling_grid():
            Sampling(**point)
        return self

    def sampling_axes(self) -> dict[str, list[Any]]:
        """The settings that were given as lists (a list under `stop` is an axis only of lists)."""
        return {
            key: list(value)
            for key, value in self.sampling.items()
            if isinstance(value, (list, tuple))
            and (key != "stop" or any(isinstance(item, (list, tuple)) for item in value))
        }

    def sampling_grid(self) -> list[dict[str, Any]]:
        """Every point of the sampling grid, complete with the settings that do not vary."""
        axes = self.sampling_axes()
        fixed = {key: value for key, value in self.sampling.items() if key not in axes}
        return [fixed | dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]

    def model_names(self) -> list[str]:
        """Models with the quantization axis applied, as NAME or NAME@QUANTIZATION."""
        if not self.quantization:
            return list(self.models)
        return [f"{model}@{kind}" for model in self.models for kind in self.quantization]

    @property
    def hash(self) -> str:
        """Content hash of what decides the run (name and description do not)."""
        return content_hash(
            self.model_dump(mode="json", exclude_defaults=True, exclude={"name", "description"})
        )
