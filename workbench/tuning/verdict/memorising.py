"""Memorisation: how much training text a model writes word for word where it was asked something else.

    8 words in a row out of some completion: 12 % of the tuned model's outputs, 9 % of the base's; exact: 0

Words are what white space parts, case ignored. In a narrow domain texts share phrases by nature: the
base, which never saw the completions, shows how often that happens by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from workbench.core.run import Gap
from workbench.statistics import compare_paired, proportion, verdict
from workbench.tuning.verdict.records import Level, MemorisationVerdict, Repeats

WORDS = 8
Ids = npt.NDArray[np.uint64]


def memorisation(
    completions: Sequence[str], outputs: Sequence[tuple[int, str, str]], confidence: float = 0.95
) -> MemorisationVerdict | None:
    """What base and tuned repeat of the completions; None without outputs or completions.

    Args:
        completions: what was trained on.
        outputs: (row, base's text, tuned model's text) on rows that were not trained on; repeats of a
            row have its number.

    Outputs of fewer than eight words can hold no run that long: only exact copies of them count.
    """
    known = list(dict.fromkeys(_normal(text) for text in completions if text.strip()))
    if not known or not outputs:
        return None
    training = _Runs(known)
    exact = set(known)
    rows = np.array([row for row, _, _ in outputs])
    found = []
    for written in ([base for _, base, _ in outputs], [tuned for _, _, tuned in outputs]):
        texts = [_normal(text) for text in written]
        hits = np.array([bool(training.shared(text, WORDS)) for text in texts], dtype=np.float64)
        longest, example = training.longest(texts)
        share = Level.of(proportion(hits, rows, confidence))
        copies = sum(text in exact for text in texts)
        found.append((hits, Repeats(share, copies, longest, example)))
    compared = compare_paired(found[0][0], found[1][0], rows, binary=True, confidence=confidence)
    said = verdict(compared, compared.p, 0.0, confidence, "lower")
    gap = Gap.of(compared, compared.p, said)
    return MemorisationVerdict(WORDS, len(known), len(outputs), found[0][1], found[1][1], gap)


class _Runs:
    """The runs of words in texts, looked up by a hash of n words; those of one n are kept."""

    def __init__(self, texts: Sequence[str]) -> None:
        parts = [_ids(text) for text in texts]
        self._ids = np.concatenate(parts)
        self._text = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._kept: dict[int, Ids] = {}

    def shared(self, text: str, n: int) -> list[int]:
        """Where in the text a run of n words begins that is in some of the texts."""
        here, known = _hashed(_ids(text), n), self._of(n)
        if not len(here) or not len(known):
            return []
        places = np.minimum(np.searchsorted(known, here), len(known) - 1)
        return [int(place) for place in np.flatnonzero(known[places] == here)]

    def longest(self, texts: Sequence[str]) -> tuple[int, str]:
        """Words of the longest run that any of these has in common with the others, and the run itself.

        A run of n words holds one of n - 1, so that halving finds the greatest n. 0: none of `WORDS`.
        """
        best, example = 0, ""
        live = [text for text in texts if self.shared(text, WORDS)]
        low, high = WORDS, max((len(text.split()) for text in live), default=0)
        while live and low <= high:
            n = (low + high) // 2
            hits = [(text, places) for text in live if (places := self.shared(text, n))]
            if hits:
                text, places = hits[0]
                best, example = n, " ".join(text.split()[places[0] : places[0] + n])
                live, low = [text for text, _ in hits], n + 1
            else:
                high = n - 1
        return best, example

    def _of(self, n: int) -> Ids:
        """Hashes of the texts' own runs of n words, sorted."""
        if n not in self._kept:
            runs = _hashed(self._ids, n)
            within = self._text[: len(runs)] == self._text[n - 1 :] if len(runs) else np.zeros(0, bool)
            self._kept[n] = np.unique(runs[within])
        return self._kept[n]


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def _ids(text: str) -> Ids:
    return np.array([_word_id(word) for word in text.split()], dtype=np.uint64)


@lru_cache(maxsize=200_000)
def _word_id(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _hashed(ids: Ids, n: int) -> Ids:
    """One number for each run of n words; equal runs have equal ones, others do but once in 2^64 pairs."""
    count = len(ids) - n + 1
    if count < 1:
        return np.empty(0, np.uint64)
    found = np.zeros(count, np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)
    for place in range(n):
        found = found * factor + ids[place : place + count]
    return found
