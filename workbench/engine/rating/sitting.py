"""What this process knows of the ratings of a run, kept between one rating and the next.

The first desk of a run reads which outputs are there and all ratings; each later one reads only the
ratings that were appended since.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from workbench.core.dataset import ID_COLUMN
from workbench.core.rating import RatingPlan
from workbench.core.run import LIVE
from workbench.engine.plan import columns_shown, stored_prompts
from workbench.engine.rating.ledger import Key, Ledger
from workbench.engine.rating.offer import Offer
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName
from workbench.storage import Database, RunRecord
from workbench.storage.rating_items import RatingItem, RatingTable
from workbench.storage.row_facts import text_of

KEPT = 8
"""Runs that a process remembers at a time."""
GROWING_S = 10.0
"""How often the outputs of a run that is still going on are looked at again."""


class Sitting:
    """The offer and the ledger of one run under one plan. Use them while holding `lock`."""

    def __init__(self, workspace: Workspace, record: RunRecord, plan: RatingPlan) -> None:
        self.lock = threading.RLock()
        self.plan = plan
        self.offer = Offer(workspace, record, plan)
        self.ledger = Ledger(plan, len(record.definition["cells"]), self.offer.repeats)
        self.read_at = time.monotonic()
        self.stored = (record.done, record.errors)

        self._columns = columns_shown(stored_prompts(record), record.definition["reference"])

    def row_shown(self, row: Mapping[str, Any]) -> dict[str, str]:
        """What a rater sees of a row: what the models saw of it, else all but its id.

        Other columns may hold worked solutions, or the name of whoever made an output.
        """
        names = [name for name in row if name in self._columns] or [n for n in row if n != ID_COLUMN]
        return {name: text_of(row[name]) for name in names}

    def read(self, table: RatingTable) -> None:
        """Counts what was said since."""
        self.ledger.take(table.said_after(self.ledger.last_id))

    def key(self, item: RatingItem) -> Key:
        """What an item is about."""
        return (item.cell, item.other), item.position * self.offer.repeats + item.repeat

    def left_for(self, rater: str, open_keys: Iterable[Key]) -> int:
        """How many items this rater could still get, besides those that are open."""
        gone = sum(
            len(self.ledger.full.get(target, set()) | self.ledger.seen[rater].get(target, set()))
            for target in self.offer.targets
        )
        gone += sum(
            unit not in self.ledger.full.get(target, ())
            and unit not in self.ledger.seen[rater].get(target, ())
            for target, unit in set(open_keys)
        )
        return max(0, self.offer.count - gone)

    def is_current(self, record: RunRecord, plan: RatingPlan) -> bool:
        """Whether it is still about this plan and these outputs."""
        grown = self.stored != (record.done, record.errors)
        waits = record.status in LIVE and time.monotonic() - self.read_at < GROWING_S
        return self.plan == plan and (waits or not grown)


_sittings: WeakKeyDictionary[Database, OrderedDict[str, Sitting]] = WeakKeyDictionary()
_lock = threading.Lock()


def sitting_of(workspace: Workspace, record: RunRecord, plan: RatingPlan) -> Sitting:
    """The run's sitting in this process, made anew where the plan or the outputs are others now."""
    with _lock:
        known = _sittings.setdefault(workspace.store.database, OrderedDict())
        found = known.get(record.id)
        if found is None or not found.is_current(record, plan):
            found = known[record.id] = Sitting(workspace, record, plan)
        known.move_to_end(record.id)
        while len(known) > KEPT:
            known.popitem(last=False)
    return found


def rated_run(workspace: Workspace, run: str) -> RunRecord:
    """The stored run. Raises UnknownName, and RunError where it was deleted."""
    record = workspace.store.runs.get(run)
    if record is None:
        raise UnknownName("run", run, [other.id for other in workspace.store.runs.newest(limit=200)])
    if record.deleted_at is not None:
        raise RunError(
            f"Run '{run}' was deleted; its ratings are kept: bring it back with "
            f"`workbench runs undelete {run}` to go on."
        )
    return record
