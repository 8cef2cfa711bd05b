"""Texts of an Inspect sample: its messages, what the model replied, and what the prompt was.

{"role": "user", "content": [{"type": "text", "text": "What is on the picture?"}, {"type": "image", …}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.engine.finished.prompt_stand_ins import as_literal
from workbench.engine.finished.records import Template, Unmapped

PROTOCOL = "attachment://"

Messages = tuple[tuple[str, str], ...]
"""(role, text) each."""


class Attachments:
    """Long texts of a sample, which stand once and are named by their hash elsewhere."""

    def __init__(self, sample: Mapping[str, Any]) -> None:
        old = sample.get("transcript")
        given = sample.get("attachments") or (old.get("content") if isinstance(old, dict) else None)
        self._texts = given if isinstance(given, dict) else {}

    def text(self, text: str) -> str:
        """The text itself, where this is the name of one."""
        if text.startswith(PROTOCOL):
            found = self._texts.get(text.removeprefix(PROTOCOL))
            return found if isinstance(found, str) else text
        return text


def messages_of(given: Any, attachments: Attachments, unmapped: Unmapped) -> Messages:
    """A sample's input: a text, which a user said, or a list of messages."""
    if isinstance(given, str):
        return (("user", attachments.text(given)),)
    return tuple(
        (str(one.get("role")), _content(one.get("content"), attachments, unmapped))
        for one in given or []
        if isinstance(one, dict)
    )


def row_text(asked: Messages) -> str:
    """The input as a column: the text alone where one message is all, else who said what."""
    if len(asked) == 1:
        return asked[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in asked)


def reply_of(sample: Mapping[str, Any], attachments: Attachments, unmapped: Unmapped) -> str:
    """The text of the model's last reply; "" where it said none."""
    output = sample.get("output") or {}
    choices = output.get("choices") or []
    if len(choices) > 1:
        unmapped.add("further choices of a reply")
    message = choices[0].get("message") if choices else None
    if not isinstance(message, dict):
        if isinstance(output.get("completion"), str) and output["completion"]:
            return str(output["completion"])
        said = [one for one in sample.get("messages") or [] if one.get("role") == "assistant"]
        message = said[-1] if said and not sample.get("error") else {}
    if message.get("tool_calls"):
        unmapped.add("tool calls of a reply")
    return _content(message.get("content"), attachments, unmapped)


def template_of(sample: Mapping[str, Any], asked: Messages, attachments: Attachments) -> Template:
    """The messages before the first reply, with {{ input }} where the row's text stands.

    () where they are not the same for every row: several turns, pictures, choices in the text.
    """
    if len(asked) != 1 or sample.get("choices") or not asked[0][1].strip():
        return ()
    text = asked[0][1]
    template = []
    for one in sample.get("messages") or []:
        role, content = one.get("role"), one.get("content")
        if role == "assistant":
            break
        if role not in ("system", "user") or not isinstance(content, str):
            return ()
        before, met, after = attachments.text(content).partition(text)
        if role == "user" and not met:
            return ()
        put = as_literal(before) + "{{ input }}" + as_literal(after)
        template.append((role, put if met and role == "user" else as_literal(attachments.text(content))))
    return tuple(template) if sum(role == "user" for role, _ in template) == 1 else ()


def _content(content: Any, attachments: Attachments, unmapped: Unmapped) -> str:
    """A message's text; what is none in it is left out."""
    if isinstance(content, str):
        return attachments.text(content)
    texts = []
    for part in content or []:
        if isinstance(part, str):
            texts.append(attachments.text(part))
        elif part.get("type") == "text":
            texts.append(attachments.text(part.get("text") or ""))
        else:
            unmapped.add(f"part of a message that is no text ({part.get('type')})")
    return "\n".join(texts)
