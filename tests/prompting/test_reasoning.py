"""Reasoning techniques: their words are part of what the embedded models learned."""

from __future__ import annotations

import pytest

from workbench.core.prompt import CustomReasoning
from workbench.errors import UnknownName
from workbench.prompting import instruction, reasoning_names

WORDS = {
    "step_by_step": "Let's think step by step.",
    "plan_then_solve": "First make a plan, then carry it out step by step.",
    "least_to_most": "Break the problem into smaller questions and answer them in order.",
    "self_check": "Solve it step by step, then check your work before the final answer.",
}


@pytest.mark.parametrize(("name", "words"), WORDS.items())
def test_each_technique_says_its_words(name: str, words: str) -> None:
    assert instruction(name) == words


def test_every_technique_is_listed() -> None:
    assert set(WORDS) <= set(reasoning_names())


def test_no_technique_says_nothing_and_a_custom_one_its_own_text() -> None:
    assert instruction(None) == ""
    assert instruction(CustomReasoning(custom="Draw it.\n")) == "Draw it."


def test_an_unknown_technique_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'step_by_step'"):
        instruction("step_by_steps")
