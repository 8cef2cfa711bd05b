"""Packages outside add techniques, selectors and combiners through entry points."""

from __future__ import annotations

import importlib.metadata

import pytest

from workbench.core.registry import Registry
from workbench.errors import PromptError, UnknownName

PACKAGE = "workbench.prompting.reasoning"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        importlib.metadata.EntryPoint("shout", "builtins:str", "workbench.tried"),
        importlib.metadata.EntryPoint("gone", "no_such_package_anywhere:thing", "workbench.tried"),
    ]

    def entry_points(*, group: str) -> importlib.metadata.EntryPoints:
        return importlib.metadata.EntryPoints(e for e in entries if e.group == group)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


@pytest.mark.usefixtures("outside")
def test_an_entry_point_is_listed_and_loaded_when_asked_for() -> None:
    registry: Registry[object] = Registry("technique", "workbench.tried", PACKAGE, PromptError)
    assert registry.names() == ["gone", "shout"]
    assert registry.get("shout") is str


@pytest.mark.usefixtures("outside")
def test_a_broken_package_outside_spoils_only_its_own_name() -> None:
    registry: Registry[object] = Registry("technique", "workbench.tried", PACKAGE, PromptError)
    registry.add("own", 1)
    assert registry.get("own") == 1
    with pytest.raises(PromptError, match=r"'gone'.*cannot be imported"):
        registry.get("gone")


def test_two_extensions_of_one_name_are_an_error() -> None:
    registry: Registry[object] = Registry("technique", "workbench.tried", PACKAGE, PromptError)
    registry.add("same", 1)
    with pytest.raises(PromptError, match="Two techniques are named 'same'"):
        registry.add("same", 2)


def test_an_unknown_name_offers_the_known_ones() -> None:
    registry: Registry[object] = Registry("technique", "workbench.tried", PACKAGE, PromptError)
    registry.add("steps", 1)
    with pytest.raises(UnknownName, match="Did you mean 'steps'"):
        registry.get("step")
