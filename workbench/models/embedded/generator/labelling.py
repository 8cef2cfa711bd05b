"""Labels that only the examples can explain, and look-ups that teach a model to read its examples.

    user: The courier has my parcel.\nLabel:      assistant: zorla
    user: The refund was not paid.\nLabel:        assistant: mipan
    user: Where is the shipment?\nLabel:          assistant: zorla

The codes are drawn anew for every episode, so nothing but the earlier turns says what they mean.
"""

from __future__ import annotations

import random

from workbench.models.embedded.generator.chat import (
    CODE_WEIGHT,
    PROMPT_WEIGHT,
    Episode,
    Turn,
    assistant,
    system,
    user,
)
from workbench.models.embedded.generator.words import (
    ACTORS,
    COLORS,
    ITEMS,
    OBJECTS,
    POLARITY,
    REVIEWED,
    TOPICS,
    is_held_out,
    pseudo_words,
)

SYSTEM_PROMPTS = [
    "Label each message with the code our team uses.",
    "Label each message.",
    "Answer with the label only.",
]
USER_TEMPLATES = ["{text}\nLabel:", "Message: {text}\nLabel:", "{text}\nCode:", "Text: {text}\nLabel:"]

_TOPIC_SENTENCES = [
    "I have a question about the {w}.",
    "The {w} is not right.",
    "Please look at my {w} and the {v}.",
    "We talked about the {w} today.",
    "Can you help me with the {w}?",
    "There is news about the {w}.",
    "My {w} and my {v} are here.",
    "Where is the {w}?",
    "Somebody changed the {w} again.",
    "The {w} came with a new {v}.",
    "I want a new {w}.",
    "Is the {w} ready?",
]
_GREETINGS = ["", "", "", "Hello. ", "Hi team. ", "Good morning. ", "Hello again. ", "One more thing. "]
_CLOSINGS = ["", "", "", " Thank you.", " Please help.", " Bye.", " I hope you can help."]
_POLARITY_SENTENCES = [
    "The {s} was {w}.",
    "I think the {s} is {w}.",
    "What a {w} {s}!",
    "The {s} was {w} and {v}.",
    "My {s} is really {w}.",
    "It was a {w} {s}.",
]


_TEXT_FORMS = [
    ("\nInput: ", "\nOutput:"), ("\nInput: ", "\nOutput:"), ("\nText: ", "\nLabel:"), ("\nQ: ", "\nA:"),
]  # fmt: skip
_SEPARATORS = "\n, "
_BOOK_FORMS = [("\n- ", ":"), ("\n- ", " ->"), (" ", ":"), (", ", " is")]


def labelled_text(rng: random.Random, label: str, held_out: bool | None = False) -> str:
    """A short message of that topic or polarity."""
    while True:
        if label in TOPICS:
            first, second = rng.sample(TOPICS[label], 2)
            text = rng.choice(_TOPIC_SENTENCES).format(w=first, v=second)
        else:
            first, second = rng.sample(POLARITY[label], 2)
            text = rng.choice(_POLARITY_SENTENCES).format(w=first, v=second, s=rng.choice(REVIEWED))
        text = rng.choice(_GREETINGS) + text + rng.choice(_CLOSINGS)
        if held_out is None or is_held_out(text) == held_out:
            return text


def _classes(rng: random.Random) -> list[str]:
    if rng.random() < 0.2:
        return rng.sample(list(POLARITY), 2)
    return rng.sample(list(TOPICS), rng.choice([2, 3, 4, 4]))


def plain_labels(rng: random.Random, held_out: bool = False) -> Episode:
    """No codes: from the first message on, the answer is the plain name of its topic or polarity."""
    template, turns = _template(rng), []
    for _ in range(rng.choice([1, 1, 2, 4, 6])):
        label = rng.choice([*TOPICS, *POLARITY])
        text = template.format(text=labelled_text(rng, label, held_out))
        turns += [user(text), assistant(label, CODE_WEIGHT)]
    return [*_opening(rng), *turns]


def coded_labels(rng: random.Random, held_out: bool = False, repeats: float = 0.1) -> Episode:
    """Up to eight examples with made-up codes, then a message to label with one of them."""
    classes = _classes(rng)
    codes = dict(zip(classes, pseudo_words(rng, len(classes)), strict=True))
    if rng.random() < 0.1:
        codes = {label: label for label in classes}
    count = rng.choice([1, 2, 3, 4, 4, 5, 6, 8])
    order = [rng.choice(classes) for _ in range(count)]
    if rng.random() < 0.5:
        order[: len(classes)] = rng.sample(classes, len(classes))[:count]
    order.append(rng.choice(order) if rng.random() < 0.9 else rng.choice(classes))
    texts = [labelled_text(rng, label, held_out) for label in order]
    if rng.random() < repeats:
        # A text that came before comes again: a look-up on the way to labelling by meaning.
        first = dict(zip(reversed(order), reversed(texts), strict=True))
        texts = [first[label] for label in order]
    pairs = [(text, codes[label]) for text, label in zip(texts, order, strict=True)]
    as_turns = rng.random() < 0.75
    return [*_opening(rng), *_turns(rng, pairs)] if as_turns else _one_text(rng, pairs)


def _turns(rng: random.Random, pairs: list[tuple[str, str]]) -> Episode:
    template, seen, turns = _template(rng), set(), []
    for text, code in pairs:
        turns += [user(template.format(text=text)), assistant(code, CODE_WEIGHT if code in seen else 0.0)]
        seen.add(code)
    return turns


def _one_text(
    rng: random.Random, pairs: list[tuple[str, str]], form: tuple[str, str] | None = None
) -> Episode:
    before, after = form or rng.choice(_TEXT_FORMS)
    parts: list[tuple[str, float]] = []
    seen: set[str] = set()
    for text, code in pairs[:-1]:
        parts.append((f"{before if parts else before.lstrip(_SEPARATORS)}{text}{after}", PROMPT_WEIGHT))
        parts.append((f" {code}", CODE_WEIGHT if code in seen else 0.0))
        seen.add(code)
    text, code = pairs[-1]
    parts.append((f"{before}{text}{after}", PROMPT_WEIGHT))
    return [Turn("user", tuple(parts)), assistant(code, CODE_WEIGHT if code in seen else 0.0)]


def looked_up(rng: random.Random, held_out: bool = False) -> Episode:
    """A small code book, asked about again and again: pure looking up, the first thing to learn."""
    count = rng.randint(2, 5)
    keys = rng.sample([*ITEMS, *COLORS], count) if rng.random() < 0.8 else pseudo_words(rng, count)
    codes = pseudo_words(rng, count) if rng.random() < 0.5 else rng.sample([*OBJECTS, *ACTORS], count)
    order = [*rng.sample(keys, count), *[rng.choice(keys) for _ in range(rng.randint(3, 10))]]
    pairs = [(key, codes[keys.index(key)]) for key in order]
    style = rng.random()
    if style < 0.3:
        return _one_text(rng, pairs, rng.choice(_BOOK_FORMS))
    return _turns(rng, pairs) if style < 0.8 else _one_text(rng, pairs)


def first_look_ups(rng: random.Random, held_out: bool = False) -> Episode:
    """The simplest look-ups: few words for few words, in the two commonest forms, asked often."""
    count = rng.randint(2, 4)
    keys, codes = rng.sample(ITEMS, count), rng.sample([*OBJECTS, *ACTORS], count)
    order = [*keys, *[rng.choice(keys) for _ in range(12)]]
    pairs = [(key, codes[keys.index(key)]) for key in order]
    return _turns(rng, pairs) if rng.random() < 0.6 else _one_text(rng, pairs, _BOOK_FORMS[0])


def repeated_words(rng: random.Random, held_out: bool = False) -> Episode:
    """A few random words, said three times over."""
    words = " ".join(rng.choice([*ITEMS, *OBJECTS, *ACTORS, *COLORS]) for _ in range(rng.randint(4, 10)))
    return [user(f"Say three times: {words}"), assistant(f"{words} {words} {words}")]


def _opening(rng: random.Random) -> Episode:
    draw = rng.random()
    if draw < 0.6:
        return [system(SYSTEM_PROMPTS[0])]
    return [] if draw < 0.8 else [system(rng.choice(SYSTEM_PROMPTS[1:]))]


def _template(rng: random.Random) -> str:
    return USER_TEMPLATES[0] if rng.random() < 0.6 else rng.choice(USER_TEMPLATES)
