"""Calls: every request to a model goes through one desk that answers from the cache when it can.

The desk keeps a bounded number of requests in flight per model, makes one call where several
units ask the same at once, and collects what is new until the run stores it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.core.document import content_hash
from workbench.core.model import Completion, Model, Request, cost_usd, request_key
from workbench.engine.budget import Budget
from workbench.errors import RunCancelled
from workbench.storage import Store
from workbench.storage.completions import StoredCompletion


@dataclass(frozen=True, slots=True)
class Answered:
    """A completion, and whether it was there already."""

    key: str
    completion: Completion
    cost_usd: float
    cached: bool


class CallDesk:
    """Answers requests for one run.

    Args:
        salt: empty to share the cache with every run; a run's id keeps its calls to itself
            (`--no-cache`), while a resume of that run still finds them.
        budget_usd: no call is made that would probably carry the run's spending beyond this.
    """

    def __init__(
        self, store: Store, salt: str = "", budget_usd: float | None = None, spent_usd: float = 0.0
    ) -> None:
        self._store = store
        self._salt = salt
        self._budget = Budget(budget_usd, spent_usd)
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._identities: dict[str, str] = {}
        self._pending: dict[str, asyncio.Future[Answered]] = {}
        self._known: dict[str, Completion] = {}
        self._absent: set[str] = set()
        self._new: list[StoredCompletion] = []

    def key(self, model: Model, request: Request, sample: int) -> str:
        """The cache key of a call in this run."""
        name = model.spec.name
        if name not in self._identities:
            self._identities[name] = model.identity()
        key = request_key(self._identities[name], request, sample)
        return content_hash([self._salt, key]) if self._salt else key

    def look_up(self, keys: Sequence[str]) -> None:
        """Reads many keys from the cache at once; `call` then finds them in memory."""
        new = [key for key in keys if key not in self._known]
        found = self._store.completions.get_many(new)
        self._known |= found
        self._absent.update(key for key in new if key not in found)

    async def call(self, model: Model, request: Request, sample: int, key: str | None = None) -> Answered:
        """One answer, from memory, the cache, a call under way, or a new call. Raises ModelError.

        `key` is the call's own key, where the caller has worked it out already.
        """
        key = key or self.key(model, request, sample)
        known = self._known.get(key)
        if known is None and key in self._pending:
            return replace(await asyncio.shield(self._pending[key]), cached=True, cost_usd=0.0)
        if known is None and key not in self._absent:
            known = self._store.completions.get_many([key]).get(key)
        if known is not None:
            return Answered(key, known, 0.0, cached=True)
        future = asyncio.get_running_loop().create_future()
        self._pending[key] = future
        try:
            answered = await self._make(key, model, request)
        except BaseException as error:
            future.set_exception(
                error if isinstance(error, Exception) else RunCancelled("The run was stopped.")
            )
            future.exception()  # nobody else may be waiting: mark it as seen
            raise
        finally:
            del self._pending[key]
        future.set_result(answered)
        return answered

    async def _make(self, key: str, model: Model, request: Request) -> Answered:
        name = model.spec.name
        if name not in self._slots:
            self._slots[name] = asyncio.Semaphore(max(1, model.concurrency))
        async with self._slots[name], self._budget.call(model.spec.price) as bill:
            completion = await model.complete(request)
            bill.cost_usd = cost = cost_usd(model.spec.price, completion)
        completion = replace(completion, text=storable(completion.text))
        self._known[key] = completion
        self._new.append(StoredCompletion(key, name, completion, cost))
        return Answered(key, completion, cost, cached=False)

    @property
    def spent_usd(self) -> float:
        """What this run has spent, earlier sessions included."""
        return self._budget.spent_usd

    def take_new(self) -> list[StoredCompletion]:
        """Hands over the completions that are not stored yet."""
        new, self._new = self._new, []
        return new


def storable(text: str) -> str:
    """Text that every database takes: NUL and lone surrogates become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text
