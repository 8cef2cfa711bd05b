"""Rules about variables, columns and braces."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from workbench.core.dataset import ID_COLUMN
from workbench.core.prompt import Prompt
from workbench.errors import PromptError, WorkbenchError, suggestion
from workbench.prompting.linting.base import Subject, rule
from workbench.prompting.reasoning import reasoning_names
from workbench.prompting.render import Renderer, template_variables

GIVEN_BY_ENSEMBLES = frozenset({"candidate", "candidate_answer", "candidates", "candidate_answers"})
SINGLE_BRACES = re.compile(r"(?<![{%\w\\$^_}])\{ ?([A-Za-z_]\w*) ?\}(?!\})")
ODD_BRACES = re.compile(r"(?<!\{)\{\s*[A-Za-z_]\w*\s*\}\}(?!\})")


@rule("template-error", "error")
def template_error(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The template cannot be compiled, or fails on the row at hand."""
    try:
        renderer = Renderer(prompt, subject.reference)
    except PromptError as error:
        yield str(error), ""
        return
    except WorkbenchError:
        return  # an unknown technique has a rule of its own
    missing = set(renderer.variables) - set(subject.row or ())
    if subject.row is None or missing:
        return
    try:
        renderer.messages(subject.row)
    except PromptError as error:
        yield str(error), ""


@rule("unknown-variable", "error")
def unknown_variable(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A variable that is no column of the dataset."""
    if subject.columns is None:
        return
    given = GIVEN_BY_ENSEMBLES if prompt.rubric is None else prompt.rubric.gives
    known = {*subject.columns, *given}
    for name, place in subject.variables.items():
        if name not in known:
            offer = suggestion(name, subject.columns)
            yield f"'{{{{ {name} }}}}' is not a column of the dataset.{offer}", place


@rule("unused-column", "hint")
def unused_column(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A column that the prompt does not use."""
    if subject.columns is None or not subject.variables or prompt.rubric is not None:
        return
    used = {*subject.variables, ID_COLUMN, subject.reference}
    if prompt.examples is not None:
        used |= {prompt.examples.by}
        for text in (prompt.examples.user, prompt.examples.assistant):
            used |= _variables(text or "")
    unused = [name for name in subject.columns if name not in used]
    if unused:
        yield f"The prompt does not use the columns {', '.join(unused)}; leave it so if that is meant.", ""


@rule("no-variable", "warning")
def no_variable(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """Nothing of the row reaches the model, so that every row is asked the same."""
    if not any("{{" in text or "{%" in text for _, text in subject.templates):
        yield "No message uses a variable, so every row is asked the same; write {{ column }}.", ""


@rule("answer-given-away", "warning")
def answer_given_away(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """The messages show the column that holds the right answer."""
    if prompt.rubric is None and subject.reference is not None and subject.reference in subject.variables:
        yield (
            f"'{{{{ {subject.reference} }}}}' looks like the right answer, which the model could copy.",
            subject.variables[subject.reference],
        )


@rule("empty-value", "warning")
def empty_value(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A variable whose value is missing or blank in the row at hand."""
    for name, place in subject.variables.items():
        value = (subject.row or {}).get(name, "filled")
        is_nan = isinstance(value, float) and math.isnan(value)
        if value is None or is_nan or (isinstance(value, str) and not value.strip()):
            yield f"'{name}' is empty in this row, so nothing stands in its place.", place


@rule("single-brace", "warning")
def single_brace(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """`{question}` is sent as it stands; a variable needs two braces on each side."""
    for place, text in subject.templates:
        for found in [*SINGLE_BRACES.finditer(text), *ODD_BRACES.finditer(text)]:
            name = re.sub(r"\W", "", found[0])
            if subject.columns is None or name in subject.columns or ODD_BRACES.fullmatch(found[0]):
                yield f"'{found[0]}' is sent as it stands; a variable is written {{{{ {name} }}}}.", place


@rule("unknown-reasoning", "error")
def unknown_reasoning(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A reasoning technique that does not exist."""
    names = reasoning_names()
    if isinstance(prompt.reasoning, str) and prompt.reasoning not in names:
        offer = suggestion(prompt.reasoning, names)
        yield f"There is no reasoning technique '{prompt.reasoning}'.{offer}", "reasoning"


def _variables(text: str) -> frozenset[str]:
    try:
        return template_variables(text)
    except Exception:
        return frozenset()  # `template-error` says so
