"""Rules about judges: what they are shown, and whether they are told how to give their verdict."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.prompt import Prompt
from workbench.prompting.linting.base import Subject, rule

ASKED_BY = {"score": "score:", "checklist": "1:", "pairwise": "better:"}
NEEDS = {"score": ("output",), "checklist": ("output",), "pairwise": ("output_a", "output_b")}


@rule("judge-sees-nothing", "error")
def judge_sees_nothing(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A judge that is never shown what it judges."""
    if prompt.rubric is None:
        return
    for name in NEEDS[prompt.rubric.kind]:
        if name not in subject.variables:
            yield f"The judge never sees what it judges; write {{{{ {name} }}}} into a message.", "messages"


@rule("rubric-not-shown", "warning")
def rubric_not_shown(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A judge that is never shown the levels or questions of its rubric."""
    if prompt.rubric is None or "rubric" in subject.variables:
        return
    if prompt.rubric.levels or prompt.rubric.questions:
        yield "The judge never sees its rubric; write {{ rubric }} into a message.", "rubric"


@rule("verdict-never-asked", "warning")
def verdict_never_asked(prompt: Prompt, subject: Subject) -> Iterator[tuple[str, str]]:
    """A judge that is not told to write its verdict as it is read."""
    if prompt.rubric is None or prompt.answer.type == "json":
        return
    kind = prompt.rubric.kind
    if not any(ASKED_BY[kind] in text.casefold() for _, text in subject.templates):
        written = {"score": "Score: N", "checklist": "1: yes", "pairwise": "Better: A"}[kind]
        yield f"Nothing tells the judge to write its verdict as it is read: `{written}`.", "messages"
