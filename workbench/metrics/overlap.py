"""Machine translation's metrics, BLEU, chrF and TER, by sacrebleu, with per-sentence statistics kept.

sacrebleu cuts the texts and defines the counts; this module sums them, so that a corpus score, its
interval and its comparison with another cell need one pass over the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from workbench.errors import MetricError, UnknownName
from workbench.metrics.base import Metric
from workbench.metrics.ngrams import clipped_ngrams
from workbench.metrics.registry import metric
from workbench.metrics.scores import FloatArray, Scores
from workbench.metrics.text import reference_texts

_BATCH = 20_000  # rows whose n-grams are counted at once
_MOST_WORD_PAIRS = 250_000  # of an output and a reference whose edits are searched: some ten seconds
_TOO_MANY_WORDS = (
    f"The output and a reference have more than {_MOST_WORD_PAIRS:,} pairs of words, too many for edits."
)


class SacrebleuMetric(Metric):
    """Base of the three: scores rows and corpora from sacrebleu's own sufficient statistics."""

    kind = "corpus"
    no_answer = None
    by_row = True
    class_name: str
    width: int

    def __init__(self, **settings: Any) -> None:
        import sacrebleu.metrics

        try:
            self._implementation = getattr(sacrebleu.metrics, self.class_name)(**settings)
        except (ImportError, OSError, RuntimeError) as problem:  # a tokenizer's package or data
            raise MetricError(
                f"sacrebleu cannot set up '{self.name}' with {settings}: {problem}"
            ) from problem
        self._implementation.num_refs = 1

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Also keeps how many references the rows have: part of the signature."""
        scores = super().score(predictions, references)
        sizes = {len(texts) for texts in map(reference_texts, references or ()) if texts}
        self._implementation.num_refs = sizes.pop() if len(sizes) == 1 else -1 if sizes else 1
        return scores

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Per-row sacrebleu sentence scores and the statistics that add up to the corpus score."""
        if not predictions:
            return Scores(np.empty(0), np.empty((0, self.width)))
        sufficient = self.statistics(predictions, references)
        return Scores(self.sentence(sufficient), sufficient)

    def statistics(self, predictions: list[str], references: list[list[str]]) -> FloatArray:
        """Each row's sufficient statistics (n, k), as sacrebleu orders them."""
        streams = list(zip_longest(*references))
        counts = self._implementation._extract_corpus_statistics(predictions, streams)
        return np.array(counts, dtype=np.float64)

    def sentence(self, sufficient: FloatArray) -> FloatArray:
        """Each row's own score; the corpus formula unless the metric says otherwise."""
        return self.aggregate(sufficient)

    def signature(self) -> str:
        """sacrebleu's signature; its number of references is that of the rows scored last."""
        return str(self._implementation.get_signature())


@metric
class Bleu(SacrebleuMetric):
    """BLEU = BP exp(mean of log p_n, n = 1..4), BP = min(1, exp(1 - reference / output length)), times 100.

    A row's own score uses sacrebleu's sentence setting (`effective_order`). Settings are
    sacrebleu's: `tokenize` (13a, intl, zh, char …), `lowercase`, `max_ngram_order`. Range 0 to 100.
    """

    name = "bleu"
    description = "Corpus BLEU, 0 to 100: n-gram precision with a brevity penalty, by sacrebleu."
    range = (0.0, 100.0)
    source = "Papineni et al., ACL 2002; Post, WMT 2018; equal to sacrebleu.corpus_bleu (exp smoothing)."
    class_name = "BLEU"

    def __init__(
        self, tokenize: str | None = None, lowercase: bool = False, max_ngram_order: int = 4
    ) -> None:
        from sacrebleu.metrics import BLEU

        if tokenize is not None and tokenize not in BLEU.TOKENIZERS:
            raise UnknownName("sacrebleu tokenizer", tokenize, BLEU.TOKENIZERS)
        super().__init__(tokenize=tokenize, lowercase=lowercase, max_ngram_order=max_ngram_order, force=True)
        self.order = max_ngram_order
        self.width = 2 + 2 * max_ngram_order

    def statistics(self, predictions: list[str], references: list[list[str]]) -> FloatArray:
        """sacrebleu's counts: its tokenizer, our faster counting."""
        parts = [
            self._counts(predictions[i : i + _BATCH], references[i : i + _BATCH])
            for i in range(0, len(predictions), _BATCH)
        ]
        return np.concatenate(parts)

    def _counts(self, predictions: list[str], references: list[list[str]]) -> FloatArray:
        cut = self._implementation._preprocess_segment
        outputs = [cut(text).split() for text in predictions]
        accepted = [[cut(text).split() for text in texts] for texts in references]
        found, total = clipped_ngrams(outputs, accepted, self.order)
        closest = self._implementation._get_closest_ref_len
        lengths = [
            (len(output), closest(len(output), [len(tokens) for tokens in several]))
            for output, several in zip(outputs, accepted, strict=True)
        ]
        return np.column_stack([lengths, found, total]).astype(np.float64)

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """Corpus BLEU from [output length, reference length, correct 1..N, total 1..N]."""
        return self._bleu(sums, effective_order=False)

    def sentence(self, sufficient: FloatArray) -> FloatArray:
        """Sentence BLEU: orders that a short output cannot have are left out."""
        return self._bleu(sufficient, effective_order=True)

    def _bleu(self, sums: FloatArray, *, effective_order: bool) -> FloatArray:
        length, reference = sums[..., 0], sums[..., 1]
        correct, total = sums[..., 2 : 2 + self.order], sums[..., 2 + self.order :]
        possible = np.logical_and.accumulate(total > 0, axis=-1)
        missed = possible & (correct == 0)
        # sacrebleu's "exp" smoothing: the k-th order without a match counts as 2^-k matches
        matches = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), correct)
        precision = np.where(possible, matches / np.maximum(total, 1), 1.0)
        orders = possible.sum(axis=-1) if effective_order else self.order
        mean_log = np.log(precision).sum(axis=-1) / np.maximum(orders, 1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            brevity = np.where(length < reference, np.exp(1 - reference / length), 1.0)
        defined = (correct > 0).any(axis=-1) & (effective_order | possible.all(axis=-1))
        return np.where(defined, 100 * brevity * np.exp(mean_log), 0.0)


@metric
class Chrf(SacrebleuMetric):
    """chrF = (1 + β²) P R / (β² P + R), β = 2, with P and R averaged over character 1- to 6-grams, times 100.

    `word_order: 2` makes it chrF++. Needs no tokenizer: the choice for languages without spaces
    between words and with rich morphology. Range 0 to 100.
    """

    name = "chrf"
    description = "Corpus chrF, 0 to 100: character n-gram F-score, by sacrebleu; word_order 2 is chrF++."
    range = (0.0, 100.0)
    source = "Popović, WMT 2015 and 2017; equal to sacrebleu.corpus_chrf."
    class_name = "CHRF"

    def __init__(
        self, char_order: int = 6, word_order: int = 0, beta: int = 2, lowercase: bool = False
    ) -> None:
        super().__init__(char_order=char_order, word_order=word_order, beta=beta, lowercase=lowercase)
        self.beta = beta
        self.width = 3 * (char_order + word_order)

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """Corpus chrF from [output, reference, matching n-grams] of each order."""
        output, reference, match = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
        counted = (output > 0) & (reference > 0)
        orders = np.maximum(counted.sum(axis=-1), 1)
        precision = (np.where(counted, match, 0) / np.maximum(output, 1)).sum(axis=-1) / orders
        recall = (np.where(counted, match, 0) / np.maximum(reference, 1)).sum(axis=-1) / orders
        factor = self.beta**2
        bottom = factor * precision + recall
        top = 100 * (1 + factor) * precision * recall
        return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


@metric
class Ter(SacrebleuMetric):
    """TER = edits / mean reference length, times 100; lower is better.

    An edit inserts, deletes or substitutes a word, or shifts a phrase. 0 is a perfect match, a long
    wrong output passes 100, and an empty output costs 100. The slowest of the three by far on long
    texts: a row with more than 250,000 pairs of words (500 against 500) is unscored. Range 0 upwards.
    """

    name = "ter"
    description = "Translation edit rate, percent of the reference's words to be edited; lower is better."
    direction = "lower"
    range = (0.0, float("inf"))
    source = "Snover et al., AMTA 2006; equal to sacrebleu.corpus_ter."
    class_name = "TER"
    width = 2

    def __init__(self, normalized: bool = False, case_sensitive: bool = False) -> None:
        super().__init__(normalized=normalized, case_sensitive=case_sensitive)

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """Rows as sacrebleu scores them; those whose words are too many are left out with the reason."""
        rows = [row for row, texts in enumerate(references) if _can_be_edited(predictions[row], texts)]
        scored = super().score_rows([predictions[row] for row in rows], [references[row] for row in rows])
        if len(rows) == len(predictions) or scored.sufficient is None:
            return scored
        values = np.full(len(predictions), np.nan)
        sufficient = np.full((len(predictions), self.width), np.nan)
        values[rows], sufficient[rows] = scored.values, scored.sufficient
        reasons = dict.fromkeys(set(range(len(predictions))).difference(rows), _TOO_MANY_WORDS)
        return Scores(values, sufficient, reasons=reasons)

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """Corpus TER from [edits, mean reference length]."""
        edits, length = sums[..., 0], sums[..., 1]
        return 100 * np.where(length > 0, edits / np.where(length > 0, length, 1), edits > 0)


def _can_be_edited(prediction: str, references: list[str]) -> bool:
    words = len(prediction.split())
    return all(words * len(reference.split()) <= _MOST_WORD_PAIRS for reference in references)
