"""Which provider answers to which name: `@provider("openai")` on a class makes it a choice everywhere.

A provider is one module of this folder, or of another package that names it as an entry point in the
group `workbench.providers`. A service that differs only in address, key or price is a row of
models.yaml, not a provider.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, TypeVar

from workbench.core.model import Model, ModelSpec
from workbench.errors import ModelUnavailable, UnknownName

ENTRY_POINT_GROUP = "workbench.providers"


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Whether a model can be used now, and one sentence that says why or what to do."""

    ok: bool
    sentence: str


class Provider(Protocol):
    """A class that opens models of one kind. Making one is cheap: nothing is loaded or called yet."""

    def __call__(self, spec: ModelSpec) -> Model:
        """The model that a row describes."""

    def check(self, spec: ModelSpec) -> ModelCheck:
        """Whether the row's key, folder and settings are there, without calling or loading anything."""


AnyProvider = TypeVar("AnyProvider", bound=Provider)

_PROVIDERS: dict[str, Provider] = {}
_FAILED: dict[str, Exception] = {}


def provider(name: str) -> Callable[[AnyProvider], AnyProvider]:
    """Registers the class under `name`, the word that a row's `provider:` says."""

    def register(opener: AnyProvider) -> AnyProvider:
        _PROVIDERS[name] = opener
        return opener

    return register


def find_provider(name: str) -> Provider:
    """The provider of that name. Raises UnknownName with the nearest, ModelUnavailable if it is broken."""
    _discover()
    if name in _FAILED:
        words = f"its provider '{name}' cannot be loaded ({_FAILED[name]})."
        raise ModelUnavailable(words, provider=name, original=_FAILED[name])
    if name not in _PROVIDERS:
        raise UnknownName("provider", name, _PROVIDERS)
    return _PROVIDERS[name]


def provider_names() -> list[str]:
    """Every provider that is installed."""
    _discover()
    return sorted(_PROVIDERS)


@cache
def _discover() -> None:
    package = importlib.import_module("workbench.models")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.ispkg:  # folders hold what providers are made of
            importlib.import_module(f"workbench.models.{module.name}")
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            entry.load()
        except Exception as problem:  # somebody else's package: only the models that need it suffer
            _FAILED[entry.name] = problem
