"""Prompts of an imported run: what the file tells of them, as records that a run can hold.

PromptNames().name_of("You are terse. {{question}}")     "You-are-terse.-question"
"""

from __future__ import annotations

import re

from workbench.core.prompt import AnswerRule, Message, Prompt, Role
from workbench.engine.finished.records import Template
from workbench.errors import PromptError
from workbench.prompting.render import Renderer

LONGEST_NAME = 60
LONGEST_DESCRIPTION = 300
UNKNOWN = "(The file that was imported does not tell what was asked.)"


class PromptNames:
    """Usable names for whatever a file calls its prompts: one label, one name."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()

    def name_of(self, label: str) -> str:
        """The name of this label, always the same, and no other label's."""
        if label not in self._names:
            plain = re.sub(r"[^A-Za-z0-9._-]+", "-", label[: 4 * LONGEST_NAME]).strip("-._")
            plain = plain[:LONGEST_NAME].rstrip("-._") or "prompt"
            name, number = plain, 1
            while name.casefold() in self._taken:
                number += 1
                name = f"{plain}-{number}"
            self._taken.add(name.casefold())
            self._names[label] = name
        return self._names[label]


def stand_in(name: str, label: str, template: Template, answer: AnswerRule) -> Prompt:
    """The prompt behind imported outputs: its messages where they are known, else a sentence that says so."""
    described = "" if label == name else " ".join(label.split())[:LONGEST_DESCRIPTION]
    messages = tuple(Message(role=_role(role), content=text) for role, text in template)
    if not any(message.role == "user" for message in messages):
        messages = (*messages, Message(role="user", content=UNKNOWN if not messages else ""))
    prompt = Prompt(name=name, description=described, messages=messages, answer=answer)
    try:
        Renderer(prompt)
    except PromptError:
        literal = tuple(Message(role=one.role, content=as_literal(one.content)) for one in messages)
        return prompt.model_copy(update={"messages": literal})
    return prompt


def as_literal(text: str) -> str:
    """A template that renders to exactly this text."""
    if not re.search(r"\{[{%#]", text):
        return text
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)


def _role(role: str) -> Role:
    found = role.strip().lower()
    if found in ("system", "developer"):
        return "system"
    return "assistant" if found in ("assistant", "ai", "model") else "user"
