"""The stock of words that every generated text draws from, and how texts are held out."""

from __future__ import annotations

import random
import zlib


def _words(text: str) -> list[str]:
    return text.split()


NAMES = {
    "she": _words(
        "Ann Cara Ella Gina Iris Kate Mia Olga Rosa Tina Vera Zoe Bella Dina Fay Hana June Maya "
        "Nina Pia Sara Una Wendy Lucy Nora"
    ),
    "he": _words(
        "Ben Dan Finn Hugo Jack Leo Noah Paul Sam Umar Will Adam Carl Emil Greg Ivan Kim Liam "
        "Omar Ravi Tom Vic Max Amir Oscar"
    ),
}
ITEMS = _words(
    "apples pears plums books pens coins cards stamps shells marbles cookies eggs oranges lemons "
    "stickers toys balls cups plates roses candles ribbons buttons beads stones nuts pencils "
    "bottles keys hats socks photos tickets badges"
)
OWNERS = _words("shop farm school team store club baker library bakery museum")
PLACES = _words("market park office beach house garden school station corner fair")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

TOPICS = {
    "delivery": _words("parcel package courier shipping address truck shipment driver letter mailbox"),
    "billing": _words("invoice refund payment price receipt charge bill fee discount tax"),
    "account": _words("password login username profile email settings member signup security session"),
    "hardware": _words("screen keyboard battery charger cable camera printer speaker laptop fan"),
    "travel": _words("flight hotel airport passport suitcase tour beach map cruise train"),
    "food": _words("soup bread cheese rice salad cake butter pepper sauce dinner"),
    "sport": _words("goal team match coach race ball score league stadium player"),
    "music": _words("song guitar piano drum singer concert melody violin choir album"),
}
POLARITY = {
    "positive": _words(
        "great wonderful lovely excellent amazing fantastic perfect superb charming pleasant "
        "friendly beautiful helpful nice good comfortable"
    ),
    "negative": _words(
        "awful terrible horrible bad poor dreadful boring dull nasty broken dirty slow rude ugly useless sad"
    ),
}
REVIEWED = _words(
    "movie hotel service book room music phone trip game staff play coffee show class meal view"
)

COLORS = _words("red blue green black white yellow brown pink gray orange")
ADJECTIVES = _words("old young small big happy quiet clever tired")
ACTORS = _words("cat dog bird horse girl boy teacher doctor farmer driver king queen child woman man artist")
OBJECTS = _words(
    "flower house chair table lamp door boat bridge garden window letter picture apple hat tree river"
)
# Each verb: infinitive, third person, past.
VERBS = [
    ("see", "sees", "saw"),
    ("like", "likes", "liked"),
    ("find", "finds", "found"),
    ("take", "takes", "took"),
    ("want", "wants", "wanted"),
    ("paint", "paints", "painted"),
    ("buy", "buys", "bought"),
    ("draw", "draws", "drew"),
    ("clean", "cleans", "cleaned"),
    ("watch", "watches", "watched"),
    ("hide", "hides", "hid"),
    ("bring", "brings", "brought"),
    ("love", "loves", "loved"),
    ("need", "needs", "needed"),
    ("hold", "holds", "held"),
    ("show", "shows", "showed"),
]

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def is_held_out(text: str) -> bool:
    """True for the sixteenth of all texts that no training chunk ever contains."""
    return zlib.crc32(text.encode()) % 16 == 0


def pseudo_word(rng: random.Random, held_out: bool = False) -> str:
    """A word that means nothing, such as `zorla`; those of the test sets are never trained on."""
    while True:
        syllables = [
            rng.choice(_CONSONANTS)
            + rng.choice(_VOWELS)
            + (rng.choice("nrslkt") if rng.random() < 0.3 else "")
            for _ in range(rng.choice([2, 2, 3]))
        ]
        word = "".join(syllables)
        if is_held_out("label:" + word) == held_out:
            return word


def pseudo_words(rng: random.Random, count: int, held_out: bool = False) -> list[str]:
    """`count` different pseudo-words that start with different letters."""
    words: list[str] = []
    while len(words) < count:
        word = pseudo_word(rng, held_out)
        if all(word[0] != other[0] for other in words):
            words.append(word)
    return words
