"""Prompts at work: rendering, choosing examples, reading answers, combining, linting, the library.

Rendered messages come from `Renderer`, answers from `read_answer`, prompts from `PromptLibrary`.
"""

from __future__ import annotations

from workbench.prompting.closure import closure, versions_of
from workbench.prompting.combine import (
    CombineContext,
    Combined,
    Combiner,
    combiner,
    combiner_names,
    needs_logprobs,
)
from workbench.prompting.diff import word_diff
from workbench.prompting.history import Version, VersionHistory
from workbench.prompting.library import PromptLibrary, read_prompt
from workbench.prompting.linting import LintNote, lint, rule_names
from workbench.prompting.read import normalise_reference, read_answer, read_reference
from workbench.prompting.reasoning import instruction, reasoning_names
from workbench.prompting.render import Renderer
from workbench.prompting.rubric import Verdict, read_verdict, sample_row
from workbench.prompting.select import Selector, build_selector, check_source, selector_names

__all__ = [
    "CombineContext",
    "Combined",
    "Combiner",
    "LintNote",
    "PromptLibrary",
    "Renderer",
    "Selector",
    "Verdict",
    "Version",
    "VersionHistory",
    "build_selector",
    "check_source",
    "closure",
    "combiner",
    "combiner_names",
    "instruction",
    "lint",
    "needs_logprobs",
    "normalise_reference",
    "read_answer",
    "read_prompt",
    "read_reference",
    "read_verdict",
    "reasoning_names",
    "rule_names",
    "sample_row",
    "selector_names",
    "versions_of",
    "word_diff",
]
