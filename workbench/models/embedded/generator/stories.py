"""Word problems whose solution is a known chain of small steps.

Ann has 12 apples. She buys 5 more. She gives 3 apples to Ben. How many apples does Ann have now?
start 12, then +5 -> 17, then -3 -> 14
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from workbench.models.embedded.generator.words import (
    DAYS,
    ITEMS,
    NAMES,
    OWNERS,
    PLACES,
    is_held_out,
    pseudo_word,
)

LARGEST = 120
LARGEST_CHANGE = 20
LARGEST_PRODUCT = 40
STEP_COUNTS = [1, 2, 2, 2, 3, 3, 3, 3, 4, 4]


@dataclass(frozen=True)
class Limits:
    """The largest number that a step adds or takes, alone and as a product of groups."""

    change: int = LARGEST_CHANGE
    product: int = LARGEST_PRODUCT


TRAINED = Limits()
HARDER = Limits(change=40, product=72)


@dataclass(frozen=True)
class Step:
    """One change of the running number: `before sign amount = after`."""

    phrase: str
    before: int
    sign: str
    amount: int
    after: int
    groups: tuple[int, int] | None = None


@dataclass(frozen=True)
class Problem:
    """A question, the steps that lead to its answer, and how to open the solution."""

    question: str
    opening: str
    start: int
    steps: tuple[Step, ...]
    kind: str

    @property
    def answer(self) -> int:
        """The number asked for."""
        return self.steps[-1].after


def person(rng: random.Random, besides: tuple[str, ...] = ()) -> tuple[str, str]:
    """A name and its pronoun; one name in six is invented, so that users' names work too."""
    while True:
        pronoun = rng.choice(["she", "he"])
        name = pseudo_word(rng).capitalize() if rng.random() < 0.17 else rng.choice(NAMES[pronoun])
        if name not in besides:
            return name, pronoun


def owner(rng: random.Random) -> tuple[str, str]:
    """Who a story is about: mostly a person, sometimes a shop or something unheard of."""
    if rng.random() < 0.8:
        return person(rng)
    return f"The {pseudo_word(rng) if rng.random() < 0.4 else rng.choice(OWNERS)}", "it"


def item_name(rng: random.Random) -> str:
    """What is counted; three in ten are invented."""
    return pseudo_word(rng) + "s" if rng.random() < 0.3 else rng.choice(ITEMS)


def circumstance(rng: random.Random) -> str:
    """Where or when something happened, which changes nothing; mostly left out."""
    draw = rng.random()
    if draw < 0.75:
        return ""
    if draw < 0.8:
        return f" on {rng.choice(DAYS)}"
    if draw < 0.9:
        return f" at the {pseudo_word(rng) if rng.random() < 0.4 else rng.choice(PLACES)}"
    return f" {rng.choice(['in', 'at'])} {pseudo_word(rng).capitalize()}"


def change_of(
    rng: random.Random,
    before: int,
    phrases: dict[str, list[str]],
    containers: list[str],
    limits: Limits = TRAINED,
) -> tuple[Step, str]:
    """Draws one step from `phrases` (kinds `gain`, `lose`, `gain_groups`, `lose_groups`, `double`).

    Returns the step and the full sentence ending, in which `{item}` and `{friend}` are still open.
    A phrase reads `short form|rest`: the short form is what a solution quotes.
    """
    kinds = ["gain", "gain", "gain", "lose", "lose", "lose", "gain_groups", "lose_groups", "double"]
    while True:
        kind = rng.choice(kinds)
        if kind not in phrases:
            continue
        groups = (rng.randint(2, 9), rng.randint(2, 9))
        amount = groups[0] * groups[1] if "groups" in kind else rng.randint(2, limits.change)
        if kind == "double":
            sign, amount, after = "*", 2, before * 2
        elif kind.startswith("gain"):
            sign, after = "+", before + amount
        else:
            sign, after = "-", before - amount
        if not 0 < after <= LARGEST or ("groups" in kind and amount > limits.product):
            continue
        wording = rng.choice(phrases[kind])
        wording = wording.format(
            b=amount, g=groups[0], m=groups[1], c=rng.choice(containers), item="{item}", friend="{friend}"
        )
        short, _, rest = wording.partition("|")
        step = Step(short, before, sign, amount, after, groups if "groups" in kind else None)
        return step, short + rest


CHANGES = {
    "gain": [
        "buys {b}| more",
        "finds {b}| more",
        "gets {b}| {item} from {friend}",
        "wins {b}| {item}",
        "collects {b}| {item}",
        "receives {b}| {item}",
    ],
    "lose": [
        "gives {b}| {item} to {friend}",
        "loses {b}| {item}",
        "sells {b}| {item}",
        "uses {b}| of them",
        "eats {b}| {item}",
        "breaks {b}| {item}",
    ],
    "gain_groups": ["buys {g} {c} of {m}| {item}", "gets {g} {c} of {m}| {item}"],
    "lose_groups": ["gives {g} {c} of {m}| {item} to {friend}", "sells {g} {c} of {m}| {item}"],
    "double": ["doubles| the number of {item}"],
}
CONTAINERS = ["bags", "boxes", "packs"]


def change_story(rng: random.Random, step_count: int, limits: Limits = TRAINED) -> Problem:
    """Somebody owns things and their number changes step by step."""
    name, pronoun = owner(rng)
    friend, _ = person(rng, (name,))
    item = item_name(rng)
    start = number = rng.randint(3, 40)
    sentences = [rng.choice([f"{name} has {start} {item}.", f"{name} starts with {start} {item}."])]
    steps = []
    subject = pronoun.capitalize()
    for _ in range(step_count):
        step, wording = change_of(rng, number, CHANGES, CONTAINERS, limits)
        happened = wording.format(item=item, friend=friend)
        place = circumstance(rng)
        if place and rng.random() < 0.4:
            sentences.append(f"{place[1].upper()}{place[2:]} {pronoun} {happened}.")
        else:
            sentences.append(f"{subject} {happened}{place}.")
        steps.append(Step(f"{subject} {step.phrase}", *_numbers(step)))
        number = step.after
    asked = name[0].lower() + name[1:] if pronoun == "it" else name
    sentences.append(rng.choice([f"How many {item} does {asked} have now?", f"How many {item} are left?"]))
    return Problem(" ".join(sentences), f"{name} has {start}", start, tuple(steps), "change")


def compare_story(rng: random.Random, step_count: int, limits: Limits = TRAINED) -> Problem:
    """Several people, each compared with the one before; sometimes their total."""
    item = item_name(rng)
    names: list[str] = []
    while len(names) < step_count + 1:
        names.append(person(rng, tuple(names))[0])
    with_total = step_count in (2, 4) and rng.random() < 0.5
    comparisons = step_count // 2 if with_total else step_count
    start = rng.randint(3, 30)
    sentences, values = [f"{names[0]} has {start} {item}."], [start]
    steps: list[Step] = []
    while len(steps) < comparisons:
        before, subject, other = values[-1], names[len(steps) + 1], names[len(steps)]
        kind = rng.choice(["more", "more", "fewer", "fewer", "times"])
        amount = rng.randint(2, limits.change)
        if kind == "more":
            step = Step(f"{subject} has {amount} more", before, "+", amount, before + amount)
            sentence = f"{subject} has {amount} more {item} than {other}."
        elif kind == "fewer":
            step = Step(f"{subject} has {amount} fewer", before, "-", amount, before - amount)
            sentence = f"{subject} has {amount} fewer {item} than {other}."
        else:
            step = Step(f"{subject} has 2 times", before, "*", 2, before * 2)
            sentence = f"{subject} has 2 times as many {item} as {other}."
        if not 0 < step.after <= 80:
            continue
        steps.append(step)
        values.append(step.after)
        sentences.append(sentence)
    if with_total:
        total = values[0]
        for value in values[1:]:
            steps.append(Step("Together", total, "+", value, total + value))
            total += value
        sentences.append(f"How many {item} do they have together?")
    else:
        sentences.append(f"How many {item} does {names[comparisons]} have?")
    return Problem(" ".join(sentences), f"{names[0]} has {start}", start, tuple(steps), "compare")


def _numbers(step: Step) -> tuple[int, str, int, int, tuple[int, int] | None]:
    return step.before, step.sign, step.amount, step.after, step.groups


def any_story(rng: random.Random, step_count: int, limits: Limits = TRAINED) -> Problem:
    """A story of either kind: four changes for one comparison."""
    return (compare_story if rng.random() < 0.2 else change_story)(rng, step_count, limits)


def word_problem(
    rng: random.Random,
    step_counts: list[int] | None = None,
    held_out: bool | None = False,
    story: Callable[[random.Random, int], Problem] = any_story,
) -> Problem:
    """A problem from the trained side, the held-out side or (None) either."""
    while True:
        problem = story(rng, rng.choice(step_counts or STEP_COUNTS))
        if problem.answer <= LARGEST and (held_out is None or is_held_out(problem.question) == held_out):
            return problem
