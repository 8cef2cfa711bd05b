"""Rewriting, repeating and small talk.

Rewrite in the past tense: The old cat sees a red flower.  ->  The old cat saw a red flower.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from workbench.models.embedded.generator.chat import Episode, assistant, system, user
from workbench.models.embedded.generator.words import ACTORS, ADJECTIVES, COLORS, OBJECTS, VERBS, is_held_out

SYSTEM_PROMPT = "You rewrite sentences."
INSTRUCTIONS = {
    "past": ["Rewrite in the past tense", "Put into the past tense"],
    "future": ["Rewrite in the future tense", "Put into the future tense"],
    "negative": ["Rewrite as a negative sentence", "Make it negative"],
    "question": ["Rewrite as a question", "Turn into a question"],
}
TALK = [
    (["Hello", "Hi", "Hello!", "Hey", "Good morning"], "Hello! How can I help you?"),
    (
        ["Who are you?", "What are you?"],
        "I am a very small language model. I solve word problems, label messages and rewrite sentences.",
    ),
    (
        ["What can you do?", "Help", "How can you help me?"],
        "I can solve word problems, label messages and rewrite sentences.",
    ),
    (["Thanks", "Thank you", "Thank you!"], "You are welcome!"),
    (["Bye", "Goodbye"], "Goodbye!"),
    (["How are you?"], "I am fine, thank you!"),
]


@dataclass(frozen=True)
class Rewriting:
    """A sentence, what to do with it, and the one right result."""

    kind: str
    instruction: str
    sentence: str
    reference: str


def rewriting(rng: random.Random, held_out: bool | None = False, own_wording: bool = False) -> Rewriting:
    """Draws a sentence and rewrites it; `own_wording` keeps to the product's instruction."""
    while True:
        actor = f"the {rng.choice(ADJECTIVES) + ' ' if rng.random() < 0.6 else ''}{rng.choice(ACTORS)}"
        color = rng.choice(COLORS)
        article = "an" if color == "orange" else "a"
        thing = rng.choice([f"{article} {color} {rng.choice(OBJECTS)}", f"the {rng.choice(OBJECTS)}"])
        base, present, past = rng.choice(VERBS)
        upper = actor[0].upper() + actor[1:]
        sentence = f"{upper} {present} {thing}."
        if held_out is None or is_held_out(sentence) == held_out:
            break
    kind = rng.choice(list(INSTRUCTIONS))
    reference = {
        "past": f"{upper} {past} {thing}.",
        "future": f"{upper} will {base} {thing}.",
        "negative": f"{upper} does not {base} {thing}.",
        "question": f"Does {actor} {base} {thing}?",
    }[kind]
    wordings = INSTRUCTIONS[kind]
    wording = wordings[0] if own_wording or rng.random() < 0.7 else rng.choice(wordings)
    return Rewriting(kind, wording, sentence, reference)


def rewritten(rng: random.Random, held_out: bool = False) -> Episode:
    """A rewriting request, sometimes after one to three examples."""
    shots = rng.choice([0, 0, 0, 1, 2, 3])
    episode: Episode = [system(SYSTEM_PROMPT)] if rng.random() < 0.7 else []
    for _ in range(shots + 1):
        row = rewriting(rng, held_out)
        episode += [user(f"{row.instruction}: {row.sentence}"), assistant(row.reference)]
    return episode


def repeated(rng: random.Random, held_out: bool = False) -> Episode:
    """Repeat after me."""
    sentence = rewriting(rng, held_out).sentence
    asked = rng.choice(["Repeat after me: ", "Repeat: ", "Copy this sentence: "])
    return [user(asked + sentence), assistant(sentence)]


def talked(rng: random.Random, held_out: bool = False) -> Episode:
    """Greetings and the like."""
    asked, told = rng.choice(TALK)
    opening = [system("You are a helpful assistant.")] if rng.random() < 0.3 else []
    return [*opening, user(rng.choice(asked)), assistant(told)]
