"""The held-back domain: buses and trams with passengers. No training chunk contains such a story."""

from __future__ import annotations

import random

from workbench.models.embedded.generator.stories import Problem, Step, change_of

_VEHICLES = ["bus", "tram", "night bus", "city tram"]
_STOPS = ["Mill Street", "the market", "the station", "the museum", "Park Lane", "the harbour", "Hill Road"]
_CHANGES = {
    "gain": ["{b} people board|", "{b} riders climb aboard|", "{b} travellers step in|"],
    "lose": ["{b} people alight|", "{b} riders hop off|", "{b} travellers step out|"],
    "gain_groups": ["{g} families of {m} board|", "{g} classes of {m} climb aboard|"],
    "lose_groups": ["{g} families of {m} alight|", "{g} classes of {m} hop off|"],
}


def transit_story(rng: random.Random, step_count: int) -> Problem:
    """A vehicle whose passengers change from stop to stop."""
    vehicle = rng.choice(_VEHICLES)
    start = number = rng.randint(3, 40)
    sentences = [
        rng.choice(
            [
                f"A {vehicle} leaves the depot with {start} passengers.",
                f"{start} passengers ride a {vehicle}.",
            ]
        )
    ]
    steps = []
    for stop in rng.sample(_STOPS, step_count):
        step, wording = change_of(rng, number, _CHANGES, [""])
        sentences.append(f"At {stop} {wording}.")
        steps.append(Step(step.phrase, step.before, step.sign, step.amount, step.after, step.groups))
        number = step.after
    sentences.append(
        rng.choice(
            [f"How many passengers does the {vehicle} carry now?", "How many passengers remain on board?"]
        )
    )
    return Problem(" ".join(sentences), f"The {vehicle} has {start}", start, tuple(steps), "transit")
