"""A choice's letter or a label of a known set, found in free text.

choice("The answer is (B).", "ABCDE")                    ->  "B"
label("I would call it very positive.", ("positive", "very positive"))  ->  "very positive"
"""

from __future__ import annotations

import functools
import re

CUE = r"(?:answer|choice|option)(?:\s+is)?\s*+[:=]?\s*+"
NOT_THE_ARTICLE = r"(?![\w'’])(?!(?<=[Aa])\s+(?!(?:is|was|as|and|or|because|since|seems)\b)[a-z])"


def choice(text: str, choices: str, after_a_marker: bool = False) -> str | None:
    """The letter that the text settles on, or None.

    In this order: the whole text is the letter; after a marker, its first word is; the last
    "answer is B" or "option: b"; the last of `(B)`, `B)`, `**B**`, or `B.` and `B:` at a line's
    start; a capital that stands alone, when only one letter does (`A` before a word is the article).
    """
    found = choice_match(text, choices, after_a_marker)
    return None if found is None else _as_written(found, choices)


def choice_match(text: str, choices: str, after_a_marker: bool = False) -> re.Match[str] | None:
    """Where the letter was read: the match's last group is the letter."""
    whole, first, *others, alone = _choice_patterns(choices)
    if found := whole.fullmatch(text):
        return found
    if after_a_marker and (found := first.match(text)):
        return found
    for pattern in others:
        if every := list(pattern.finditer(text)):
            return every[-1]
    standing = list(alone.finditer(text))
    return standing[-1] if len({found[1] for found in standing}) == 1 else None


@functools.lru_cache(maxsize=64)
def _choice_patterns(choices: str) -> list[re.Pattern[str]]:
    either = re.escape("".join(dict.fromkeys(choices.upper() + choices.lower() + choices)))
    any_case, as_is = f"([{either}])", f"([{re.escape(choices)}])"
    patterns = [
        rf"\W*+{any_case}\W*+",
        rf"\W*+(?:(?i:(?:the\s+)?{CUE})\W*+)?{any_case}{NOT_THE_ARTICLE}",
        rf"\b(?i:{CUE})\W*+{any_case}{NOT_THE_ARTICLE}",
        rf"[(\[]{any_case}[)\]]|\*\*{any_case}\*\*|\{{{any_case}\}}|(?<![\w'’(]){as_is}\)",
        rf"(?m)^[ \t]*+{as_is}[.:](?:\s|$)",
        rf"(?<![\w'’]){as_is}{NOT_THE_ARTICLE}",
    ]
    return [re.compile(pattern) for pattern in patterns]


def _as_written(found: re.Match[str], choices: str) -> str:
    letter = found[found.lastindex or 0]
    return letter if letter in choices else next(c for c in choices if c.lower() == letter.lower())


def label(text: str, labels: tuple[str, ...]) -> str | None:
    """The one label that stands in the text as words of its own, as the rule writes it.

    Upper and lower case are ignored; of overlapping labels the longest counts; None where two
    different labels are left, because the text does not say which one it means.
    """
    named = {" ".join(name.split()).casefold(): name for name in labels}
    exact = named.get(" ".join(text.split()).casefold().strip(" .,:;!?\"'`*()[]"))
    if exact is not None:
        return exact
    found: set[str] = set()
    for match in _label_pattern(labels).finditer(text):
        found.add(named.get(" ".join(match[0].split()).casefold(), match[0]))
        if len(found) > 1:
            return None
    return found.pop() if found else None


@functools.lru_cache(maxsize=64)
def _label_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(labels, key=len, reverse=True)
    words = [r"\s+".join(map(re.escape, name.split())) for name in longest_first if name.strip()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words) or '(?!)'})(?!\w)", re.IGNORECASE)


def label_match(text: str, wanted: str, labels: tuple[str, ...]) -> re.Match[str] | None:
    """Where the label `wanted` stands in the text, for the last time."""
    name = " ".join(wanted.split()).casefold()
    every = _label_pattern(labels).finditer(text)
    return next((m for m in reversed(list(every)) if " ".join(m[0].split()).casefold() == name), None)
