"""How much the outputs of one row differ when it is asked again: variety, and whether answers hold.

    outputs of one row: "red, round", "red and round", "a red ball"
    distinct_n 5 of 5 pairs of words; self_bleu low; stability 0: no two answers agree

Repeats of a row share a `group`; each output carries its group's value, so that a cell's mean weighs
rows by their outputs and resampling takes whole rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from workbench.errors import MetricError, Unscored
from workbench.metrics.base import Metric, Reads
from workbench.metrics.cell_outputs import CellOutputs
from workbench.metrics.registry import load_metric, metric
from workbench.metrics.scores import Scores
from workbench.metrics.text import normalised

MOST_OUTPUTS = 50  # of a row that are held against each other, the first ones
LONGEST = 50_000  # characters of an output that is held against another
ALONE = "one output only; give the experiment `repeats: 2` or more"


class OverRepeats(Metric):
    """Base of the three: a number for the outputs of each row.

    Args of each: `by`, a column that says which outputs belong together, for a file of finished outputs.
    """

    needs_reference = False
    needs_outputs = True
    no_answer = None
    reads: Reads = "text"

    def __init__(self, by: str | None = None) -> None:
        self.by = by

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Nothing: rows alone do not say which of them repeat each other."""
        texts = ["" if text is None else str(text) for text in predictions]
        empty = [None] * len(texts)
        return self.score_outputs(
            CellOutputs(predictions, empty, empty, texts, group=np.arange(len(texts), dtype=np.int64))
        )

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """Each output's value is that of its group; groups of one output are unscored."""
        said: Sequence[str | None] = outputs.texts if self.reads == "text" else outputs.answers
        groups: dict[Any, list[int]] = {}
        for place, group in enumerate(self._groups(outputs)):
            groups.setdefault(group, []).append(place)
        values = np.full(len(outputs), np.nan)
        reasons: dict[int, str] = {}
        for places in groups.values():
            try:
                if len(places) < 2:
                    raise Unscored(ALONE)
                values[places] = self.of_group([said[place] for place in places])
            except Unscored as problem:
                reasons.update(dict.fromkeys(places, str(problem)))
        return Scores(values, reasons=reasons)

    def of_group(self, said: list[str | None]) -> float:
        """The number for one row's outputs, two or more. Raises Unscored."""
        raise NotImplementedError

    def _groups(self, outputs: CellOutputs) -> list[Any]:
        if self.by is not None:
            return [str(value) for value in outputs.column(self.by)]
        if len(outputs.group) == len(outputs):
            return outputs.group.tolist()
        return list(range(len(outputs)))


@metric
class DistinctN(OverRepeats):
    """Different n-grams / n-grams, in all outputs of a row together; 1 when no n-gram comes twice.

    Words are what spaces separate, case folded. `n` is 2 by itself. An n-gram never spans two outputs. Longer
    outputs repeat themselves more, so compare cells of similar length only. Range 0 to 1.
    """

    name = "distinct_n"
    description = "Share of n-grams that differ among the repeats of a row; higher is more varied."
    source = "Li et al., NAACL 2016 (who divide by words, which is the same for n = 1)."

    def __init__(self, n: int = 2, by: str | None = None) -> None:
        super().__init__(by)
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise MetricError(f"Metric 'distinct_n': `n` is a whole number from 1 on, not {n!r}.")
        self.n = n

    def of_group(self, said: list[str | None]) -> float:
        """Different of all."""
        grams: Counter[tuple[str, ...]] = Counter()
        for text in said:
            words = (text or "").casefold().split()
            grams.update(zip(*(words[start:] for start in range(self.n)), strict=False))
        if not grams:
            raise Unscored(f"no output has {self.n} words")
        return len(grams) / grams.total()


@metric
class SelfBleu(OverRepeats):
    """Mean BLEU of each output of a row against its other outputs; lower is more varied.

    sacrebleu's sentence BLEU with the others as references. Of more than 50 outputs the first 50 count.
    Range 0 to 100.
    """

    name = "self_bleu"
    description = "BLEU of each repeat against the others of its row; lower is more varied."
    direction = "lower"
    range = (0.0, 100.0)
    source = "Zhu et al., Texygen, SIGIR 2018; BLEU as sacrebleu.sentence_bleu."

    def of_group(self, said: list[str | None]) -> float:
        """The mean over its outputs."""
        texts = _comparable(said)
        others = [texts[:place] + texts[place + 1 :] for place in range(len(texts))]
        if not any(text.strip() for text in texts):
            raise Unscored("every output is empty")
        bleu = load_metric("bleu")
        return float(bleu.score_rows(texts, others).values.mean())


@metric
class Stability(OverRepeats):
    """Share of pairs of a row's outputs whose answers agree; 1 when the model always answers the same.

    Answers are compared as exact_match compares them; a missing answer agrees with none. `of: text`
    compares whole outputs. `similarity: levenshtein` takes 1 - edits / length of the longer in place of
    equal or not. Of more than 50 outputs the first 50 are compared so. Range 0 to 1.
    """

    name = "stability"
    description = "Share of pairs of repeats of a row whose answers agree."
    source = "Mean pairwise agreement; with edits, normalised Levenshtein similarity as by rapidfuzz."
    reads = "answer"

    def __init__(self, similarity: Literal["exact", "levenshtein"] = "exact", by: str | None = None) -> None:
        super().__init__(by)
        if similarity not in ("exact", "levenshtein"):
            raise MetricError(
                f"Metric 'stability': `similarity` is exact or levenshtein, not '{similarity}'."
            )
        self.similarity = similarity

    def of_group(self, said: list[str | None]) -> float:
        """The share of pairs that agree, or their mean similarity."""
        if self.similarity == "exact":
            same = Counter(normalised(text) for text in said if text is not None)
            pairs = len(said) * (len(said) - 1)
            return sum(count * (count - 1) for count in same.values()) / pairs
        from rapidfuzz.distance import Levenshtein

        similar: Callable[[str, str], float] = Levenshtein.normalized_similarity
        texts = [None if text is None else normalised(text) for text in said[:MOST_OUTPUTS]]
        _comparable(texts)
        found = [
            0.0 if one is None or other is None else similar(one, other)
            for one, other in combinations(texts, 2)
        ]
        return float(np.mean(found))


def _comparable(said: Sequence[str | None]) -> list[str]:
    """The first outputs as texts; Unscored where one is too long to be held against the others."""
    texts = [text or "" for text in said[:MOST_OUTPUTS]]
    longest = max(map(len, texts))
    if longest > LONGEST:
        raise Unscored(f"an output has {longest:,} characters; at most {LONGEST:,} are compared")
    return texts
