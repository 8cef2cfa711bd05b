"""ROUGE: shared words, word pairs and longest common subsequences, as rouge-score has them and faster."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from workbench.errors import MetricError, Unscored
from workbench.metrics.base import Metric
from workbench.metrics.registry import metric
from workbench.metrics.settings import check_flag

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_LONGEST_SUBSEQUENCE = 2e10  # word pairs of two texts; a million words against twenty thousand
_MOST_SENTENCE_PAIRS = 200_000
_MOST_WORD_PAIRS = 1e9  # over all pairs of sentences: bits of memory too, for two of 30,000 words
_LONGEST_KEPT = 40  # letters of a word whose stem is remembered

Words = list[str]


class Rouge(Metric):
    """Base of all four: cuts both texts into words, takes the F1 with the best reference.

    Words are lower-cased runs of a-z and 0-9, exactly as rouge-score cuts them; a text in another
    script therefore has no words and scores 0: use chrf for it.

    Args:
        stem: whether words of more than three letters are cut to their stem (Porter), so that
            "running" and "runs" are equal. Needs the package nltk, and none of its data.
    """

    def __init__(self, stem: bool = False) -> None:
        self._stem = _stemmer(self.name) if check_flag(self.name, "stem", stem) else None

    def words(self, text: str) -> Words:
        """The words of a text, stemmed where that was asked for."""
        words = _NOT_WORD.sub(" ", text.lower()).split()
        if self._stem is None:
            return words
        stem = self._stem
        return [found for found in (stem(word) if len(word) > 3 else word for word in words) if found]


class RougeN(Rouge):
    """Base of ROUGE-1 and ROUGE-2: runs of `order` words that both texts have, counted as a bag."""

    order: int

    def score_one(self, prediction: str, references: list[str]) -> float:
        ours = self._runs(prediction)
        return max(_f1_of_bags(ours, self._runs(reference)) for reference in references)

    def _runs(self, text: str) -> Counter[tuple[str, ...]]:
        words = self.words(text)
        return Counter(zip(*(words[start:] for start in range(self.order)), strict=False))


@metric
class Rouge1(RougeN):
    """F1 = 2 P R / (P + R) with P and R the shared words over the words of output and reference.

    The best of several references; the mean is the score. `stem: true` compares word stems.
    Range 0 to 1, higher is better.
    """

    name = "rouge_1"
    description = "Mean overlap of words between output and reference, as F1 (ROUGE-1)."
    source = "Lin, ROUGE, ACL 2004 workshop; equal to rouge-score's rouge1 F-measure."
    order = 1


@metric
class Rouge2(RougeN):
    """F1 = 2 P R / (P + R) with P and R the shared pairs of neighbouring words over all of each side's.

    The best of several references; the mean is the score. A text of one word has no pair and scores
    0. `stem: true` compares word stems. Range 0 to 1, higher is better.
    """

    name = "rouge_2"
    description = "Mean overlap of pairs of neighbouring words, as F1 (ROUGE-2)."
    source = "Lin, ROUGE, ACL 2004 workshop; equal to rouge-score's rouge2 F-measure."
    order = 2


@metric
class RougeL(Rouge):
    """F1 of LCS / prediction words and LCS / reference words; the best reference; the mean is the score.

    LCS is the longest common subsequence of words. `stem: true` compares word stems. Range 0 to 1,
    higher is better.
    """

    name = "rouge_l"
    description = "Mean longest common subsequence of words between output and reference, as F1."
    source = "Lin, ROUGE, ACL 2004 workshop; equal to rouge-score's rougeL F-measure."

    def score_one(self, prediction: str, references: list[str]) -> float:
        words = self.words(prediction)
        return max(_lcs_f1(words, self.words(reference)) for reference in references)


@metric
class RougeLsum(Rouge):
    """ROUGE-L of summaries of several lines: each reference line's union of LCSs with all output lines.

    A line is a sentence. The words of a reference line that stand in its LCS with any line of the
    output are hits, each word at most as often as both texts have it; P = hits / words of the output,
    R = hits / words of the reference, F1 of the two. The best of several references; the mean is the
    score. Put each sentence on a line of its own, or it equals rouge_l. `stem: true` compares word
    stems. Range 0 to 1, higher is better.
    """

    name = "rouge_lsum"
    description = "Mean summary-level longest common subsequence, line by line, as F1 (ROUGE-Lsum)."
    source = "Lin, ROUGE, ACL 2004 workshop, section 3.2; equal to rouge-score's rougeLsum F-measure."

    def score_one(self, prediction: str, references: list[str]) -> float:
        lines = self._lines(prediction)
        return max(_summary_f1(lines, self._lines(reference)) for reference in references)

    def _lines(self, text: str) -> list[Words]:
        return [words for words in (self.words(line) for line in text.split("\n")) if words]


def _f1_of_bags(prediction: Counter[tuple[str, ...]], reference: Counter[tuple[str, ...]]) -> float:
    shared = (prediction & reference).total()
    return 2 * shared / (prediction.total() + reference.total()) if shared else 0.0


def _lcs_f1(prediction: Words, reference: Words) -> float:
    from rapidfuzz.distance import LCSseq

    if not prediction or not reference:
        return 0.0
    _refuse_beyond(_LONGEST_SUBSEQUENCE, len(prediction) * len(reference), "words")
    return 2 * LCSseq.similarity(prediction, reference) / (len(prediction) + len(reference))


def _summary_f1(prediction: list[Words], reference: list[Words]) -> float:
    ours, theirs = _counts(prediction), _counts(reference)
    total = ours.total() + theirs.total()
    if not prediction or not reference:
        return 0.0
    _refuse_beyond(_MOST_SENTENCE_PAIRS, len(prediction) * len(reference), "lines")
    _refuse_beyond(_MOST_WORD_PAIRS, ours.total() * theirs.total(), "words")
    hits = 0
    for line in reference:
        places = {place for other in prediction for place in common_places(line, other)}
        for place in sorted(places):
            word = line[place]
            if ours[word] > 0 and theirs[word] > 0:
                ours[word] -= 1
                theirs[word] -= 1
                hits += 1
    return 2 * hits / total


def common_places(reference: Sequence[str], other: Sequence[str]) -> list[int]:
    """Where the words of a longest common subsequence stand in the reference, from the last to the first.

    Of several longest ones it is the one that rouge-score finds: from the ends of both texts
    backwards, equal words are always taken; else the other text is shortened where that loses nothing
    that shortening the reference would keep.

    The table of lengths is held as one number a reference word, whose bit j is clear where the
    length grows at word j of the other text (Hyyrö, "Bit-parallel LCS-length computation revisited",
    2004): its cells are differences of bit counts.
    """
    found: dict[str, int] = {}
    for place, word in enumerate(other):
        found[word] = found.get(word, 0) | 1 << place
    everything = (1 << len(other)) - 1
    rows = [everything]
    for word in reference:
        row = rows[-1]
        taken = row & found.get(word, 0)
        rows.append(((row + taken) | (row - taken)) & everything)
    places = []
    i, j = len(reference), len(other)
    while i > 0 and j > 0:
        if reference[i - 1] == other[j - 1]:
            places.append(i - 1)
            i, j = i - 1, j - 1
            continue
        within = (1 << j) - 1
        if (rows[i] & within).bit_count() < (rows[i - 1] & within).bit_count():
            j -= 1
        else:
            i -= 1
    return places


def _counts(lines: Iterable[Words]) -> Counter[str]:
    return Counter(word for line in lines for word in line)


def _refuse_beyond(most: float, pairs: float, what: str) -> None:
    if pairs > most:
        raise Unscored(f"The output and its reference have too many {what} to be compared within seconds.")


def _stemmer(name: str) -> Callable[[str], str]:
    try:
        from nltk.stem.porter import PorterStemmer
    except ImportError:
        raise MetricError(
            f"Metric '{name}': `stem: true` needs the package nltk, which is not installed; "
            "add it with: pip install 'workbench[stems]'; or leave `stem` out."
        ) from None
    stem: Callable[[str], str] = PorterStemmer().stem
    stem_again = lru_cache(maxsize=50_000)(stem)
    return lambda word: stem_again(word) if len(word) <= _LONGEST_KEPT else stem(word)
