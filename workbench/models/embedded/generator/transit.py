"""The held-back domain: buses and trams with passengers. No training chunk contains such a story.

Vehicles, passengers, groups, stops and some of the verbs are new to the models; the rest is known,
so that a few answers come out right and there is something to learn from.
"""

from __future__ import annotations

import random

from workbench.models.embedded.generator.stories import Problem, Step, change_of

_VEHICLES = ["bus", "tram"]
_STOPS = ["Mill Street", "the harbour", "the terminal", "the depot", "Park Lane", "the bridge", "Hill Road"]
_CHANGES = {
    "gain": [
        "gets {b}| passengers",
        "collects {b}| passengers",
        "receives {b}| passengers",
        "boards {b}| passengers",
    ],
    "lose": ["loses {b}| passengers", "loses {b}| passengers", "drops {b}| passengers"],
    "gain_groups": ["gets {g} groups of {m}| passengers"],
    "lose_groups": ["loses {g} groups of {m}| passengers"],
}


def transit_story(rng: random.Random, step_count: int) -> Problem:
    """A vehicle whose passengers change from stop to stop."""
    vehicle = rng.choice(_VEHICLES)
    start = number = rng.randint(3, 40)
    opening = rng.choice(["The {v} has {n} passengers.", "The {v} starts with {n} passengers."])
    sentences = [opening.format(v=vehicle, n=start)]
    steps = []
    for stop in rng.sample(_STOPS, step_count):
        step, wording = change_of(rng, number, _CHANGES, [""])
        sentences.append(f"At {stop} it {wording}." if rng.random() < 0.5 else f"It {wording} at {stop}.")
        steps.append(Step(f"It {step.phrase}", step.before, step.sign, step.amount, step.after, step.groups))
        number = step.after
    sentences.append(
        rng.choice([f"How many passengers does the {vehicle} have now?", "How many passengers are left?"])
    )
    return Problem(" ".join(sentences), f"The {vehicle} has {start}", start, tuple(steps), "transit")
