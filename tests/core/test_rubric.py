"""A rubric is strict, knows its scale, and is part of what a prompt version is."""

from __future__ import annotations

import pytest

from workbench.core.document import dump, load
from workbench.core.prompt import Prompt
from workbench.core.rubric import Rubric
from workbench.errors import InvalidFile

JUDGE = """
name: judge
messages: [{role: user, content: "{{ output }}"}]
rubric: %s
"""


def judge(rubric: str) -> Prompt:
    return load(Prompt, JUDGE % rubric, "prompts/judge.yaml")


def test_a_rubric_knows_the_range_of_its_scores() -> None:
    assert Rubric(kind="score").range == (1, 5)
    assert Rubric(kind="score", scale=(0, 0.5)).range == (0, 0.5)
    assert Rubric(kind="checklist", questions=("Is it short?",)).range == (0, 1)
    assert Rubric(kind="pairwise").range == (0, 1)


def test_the_rubric_is_part_of_the_version_and_survives_writing_and_reading() -> None:
    plain = judge("{kind: score}")
    other = judge("{kind: score, levels: {1: Bad., 5: Good.}}")
    assert len({plain.version, other.version, judge("{kind: pairwise}").version}) == 3
    assert load(Prompt, dump(other)) == other
    assert Prompt.model_validate(other.model_dump(mode="json", exclude_defaults=True)) == other


@pytest.mark.parametrize(
    ("rubric", "words"),
    [
        ("{kind: score, scale: [5, 1]}", "from the least to the greatest"),
        ("{kind: score, levels: {7: Great.}}", "level 7 is outside the scale of 1 to 5"),
        ("{kind: score, scale: [1, 10], weighting: tokens}", "single digits"),
        ("{kind: score, scale: [0, 0.5], weighting: tokens}", "single digits"),
        ("{kind: score, questions: [Is it short?]}", "`questions` has no meaning"),
        ("{kind: checklist}", "needs `questions`"),
        ("{kind: checklist, questions: ['  ']}", "needs `questions`"),
        ("{kind: pairwise, scale: [1, 5]}", "`scale` has no meaning"),
        ("{kind: pairwise, weighting: tokens}", "`weighting` has no meaning"),
        ("{kind: ranking}", "'score', 'checklist' or 'pairwise'"),
        ("{kind: score, scales: [1, 5]}", "Did you mean 'scale'?"),
        ("{kind: score, scale: [1, .inf]}", "scale"),
    ],
)
def test_a_rubric_that_makes_no_sense_is_refused_with_its_line(rubric: str, words: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        judge(rubric)
    assert words in str(refused.value)
    assert "prompts/judge.yaml, line 4, key `rubric" in str(refused.value)
