"""The pool rows most like the question, the nearest one last, next to the question.

Likeness is the cosine of TF-IDF vectors over words and word pairs (scikit-learn): no model and no
network. Liu, Shen, Zhang, Dolan, Carin, Chen: What Makes Good In-Context Examples for GPT-3?
(arXiv:2101.06804) is the paper on choosing by likeness.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from workbench.prompting.select import selector
from workbench.prompting.select.pool import Pool, Row

if TYPE_CHECKING:
    import numpy

WORD = r"(?u)\b\w+\b"  # scikit-learn's own pattern drops one-letter words and single digits


class TextSpace:
    """TF-IDF vectors of a pool, and the likeness of any row to each of them."""

    def __init__(self, pool: Pool) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._pool = pool
        vectorizer = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True)
        texts = [pool.compared_text(row) for row in pool.rows]
        try:
            self.vectors: Any = vectorizer.fit_transform(texts)
        except ValueError:  # no pool, or no word in it: nothing is more alike than anything else
            self.vectors = None
            return
        self._terms_of, self._idf = vectorizer.build_analyzer(), vectorizer.idf_
        self._column_of: dict[str, int] = vectorizer.vocabulary_
        self._by_column = self.vectors.tocsc()

    def likeness(self, row: Row) -> numpy.ndarray[Any, Any]:
        """Cosine of the row with every pool row, in 0 to 1."""
        import numpy

        scores = numpy.zeros(len(self._pool.rows))
        if self.vectors is None:
            return scores
        # what the vectorizer's own `transform` gives, without its checks: much quicker for one row
        counts = Counter(self._terms_of(self._pool.compared_text(row)))
        columns = [
            (self._column_of[term], count) for term, count in counts.items() if term in self._column_of
        ]
        weights = [(1 + math.log(count)) * self._idf[column] for column, count in columns]
        length = math.sqrt(math.fsum(weight * weight for weight in weights)) or 1.0
        starts, places, values = (self._by_column.indptr, self._by_column.indices, self._by_column.data)
        for (column, _), weight in zip(columns, weights, strict=True):
            part = slice(starts[column], starts[column + 1])
            scores[places[part]] += values[part] * (weight / length)
        return scores


@selector("similar")
class Similar:
    """The `count` rows with the highest cosine; equal ones in file order."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._space = pool, TextSpace(pool)

    def select(self, row: Row) -> list[Row]:
        """Most similar rows, the most similar one last."""
        nearest = (-self._space.likeness(row)).argsort(kind="stable")
        return self._pool.take(nearest.tolist(), row)[::-1]
