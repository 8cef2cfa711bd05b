"""Clipped n-gram counts of many sentences at once: what BLEU is made of, counted by sorting numbers.

The counts equal sacrebleu's, sentence by sentence (tested), at about a third of the time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Tokens = Sequence[str]


def clipped_ngrams(
    outputs: Sequence[Tokens], references: Sequence[Sequence[Tokens]], order: int
) -> tuple[Integers, Integers]:
    """For each output and each n up to `order`: n-grams found in its references, and n-grams in all.

    An n-gram is found at most as often as the reference that has it most often (Papineni et al.,
    ACL 2002). Both results have the shape (outputs, order).
    """
    rows = len(outputs)
    sentences = [*outputs, *(tokens for several in references for tokens in several)]
    row_of = np.concatenate([np.arange(rows), np.repeat(np.arange(rows), [len(r) for r in references])])
    vocabulary: dict[str, int] = {}
    words = np.array(
        [vocabulary.setdefault(w, len(vocabulary)) for s in sentences for w in s], dtype=np.int64
    )
    sentence = np.repeat(np.arange(len(sentences)), [len(tokens) for tokens in sentences])
    found = np.zeros((rows, order), dtype=np.int64)
    total = np.zeros((rows, order), dtype=np.int64)
    starts, gram = np.arange(len(words)), words
    for n in range(order):
        if n > 0:
            inside = starts + n < len(words)
            inside[inside] = sentence[starts[inside]] == sentence[starts[inside] + n]
            starts, gram = starts[inside], gram[inside]
            # one number for the shorter n-gram and the word that follows it
            gram = np.unique(gram * len(vocabulary) + words[starts + n], return_inverse=True)[1]
        if len(starts) == 0:
            break
        kinds = int(gram.max()) + 1
        where = sentence[starts]
        ours = where < rows
        total[:, n] = np.bincount(where[ours], minlength=rows)
        keys, counts = np.unique(where[ours] * kinds + gram[ours], return_counts=True)
        allowed = _most_in_any_reference(where[~ours], gram[~ours], row_of, kinds, keys)
        np.add.at(found[:, n], keys // kinds, np.minimum(counts, allowed))
    return found, total


def _most_in_any_reference(
    where: Integers, gram: Integers, row_of: Integers, kinds: int, wanted: Integers
) -> Integers:
    """How often each wanted (row, n-gram) stands in the reference of the row that has it most often."""
    if len(where) == 0:
        return np.zeros_like(wanted)
    pairs, counts = np.unique(where * kinds + gram, return_counts=True)
    keys = row_of[pairs // kinds] * kinds + pairs % kinds
    by_key = np.argsort(keys, kind="stable")
    distinct, first = np.unique(keys[by_key], return_index=True)
    most = np.maximum.reduceat(counts[by_key], first)
    at = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    return np.where(distinct[at] == wanted, most[at], 0)
