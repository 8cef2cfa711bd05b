"""The thread that decodes: requests of any event loop join its batch while it runs.

Streams go first, because somebody is looking; the others join a few at a time, since reading one prompt
alone costs nearly as much as reading sixteen. What enters is what the attention cache has memory for.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from workbench.errors import ModelRefused, ModelUnavailable, WorkbenchError
from workbench.models.local.decoding import Decoder
from workbench.models.local.families import Family
from workbench.models.local.rows import NO_NUMBERS, Row

GATHERING_S = 0.003
GATHERINGS = 8
STEPS_BETWEEN_JOINS = 16

T = TypeVar("T")


@dataclass(eq=False)
class Ticket:
    """A row, and who waits for it."""

    row: Row
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Row]
    on_text: Callable[[], None] | None = None
    """Called in the event loop after every step, where somebody reads along."""
    longest: int = 0
    """Tokens that the row may come to hold for itself."""

    def answer(self, failure: WorkbenchError | None = None) -> None:
        """Wakes whoever waits; does nothing where nobody does any more."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self.loop.call_soon_threadsafe(self._settle, failure)

    def _settle(self, failure: WorkbenchError | None) -> None:
        if self.done.done():
            return
        if failure is not None:
            self.done.set_exception(failure)
        else:
            self.done.set_result(self.row)

    def tell(self) -> None:
        """Says that there is more text."""
        if self.on_text is not None:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.on_text)


class Batcher:
    """Owns the decoding thread of one loaded model.

    Args:
        decoder: the model's running batch.
        largest_batch: rows at once.
        largest_cache_tokens: rows times the longest that one of them may become, and what rows share
            once, at most; a single row always runs.
        threads: how many threads one operation may use.
        name: the model's name in errors.
    """

    def __init__(
        self,
        decoder: Decoder,
        largest_batch: int,
        largest_cache_tokens: int,
        threads: int,
        name: str | None = None,
    ) -> None:
        self._decoder = decoder
        self.largest_batch = largest_batch
        self._largest_cache_tokens, self._threads, self._name = largest_cache_tokens, threads, name
        self._waiting: list[Ticket] = []
        self._entering: list[Family] = []
        self._running: list[Ticket] = []
        self._tickets: dict[Row, Ticket] = {}
        self._jobs: list[tuple[Callable[[Decoder], Any], Future[Any]]] = []
        self._wake = threading.Condition()
        self._closed = False
        self._steps_since_join = 0
        self._thread = threading.Thread(target=self._work, name="decoding", daemon=True)
        self._thread.start()

    def submit(self, ticket: Ticket) -> None:
        """Adds a request; its future is settled in its own event loop."""
        with self._wake:
            if self._closed:
                raise self._closed_error()
            self._waiting.append(ticket)
            self._wake.notify()

    async def between_steps(self, work: Callable[[Decoder], T]) -> T:
        """What `work` gives, done on the decoding thread between two steps of the running batch.

        Raises ModelUnavailable where it fails or the model is closed before.
        """
        done: Future[T] = Future()
        with self._wake:
            if self._closed:
                raise self._closed_error()
            self._jobs.append((work, done))
            self._wake.notify()
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Stops the thread; whoever still waits gets an error."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        import torch

        torch.set_num_threads(self._threads)
        while self._await_work():
            self._work_between()
            try:
                self._admit()
                if self._running:
                    self._decoder.step()
                    self._steps_since_join += 1
                    self._settle()
            except Exception as problem:  # out of memory, a model that cannot run here: told, not fatal
                self._fail(problem)
        self._fail(None)

    def _work_between(self) -> None:
        """One thing that is no part of the batch, where somebody waits for one."""
        with self._wake:
            if not self._jobs:
                return
            work, done = self._jobs.pop(0)
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(work(self._decoder))
        except Exception as problem:  # out of memory, and whatever else a network raises
            sentence = f"reading failed ({_words(problem)})."
            done.set_exception(ModelUnavailable(sentence, self._name, "transformers", problem))

    def _await_work(self) -> bool:
        with self._wake:
            if self._running or self._entering or self._closed:
                return not self._closed
            while not (self._waiting or self._jobs or self._closed):
                self._wake.wait()
            if self._jobs:
                return not self._closed
        # requests come in bursts, and one batch for the burst is cheaper; a stream is not kept waiting
        for _ in range(GATHERINGS):
            before = list(self._waiting)
            if len(before) >= self.largest_batch or any(ticket.on_text for ticket in before):
                break
            time.sleep(GATHERING_S)
            if len(self._waiting) == len(before):
                break
        return not self._closed

    def _admit(self) -> None:
        """Reads the prompts that enter now. A stream that comes meanwhile is read before the rest."""
        while not self._closed:
            streams = self._take_waiting(streams=True)
            for family in self._planned(streams):
                self._join(family)
            if not self._entering:
                self._entering = self._due()
            if not self._entering:
                return
            self._join(self._entering.pop(0))
            if any(ticket.on_text for ticket in self._running):
                return  # whoever reads along gets a token between two portions

    def _planned(self, tickets: list[Ticket]) -> list[Family]:
        self._tickets.update((ticket.row, ticket) for ticket in tickets)
        found = self._decoder.plan([ticket.row for ticket in tickets])
        for family in found:
            longest = self._decoder.own_tokens(family)
            for row in family.rows:
                self._tickets[row].longest = longest
        return found

    def _take_waiting(self, streams: bool) -> list[Ticket]:
        with self._wake:
            self._waiting = [ticket for ticket in self._waiting if not ticket.row.gone]
            taken = [ticket for ticket in self._waiting if ticket.on_text] if streams else self._waiting
            self._waiting = [ticket for ticket in self._waiting if not ticket.on_text] if streams else []
        return taken

    def _due(self) -> list[Family]:
        """What enters the batch now: as many requests as there is room and memory for."""
        room = self.largest_batch - len(self._running)
        enough = room * 8 >= self.largest_batch or self._steps_since_join >= STEPS_BETWEEN_JOINS
        if room <= 0 or not self._waiting or not (enough or not self._running):
            return []
        waiting = self._take_waiting(streams=False)
        count, found = self._fitting(waiting[:room])
        for ticket in waiting[count:]:
            self._tickets.pop(ticket.row, None)
        with self._wake:  # a stream may have come to the front meanwhile
            self._waiting = [*waiting[count:], *self._waiting]
        return found

    def _fitting(self, tickets: list[Ticket]) -> tuple[int, list[Family]]:
        """How many of them the cache has memory for beside what is running, and how they are read."""
        count, least = len(tickets), 0 if self._running else 1
        while count:
            found = self._planned(tickets[:count])
            longest = max(ticket.longest for ticket in (*self._running, *tickets[:count]))
            rows = len(self._running) + count
            tokens = rows * longest + self._decoder.shared_tokens(found)
            if tokens <= self._largest_cache_tokens or rows == 1:
                self._decoder.expect(rows)
                return count, found
            count = min(count - 1, max(count * self._largest_cache_tokens // tokens, least))
        return 0, []

    def _join(self, family: Family) -> None:
        # listed as running first, so that a failure reaches them as well
        now = time.perf_counter()
        for row in family.rows:
            row.joined_at = now
            self._running.append(self._tickets.pop(row))
        self._decoder.join(family)
        self._steps_since_join = 0
        self._settle()

    def _settle(self) -> None:
        """Gives out what is new, and lets go of the rows that are done."""
        staying: list[Ticket] = []
        for ticket in self._running:
            if ticket.row.broken:
                ticket.answer(ModelRefused(NO_NUMBERS, self._name, "transformers"))
            elif ticket.row.finish is not None:
                ticket.answer()
            elif not ticket.row.gone:
                ticket.tell()
                staying.append(ticket)
        if len(staying) < len(self._running):
            self._running = staying
            self._decoder.sweep()

    def _fail(self, problem: Exception | None) -> None:
        """Tells everybody in the batch; those who have not entered it try again, unless all is over."""
        with self._wake:
            closed = self._closed
            entering = [self._tickets[row] for family in self._entering for row in family.rows]
            self._waiting[:0] = entering
            failing = [*self._running, *(self._waiting if closed else [])]
            self._entering, self._running = [], []
            self._tickets = {}
            unbegun = self._jobs if closed else []
            if closed:
                self._waiting, self._jobs = [], []
        self._decoder.clear()
        sentence = "the model was closed." if problem is None else f"decoding failed ({_words(problem)})."
        for ticket in failing:
            ticket.answer(ModelUnavailable(sentence, self._name, "transformers", problem))
        for _, done in unbegun:
            if done.set_running_or_notify_cancel():
                done.set_exception(self._closed_error())

    def _closed_error(self) -> ModelUnavailable:
        return ModelUnavailable("the model was closed.", self._name, "transformers")


def _words(problem: Exception) -> str:
    return str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__
