"""Texts grouped by likeness, and the words that tell a group from all others.

    found = group_texts(["2 pens and 3 pens", "3 pens, 4 pens", "the bus leaves at 8", …])
    telling_words(texts, found.labels, rest)  ->  [("pens",), ("bus", "leaves")]

Words and parts of words, weighted by TF-IDF, are reduced to a few dimensions (latent semantic analysis:
Deerwester et al., JASIS 41, 1990) and grouped by k-means, with the k whose silhouette (Rousseeuw, JCAM
20, 1987) is the largest. Words are weighted class by class (Grootendorst, "BERTopic", 2022).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

FEWEST = 8
"""Texts below which there is one group."""
MOST_GROUPS = 8
DIMENSIONS = 24
FEATURES = 6_000
LONGEST = 2_000
"""Characters of a text that are read."""
JUDGED = 500
"""Texts on which a number of groups is judged."""
LEAST_SILHOUETTE = 0.06
"""Below it the groups run into each other, and there is one."""
NEAR = 0.9
EVERYWHERE = 0.6
"""A word in more than this share of all texts tells nothing, whatever the language."""
WORD = r"(?u)\w+"
MORE_STOP_WORDS = frozenset(["did", "do", "does", "doing", "don", "doesn", "didn", "isn", "wasn", "ll", "ve"])
COMMON = 0.12
"""A telling word stands in at least this share of a group's texts."""
LIFT = 1.3
"""A telling word stands in this many times the share of the group's texts as of all texts."""
PATTERNS = (r"[^\W\d_]{2,24}", r"\w{1,24}", r"[^\s\w]")
"""What counts as a word; the next where the one before finds none: words, then numbers, then signs."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TextGroups:
    """Groups numbered from 0: of each text, of each other text (the nearest), and who stands at the centre.

    `central` has one array a group: its texts' indices, the nearest to the centre first.
    """

    labels: Ints
    others: Ints
    central: tuple[Ints, ...]


def group_texts(
    texts: Sequence[str], others: Sequence[str] = (), most: int = MOST_GROUPS, seed: int = 0
) -> TextGroups:
    """Groups `texts` by likeness, and finds for each of `others` the group that it is nearest to.

    Fewer than eight texts, or texts without groups among them, make one group. The same texts and
    seed give the same groups.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # threads that wait for each other are slower than one on a busy machine
        return _group(texts, others, most, seed)


def _group(texts: Sequence[str], others: Sequence[str], most: int, seed: int) -> TextGroups:
    points = _points([text[:LONGEST].lower() for text in (*texts, *others)], seed)
    ours = points[: len(texts)]
    distinct = len(np.unique(ours.round(6), axis=0)) if len(texts) >= FEWEST else 1
    model = _best_model(ours, min(most, distinct, max(2, len(texts) // 8)), seed)
    if model is None:
        labels, rest = np.zeros(len(texts), dtype=np.int64), np.zeros(len(others), dtype=np.int64)
        centres = ours.mean(axis=0, keepdims=True) if len(texts) else ours
    else:
        labels = model.labels_.astype(np.int64)
        rest = model.predict(points[len(texts) :]).astype(np.int64) if others else np.empty(0, dtype=np.int64)
        centres = model.cluster_centers_
    central = []
    for group in range(len(centres)):
        members = np.flatnonzero(labels == group)
        away = np.linalg.norm(ours[members] - centres[group], axis=1)
        central.append(members[np.argsort(away, kind="stable")].astype(np.int64))
    return TextGroups(labels, rest, tuple(central))


def telling_words(
    texts: Sequence[str], labels: Ints, rest: Sequence[str] = (), count: int = 4
) -> list[tuple[str, ...]]:
    """For each group the words that stand in more of its texts than elsewhere, the most telling first.

    `rest` are texts of no group, which the words shall not tell of either. A group may have none.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    groups = [
        [texts[place] for place in np.flatnonzero(labels == g).tolist()] for g in range(_groups_in(labels))
    ]
    named: list[tuple[str, ...]] = [() for _ in groups]
    for pattern in PATTERNS:
        if all(named):
            break
        classes = [_shares(group, re.compile(pattern)) for group in (*groups, rest)]
        together = _shares([*texts, *rest], re.compile(pattern))
        dull = {word for word, share in together.items() if share > EVERYWHERE} if len(groups) > 1 else set()
        for place, words in enumerate(named):
            if not words:
                named[place] = _best_words(
                    classes,
                    place,
                    len(groups[place]),
                    dull | ENGLISH_STOP_WORDS | MORE_STOP_WORDS,
                    together,
                    count,
                )
    return named


def _points(texts: Sequence[str], seed: int) -> npt.NDArray[np.float64]:
    """(n, d) coordinates of unit length; texts without any character are zeros."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion
    from sklearn.preprocessing import normalize

    settings = {"max_features": FEATURES, "sublinear_tf": True}
    kinds = {
        "words": TfidfVectorizer(token_pattern=WORD, **settings),
        "parts": TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), **settings),
        "signs": TfidfVectorizer(analyzer="char", **settings),
    }
    usable = {name for name in ("words", "parts") if _has_terms(kinds[name].build_analyzer(), texts)}
    if not usable:
        usable = {name for name in ("signs",) if _has_terms(kinds[name].build_analyzer(), texts)}
    if not usable or len(texts) < 2:
        return np.zeros((len(texts), 1))
    matrix = FeatureUnion([(name, kinds[name]) for name in kinds if name in usable]).fit_transform(texts)
    dimensions = min(DIMENSIONS, min(matrix.shape) - 1)
    if dimensions < 1:
        return np.asarray(matrix.todense(), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # texts that are all equal have no variance
        reduced = TruncatedSVD(dimensions, n_iter=4, random_state=seed).fit_transform(matrix)
    return np.asarray(normalize(reduced), dtype=np.float64)


def _has_terms(analyse: Callable[[str], Sequence[str]], texts: Sequence[str]) -> bool:
    return any(analyse(text) for text in texts)


def _best_model(points: npt.NDArray[np.float64], most: int, seed: int) -> Any:
    """k-means with few groups that stand apart; None where no k from 2 to `most` makes such.

    The least k of which the silhouette comes near the largest: fewer groups are easier to read.
    """
    if most < 2:
        return None
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    some = np.random.default_rng(seed).permutation(len(points))[:JUDGED]
    tried: list[tuple[float, Any]] = []
    for k in range(2, most + 1):
        model = KMeans(k, n_init=2, random_state=seed).fit(points)
        if 1 < len(np.unique(model.labels_[some])) < len(some):
            tried.append((float(silhouette_score(points[some], model.labels_[some])), model))
    widest = max((width for width, _ in tried), default=0.0)
    if widest < LEAST_SILHOUETTE:
        return None
    return next(model for width, model in tried if width >= NEAR * widest)


def _groups_in(labels: Ints) -> int:
    return int(labels.max()) + 1 if len(labels) else 0


def _shares(texts: Sequence[str], pattern: re.Pattern[str]) -> dict[str, float]:
    """In which share of the texts a word stands."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(set(pattern.findall(text[:LONGEST].lower())))
    return {word: found / len(texts) for word, found in counted.items()}


def _best_words(
    classes: Sequence[dict[str, float]],
    place: int,
    size: int,
    dull: set[str] | frozenset[str],
    together: dict[str, float],
    count: int,
) -> tuple[str, ...]:
    """Class-based TF-IDF over shares of texts, so that a large class does not drown a small one."""
    here = classes[place]
    average = sum(sum(one.values()) for one in classes) / len(classes)
    least = (1 if size < 4 else 2 if size < 7 else max(3.0, COMMON * size)) / size
    weights = {
        word: share * log(1 + average / sum(one.get(word, 0.0) for one in classes))
        for word, share in here.items()
        if word not in dull
        and share >= least
        and (share > LIFT * together[word] or all(not one for at, one in enumerate(classes) if at != place))
    }
    return tuple(sorted(weights, key=lambda word: (-weights[word], word))[:count])
