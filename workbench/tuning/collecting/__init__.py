"""Collecting: from runs, ratings and files to a stored collection, and what people then do with it.

collect(workspace, "transit", Collect(runs=("transit-samples",)))   ->  "20261121-120000-3f9c1a"
"""

from __future__ import annotations

from workbench.tuning.collecting.curating import accept, edit, reject, undo
from workbench.tuning.collecting.gathering import collect
from workbench.tuning.collecting.sources import find_sources
from workbench.tuning.collecting.stored import (
    CollectionSummary,
    collections,
    delete_collection,
    find_collection,
    item_page,
    kept_items,
    summary,
    undelete_collection,
)

__all__ = [
    "CollectionSummary",
    "accept",
    "collect",
    "collections",
    "delete_collection",
    "edit",
    "find_collection",
    "find_sources",
    "item_page",
    "kept_items",
    "reject",
    "summary",
    "undelete_collection",
    "undo",
]
