"""Reasoning techniques, one a file: an instruction added on a new line to the last user message.

    reasoning: step_by_step                      # a technique by name
    reasoning: {custom: "Draw a table first."}   # the author's own words

A package outside adds one through the entry point group `workbench.reasoning`: the entry point's
name is the technique's, and it loads to a function without arguments that returns the instruction.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.prompt import CustomReasoning
from workbench.core.registry import Registry
from workbench.errors import PromptError

Technique = Callable[[], str]

registry: Registry[Technique] = Registry("reasoning technique", "workbench.reasoning", __name__, PromptError)
reasoning = registry.register


def reasoning_names() -> list[str]:
    """Every technique's name, sorted."""
    return registry.names()


def instruction(technique: str | CustomReasoning | None) -> str:
    """The text that a technique adds; '' for none. Raises UnknownName."""
    if technique is None:
        return ""
    if isinstance(technique, CustomReasoning):
        return technique.custom.strip()
    return registry.get(technique)()


__all__ = ["Technique", "instruction", "reasoning", "reasoning_names"]
