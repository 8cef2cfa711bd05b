"""The rating desk: gives one rater one item after the other, blind, and keeps what they say of each.

    desk = RatingDesk(workspace, run, "Ada")
    shown = desk.next()          Shown(item="9f3c…", texts=("Answer: 7", "It is 8."), …)
    desk.rate(shown.item, 1)     the left one is better

What is shown carries no cell, prompt, model or run. Several raters may sit at desks of one run at
once, in one process or in many: the database decides who gets what.
"""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

from workbench.core.rating import Rating, RatingPlan, rater_name
from workbench.engine.rating.choosing import choose
from workbench.engine.rating.ledger import Key
from workbench.engine.rating.rating_plans import default_plan, plan_of, start_rating
from workbench.engine.rating.saying import (
    check_length,
    checked,
    new_ratings,
    nothing_said,
    shown_cells,
    turned,
    withdrawn,
)
from workbench.engine.rating.shown import Draft, RatingProgress, Shown
from workbench.engine.rating.sitting import Sitting, rated_run, sitting_of
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UnknownName, UsageError
from workbench.storage import RunRecord
from workbench.storage.rating_items import LAPSED, RATED, SHOWN, SKIPPED, RatingItem, RatingTable
from workbench.storage.row_facts import text_of

__all__ = ["Draft", "RatingDesk", "RatingProgress", "Shown", "default_plan", "start_rating"]

OPEN_S = 600.0
"""So long an item lies before one rater alone; then others may get it too."""


class RatingDesk:
    """One rater's place at a run. Cheap to make: make a new one whenever it is needed.

    Args:
        rater: the rater's name; case and spaces make no other rater of it.

    Raises UsageError for a name that is none, UnknownName for an unknown run, RunError for a deleted one.
    """

    def __init__(self, workspace: Workspace, run: str, rater: str) -> None:
        try:
            self.rater = rater_name(rater)
        except ValueError as problem:
            raise UsageError(f"{str(problem).capitalize()}.") from None
        self.run = rated_run(workspace, run).id
        self._workspace = workspace
        self._items = workspace.store.rating_items

    def next(self) -> Shown | None:
        """The item that is open for this rater, else a new one; None when there is nothing left."""
        record, plan = self._record_and_plan()
        sitting = sitting_of(self._workspace, record, plan)
        with sitting.lock, self._items.exclusively(self.run) as table:
            sitting.read(table)
            opened = [item for item in table.open() if item.mode == plan.mode]
            item = self._open_item(table, sitting, opened) or self._new_item(table, sitting, opened)
            said = {} if item is None else table.said_of(item.item)
        return None if item is None else self._shown(record, plan, item, said)

    def show(self, item: str) -> Shown:
        """An item that this rater got, once more, with what they said of it. Raises UnknownName."""
        record, plan = self._record_and_plan()
        with self._items.reading(self.run) as table:
            found = self._mine(table, item)
            said = table.said_of(item)
        return self._shown(record, plan, found, said)

    def rate(
        self,
        item: str,
        value: float | Mapping[str, float],
        *,
        both_bad: bool = False,
        note: str | None = None,
        correction: str | None = None,
        correction_for: Literal[0, 1] = 0,
        seconds: float | None = None,
    ) -> None:
        """Keeps what the rater says; it is committed when this returns.

        The same said twice counts once; something else replaces what was said before, which stays in
        the history. A likert item is done once each criterion has a value; until then `next` gives it
        again, so that every key can be kept as it is pressed.

        Args:
            value: thumbs 1 or 0; of a pair 1 where the first text is better, 0 where the second is, 0.5
                for a tie; likert: from 1 to `scale` by criterion (a plain number where there is one).
            both_bad: a tie in which neither is acceptable; only with 0.5.
            note: None leaves what was noted before, "" takes it away; the same of `correction`.
            correction: a better answer than `texts[correction_for]`.
            seconds: how long it took; default: since the item was shown.

        Raises UsageError for a value that is none, UnknownName for an item that this rater did not get.
        """
        _, plan = self._record_and_plan()
        with self._items.exclusively(self.run) as table:
            found = self._mine(table, item)
            before = table.said_of(item)
            values = checked(plan, found, value, both_bad)
            cells = shown_cells(found)
            new = new_ratings(
                found,
                before,
                values,
                scale=plan.scale if found.mode == "likert" else None,
                both_bad=both_bad,
                note=note,
                correction=correction,
                corrects=cells[min(correction_for, len(cells) - 1)],
                seconds=_seconds(found) if seconds is None or not 0 <= seconds < math.inf else seconds,
            )
            table.append(new)
            standing = values.keys() | {name for name, said in before.items() if said.value is not None}
            done = found.mode != "likert" or all(one.name in standing for one in plan.criteria)
            table.mark(item, state=RATED if done else found.state, draft=None)

    def keep_draft(self, item: str, draft: Draft) -> None:
        """Keeps what is being written beside an item, also over a restart, until it is sent with `rate`.

        Raises UsageError for a text that is too long, UnknownName for an item that this rater did not get.
        """
        check_length(draft.note, draft.correction)
        with self._items.exclusively(self.run) as table:
            self._mine(table, item)
            table.mark(item, draft=asdict(draft))

    def skip(self, item: str) -> None:
        """Leaves an item unrated; it does not come back to this rater, but to others."""
        self._record_and_plan()
        with self._items.exclusively(self.run) as table:
            found = self._mine(table, item)
            if found.state != SKIPPED:
                before = table.said_of(item)
                table.append(withdrawn(before) or [nothing_said(found)])
                table.mark(item, state=SKIPPED)

    def undo(self) -> Shown | None:
        """Takes back the last that this rater said or skipped, and shows it again; None without any.

        Again and again it goes further back, on criteria one by one; `next` then leads forward through
        the same items.
        """
        record, plan = self._record_and_plan()
        with self._items.exclusively(self.run) as table:
            item = self._last(table, plan)
            if item is None:
                return None
            table.append(withdrawn(table.said_of(item.item), only_last=True))
            table.mark(item.item, state=SHOWN, shown_at=time.time())
            said = table.said_of(item.item)
        return self._shown(record, plan, item, said)

    def progress(self) -> RatingProgress:
        """How far this rater is, and all together."""
        record, plan = self._record_and_plan()
        sitting = sitting_of(self._workspace, record, plan)
        with sitting.lock, self._items.reading(self.run) as table:
            sitting.read(table)
            ledger, offer = sitting.ledger, sitting.offer
            mine = {
                item.item: sitting.key(item)
                for item in table.open()
                if item.rater == self.rater and item.mode == plan.mode and offer.covers(*sitting.key(item))
            }
            said = (item for item in ledger.items_of.get(self.rater, ()) if item not in mine)
            done = sum(offer.covers(*ledger.items[item].key) for item in said)
            left = sitting.left_for(self.rater, mine.values()) + len(mine)
            seconds = ledger.seconds_per_item(self.rater)
            return RatingProgress(
                done,
                done + left,
                sum(ledger.rated.values()),
                seconds,
                None if seconds is None else seconds * left,
                {rater: count for rater, count in ledger.rated.items() if count},
                offer.identical,
            )

    def _record_and_plan(self) -> tuple[RunRecord, RatingPlan]:
        record = rated_run(self._workspace, self.run)
        return record, plan_of(self._workspace, record)

    def _open_item(self, table: RatingTable, sitting: Sitting, opened: list[RatingItem]) -> RatingItem | None:
        """What lies before this rater: in another tab, since yesterday, or since they went back."""
        now = time.time()
        others = self._elsewhere(sitting, opened, now)
        for item in opened:
            key = sitting.key(item)
            if item.rater != self.rater or not sitting.offer.covers(*key):
                continue
            raters = {*others.get(key, ()), *sitting.ledger.holders.get(key, ())} - {self.rater}
            late = now - item.shown_at > OPEN_S
            spoken = item.draft is not None or item.item in sitting.ledger.items
            if late and len(raters) >= sitting.plan.overlap and not spoken:
                table.mark(item.item, state=LAPSED)
                continue
            if now - item.shown_at > OPEN_S / 2:
                table.mark(item.item, shown_at=now)
            return item
        return None

    def _new_item(self, table: RatingTable, sitting: Sitting, opened: list[RatingItem]) -> RatingItem | None:
        now = time.time()
        number = table.last_number(self.rater) + 1
        dice = random.Random(f"{sitting.plan.seed} {self.rater} {number}")
        choice = choose(
            sitting.plan,
            sitting.offer,
            sitting.ledger,
            self.rater,
            self._elsewhere(sitting, opened, now),
            dice,
        )
        if choice is None:
            return None
        (cell, other), unit = choice.key
        position, repeat = divmod(unit, sitting.offer.repeats)
        item = RatingItem(
            secrets.token_hex(16),
            self.run,
            self.rater,
            number,
            sitting.plan.mode,
            position,
            repeat,
            cell,
            other,
            choice.first,
            choice.chosen,
            SHOWN,
            now,
        )
        table.add(item)
        return item

    def _elsewhere(self, sitting: Sitting, opened: list[RatingItem], now: float) -> dict[Key, set[str]]:
        """By key, the other raters before whom it lies, for not too long."""
        found: dict[Key, set[str]] = {}
        for item in opened:
            if item.rater != self.rater and now - item.shown_at <= OPEN_S:
                found.setdefault(sitting.key(item), set()).add(item.rater)
        return found

    def _last(self, table: RatingTable, plan: RatingPlan) -> RatingItem | None:
        """The item that this rater spoke of last: an open one with some of its criteria, else one done."""
        for item in table.open():
            if item.rater == self.rater and item.mode == plan.mode:
                if any(said.value is not None for said in table.said_of(item.item).values()):
                    return item
                break
        return table.last_done(self.rater, plan.mode)

    def _mine(self, table: RatingTable, item: str) -> RatingItem:
        found = table.get(item)
        if found is None or found.rater != self.rater:
            raise UnknownName(f"item of rater '{self.rater}' in this run", item)
        return found

    def _shown(
        self, record: RunRecord, plan: RatingPlan, item: RatingItem, said: Mapping[str, Rating]
    ) -> Shown:
        store = self._workspace.store
        row = store.runs.rows(record.row_set, [item.position])[item.position]
        column = record.definition["reference"]
        reference = row.get(column) if column else None
        asked = sitting_of(self._workspace, record, plan).row_shown(row)
        cells = shown_cells(item)
        last = list(said.values())[-1] if said else None
        return Shown(
            item.item,
            item.mode,
            {name: text for name, text in asked.items() if name != column},
            None if reference is None else text_of(reference),
            tuple(self._text(item, cell) for cell in cells),
            plan.criteria if item.mode == "likert" else (),
            plan.scale,
            {name: turned(item, r.value) for name, r in said.items() if r.value is not None},
            last is not None and last.both_bad,
            last.note if last else "",
            last.correction if last else None,
            1 if last is not None and len(cells) == 2 and last.corrects == cells[1] else 0,
            Draft(**(item.draft or {})),
        )

    def _text(self, item: RatingItem, cell: int) -> str:
        for output in self._workspace.store.outputs.of_cell(self.run, cell, [item.position]):
            if output.repeat == item.repeat and output.error is None:
                return output.text
        raise RunError("What was to be rated is not there any more; go on with the next item.")


def _seconds(item: RatingItem) -> float | None:
    """Since the item was shown; None after so long that the rater was elsewhere."""
    taken = time.time() - item.shown_at
    return taken if 0 <= taken <= OPEN_S and item.state == SHOWN else None
