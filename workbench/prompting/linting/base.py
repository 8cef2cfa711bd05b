"""What a rule is given and what it says, and the list of the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from jinja2 import TemplateSyntaxError

from workbench.core.dataset import guess_reference
from workbench.core.model import ChatMessage
from workbench.core.prompt import AnyPrompt, Ensemble, Prompt
from workbench.errors import WorkbenchError
from workbench.prompting.library import PromptLibrary
from workbench.prompting.reasoning import instruction
from workbench.prompting.render import Renderer, template_variables

Level = Literal["error", "warning", "hint"]
LEVELS: tuple[Level, ...] = ("error", "warning", "hint")


@dataclass(frozen=True, slots=True)
class LintNote:
    """One thing worth knowing; `where` names the part of the prompt, '' for the whole of it."""

    rule: str
    level: Level
    message: str
    where: str = ""


@dataclass(frozen=True)
class Subject:
    """A prompt under examination with what is known around it."""

    prompt: AnyPrompt
    columns: Sequence[str] | None = None
    library: PromptLibrary | None = None
    count_tokens: Callable[[Sequence[ChatMessage]], int] | None = None
    context: int | None = None
    row: Mapping[str, Any] | None = None
    examples: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @cached_property
    def templates(self) -> list[tuple[str, str]]:
        """(place, text) of everything that the author wrote for the model to read."""
        prompt = self.prompt
        if not isinstance(prompt, Prompt):
            return []
        places = [(f"message {n} ({m.role})", m.content) for n, m in enumerate(prompt.messages, 1)]
        if prompt.examples is not None:
            places += [("examples.user", prompt.examples.user or "")]
            places += [("examples.assistant", prompt.examples.assistant or "")]
        if prompt.reasoning is not None and not isinstance(prompt.reasoning, str):
            places.append(("reasoning", prompt.reasoning.custom))
        return [(place, text) for place, text in places if text]

    @cached_property
    def variables(self) -> dict[str, str]:
        """Each variable of the messages with the first place that asks for it."""
        found: dict[str, str] = {}
        for place, text in self.templates:
            if place.startswith("message"):
                try:
                    for name in sorted(template_variables(text)):
                        found.setdefault(name, place)
                except (TemplateSyntaxError, RecursionError):
                    continue
        return found

    @cached_property
    def reference(self) -> str | None:
        """The column that most likely holds the right answer."""
        return guess_reference(list(self.columns or ()))

    @cached_property
    def shown_rows(self) -> tuple[Mapping[str, Any], ...]:
        """The rows that are shown as examples: those given, else the first of those written down."""
        if self.examples or not isinstance(self.prompt, Prompt) or self.prompt.examples is None:
            return tuple(self.examples)
        return tuple((self.prompt.examples.rows or ())[: self.prompt.examples.count])

    @cached_property
    def rendered(self) -> tuple[ChatMessage, ...] | None:
        """The messages for `row` with its examples; None where they cannot be had."""
        return self._render(self.shown_rows)

    @cached_property
    def rendered_bare(self) -> tuple[ChatMessage, ...] | None:
        """The messages for `row` without examples."""
        return self._render(())

    def _render(self, examples: Iterable[Mapping[str, Any]]) -> tuple[ChatMessage, ...] | None:
        if self.row is None or not isinstance(self.prompt, Prompt):
            return None
        try:
            return Renderer(self.prompt, self.reference).messages(self.row, tuple(examples))
        except WorkbenchError:
            return None  # other rules say what is wrong with the template

    @cached_property
    def everything_said(self) -> str:
        """All text that the model may read, as far as it is known: templates, technique, examples."""
        if not isinstance(self.prompt, Prompt):
            return ""
        texts = [text for _, text in self.templates]
        with suppress(WorkbenchError):
            texts.append(instruction(self.prompt.reasoning))
        texts += [str(value) for row in self.shown_rows for value in row.values()]
        texts += [message["content"] for message in self.rendered or ()]
        return "\n".join(texts)


Rule = Callable[[Subject], Iterator[LintNote]]
RULES: dict[str, Rule] = {}


def rule(name: str, level: Level) -> Callable[[Callable[..., Iterator[tuple[str, str]]]], Rule]:
    """Registers a rule for prompts; it yields (message, where)."""
    return _register(name, level, Prompt)


def ensemble_rule(name: str, level: Level) -> Callable[[Callable[..., Iterator[tuple[str, str]]]], Rule]:
    """Registers a rule for ensembles; it yields (message, where)."""
    return _register(name, level, Ensemble)


def _register(
    name: str, level: Level, kind: type[Prompt] | type[Ensemble]
) -> Callable[[Callable[..., Iterator[tuple[str, str]]]], Rule]:
    def keep(check: Callable[..., Iterator[tuple[str, str]]]) -> Rule:
        def apply(subject: Subject) -> Iterator[LintNote]:
            if isinstance(subject.prompt, kind):
                for message, where in check(subject.prompt, subject):
                    yield LintNote(name, level, message, where)

        RULES[name] = apply
        return apply

    return keep
