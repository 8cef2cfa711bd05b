"""What a prompt may say, and what names its versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.core.prompt import AnswerRule, Ensemble, Examples, Prompt, Sampling

ASK = {"role": "user", "content": "{{ question }}"}


def prompt(**changes) -> Prompt:
    return Prompt.model_validate({"name": "direct", "messages": [ASK]} | changes)


def test_the_version_follows_what_can_change_an_output():
    versions = {
        prompt().version,
        prompt(messages=[ASK, ASK]).version,
        prompt(reasoning="step_by_step").version,
        prompt(reasoning={"custom": "Think."}).version,
        prompt(sampling={"temperature": 0.5}).version,
        prompt(answer={"after": "Answer:"}).version,
        prompt(examples={"from": "d#train"}).version,
    }
    assert len(versions) == 7


def test_the_version_ignores_name_description_and_evidence():
    assert prompt(name="other", description="why", provenance={"run": "r"}).version == prompt().version


def test_writing_a_default_out_changes_nothing():
    assert prompt(sampling={}, answer={"type": "text"}, reasoning=None).version == prompt().version


def test_a_prompt_needs_a_person_who_speaks():
    with pytest.raises(ValidationError, match="role `user`"):
        prompt(messages=[{"role": "system", "content": "x"}])


@pytest.mark.parametrize("source", ["word-problems", "../x#train", "a#b/c", "#train", "a#"])
def test_examples_name_a_dataset_and_a_split(source: str):
    with pytest.raises(ValidationError, match="dataset#split"):
        Examples.model_validate({"from": source})


def test_examples_have_exactly_one_source():
    for source in ({}, {"from": "d#train", "rows": [{"a": 1}]}):
        with pytest.raises(ValidationError, match="not both"):
            Examples.model_validate(source)


def test_an_answer_rule_has_what_its_type_needs():
    with pytest.raises(ValidationError, match="needs `labels`"):
        AnswerRule(type="label")
    with pytest.raises(ValidationError, match="needs `pattern`"):
        AnswerRule(type="regex")
    with pytest.raises(ValidationError, match="not a valid regular expression"):
        AnswerRule(type="regex", pattern="(")


SAMPLINGS = st.builds(
    Sampling,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0.1, 1),
    max_tokens=st.none() | st.integers(1, 99),
    seed=st.none() | st.integers(0, 9),
)


@given(SAMPLINGS, SAMPLINGS)
def test_what_a_sampling_says_wins_and_what_it_omits_is_left_below(upper: Sampling, lower: Sampling):
    both = upper.over(lower)
    for field in Sampling.model_fields:
        said = getattr(upper, field)
        assert getattr(both, field) == (getattr(lower, field) if said is None else said)
    assert upper.over(None) == upper


def test_one_stop_is_a_list_of_one():
    assert Sampling.model_validate({"stop": "\n"}).stop == ("\n",)


def vote(**changes) -> Ensemble:
    return Ensemble.model_validate({"name": "vote", "members": [{"prompt": "a"}, {"prompt": "b"}]} | changes)


def test_an_ensemble_changes_with_its_members_versions():
    assert vote().version({"a": "1", "b": "2"}) != vote().version({"a": "1", "b": "3"})


def test_a_renamed_member_with_the_same_content_is_the_same_ensemble():
    renamed = vote(members=[{"prompt": "x"}, {"prompt": "b"}])
    assert renamed.version({"x": "1", "b": "2"}) == vote().version({"a": "1", "b": "2"})


def test_every_prompt_that_an_ensemble_asks_is_mentioned_once():
    judged = vote(combine="best_of", by="judge", members=[{"prompt": "a"}, {"prompt": "a", "samples": 3}])
    assert judged.mentioned() == ["a", "judge"]
    assert vote(combine="best_of", by="logprob").mentioned() == ["a", "b"]
    assert vote(combine="fuse", fuse="merge").mentioned() == ["a", "b", "merge"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"combine": "fuse"}, "needs `fuse: PROMPT`"),
        ({"fuse": "merge"}, "no meaning"),
        ({"by": "logprob"}, "no meaning"),
        ({"members": []}, "at least 1"),
        ({"members": [{"prompt": "a", "weight": 0}]}, "greater than 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict, words: str):
    with pytest.raises(ValidationError, match=words):
        vote(**options)
