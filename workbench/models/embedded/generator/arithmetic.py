"""Episodes about numbers: word problems alone and with worked examples, plain sums, votes, verdicts."""

from __future__ import annotations

import random

from workbench.models.embedded.generator.chat import Episode, Segment, Turn, assistant, system, user
from workbench.models.embedded.generator.reasoning import SYSTEM_PROMPTS, instruction, solution
from workbench.models.embedded.generator.stories import LARGEST, LARGEST_CHANGE, Problem, word_problem

_TECHNIQUE_SHARES = {
    "direct": 0.14,
    "step_by_step": 0.34,
    "plan_then_solve": 0.15,
    "least_to_most": 0.12,
    "self_check": 0.13,
    "equations": 0.12,
}


def technique_for(rng: random.Random) -> str:
    """A technique, step by step most often."""
    return rng.choices(list(_TECHNIQUE_SHARES), list(_TECHNIQUE_SHARES.values()))[0]


def opening(rng: random.Random) -> Episode:
    """The system message: the product's own half of the time, none a quarter of it."""
    draw = rng.random()
    if draw < 0.5:
        return [system(SYSTEM_PROMPTS[0])]
    return [] if draw < 0.75 else [system(rng.choice(SYSTEM_PROMPTS[1:]))]


def _asked(rng: random.Random, question: str, instruct: str) -> str:
    prefix = "Question: " if rng.random() < 0.05 else ""
    return f"{prefix}{question}\n{instruct}" if instruct else prefix + question


def solved(rng: random.Random, step_counts: list[int] | None = None, held_out: bool = False) -> Episode:
    """One problem and its solution; without an instruction the answer comes directly."""
    technique = technique_for(rng)
    problem = word_problem(rng, step_counts, held_out)
    instruct = instruction(rng, technique)
    if technique == "direct" and rng.random() < 0.25:
        instruct = ""
    return [
        *opening(rng),
        user(_asked(rng, problem.question, instruct)),
        assistant(solution(problem, technique)),
    ]


def solved_with_examples(rng: random.Random, held_out: bool = False) -> Episode:
    """One to four worked examples as earlier turns, then a problem solved in the same manner."""
    technique = technique_for(rng)
    shots = rng.choice([1, 1, 2, 2, 3, 4])
    instruct = instruction(rng, technique)
    where = rng.choice(["everywhere", "last", "nowhere", "nowhere"])
    episode = opening(rng)
    for index in range(shots + 1):
        problem = word_problem(rng, held_out=held_out)
        shown = instruct if where == "everywhere" or (where == "last" and index == shots) else ""
        text = f"{problem.question}\n{shown}" if shown else problem.question
        # The first example without an instruction could be written in any manner: nothing to learn.
        unknowable = index == 0 and where != "everywhere"
        episode += [user(text), assistant(solution(problem, technique), 0.2 if unknowable else 1.0)]
    return episode


def _sum(rng: random.Random) -> tuple[str, int]:
    """A sum of the size that stories need, and its result."""
    sign = rng.choice("+++---*")
    if sign == "*":
        left, right = rng.choice([(rng.randint(2, 9), rng.randint(2, 9)), (rng.randint(3, LARGEST // 2), 2)])
        return f"{left} * {right}", left * right
    draw = rng.random()
    if draw < 0.7:
        right = rng.randint(2, LARGEST_CHANGE)
    else:
        right = rng.randint(2, 6) * rng.randint(2, 9) if draw < 0.9 else rng.randint(2, 60)
    if sign == "+":
        left = rng.randint(1, 99)
        return f"{left} + {right}", left + right
    left = rng.randint(right + 1, LARGEST)
    return f"{left} - {right}", left - right


def sums(rng: random.Random, held_out: bool = False) -> Episode:
    """Plain sums: `Compute 17 + 25, 8 * 7.` -> `17 + 25 = 42. 8 * 7 = 56.`"""
    drawn = [_sum(rng) for _ in range(rng.randint(1, 5))]
    if len(drawn) == 1 and rng.random() < 0.5:
        return [user(f"What is {drawn[0][0]}?"), assistant(f"Answer: {drawn[0][1]}")]
    told = " ".join(f"{asked} = {result}." for asked, result in drawn)
    return [user(f"Compute {', '.join(asked for asked, _ in drawn)}."), assistant(told)]


def drill(rng: random.Random, held_out: bool = False) -> Episode:
    """A dozen sums of which only the results are learned: the densest way to practise."""
    parts: list[Segment] = []
    for asked, result in (_sum(rng) for _ in range(12)):
        parts += [(f"{' ' if parts else ''}{asked} =", 0.0), (f" {result}.", 1.0)]
    return [user("Practise sums."), Turn("assistant", tuple(parts))]


def _wrong(rng: random.Random, problem: Problem) -> int:
    return max(0, problem.answer + rng.choice([-20, -10, -5, -3, -2, -1, 1, 2, 3, 5, 10, 20]))


def fused(rng: random.Random, held_out: bool = False) -> Episode:
    """Candidate answers of which the most frequent one is given back."""
    problem = word_problem(rng, held_out=held_out)
    wanted = problem.answer
    candidates = [wanted] * rng.randint(2, 4)
    candidates += [_wrong(rng, problem) for _ in range(rng.randint(0, len(candidates) - 1))]
    if max(map(candidates.count, candidates)) > candidates.count(wanted):
        candidates = [wanted] * 3
    rng.shuffle(candidates)
    listed = "\n".join(f"{number}. {candidate}" for number, candidate in enumerate(candidates, 1))
    text = f"{problem.question}\nCandidate answers:\n{listed}\nGive the best final answer."
    return [*opening(rng), user(text), assistant(f"Answer: {wanted}")]


def judged(rng: random.Random, held_out: bool = False) -> Episode:
    """A proposed answer, worked out again and called right or wrong."""
    problem = word_problem(rng, held_out=held_out)
    right = rng.random() < 0.5
    proposed = problem.answer if right else _wrong(rng, problem)
    right = proposed == problem.answer
    text = (
        f"Question: {problem.question}\nProposed answer: {proposed}\n"
        "Is the proposed answer right? Answer yes or no."
    )
    reasoning = solution(problem, "equations").removesuffix(f"Answer: {problem.answer}")
    return [user(text), assistant(f"{reasoning}Answer: {'yes' if right else 'no'}")]
