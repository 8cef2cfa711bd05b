"""The thread that decodes: requests of any event loop join its batch while it runs.

Streams go first, because somebody is looking; the others join a few at a time, since reading one prompt
alone costs nearly as much as reading sixteen.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from workbench.errors import ModelUnavailable, WorkbenchError
from workbench.models.local.decoding import Decoder, Row, groups

GATHERING_S = 0.003
GATHERINGS = 8
PADDED_TOKENS = 2048
STEPS_BETWEEN_JOINS = 16


@dataclass(eq=False)
class Ticket:
    """A row, and who waits for it."""

    row: Row
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Row]
    on_text: Callable[[], None] | None = None
    """Called in the event loop after every step, where somebody reads along."""

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
        largest_cache_tokens: rows times their longest possible length, at most.
        threads: how many threads one operation may use.
    """

    def __init__(self, decoder: Decoder, largest_batch: int, largest_cache_tokens: int, threads: int) -> None:
        self._decoder = decoder
        self.largest_batch = largest_batch
        self._largest_cache_tokens, self._threads = largest_cache_tokens, threads
        self._waiting: list[Ticket] = []
        self._entering: list[list[Ticket]] = []
        self._running: list[Ticket] = []
        self._wake = threading.Condition()
        self._closed = False
        self._steps_since_join = 0
        self._thread = threading.Thread(target=self._work, name="decoding", daemon=True)
        self._thread.start()

    def submit(self, ticket: Ticket) -> None:
        """Adds a request; its future is settled in its own event loop."""
        with self._wake:
            if self._closed:
                raise ModelUnavailable("the model was closed.")
            self._waiting.append(ticket)
            self._wake.notify()

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
            try:
                self._entering = self._joining()
                while self._entering:
                    self._join(self._entering.pop(0))
                if self._running:
                    self._decoder.step()
                    self._steps_since_join += 1
                    self._settle()
            except Exception as problem:  # out of memory, a model that cannot run here: told, not fatal
                self._fail(problem)
        self._fail(None)

    def _await_work(self) -> bool:
        with self._wake:
            if self._running or self._closed:
                return not self._closed
            while not self._waiting and not self._closed:
                self._wake.wait()
        # requests come in bursts, and one batch for the burst is cheaper; a stream is not kept waiting
        for _ in range(GATHERINGS):
            before = list(self._waiting)
            if len(before) >= self.largest_batch or any(ticket.on_text for ticket in before):
                break
            time.sleep(GATHERING_S)
            if len(self._waiting) == len(before):
                break
        return not self._closed

    def _joining(self) -> list[list[Ticket]]:
        """The groups of requests that enter the batch now."""
        with self._wake:
            self._waiting = [ticket for ticket in self._waiting if not ticket.row.gone]
            streams = [ticket for ticket in self._waiting if ticket.on_text]
            room = self.largest_batch - len(self._running)
            many = (
                len(self._waiting) * 4 >= self.largest_batch or len(self._running) * 2 <= self.largest_batch
            )
            due = not self._running or many or self._steps_since_join >= STEPS_BETWEEN_JOINS
            if not self._waiting or not (streams or (due and room > 0)):
                return []
            others = [ticket for ticket in self._waiting if not ticket.on_text]
            # a stream may enter a full batch: somebody is looking, and it is only one row more
            entering = [*streams, *(others[: max(0, room - len(streams))] if due else [])]
            entering = self._fitting(entering)
            gone = set(map(id, entering))
            self._waiting = [ticket for ticket in self._waiting if id(ticket) not in gone]
        return self._grouped(entering)

    def _fitting(self, entering: list[Ticket]) -> list[Ticket]:
        longest = max((_longest(ticket) for ticket in self._running), default=0)
        fitting: list[Ticket] = []
        for ticket in entering:
            longest = max(longest, _longest(ticket))
            rows = len(self._running) + len(fitting) + 1
            if rows > 1 and rows * longest > self._largest_cache_tokens:
                break
            fitting.append(ticket)
        return fitting

    def _grouped(self, entering: list[Ticket]) -> list[list[Ticket]]:
        by_row = {id(ticket.row): ticket for ticket in entering}
        streams = [ticket.row for ticket in entering if ticket.on_text]
        others = [ticket.row for ticket in entering if not ticket.on_text]
        found = [*groups(streams, PADDED_TOKENS), *groups(others, PADDED_TOKENS)]
        return [[by_row[id(row)] for row in group] for group in found]

    def _join(self, group: list[Ticket]) -> None:
        # listed as running first, so that a failure reaches them as well
        self._running.extend(group)
        now = time.perf_counter()
        for ticket in group:
            ticket.row.joined_at = now
        self._decoder.join([ticket.row for ticket in group])
        self._steps_since_join = 0
        self._settle()

    def _settle(self) -> None:
        """Gives out what is new, and lets go of the rows that are done."""
        staying: list[Ticket] = []
        for ticket in self._running:
            if ticket.row.finish is not None:
                ticket.answer()
            elif not ticket.row.gone:
                ticket.tell()
                staying.append(ticket)
        if len(staying) < len(self._running):
            self._running = staying
            self._decoder.sweep()

    def _fail(self, problem: Exception | None) -> None:
        with self._wake:
            closed = self._closed
            self._waiting[:0] = [ticket for group in self._entering for ticket in group]
            failing = [*self._running, *(self._waiting if closed else [])]
            self._entering, self._running = [], []
            if closed:
                self._waiting = []
        self._decoder.clear()
        words = str(problem).splitlines()[0][:200] if problem and str(problem) else type(problem).__name__
        sentence = "the model was closed." if problem is None else f"decoding failed ({words})."
        for ticket in failing:
            ticket.answer(ModelUnavailable(sentence, provider="transformers", original=problem))


def _longest(ticket: Ticket) -> int:
    return len(ticket.row.prompt) + ticket.row.limit
