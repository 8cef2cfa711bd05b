"""What was decided on items of an earlier collection holds for the same items of one that is made anew.

carried(earlier, fresh)   ->  fresh, with what was rejected, edited, accepted or cleaned away there
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from workbench.core.collection import CollectionItem, Item
from workbench.tuning.cleaning.stored import BALANCE

LIMIT = "limit"
"""The reason of items beyond the most that were asked for."""
DRAWN = frozenset({BALANCE, LIMIT})
"""What leaves items out by how many there are: with more of them it is drawn anew."""
DUPLICATES = frozenset({"exact_duplicates", "near_duplicates"})


def carried(earlier: Sequence[CollectionItem], fresh: Sequence[CollectionItem]) -> list[CollectionItem]:
    """The fresh items in their places; the same is what asked and answered the same before any edit."""
    before: defaultdict[str, list[CollectionItem]] = defaultdict(list)
    for one in reversed(earlier):
        before[_as_made(one.item)].append(one)
    found = []
    for one in fresh:
        same = before.get(_as_made(one.item))
        found.append(_decided(same.pop(), one) if same else one)
    return found


def _decided(before: CollectionItem, now: CollectionItem) -> CollectionItem:
    if DRAWN & {before.reason, now.reason}:
        return now
    if before.state == "dropped":
        # a duplicate's detail is a place in the earlier collection
        detail = "" if before.reason in DUPLICATES else before.detail
        return (
            now
            if now.reason == before.reason
            else replace(now, state="dropped", reason=before.reason, detail=detail)
        )
    if now.reason in DUPLICATES:  # of something that came since
        return now
    edited = before.item.original is not None
    item = now.item.edited(before.item.completion) if edited else now.item
    return replace(now, item=item, state="kept", reason="", detail="")


def _as_made(item: Item) -> str:
    return item.key if item.original is None else item.edited(item.original).key
