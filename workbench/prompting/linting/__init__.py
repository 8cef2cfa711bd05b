"""What a prompt engineer would want to hear before a run: notes on one prompt or ensemble.

    lint(prompt, columns=["id", "question", "answer"])
    [LintNote(rule="unknown-variable", level="error", message="…", where="message 2 (user)")]

Each rule is one function in the files beside this one; docs/prompts.md lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.core.model import ChatMessage
from workbench.core.prompt import AnyPrompt, Prompt
from workbench.prompting.library import PromptLibrary
from workbench.prompting.linting import answers, ensembles, judges, sizes, templates, wording  # noqa: F401
from workbench.prompting.linting.base import LEVELS, RULES, Level, LintNote, Subject
from workbench.prompting.rubric import sample_row


def lint(
    prompt: AnyPrompt,
    *,
    columns: Sequence[str] | None = None,
    library: PromptLibrary | None = None,
    count_tokens: Callable[[Sequence[ChatMessage]], int] | None = None,
    context: int | None = None,
    row: Mapping[str, Any] | None = None,
    examples: Sequence[Mapping[str, Any]] = (),
) -> list[LintNote]:
    """Notes on a prompt, the gravest first. What is not given is not checked.

    Args:
        prompt: a prompt or an ensemble.
        columns: the dataset's columns.
        library: the other prompts, for an ensemble's members.
        count_tokens: counts tokens of messages as the model does.
        context: the model's context window in tokens.
        row: a real row, rendered to see what the model will see.
        examples: the rows that would be shown as few-shot examples.
    """
    if row is not None and isinstance(prompt, Prompt) and prompt.rubric is not None:
        row = sample_row(prompt, row)
    subject = Subject(prompt, columns, library, count_tokens, context, row, examples)
    notes = [note for rule in RULES.values() for note in rule(subject)]
    return sorted(notes, key=lambda note: LEVELS.index(note.level))


def rule_names() -> list[str]:
    """Every rule, sorted."""
    return sorted(RULES)


__all__ = ["Level", "LintNote", "lint", "rule_names"]
