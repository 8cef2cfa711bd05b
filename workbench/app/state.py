"""Every key that the app keeps in the URL or the session, and the only readers of them.

The URL says what a page shows, so that any view can be linked to, reloaded and opened twice:
`/compare?run=20261121-8f3a&metric=exact_match&cells=0,5&only=different,wrong&page=2`. It can be written by
anyone, so each value is checked against what is allowed before a page sees it. The session keeps
what belongs to one visit: drafts, results of trying a prompt, an offer to undo.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

# --- in the URL
PROMPT = "prompt"
VERSION = "version"
AGAINST = "against"  # the second version or model of a side-by-side view
DATASET = "dataset"
SPLIT = "split"
ROW = "row"
MODEL = "model"
QUANTIZATION = "quantization"
AT_ONCE = "at_once"  # requests in flight, for which memory is estimated
EXPERIMENT = "experiment"
RUN = "run"
METRIC = "metric"
BASELINE = "baseline"
CELLS = "cells"
ONLY = "only"
TEXT = "find"
PAGE = "page"
VIEW = "view"
MARGIN = "margin"  # of the Size page, as are the next five
COST = "cost"
CONFIDENCE = "confidence"
HOUR = "hour"  # USD for an hour of the machine
SORT = "sort"
LOCAL = "local"  # the local model whose break-even is drawn
TAG = "tag"  # of the rows on the Compare page, as are the next ten
COLUMN = "column"
VALUE = "value"  # in that column
OTHER = "other"  # the run that regressions are held against
SCORED = "scored"  # the cell whose scores are bounded, or "any"
BY = "by"  # the metric of those bounds
LOW = "low"
HIGH = "high"
OF = "of"  # the cell that rows are sorted by
VERSUS = "versus"  # the cell that it is held against in sorting
REPEAT = "repeat"  # from 1
SLICE = "slice"  # what rows are sliced by
FAILING = "cell"  # the cell whose failures are grouped, or "any"
READ = "read"  # the text they are grouped by
OLDER = "older"  # two runs whose change is shown
NEWER = "newer"
PROBE = "probe"  # the probe run whose report is shown
RATER = "rater"  # who rates
TUNING = "tuning"  # the tuning that the Fine-tune page shows
RECIPE = "recipe"  # the recipe that it edits
COLLECTION = "collection"
ITEM = "item"  # of the collection, as is the next
SHOWN = "shown"  # which of its items: kept, dropped, all, or a reason

# --- in the session
UNDO = "undo"
SAID = "said"  # a sentence for the next page
TOLD = "told"  # the keys of what this drawing of the page shows once
PROBLEM = "problem"  # a sentence on what a person tried and could not be done
LAST = "last "  # + a URL key: what was shown last, for pages opened from the menu
ADDRESS = "address "  # + a URL key: the value that the address bar was made to say
DRAFT = "draft "  # + kind and name: text that is not saved yet
REVISION = "revision "  # + kind and name: counts changes made outside a form's own fields
RATE = "rate "  # + what: of the item that is being rated
CURATE = "curate "  # + what: of the collection that is looked through
TRIED = "tried "  # + prompt: results of trying it

MAX_CHARACTERS = 200


def root() -> Path:
    """The workspace's folder: WORKBENCH_ROOT, else where the app was started."""
    return Path(os.environ.get("WORKBENCH_ROOT") or Path.cwd()).resolve()


def text(key: str, default: str = "") -> str:
    """The URL's text under `key`: short, one line, no control characters."""
    found = st.query_params.get(key)
    if found is None:
        return default
    return "".join(letter for letter in found[:MAX_CHARACTERS] if letter.isprintable())


def choice(key: str, options: Sequence[str], default: str | None = None, sticky: bool = True) -> str | None:
    """The URL's value where it is one of `options`; else what was shown last, the default, the first.

    `sticky` False: what was shown last does not count.
    """
    for candidate in (text(key), last(key) if sticky else None, default):
        if candidate and candidate in options:
            return str(candidate)
    return options[0] if options else None


def last(key: str) -> str | None:
    """What was chosen last under this key, on any page."""
    found = st.session_state.get(LAST + key)
    return found if isinstance(found, str) else None


def unknown(key: str, options: Sequence[str]) -> str | None:
    """The URL's value when nothing answers to it."""
    found = text(key)
    return found if found and found not in options else None


def whole(key: str, low: int, high: int, default: int) -> int:
    """The URL's whole number, held between `low` and `high`."""
    found = text(key)
    if not (found.isascii() and found.isdigit()) or len(found) > 9:
        return default
    return min(max(int(found), low), high)


def decimal(key: str, low: float, high: float, default: float | None) -> float | None:
    """The URL's number, held between `low` and `high`."""
    found = text(key)
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", found):
        return default
    return min(max(float(found), low), high)


def number(key: str) -> float | None:
    """The URL's number, which may be below zero; None where there is none."""
    found = text(key)
    return float(found) if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", found) else None


def words(key: str, allowed: Sequence[str]) -> list[str]:
    """The URL's comma-separated words, those that are allowed, without repeats."""
    return [word for word in dict.fromkeys(text(key).split(",")) if word in allowed]


def here(*kept: str, **changes: str | None) -> dict[str, str]:
    """What a link to this page must carry to keep these keys as they are, but for the changes."""
    found = {key: text(key) for key in kept} | changes
    return {key: value for key, value in found.items() if value}


def wholes(key: str, allowed: Sequence[int], most: int) -> list[int]:
    """The URL's comma-separated whole numbers, those that are allowed, without repeats."""
    found = [
        int(part) for part in text(key).split(",") if part.isascii() and part.isdigit() and len(part) < 7
    ]
    return list(dict.fromkeys(number for number in found if number in allowed))[:most]


def put(**changes: Any) -> None:
    """Writes into the URL; None and "" remove a key, lists become comma-separated."""
    for key, value in changes.items():
        if isinstance(value, (list, tuple)):
            value = ",".join(str(part) for part in value)
        if value is None or value == "":
            st.query_params.pop(key, None)
        elif st.query_params.get(key) != str(value):
            st.query_params[key] = str(value)


@contextmanager
def drawing() -> Iterator[None]:
    """Around what is drawn in one go, a page or a fragment: what was `told` in it is forgotten at its end.

    Streamlit breaks a drawing off where the browser asks for another one, as it does on a busy
    machine: a message that was forgotten when it was read would then have been seen by nobody.
    """
    outer = st.session_state.get(TOLD)
    told_here: list[str] = []
    st.session_state[TOLD] = told_here
    yield
    for key in told_here:
        st.session_state.pop(key, None)
    st.session_state[TOLD] = outer


def told(key: str) -> Any:
    """What the session keeps to be shown once, or None; forgotten when this `drawing` ends."""
    st.session_state[TOLD].append(key)
    return st.session_state.get(key)


def show_address(key: str) -> None:
    """Makes the address bar say what is shown, after a link from a page to itself.

    Streamlit hands such a link's parameters to the script and leaves the address as it was. Written
    once for each new value, as every writing is a step of the browser's Back button.
    """
    value = st.query_params.get(key)
    if st.session_state.get(ADDRESS + key) != value:
        st.session_state[ADDRESS + key] = value
        st.query_params.from_dict(st.query_params.to_dict())


def remember(key: str, value: str | None) -> None:
    """Puts a choice in the URL, and in the session for when the menu drops it from the URL."""
    st.session_state[LAST + key] = value
    put(**{key: value})


def hold(widget: str, value: Any) -> None:
    """Makes a widget show `value`; to be called before the widget is drawn."""
    if st.session_state.get(widget) != value or widget not in st.session_state:
        st.session_state[widget] = value


# --- drafts: what a person wrote and has not saved, safe from a failed validation or a page switch


def draft(kind: str, name: str) -> str | None:
    """The unsaved text of a file, or None."""
    return st.session_state.get(f"{DRAFT}{kind} {name}")


def keep_draft(kind: str, name: str, written: str, outside_form: bool = False) -> None:
    """Keeps unsaved text. `outside_form`: the form's fields must be filled anew from it."""
    st.session_state[f"{DRAFT}{kind} {name}"] = written
    if outside_form:
        st.session_state[f"{REVISION}{kind} {name}"] = revision(kind, name) + 1


def drop_draft(kind: str, name: str) -> None:
    """Forgets unsaved text; forms are filled from the file again."""
    st.session_state.pop(f"{DRAFT}{kind} {name}", None)
    st.session_state[f"{REVISION}{kind} {name}"] = revision(kind, name) + 1


def revision(kind: str, name: str) -> int:
    """Part of a form's widget keys: a new number fills the form anew."""
    return int(st.session_state.get(f"{REVISION}{kind} {name}", 0))
