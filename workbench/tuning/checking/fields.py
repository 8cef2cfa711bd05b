"""The settings of a training as a form shows them: help, range and where they apply, told by `Train` itself.

FieldHelp("rank", "Rank", "rank of the matrices", low=1, high=1024, …, methods=("lora", "dora", "qlora"))
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from workbench.core.tuning import Method, Objective, Train

Kind = Literal["whole", "number", "yes", "choice", "words"]
KINDS: dict[type, Kind] = {bool: "yes", int: "whole", float: "number"}
METHODS: tuple[Method, ...] = get_args(Method)
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)


@dataclass(frozen=True, slots=True)
class FieldHelp:
    """One setting.

    Attributes:
        kind: a whole number, a number, yes or no, one of `options`, or several words.
        low, high: the least and the most; None: no bound.
        above: `low` itself is too little.
        default: None: see `chosen`, or where it is not chosen, off.
        chosen: whether a value that is left out is chosen from the data.
        methods, objectives: those that look at it.
    """

    name: str
    label: str
    help: str
    kind: Kind
    default: Any
    chosen: bool
    low: float | None
    above: bool
    high: float | None
    options: tuple[str, ...]
    methods: tuple[Method, ...]
    objectives: tuple[Objective, ...]

    def applies_to(self, train: Train) -> bool:
        """Whether a training with this method and objective looks at it."""
        return train.method in self.methods and train.objective in self.objectives


CHOSEN = frozenset({"epochs", "batch", "learning_rate", "alpha", "beta", "max_tokens", "evaluate_every"})


def fields() -> tuple[FieldHelp, ...]:
    """Every setting, in the order of `Train`."""
    return tuple(_fields())


def _fields() -> Iterator[FieldHelp]:
    for name, field in Train.model_fields.items():
        annotation = field.annotation
        if get_origin(annotation) in (Union, types.UnionType):
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        options = tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()
        methods, objectives, told = _scope(field.description or "", bool(options))
        bounds = {key: getattr(part, key) for part in field.metadata for key in _bounds(part)}
        low, above = (bounds["gt"], True) if "gt" in bounds else (bounds.get("ge"), False)
        yield FieldHelp(
            name=name,
            label=name.replace("_", " ").capitalize(),
            help=told,
            kind="choice" if options else _kind(annotation),
            default=field.default,
            chosen=name in CHOSEN,
            low=low,
            above=above,
            high=bounds.get("le", bounds.get("lt")),
            options=options,
            methods=methods,
            objectives=objectives,
        )


def _kind(annotation: Any) -> Kind:
    return KINDS.get(annotation, "words")


def _bounds(part: Any) -> list[str]:
    return [key for key in ("ge", "gt", "le", "lt") if hasattr(part, key)]


def _scope(described: str, is_choice: bool) -> tuple[tuple[Method, ...], tuple[Objective, ...], str]:
    """A description may begin with the methods or objectives that look at it: `dpo, kto: how far …`."""
    before, colon, after = described.partition(": ")
    names = {name.strip() for name in before.split(",")}
    if is_choice or not colon or not names <= {*METHODS, *OBJECTIVES}:
        return METHODS, OBJECTIVES, described
    methods = tuple(one for one in METHODS if one in names) or METHODS
    objectives = tuple(one for one in OBJECTIVES if one in names) or OBJECTIVES
    return methods, objectives, after
