"""How alike two texts are: the share of their shingles that both have, found fast by MinHash.

A shingle is a few words, or characters, in a row. The Jaccard similarity of two texts is the number of
shingles in both over the number in either. MinHash (Broder, "On the resemblance and containment of
documents", 1997) estimates it from short sketches; the package datasketch makes them and finds candidates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Unit = Literal["words", "characters"]
Shingles = npt.NDArray[np.uint64]
Sketch = npt.NDArray[np.uint32]
SIZES: dict[Unit, int] = {"words": 3, "characters": 7}
"""How long a shingle is."""
PERMUTATIONS = 64
WORD = re.compile(r"\w+")
MOST_WORDS = 500_000
"""Words whose hashes are remembered."""
MORE = 4
"""Times as many candidates are compared exactly as pairs are asked for."""
AT_ONCE = 8_192
"""Shingles that are hashed together, which bounds memory."""
FACTOR, SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


class Shingler:
    """Texts to sets of hashed shingles; the same on every machine."""

    def __init__(self, unit: Unit = "words", size: int | None = None) -> None:
        self.unit, self.size = unit, size or SIZES[unit]
        self._hashes = _Hashes()

    def shingles(self, text: str) -> Shingles:
        """The text's distinct shingles, sorted; a text shorter than one shingle is one, an empty one none."""
        signs = self._signs(text.casefold())
        if len(signs) == 0:
            return signs
        width = min(self.size, len(signs))
        count = len(signs) - width + 1
        joined = signs[:count]
        for offset in range(1, width):
            joined = (joined ^ (joined >> SHIFT)) * FACTOR + signs[offset : offset + count]
        joined = (joined ^ (joined >> SHIFT)) * FACTOR
        joined.sort()
        return joined[np.concatenate(([True], joined[1:] != joined[:-1]))]

    def _signs(self, folded: str) -> Shingles:
        if self.unit == "characters":
            plain = " ".join(folded.split()).encode("utf-32-le", "surrogatepass")
            return np.frombuffer(plain, dtype="<u4").astype(np.uint64)
        words = WORD.findall(folded)
        if len(self._hashes) > MOST_WORDS:
            self._hashes.clear()
        return np.fromiter(map(self._hashes.__getitem__, words), dtype=np.uint64, count=len(words))


class _Hashes(dict[str, int]):
    """Words with their hashes, computed when first asked for."""

    def __missing__(self, word: str) -> int:
        digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self[word] = found = int.from_bytes(digest, "little")
        return found


class Sketcher:
    """Sets of shingles to MinHash sketches: 64 numbers, of which about as many agree as shingles do."""

    def __init__(self) -> None:
        from datasketch import MinHash

        self._minhash = MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=int)

    def sketch(self, shingles: Shingles) -> Sketch:
        """The sketch of one text."""
        self._minhash.clear()
        short = shingles >> np.uint64(32)
        for start in range(0, len(short), AT_ONCE):
            self._minhash.update_batch(short[start : start + AT_ONCE].tolist())
        found: Sketch = self._minhash.hashvalues
        return found

    def as_minhash(self, sketch: Sketch) -> Any:
        """The sketch as datasketch's indexes take it, until the next call: making one object each is slow."""
        self._minhash.hashvalues = sketch
        return self._minhash


def jaccard(one: Shingles, other: Shingles) -> float:
    """The share of the shingles of either text that both have; 1 for two empty ones."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - both
    return both / either if either else 1.0


def estimates(sketch: Sketch, others: Sketch) -> npt.NDArray[np.float64]:
    """The estimated similarity of one sketch to each of others (rows), or of rows to rows."""
    agreeing: npt.NDArray[np.float64] = np.mean(sketch == others, axis=-1, dtype=np.float64)
    return agreeing


def nearest_pairs(texts: Sequence[str], most: int, rows: int = 4) -> list[tuple[float, int, int]]:
    """The most alike pairs of texts, best first: (Jaccard similarity, place, place).

    Candidates agree in some band of `rows` values of their sketches, and only neighbours within a band are
    compared: of many alike texts some of the closest pairs are found, not all.
    """
    shingler, sketcher = Shingler(), Sketcher()
    if len(texts) < 2:
        return []
    sketches = np.array([sketcher.sketch(shingler.shingles(text)) for text in texts])
    empty = (sketches == np.iinfo(sketches.dtype).max).all(axis=1)
    likely: dict[tuple[int, int], float] = {}
    for start in range(0, PERMUTATIONS - rows + 1, rows):
        band = sketches[:, start : start + rows]
        order = np.lexsort(band.T)
        same = (band[order[:-1]] == band[order[1:]]).all(axis=1) & ~empty[order[:-1]]
        left, right = order[:-1][same], order[1:][same]
        similarity = estimates(sketches[left], sketches[right])
        for place in np.argsort(-similarity, kind="stable")[: most * MORE]:
            one, other = sorted((int(left[place]), int(right[place])))
            likely[one, other] = float(similarity[place])
    first = sorted(likely, key=lambda pair: (-likely[pair], pair))[: most * MORE]
    found = [(jaccard(shingler.shingles(texts[a]), shingler.shingles(texts[b])), a, b) for a, b in first]
    return sorted(found, key=lambda pair: (-pair[0], pair[1:]))[:most]
