"""Cleaning and balancing of a collection that is stored: one change each, which can be undone."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.collection import CollectionItem
from workbench.core.tuning import Balance
from workbench.engine.workspace import Workspace
from workbench.errors import UnknownName
from workbench.storage.collection_changes import ItemChange
from workbench.storage.collections import CollectionRecord
from workbench.tuning.cleaning import Spec
from workbench.tuning.cleaning.applying import Cleaned, OnProgress, clean
from workbench.tuning.cleaning.balancing import ValueCount, balance, balance_preview, kept_balance

BALANCE = "balance"
"""The reason of items that under-sampling leaves out."""
SETTING = "balance"


def apply_cleaning(
    workspace: Workspace,
    collection: str,
    steps: Sequence[Spec],
    author: str = "",
    *,
    on_progress: OnProgress | None = None,
) -> Cleaned:
    """Cleans the kept items of a collection (by id) as one change; dropped ones stay to be looked at.

    What somebody changes while it works stays as that person has it.

    Raises UnknownName for a collection or a step that there is not, CollectionError for a step's settings.
    """
    _, kept = _kept(workspace, collection)
    numbers = [one.number for one in kept]
    items = [one.item for one in kept]
    done = clean(items, steps, numbers=numbers, on_progress=on_progress)
    changes = [
        ItemChange(
            one.number,
            "dropped" if outcome.reason else "kept",
            outcome.reason,
            outcome.detail,
            None if outcome.item is one.item else outcome.item,
            seen=one,
        )
        for one, outcome in zip(kept, done.outcomes, strict=True)
        if outcome.reason or outcome.item is not one.item
    ]
    workspace.store.collections.change(collection, _words(done), changes, author)
    return done


def apply_balance(
    workspace: Workspace, collection: str, settings: Balance, author: str = ""
) -> tuple[ValueCount, ...]:
    """Balances the kept items of a collection (by id) and tells how many of each value there were and are.

    Either is one change, which can be undone: under-sampling drops items, over-sampling sets that rare ones
    are repeated in what is trained on and exported. Raises UnknownName, CollectionError.
    """
    record, kept = _kept(workspace, collection)
    items = [one.item for one in kept]
    counts = balance_preview(items, settings)
    if settings.how == "over":
        what = f"Balanced by {settings.by}: rare ones are repeated"
        written = settings.model_dump(mode="json")
        workspace.store.collections.change_setting(record.id, what, SETTING, written, author)
        return counts
    staying = set(balance(items, settings))
    detail = f"by {settings.by}"
    changes = [
        ItemChange(one.number, "dropped", BALANCE, detail, seen=one)
        for place, one in enumerate(kept)
        if place not in staying
    ]
    what = f"Balanced by {settings.by}: {len(changes):,} dropped"
    workspace.store.collections.change(collection, what, changes, author)
    return counts


def taught_items(workspace: Workspace, collection: str) -> list[CollectionItem]:
    """What a collection (by id) teaches in its order; what is over-sampled stands there again at the end.

    Raises UnknownName; CollectionError where what it is balanced by is gone from its items.
    """
    record, kept = _kept(workspace, collection)
    held = kept_balance(record.settings)
    if held is None:
        return kept
    return [kept[place] for place in balance([one.item for one in kept], held)]


def clear_balance(workspace: Workspace, collection: str, author: str = "") -> None:
    """Takes a collection's over-sampling away, which can be undone. Raises UnknownName."""
    record = _record(workspace, collection)
    held = kept_balance(record.settings)
    if held is not None:
        what = f"Nothing is repeated any more by {held.by}"
        workspace.store.collections.change_setting(record.id, what, SETTING, None, author)


def _kept(workspace: Workspace, collection: str) -> tuple[CollectionRecord, list[CollectionItem]]:
    return _record(workspace, collection), workspace.store.collections.items(collection, state="kept")


def _record(workspace: Workspace, collection: str) -> CollectionRecord:
    record = workspace.store.collections.get(collection)
    if record is None or record.deleted_at is not None:
        raise UnknownName("collection", collection)
    return record


def _words(done: Cleaned) -> str:
    """What was done, for the list of changes."""
    parts = []
    for report in done.reports:
        counts = [f"{report.dropped:,} dropped"] if report.dropped else []
        counts += [f"{report.changed:,} changed"] if report.changed else []
        if counts:
            parts.append(f"{report.step} ({', '.join(counts)})")
    return f"Cleaned: {', '.join(parts)}"
