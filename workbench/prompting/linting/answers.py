"""Rules about how the answer is asked for and read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.core.prompt import Prompt
from workbench.errors import PromptError
from workbench.prompting.json_path import parse_path
from workbench.prompting.linting.base import Subject, rule

ONLY_THE_ANSWER = re.compile(
    r"\b(?:(?:give|answer|reply|respond|return|output|write|state|print)\b[^.\n]{0,30}\b(?:only|just)\b"
    r"|(?:only|just) (?:the|a|your|one|with the)\b[^.\n]{0,20}\b(?:answer|number|letter|label|word)\b"
    r"|no (?:explanation|reasoning|working)|without (?:any )?(?:explanation|reasoning|working)"
    r"|(?:do not|don't|never) (?:explain|show|reason))",
    re.IGNORECASE,
)


@rule("answer-never-asked", "warning")
def answer_never_asked(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The answer is read after a marker that nothing tells the model to write."""
    marker = prompt.answer.after
    if marker is None or marker.strip().casefold() in subject.everything_said.casefold():
        return
    if _replies_follow_the_marker(prompt):
        return
    yield (
        f"The answer is read after '{marker}', but nothing in the prompt tells the model to write that; "
        f'ask for it, such as: End with "{marker}" and the answer.',
        "answer.after",
    )


def _replies_follow_the_marker(prompt: Prompt) -> bool:
    # examples without a template of their own reply with the marker before the reference
    return prompt.examples is not None and prompt.examples.count > 0 and prompt.examples.assistant is None


@rule("labels-never-named", "warning")
def labels_never_named(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The answer is one of a set of labels that the model is never shown."""
    if prompt.answer.type != "label" or (prompt.examples is not None and prompt.examples.count > 0):
        return
    said = subject.everything_said.casefold()
    unsaid = [label for label in prompt.answer.labels if label.casefold() not in said]
    if unsaid:
        yield f"The prompt never names the labels {', '.join(unsaid[:8])}; list them.", "answer.labels"


@rule("json-never-asked", "warning")
def json_never_asked(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The answer is read from JSON that the prompt does not ask for, or its path is no path."""
    if prompt.answer.type != "json":
        return
    try:
        parse_path(prompt.answer.path)
    except PromptError as error:
        yield str(error), "answer.path"
    said = subject.everything_said
    if "json" not in said.casefold() and not re.search(r"\{\s*\"", said):
        yield "The answer is read from JSON, but the prompt does not ask for JSON.", "answer.type"


@rule("reasoning-forbidden", "warning")
def reasoning_forbidden(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Reasoning is asked for in a prompt that also says to give only the answer."""
    if prompt.reasoning is None:
        return
    for place, text in subject.templates:
        found = ONLY_THE_ANSWER.search(text)
        if found and place.startswith("message"):
            yield f"'{found[0]}' forbids the reasoning that `reasoning` asks for; drop one of them.", place
