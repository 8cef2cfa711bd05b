"""What a collection is made of: sizes, lengths, balance, variety, what nearly repeats, where it comes from.

profile(items)
CollectionProfile(items=480, rows=160, words=31_204, tokens=41_605,
                  question=Lengths(shortest=18, p50=31, …, bins=(Bin(18, 21, 40), …)), …)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from workbench.core.collection import Item
from workbench.datasets.transforms.term_lists import TERM_LISTS, TermList
from workbench.errors import CollectionError
from workbench.tuning.cleaning.balancing import ITS_OWN, groups_of
from workbench.tuning.cleaning.likeness import nearest_pairs

MOST_BINS = 20
MOST_VALUES = 50
MOST_PAIRS = 10
LONGEST_COMPARED = 4_000
"""Characters of a text of which near repeats are looked for."""
LONGEST_READ = 100_000
"""Characters of a text whose words are counted for variety and terms."""
TOKENS_A_WORD = 4 / 3
CHARACTERS_A_TOKEN = 4
WORD = re.compile(r"\w+")

Counts = tuple[tuple[str, int], ...]
"""Values with how often each is there, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Bin:
    """How many texts have from `low` to `high` words, both included."""

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of texts, in words. The last bin is the one that holds the longest, however much longer they are."""

    shortest: int
    p50: int
    p90: int
    p99: int
    longest: int
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Diversity:
    """How varied the completions are, each a share from 0 to 1; NaN is None.

    Attributes:
        unique: different completions of all.
        distinct_1, distinct_2: different words, and pairs of words in a row, of all (Li et al., "A
            diversity-promoting objective function", 2016). They fall as a collection grows.
        type_token: different words of a completion's words, the mean over completions.
    """

    unique: float | None
    distinct_1: float | None
    distinct_2: float | None
    type_token: float | None


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two items, by their numbers, whose questions and completions are this much alike (0 to 1)."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True, slots=True)
class GroupTerms:
    """How often the terms of the two sides of a list stand in the texts, such as he and she."""

    name: str
    first: Counts
    second: Counts
    first_total: int
    second_total: int


@dataclass(frozen=True, slots=True)
class CollectionProfile:
    """What a collection is made of.

    Attributes:
        rows: different dataset rows; for items of no row, different questions.
        tokens: an estimate from words and characters; a model's own tokenizer may differ by half.
        repeats: items beyond the first of the same question and completion.
        balance: by what the items may be balanced, its values; those with two to fifty of them.
        nearest: the most alike pairs of questions and completions that are not the same to the letter.
        sources: of runs, prompts, models, raters, files and kinds, how many items come from each.
    """

    items: int
    rows: int
    words: int
    tokens: int
    repeats: int
    question: Lengths | None
    completion: Lengths | None
    balance: dict[str, Counts]
    diversity: Diversity
    nearest: tuple[NearPair, ...]
    sources: dict[str, Counts]
    group_terms: tuple[GroupTerms, ...]


def profile(items: Sequence[Item], *, numbers: Sequence[int] | None = None) -> CollectionProfile:
    """Describes items; an empty collection has no lengths and no diversity.

    Args:
        numbers: what the items are called in `nearest`; default: their places, from 0.
    """
    words = [_word_count(item) for item in items]
    characters = [_characters(item) for item in items]
    pairs = zip(words, characters, strict=True)
    tokens = sum(max(count * TOKENS_A_WORD, signs / CHARACTERS_A_TOKEN) for count, signs in pairs)
    rows = {
        (item.origin.dataset, item.origin.row_id) if item.origin.row_id else item.question for item in items
    }
    return CollectionProfile(
        items=len(items),
        rows=len(rows),
        words=sum(words),
        tokens=round(tokens),
        repeats=len(items)
        - len({(item.question, item.completion, item.rejected, item.label) for item in items}),
        question=_lengths([len(item.question.split()) for item in items]),
        completion=_lengths([len(item.completion.split()) for item in items]),
        balance=_balance(items),
        diversity=_diversity([item.completion for item in items]),
        nearest=_nearest(items, range(len(items)) if numbers is None else numbers),
        sources=_sources(items),
        group_terms=_group_terms(items),
    )


def profile_json(found: CollectionProfile) -> dict[str, Any]:
    """A profile as plain values."""
    counted = {"balance": found.balance, "sources": found.sources}
    return asdict(found) | {
        key: {name: [list(pair) for pair in counts] for name, counts in by.items()}
        for key, by in counted.items()
    }


def _word_count(item: Item) -> int:
    texts = [*(message["content"] for message in item.messages), item.completion, item.rejected or ""]
    return sum(len(text.split()) for text in texts)


def _characters(item: Item) -> int:
    asked = sum(len(message["content"]) for message in item.messages)
    return asked + len(item.completion) + len(item.rejected or "")


def _lengths(counts: list[int]) -> Lengths | None:
    if not counts:
        return None
    counts.sort()
    p99 = _rank(counts, 99)
    width = max(1, -(-(p99 - counts[0] + 1) // MOST_BINS))
    held: Counter[int] = Counter()
    last = (p99 - counts[0]) // width
    for count in counts:
        held[min((count - counts[0]) // width, last)] += 1
    bins = [
        Bin(counts[0] + place * width, counts[0] + (place + 1) * width - 1, held[place])
        for place in range(last + 1)
    ]
    bins[-1] = Bin(bins[-1].low, max(bins[-1].high, counts[-1]), bins[-1].count)
    return Lengths(counts[0], _rank(counts, 50), _rank(counts, 90), p99, counts[-1], tuple(bins))


def _rank(ordered: list[int], percent: int) -> int:
    """Nearest-rank percentile: a length that really occurs."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def _balance(items: Sequence[Item]) -> dict[str, Counts]:
    columns = dict.fromkeys(name for item in items[:1_000] for name in item.row)
    found = {}
    for name in dict.fromkeys([*columns, *ITS_OWN]):
        try:
            counts = _counted(groups_of(items, name))
        except CollectionError:
            continue
        if 2 <= len(counts) <= MOST_VALUES or (
            name == "label" and len(counts) == 1 and items[0].label is not None
        ):
            found[name] = counts
    return found


def _diversity(texts: Sequence[str]) -> Diversity:
    words: Counter[str] = Counter()
    pairs: set[tuple[str, str]] = set()
    all_pairs, shares = 0, []
    for text in texts:
        found = WORD.findall(text[:LONGEST_READ].casefold())
        words.update(found)
        pairs.update(pairwise(found))
        all_pairs += max(0, len(found) - 1)
        if found:
            shares.append(len(set(found)) / len(found))
    return Diversity(
        unique=_share(len(set(texts)), len(texts)),
        distinct_1=_share(len(words), words.total()),
        distinct_2=_share(len(pairs), all_pairs),
        type_token=_share(sum(shares), len(shares)),
    )


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _nearest(items: Sequence[Item], numbers: Sequence[int]) -> tuple[NearPair, ...]:
    """Of items that repeat each other exactly only the first is compared."""
    first: dict[str, int] = {}
    for place, item in enumerate(items):
        text = f"{item.question[:LONGEST_COMPARED]}\n{item.completion[:LONGEST_COMPARED]}"
        first.setdefault(text, place)
    called = [numbers[place] for place in first.values()]
    return tuple(
        NearPair(called[one], called[other], similarity)
        for similarity, one, other in nearest_pairs(list(first), MOST_PAIRS)
    )


def _sources(items: Sequence[Item]) -> dict[str, Counts]:
    origins = [item.origin for item in items]
    return {
        "kinds": _counted(origin.kind for origin in origins),
        "runs": _counted(origin.run for origin in origins),
        "datasets": _counted(origin.dataset for origin in origins),
        "prompts": _counted(origin.prompt for origin in origins),
        "models": _counted(origin.model for origin in origins),
        "raters": _counted(rater for origin in origins for rater in origin.raters),
        "files": _counted(origin.file for origin in origins),
    }


def _counted(values: Iterable[str | None]) -> Counts:
    counts = Counter(value for value in values if value)
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _group_terms(items: Sequence[Item]) -> tuple[GroupTerms, ...]:
    words: Counter[str] = Counter()
    for item in items:
        words.update(WORD.findall(item.question[:LONGEST_READ]))
        words.update(WORD.findall(item.completion[:LONGEST_READ]))
    folded: Counter[str] = Counter()
    for word, count in words.items():
        folded[word.casefold()] += count
    return tuple(_terms_of(name, terms, words, folded) for name, terms in TERM_LISTS.items())


def _terms_of(name: str, terms: TermList, words: Counter[str], folded: Counter[str]) -> GroupTerms:
    """A term that is written with a capital counts so alone: a name is no common word."""
    first = {one: None for one, _ in terms.pairs}
    second = {other: None for _, other in terms.pairs}
    for term, becomes in terms.one_way.items():
        (first if becomes in second else second)[term] = None

    def counts(side: Iterable[str]) -> Counts:
        found = {term: folded[term] if term.islower() else words[term] for term in side}
        return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    sides = counts(first), counts(second)
    totals = (sum(count for _, count in side) for side in sides)
    return GroupTerms(name, *sides, *totals)
