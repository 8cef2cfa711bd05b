"""Text as a model writes it, with how long the first word took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DRAW_EVERY_S = 0.05  # the page is not redrawn for every token


@dataclass(frozen=True)
class Heard:
    """What was streamed."""

    text: str
    first_s: float | None
    all_s: float


def streamed(pieces: Iterator[str], place: Any) -> Heard:
    """Shows the text in `place` as it grows."""
    start = drawn = time.monotonic()
    first: float | None = None
    text = ""
    for piece in pieces:
        now = time.monotonic()
        if first is None:
            first = now - start
        text += piece
        if now - drawn >= DRAW_EVERY_S or len(text) == len(piece):
            place.text(text)
            drawn = now
    place.text(text or "(the model answered nothing)")
    return Heard(text, first, time.monotonic() - start)


def streamed_together(streams: list[Iterator[str]], places: list[Any]) -> list[Heard]:
    """Two or more at once, a piece from each in turn."""
    start = time.monotonic()
    texts = [""] * len(streams)
    firsts: list[float | None] = [None] * len(streams)
    ends = [0.0] * len(streams)
    live = dict(enumerate(streams))
    while live:
        for index, stream in list(live.items()):
            piece = next(stream, None)
            now = time.monotonic() - start
            if piece is None:
                ends[index] = now
                del live[index]
                places[index].text(texts[index] or "(the model answered nothing)")
                continue
            firsts[index] = now if firsts[index] is None else firsts[index]
            texts[index] += piece
            places[index].text(texts[index])
    return [Heard(text, first, end) for text, first, end in zip(texts, firsts, ends, strict=True)]
