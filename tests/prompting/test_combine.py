"""Combining votes: who counts, who wins, who is asked, and what a tie does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.prompt import Ensemble
from workbench.core.run import Vote
from workbench.errors import ModelUnavailable, PromptError, UnknownName
from workbench.prompting import CombineContext, Combined, combiner, combiner_names, needs_logprobs
from workbench.prompting.combine.cascade import stages


def ensemble(combine: str, members: int = 3, samples: int = 1, **options: Any) -> Ensemble:
    parts = [{"prompt": f"p{n}", "samples": samples} for n in range(members)]
    return Ensemble.model_validate({"name": "e", "members": parts, "combine": combine, **options})


def vote(answer: str | None, text: str | None = None, **options: Any) -> Vote:
    return Vote("p", 0, f"so {answer}" if text is None else text, answer, **options)


class Prompts:
    """Answers to the judge and the merging prompt, and a note of what they were asked."""

    def __init__(self, answers: dict[str, str | None] | None = None) -> None:
        self.answers, self.asked = answers or {}, []  # type: ignore[var-annotated]

    async def ask(self, name: str, variables: dict[str, Any]) -> Vote:
        self.asked.append((name, variables))
        answer = self.answers.get(variables.get("candidate", ""), "merged")
        if answer == "down":
            raise ModelUnavailable("not there", "judge")
        return Vote(name, 0, f"text of {answer}", answer)


def combined(one: Ensemble, votes: Sequence[Vote], prompts: Prompts | None = None) -> Combined:
    context = CombineContext(one, (prompts or Prompts()).ask)
    return asyncio.run(combiner(one.combine).combine(votes, context))  # type: ignore[arg-type]


def test_every_way_is_listed() -> None:
    assert {"best_of", "cascade", "consensus", "fuse", "majority", "weighted"} <= set(combiner_names())
    with pytest.raises(UnknownName, match="Did you mean 'majority'"):
        combiner("majorty")


def test_the_majority_wins_with_the_text_of_its_first_vote() -> None:
    votes = [vote("1"), vote("2", "first two"), vote("2", "second two")]
    assert combined(ensemble("majority"), votes) == Combined("2", "first two")


def test_votes_that_differ_only_in_case_and_spacing_agree() -> None:
    assert (
        combined(ensemble("majority"), [vote("1"), vote("New  York"), vote("new york")]).answer == "New  York"
    )


def test_a_vote_without_an_answer_does_not_count() -> None:
    assert combined(ensemble("majority"), [vote(None), vote(None), vote("7")]).answer == "7"


@pytest.mark.parametrize("way", ["majority", "weighted", "cascade", "consensus", "best_of"])
def test_without_any_answer_there_is_none(way: str) -> None:
    votes = [vote(None, "a", logprob=-1.0), vote(None, "b", logprob=-2.0)]
    assert combined(ensemble(way), votes) == Combined(None, "a")
    assert combined(ensemble(way), []) == Combined(None, "")


@pytest.mark.parametrize(
    ("ties", "answer", "text"), [("first", "1", "long text"), ("shortest", "2", "b"), ("none", None, "")]
)
def test_a_tie_is_settled_by_the_stated_rule(ties: str, answer: str | None, text: str) -> None:
    votes = [vote("1", "long text"), vote("2", "b")]
    assert combined(ensemble("majority", ties=ties), votes) == Combined(answer, text)


def test_the_larger_sum_of_weights_wins() -> None:
    votes = [vote("1", weight=1.5), vote("2", weight=1.0), vote("2", weight=1.0), vote("3", weight=1.9)]
    assert combined(ensemble("weighted"), votes).answer == "2"


def test_weights_that_add_up_to_the_same_are_a_tie() -> None:
    votes = [vote("1", weight=0.3), vote("2", weight=0.1), vote("2", weight=0.2)]
    assert combined(ensemble("weighted", ties="none"), votes).answer is None


def test_the_likeliest_vote_is_best() -> None:
    votes = [vote("1", logprob=-3.0), vote("2", logprob=-0.5), vote("3"), vote(None, logprob=-0.1)]
    assert combined(ensemble("best_of"), votes).answer == "2"


def test_a_model_without_likelihoods_is_an_error_with_a_remedy() -> None:
    with pytest.raises(PromptError, match="name a judge prompt in `by`"):
        combined(ensemble("best_of"), [vote("1"), vote("2")])


def test_only_a_choice_by_likelihood_needs_it() -> None:
    assert needs_logprobs(ensemble("best_of"))
    assert needs_logprobs(ensemble("best_of", by="logprob"))
    assert not needs_logprobs(ensemble("best_of", by="judge"))
    assert not needs_logprobs(ensemble("majority"))


def test_the_judge_is_asked_once_for_each_distinct_text_and_its_number_decides() -> None:
    prompts = Prompts({"so 1": "3", "so 2": "8/10 is 8", "so 3": "5"})
    votes = [vote("1"), vote("2"), vote("1"), vote("3"), vote(None, "no")]
    assert combined(ensemble("best_of", by="judge"), votes, prompts).answer == "2"
    assert prompts.asked == [
        ("judge", {"candidate": "so 1", "candidate_answer": "1"}),
        ("judge", {"candidate": "so 2", "candidate_answer": "2"}),
        ("judge", {"candidate": "so 3", "candidate_answer": "3"}),
    ]


@pytest.mark.parametrize("failure", [None, "no number", "down"])
def test_what_the_judge_could_not_grade_never_wins(failure: str | None) -> None:
    prompts = Prompts({"so 1": failure, "so 2": "-100"})
    assert combined(ensemble("best_of", by="judge"), [vote("1"), vote("2")], prompts).answer == "2"


def test_where_the_judge_could_grade_none_the_tie_rule_decides() -> None:
    prompts = Prompts({"so 1": "down", "so 2": None})
    assert combined(ensemble("best_of", by="judge"), [vote("1"), vote("2")], prompts).answer == "1"


def test_consensus_is_the_text_most_like_the_others() -> None:
    texts = [
        "A stone lay there.",
        "The cat sat on the mat.",
        "The cat sat on a mat.",
        "The cat is on the mat.",
    ]
    assert combined(ensemble("consensus"), [vote(text, text) for text in texts]).answer == texts[1]


def test_a_repeated_text_speaks_for_itself_in_a_consensus() -> None:
    assert combined(ensemble("consensus"), [vote("one"), vote("two"), vote("two")]).answer == "two"


def test_fuse_shows_the_answered_candidates_and_takes_what_comes_back() -> None:
    prompts = Prompts()
    votes = [vote("1"), vote(None), vote("3")]
    assert combined(ensemble("fuse", fuse="merge"), votes, prompts) == Combined("merged", "text of merged")
    shown = {"candidates": ["so 1", "so 3"], "candidate_answers": ["1", "3"]}
    assert prompts.asked == [("merge", shown)]


def run(one: Ensemble, answers: Sequence[Sequence[str | None]]) -> tuple[list[int], list[Vote], Combined]:
    asked: list[int] = []

    async def ask_member(place: int) -> list[Vote]:
        asked.append(place)
        await asyncio.sleep(0.001 * (len(answers) - place))  # later members answer first
        return [vote(answer) for answer in answers[place]]

    votes, outcome = asyncio.run(combiner(one.combine).run(ask_member, CombineContext(one, Prompts().ask)))
    return asked, votes, outcome


def test_members_are_asked_at_once_and_their_votes_stay_in_order() -> None:
    asked, votes, outcome = run(ensemble("majority"), [["1"], ["2"], ["2"]])
    assert (asked, [one.answer for one in votes], outcome.answer) == ([0, 1, 2], ["1", "2", "2"], "2")


@pytest.mark.parametrize(
    ("samples", "answers", "asked", "answer"),
    [
        (1, [["1"], ["1"], ["2"]], [0, 1], "1"),
        (1, [["1"], ["2"], ["2"]], [0, 1, 2], "2"),
        (1, [["1"], [None], ["1"]], [0, 1, 2], "1"),
        (2, [["1", "1"], ["2", "2"], ["3", "3"]], [0], "1"),
        (2, [["1", "2"], ["2", "2"], ["3", "3"]], [0, 1, 2], "2"),
        (2, [[None, None], ["2", "2"], ["2", "2"]], [0, 1, 2], "2"),
    ],
)
def test_a_cascade_asks_on_only_where_those_so_far_disagree(
    samples: int, answers: list[list[str | None]], asked: list[int], answer: str
) -> None:
    found, _, outcome = run(ensemble("cascade", samples=samples), answers)
    assert (found, outcome.answer) == (asked, answer)


def test_the_first_stage_of_a_cascade_has_two_votes_to_compare() -> None:
    assert stages(ensemble("cascade", 4)) == [[0, 1], [2], [3]]
    assert stages(ensemble("cascade", 3, samples=2)) == [[0], [1], [2]]
    assert stages(ensemble("cascade", 1)) == [[0]]


def test_a_member_that_fails_fails_the_ensemble() -> None:
    async def ask_member(place: int) -> list[Vote]:
        raise ModelUnavailable("not there", "small")

    context = CombineContext(ensemble("majority"), Prompts().ask)
    with pytest.raises(ModelUnavailable):
        asyncio.run(combiner("majority").run(ask_member, context))


@given(
    st.sampled_from(["majority", "weighted", "cascade", "consensus"]),
    st.sampled_from(["first", "shortest", "none"]),
    st.lists(st.tuples(st.none() | st.sampled_from("123"), st.floats(0.1, 9)), max_size=7),
)
def test_the_answer_is_always_one_that_was_given(
    way: str, ties: str, drawn: list[tuple[str | None, float]]
) -> None:
    votes = [vote(answer, weight=weight) for answer, weight in drawn]
    outcome = combined(ensemble(way, ties=ties), votes)
    assert outcome.answer in {one.answer for one in votes} | {None}
    if ties != "none" and any(one.answer for one in votes):
        assert outcome.answer is not None
        assert (outcome.answer, outcome.text) in {(one.answer, one.text) for one in votes}
