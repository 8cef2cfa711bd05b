"""Which texts repeat a text that must not be learnt: the same words, or thirteen words in a row.

    overlaps = Overlaps(["The tram starts with 30 passengers. At the depot …", …])
    overlaps.look([("transit#test", "transit-test-0001", ["The tram starts with 30 …"]), …])
    overlaps.found()  ->  {0: Overlap("same words", "transit#test", "transit-test-0001", "the tram …")}

Thirteen words are what Brown et al. (NeurIPS 2020, appendix C) compared their test sets by. What many
held-back rows say alike is the phrasing of a task and gives no row away; it is passed over.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt

LENGTH = 13
"""Words in a row that count as an overlap."""
PHRASING = 10
"""Thirteen words that more held-back rows than this have in common are a way of asking, not a row."""

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
"""Scripts without spaces count by character."""
FACTOR = np.uint64(0x9E3779B97F4A7C15)

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
How = Literal["same words", "13 words in a row"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text has in common with a row that is held back; `words` as they are compared."""

    how: How
    split: str
    row_id: str
    words: str


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: no case, no punctuation, one form of each character."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return WORD.findall(text.casefold())


class Overlaps:
    """Holds hashes of the texts at hand, so that held-back rows can pass by in any number.

    Args:
        texts: what may be learnt from, each as it is shown.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = [words_of(text) for text in texts]
        self._whole: dict[str, list[int]] = {}
        for place, words in enumerate(self._words):
            if words:
                self._whole.setdefault(" ".join(words), []).append(place)
        self._numbers = _Numbers()
        number = self._numbers.__getitem__
        grams, owners, starts = _grams([list(map(number, words)) for words in self._words])
        order = np.argsort(grams, kind="stable")
        self._grams, self._owners, self._starts = grams[order], owners[order], starts[order]
        self._same: dict[int, Overlap] = {}
        self._shared: dict[int, list[tuple[str, str]]] = {}

    def look(self, rows: Iterable[tuple[str, str, Sequence[str]]]) -> None:
        """Compares with held-back rows: (split, row id, the texts of the row)."""
        texts: list[list[str]] = []
        named: list[tuple[str, str]] = []
        for split, row_id, several in rows:
            for words in map(words_of, several):
                for place in self._whole.get(" ".join(words), ()):
                    self._same.setdefault(place, Overlap("same words", split, row_id, " ".join(words)))
                texts.append(words)
                named.append((split, row_id))
        # a word that no text at hand has stands in none of their thirteen
        known = self._numbers.get
        grams, owners, _ = _grams([[known(word, 0) for word in words] for words in texts])
        if not len(grams) or not len(self._grams):
            return
        at = np.minimum(np.searchsorted(self._grams, grams), len(self._grams) - 1)
        met = self._grams[at] == grams
        for gram, owner in zip(grams[met].tolist(), owners[met].tolist(), strict=True):
            rows_with = self._shared.setdefault(gram, [])
            if len(rows_with) <= PHRASING and named[owner] not in rows_with:
                rows_with.append(named[owner])

    def found(self) -> dict[int, Overlap]:
        """By the place of a text, what it overlaps with."""
        found = dict(self._same)
        telling = {gram: rows[0] for gram, rows in self._shared.items() if len(rows) <= PHRASING}
        keys = np.fromiter(telling, np.uint64, len(telling))
        first, last = np.searchsorted(self._grams, keys), np.searchsorted(self._grams, keys, "right")
        for row, begin, end in zip(telling.values(), first.tolist(), last.tolist(), strict=True):
            for at in range(begin, end):
                place, start = int(self._owners[at]), int(self._starts[at])
                if place not in found:
                    words = " ".join(self._words[place][start : start + LENGTH])
                    found[place] = Overlap("13 words in a row", *row, words)
        return found


class _Numbers(dict[str, int]):
    """A number for each word, 64 bits of a hash of it."""

    def __missing__(self, word: str) -> int:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = self[word] = int.from_bytes(digest, "little")
        return number


def _grams(texts: Sequence[Sequence[int]]) -> tuple[Hashes, Places, Places]:
    """A hash of every thirteen words in a row, which text it is of and where it begins there."""
    lengths = np.array([len(words) for words in texts], dtype=np.int64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    numbers = np.fromiter(chain.from_iterable(texts), np.uint64, int(lengths.sum()))
    count = len(numbers) - LENGTH + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    hashes = np.zeros(count, np.uint64)
    for step in range(LENGTH):
        hashes = hashes * FACTOR + numbers[step : step + count]
    starts = np.arange(count) - (np.cumsum(lengths) - lengths)[owners[:count]]
    inside = owners[:count] == owners[LENGTH - 1 :]
    return hashes[inside], owners[:count][inside], starts[inside]
