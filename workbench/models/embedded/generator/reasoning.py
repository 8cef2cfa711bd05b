"""The ways a solution is written down, and the instructions that ask for each.

The first wording of each technique is the one that the workbench's own prompts use; the others let
people word it their own way.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from workbench.models.embedded.generator.stories import Problem, Step

SYSTEM_PROMPTS = [
    'You solve arithmetic word problems. End with "Answer:" and the number.',
    "You solve arithmetic word problems.",
    "You are a careful math assistant.",
    "You are a helpful assistant.",
]
INSTRUCTIONS = {
    "direct": [
        "Give only the final answer.",
        "Answer with just the number.",
        "No explanation.",
        "Answer directly.",
        "Only give the number.",
    ],
    "step_by_step": [
        "Let's think step by step.",
        "Think step by step.",
        "Show your work.",
        "Solve it step by step.",
        "Think carefully and explain each step.",
        "Explain your reasoning, then give the answer.",
    ],
    "plan_then_solve": [
        "First make a plan, then carry it out step by step.",
        "Make a plan first, then solve it.",
        "Plan first, then compute.",
    ],
    "least_to_most": [
        "Break the problem into smaller questions and answer them in order.",
        "Ask smaller questions and answer each one.",
        "Split it into smaller questions first.",
    ],
    "self_check": [
        "Solve it step by step, then check your work before the final answer.",
        "Solve it and check your work.",
        "Check your work before you answer.",
    ],
    "equations": [
        "Write one equation per step.",
        "Use short equations.",
        "Write the equations, then the answer.",
    ],
}
TECHNIQUES = list(INSTRUCTIONS)


def equation(step: Step, joiner: str = ", ") -> str:
    """`12 + 5 = 17`, with the product of equal groups worked out first."""
    written = f"{step.before} {step.sign} {step.amount} = {step.after}"
    if step.groups:
        written = f"{step.groups[0]} * {step.groups[1]} = {step.amount}{joiner}{written}"
    return written


def equations(problem: Problem) -> str:
    """`12 + 5 = 17. 17 - 3 = 14.`"""
    return " ".join(f"{equation(step)}." for step in problem.steps)


def step_by_step(problem: Problem) -> str:
    """`Ann has 12. She buys 5, so 12 + 5 = 17. She gives 3, so 17 - 3 = 14.`"""
    told = [f"{step.phrase}, so {equation(step)}." for step in problem.steps]
    return f"{problem.opening}. " + " ".join(told)


def plan_then_solve(problem: Problem) -> str:
    """`Plan: start with 12, add 5, subtract 3. 12 + 5 = 17. 17 - 3 = 14.`"""
    verbs = {"+": "add", "-": "subtract", "*": "multiply by"}
    plan = [f"start with {problem.start}"]
    for step in problem.steps:
        amount = f"{step.groups[0]} * {step.groups[1]}" if step.groups else str(step.amount)
        plan.append(f"{verbs[step.sign]} {amount}")
    return f"Plan: {', '.join(plan)}. {equations(problem)}"


def least_to_most(problem: Problem) -> str:
    """`How many at first? 12. She buys 5. How many now? 12 + 5 = 17. ...`"""
    asked = [f"{step.phrase}. How many now? {equation(step)}." for step in problem.steps]
    return f"How many at first? {problem.start}. " + " ".join(asked)


def self_check(problem: Problem) -> str:
    """`12 + 5 = 17. 17 - 3 = 14. Check: 14 + 3 = 17, 17 - 5 = 12.`"""
    inverse = {"+": "-", "-": "+", "*": "/"}
    back = [
        f"{step.after} {inverse[step.sign]} {step.amount} = {step.before}" for step in reversed(problem.steps)
    ]
    return f"{equations(problem)} Check: {', '.join(back)}."


STYLES: dict[str, Callable[[Problem], str]] = {
    "direct": lambda problem: "",
    "step_by_step": step_by_step,
    "plan_then_solve": plan_then_solve,
    "least_to_most": least_to_most,
    "self_check": self_check,
    "equations": equations,
}


def solution(problem: Problem, technique: str) -> str:
    """The whole answer message: the reasoning of that technique, then `Answer: N`."""
    return f"{STYLES[technique](problem)} Answer: {problem.answer}".strip()


def instruction(rng: random.Random, technique: str) -> str:
    """A wording that asks for the technique: the product's own half of the time."""
    wordings = INSTRUCTIONS[technique]
    return wordings[0] if rng.random() < 0.5 else rng.choice(wordings)
