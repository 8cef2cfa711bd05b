"""Where in an output the answer stands that was read from it, so that a page can mark it.

    answer_span(AnswerRule(after="Answer:", type="number"), "3 + 4 = 7. Answer: $7.00", "7")   ->  (19, 24)

The text is read once more as `read_answer` reads it, and what is found is marked only where it reads
as that answer: a text that was cut in between, or an ensemble's, may have no such place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from workbench.core.prompt import AnswerRule
from workbench.prompting.numbers import CURRENCY, MINUS, TOKEN, last_number
from workbench.prompting.read import after_marker
from workbench.prompting.words import choice_match, label_match

Span = tuple[int, int]
MOST_CHARACTERS = 100_000
TOKENS_TRIED = 200


def answer_span(rule: AnswerRule, text: str, answer: str | None) -> Span | None:
    """(start, end) of the answer in `text`; None where there is none, or it is the whole text."""
    if not answer or not text or len(text) > MOST_CHARACTERS:
        return None
    part = text
    if rule.after:
        found = after_marker(text, rule.after)
        if found is None:
            return None
        part = found
    start = len(text) - len(part)
    within = _within(rule, part, answer)
    if within is None or not part[slice(*within)].strip() or within == (0, len(text)):
        return None
    return start + within[0], start + within[1]


def _within(rule: AnswerRule, part: str, answer: str) -> Span | None:
    marked = bool(rule.after)
    if rule.type == "number":
        return _number(part, answer, marked)
    if rule.type == "choice":
        for start, line in _lines(part, marked):
            found = choice_match(line, rule.choices, marked)
            if found is not None and found[found.lastindex or 0].upper() == answer.upper():
                return start + found.start(found.lastindex or 0), start + found.end(found.lastindex or 0)
        return None
    if rule.type == "label":
        found = label_match(part, answer, rule.labels)
        return None if found is None else found.span()
    if rule.type == "regex":
        # the pattern is not run again: it may be slow, and a text that stands there once was read there
        at = part.find(answer)
        return (at, at + len(answer)) if at >= 0 and part.find(answer, at + 1) < 0 else None
    if rule.type == "json":
        return _json_value(rule.path, part, answer)
    if part.strip() != answer or not marked:
        return None
    start = len(part) - len(part.lstrip())
    return start, start + len(answer)


def _lines(part: str, marked: bool) -> Iterator[tuple[int, str]]:
    """The lines after a marker with where they start; without a marker the whole is one."""
    if not marked:
        yield 0, part
        return
    start = 0
    for line in part.split("\n"):
        yield start, line
        start += len(line) + 1


def _number(part: str, answer: str, marked: bool) -> Span | None:
    for start, line in _lines(part, marked):
        if last_number(line) != answer:
            continue
        tokens = [token for token in TOKEN.finditer(line) if token["word"] is None][-TOKENS_TRIED:]
        for place in range(len(tokens) - 1, -1, -1):
            end = tokens[place].end()
            # a fraction begins two tokens earlier, a minus or a currency up to three signs before
            firsts = [tokens[before].start() for before in range(place, max(-1, place - 3), -1)]
            for first in firsts:
                begin = first
                while begin and first - begin < 3 and line[begin - 1] in MINUS + CURRENCY:
                    begin -= 1
                for at in dict.fromkeys((begin, first)):
                    if last_number(line[at:end]) == answer:
                        return start + at, start + len(line[:end].rstrip(".,"))
    return None


def _json_value(path: str | None, part: str, answer: str) -> Span | None:
    names = re.findall(r"[^.\[\]]+", re.sub(r"\[-?\d+\]", "", path or ""))
    if not names:
        return None
    either = "|".join(dict.fromkeys((re.escape(json.dumps(answer, ensure_ascii=False)), re.escape(answer))))
    found = re.search(rf"{re.escape(json.dumps(names[-1], ensure_ascii=False))}\s*+:\s*+({either})", part)
    return None if found is None else found.span(1)
