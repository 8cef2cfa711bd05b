"""The rule that a cell's answers, and the right answers beside them, are read by.

answer_rule(prompts["vote"], prompts)      # an ensemble's own, else its first member's
reference_of(rule, "… #### 18")            # "18"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.prompt import AnswerRule, AnyPrompt, Ensemble
from workbench.prompting.read import read_reference


def answer_rule(prompt: AnyPrompt, prompts: Mapping[str, AnyPrompt]) -> AnswerRule:
    """The rule that a cell's answers were read by: an ensemble's own, else its first member's."""
    if not isinstance(prompt, Ensemble):
        return prompt.answer
    if prompt.answer is not None:
        return prompt.answer
    if prompt.fuse is not None:
        return answer_rule(prompts[prompt.fuse], prompts)
    return answer_rule(prompts[prompt.members[0].prompt], prompts)


def reference_of(rule: AnswerRule, value: Any) -> Any:
    """A right answer, or a list of them, read by the rule that the outputs' answers are read by."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [read_reference(rule, item) for item in value]
    return read_reference(rule, value)
