"""Cleaning of what is to be learnt: one step a file, each of which changes texts or drops items.

    collect:
      clean: [unicode, white_space, exact_duplicates, {near_duplicates: 0.9}, {length: {most: 4000}}]

A step sees the items that those before it kept. What it would do is counted and shown before anything
is applied, and what was applied to a collection can be undone. A package outside adds a step through the
entry point group `workbench.cleaning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.document import validate
from workbench.core.registry import Registry
from workbench.errors import CollectionError, InvalidFile
from workbench.tuning.cleaning.base import Dropped, DropStep, Step, TextStep

registry: Registry[type[Step]] = Registry(
    "cleaning step", "workbench.cleaning", f"{__name__}.steps", CollectionError
)
step = registry.register

Spec = str | Mapping[str, Any]


def step_names() -> list[str]:
    """Every cleaning step's name, sorted."""
    return registry.names()


def spec_name(spec: Spec) -> str:
    """The name that a spec names, whether or not there is such a step. Raises CollectionError."""
    if isinstance(spec, str):
        return spec
    if isinstance(spec, Mapping) and len(spec) == 1:
        return str(next(iter(spec)))
    raise CollectionError(
        f"A cleaning step is one name with its settings, such as {{length: {{most: 4000}}}}; not {spec!r}."
    )


def build_step(spec: Spec) -> Step:
    """The step that `white_space` or `{length: {most: 4000}}` writes. Raises UnknownName, CollectionError."""
    name = spec_name(spec)
    settings = None if isinstance(spec, str) else next(iter(spec.values()))
    found = registry.get(name)
    if settings is not None and not found.are_settings(settings):
        settings = {found.shorthand: settings}
    try:
        return validate(found, dict(settings or {}))
    except InvalidFile as problem:
        raise CollectionError(f"Cleaning step '{name}': {problem}") from None


__all__ = ["DropStep", "Dropped", "Spec", "Step", "TextStep", "build_step", "spec_name", "step", "step_names"]
