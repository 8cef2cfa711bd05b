"""The generated text says true things, and what is held out stays out."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.models.embedded.dataset_files import SIZES, SPLITS, rows, team_codes
from workbench.models.embedded.generator import arithmetic, labelling, mixture
from workbench.models.embedded.generator.chat import messages, render
from workbench.models.embedded.generator.reasoning import TECHNIQUES, solution
from workbench.models.embedded.generator.sentences import rewriting
from workbench.models.embedded.generator.stories import LARGEST, word_problem
from workbench.models.embedded.generator.transit import transit_story
from workbench.models.embedded.generator.words import is_held_out, pseudo_words

seeds = st.integers(0, 2**32)
TEXT_COLUMN = {
    "word-problems": "question",
    "transit": "question",
    "team-labels": "text",
    "rewriting": "sentence",
}


@settings(max_examples=60, deadline=None)
@given(seed=seeds, technique=st.sampled_from(TECHNIQUES))
def test_every_equation_in_a_solution_is_true_and_the_last_line_is_the_answer(
    seed: int, technique: str
) -> None:
    problem = word_problem(random.Random(seed))
    text = solution(problem, technique)
    for left, sign, right, result in re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", text):
        expected = {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}
        expected["/"] = int(left) // int(right)
        assert int(result) == expected[sign]
    assert text.endswith(f"Answer: {problem.answer}")


@settings(max_examples=60, deadline=None)
@given(seed=seeds, held_out=st.booleans())
def test_a_problem_starts_where_its_story_starts_and_stays_in_range(seed: int, held_out: bool) -> None:
    for story in ({}, {"story": transit_story}):
        problem = word_problem(random.Random(seed), [2, 3, 4], held_out, **story)
        assert is_held_out(problem.question) == held_out
        assert str(problem.start) in problem.question
        assert all(0 < step.after <= LARGEST for step in problem.steps)


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_the_same_seed_writes_the_same_episode(seed: int) -> None:
    first, second = (mixture.episode(random.Random(seed)) for _ in range(2))
    assert render(first[1]) == render(second[1])
    assert messages(first[1])[-1]["role"] == "assistant"


def test_a_made_up_code_is_learned_only_once_the_examples_have_shown_it() -> None:
    rng = random.Random(4)
    for _ in range(200):
        episode = labelling.coded_labels(rng)
        seen: set[str] = set()
        answers = [turn for turn in episode if turn.role == "assistant"]
        if len(answers) == 1:
            continue  # examples inside one message
        for turn in answers:
            ((text, weight),) = turn.parts
            assert (weight > 0) == (text in seen)
            seen.add(text)


def test_fused_answers_are_the_most_frequent_candidates() -> None:
    rng = random.Random(5)
    for _ in range(100):
        asked, told = (turn.content for turn in arithmetic.fused(rng)[-2:])
        candidates = re.findall(r"^\d+\. (\d+)$", asked, re.MULTILINE)
        answer = told.removeprefix("Answer: ")
        assert candidates.count(answer) == max(map(candidates.count, candidates))


def test_verdicts_agree_with_the_equations_before_them() -> None:
    rng = random.Random(6)
    for _ in range(100):
        asked, told = (turn.content for turn in arithmetic.judged(rng)[-2:])
        proposed = re.findall(r"Proposed answer: (\d+)", asked)[0]
        assert told.endswith("yes" if re.findall(r"= (\d+)", told)[-1] == proposed else "no")


def test_no_held_out_code_is_ever_drawn_for_training() -> None:
    rng = random.Random(7)
    drawn = {word for _ in range(500) for word in pseudo_words(rng, 4)}
    assert not drawn & set(team_codes().values())
    assert all(is_held_out("label:" + code) for code in team_codes().values())


def test_a_rewriting_in_the_past_has_no_present_verb_left() -> None:
    rng = random.Random(8)
    for _ in range(100):
        row = rewriting(rng)
        assert row.reference != row.sentence
        assert row.reference.endswith("?") == (row.kind == "question")


@pytest.mark.parametrize("name", list(SIZES))
def test_dataset_splits_share_no_text_and_test_rows_were_never_trained_on(name: str) -> None:
    column = TEXT_COLUMN[name]
    texts = {split: [row[column] for row in rows(name, split)] for split in SPLITS}
    everything = [text for split in SPLITS for text in texts[split]]
    assert len(set(everything)) == len(everything) == sum(SIZES[name].values())
    assert all(is_held_out(text) for split in ("dev", "test") for text in texts[split])
    ids = [row["id"] for split in SPLITS for row in rows(name, split)]
    assert len(set(ids)) == len(ids)


def test_the_first_four_training_rows_show_every_team_code() -> None:
    assert {row["label"] for row in rows("team-labels", "train")[:4]} == set(team_codes().values())


def test_no_training_episode_is_about_transit() -> None:
    rng = random.Random(9)
    text = " ".join(render(mixture.episode(rng)[1]) for _ in range(2000))
    assert not re.search(r"\b(tram|bus|passengers|riders|alight)\b", text)
