"""What stands there twice with a few words changed stays once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from workbench.core.collection import Item
from workbench.tuning.cleaning import step
from workbench.tuning.cleaning.base import Dropped, Step
from workbench.tuning.cleaning.likeness import (
    PERMUTATIONS,
    Shingler,
    Shingles,
    Sketch,
    Sketcher,
    Unit,
    estimates,
    jaccard,
)

MOST_COMPARED = 32
"""Candidates that are compared shingle by shingle, those with the highest estimate."""


@step("near_duplicates")
class NearDuplicates(Step):
    """Drops an item of which an earlier, kept one has nearly the same words in the same order.

    Candidates are found by MinHash and locality-sensitive hashing, and each is verified by the exact
    Jaccard similarity of its shingles, so nothing below the threshold is dropped; a pair just above it may
    be missed. A good and a bad example of the same text are not duplicates.
    """

    description = "Keep the first of items that are nearly the same, by MinHash."
    shorthand = "threshold"

    threshold: float = Field(
        0.8, ge=0.3, le=1, description="share of common shingles from which two are like"
    )
    by: Literal["question", "completion", "both"] = Field("both", description="which texts are compared")
    unit: Unit = Field("words", description="of a shingle; characters for languages without blanks")
    size: int | None = Field(
        None, ge=1, le=50, description="words or characters of a shingle; default: 3 or 7"
    )

    def outcomes(self, items: Sequence[Item]) -> Iterator[Item | Dropped]:
        """Every item, or which one it is like and how much."""
        shingler, sketcher = Shingler(self.unit, self.size), Sketcher()
        seen = _Seen(self.threshold, sketcher)
        for place, item in enumerate(items):
            shingles = shingler.shingles(self._text(item))
            if len(shingles) == 0:
                yield item
                continue
            sketch = sketcher.sketch(shingles)
            like, similarity = seen.nearest(shingles, sketch, item.label)
            if like is None:
                seen.add(place, shingles, sketch, item.label)
                yield item
            else:
                # cut, not rounded: 0.996 is no 1.00
                yield Dropped(f"{int(similarity * 100) / 100:.2f} like", like)

    def _text(self, item: Item) -> str:
        answered = [item.completion, item.rejected or ""]
        texts = {"question": [item.question], "completion": answered, "both": [item.question, *answered]}
        return "\n".join(texts[self.by])


class _Seen:
    """The kept items, found again by likeness."""

    def __init__(self, threshold: float, sketcher: Sketcher) -> None:
        from datasketch import MinHashLSH

        self.threshold, self._sketcher = threshold, sketcher
        # every candidate is verified, so a missed pair costs more than a needless candidate
        self._index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, weights=(0.1, 0.9))
        self._kept: dict[int, tuple[Shingles, Sketch, bool | None]] = {}

    def add(self, place: int, shingles: Shingles, sketch: Sketch, label: bool | None) -> None:
        self._index.insert(place, self._sketcher.as_minhash(sketch), check_duplication=False)
        self._kept[place] = (shingles, sketch, label)

    def nearest(self, shingles: Shingles, sketch: Sketch, label: bool | None) -> tuple[int | None, float]:
        """The most alike one at or above the threshold, and how alike."""
        candidates = sorted(
            place
            for place in self._index.query(self._sketcher.as_minhash(sketch))
            if self._kept[place][2] == label
        )
        if len(candidates) > MOST_COMPARED:
            sketches = np.array([self._kept[place][1] for place in candidates])
            likeliest = np.argsort(-estimates(sketch, sketches), kind="stable")[:MOST_COMPARED]
            candidates = [candidates[place] for place in likeliest]
        best: tuple[int | None, float] = (None, 0.0)
        for place in candidates:
            similarity = jaccard(shingles, self._kept[place][0])
            if similarity >= self.threshold and similarity > best[1]:
                best = (place, similarity)
        return best
