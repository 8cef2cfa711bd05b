"""A budget that holds while many calls are in flight: each reserves what the dearest one so far cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workbench.core.model import Price
from workbench.errors import RunCancelled


@dataclass(slots=True)
class Bill:
    """What a call turned out to cost in USD; its maker fills it in."""

    cost_usd: float = 0.0


class Budget:
    """Spending in USD under an optional limit. Until one call has shown its price, one goes alone."""

    def __init__(self, limit_usd: float | None, spent_usd: float = 0.0) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self._dearest_usd: float | None = None
        self._in_flight = 0
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def call(self, price: Price) -> AsyncIterator[Bill]:
        """Waits for room, then lets one call through. Raises RunCancelled when there will be none."""
        if self.limit_usd is None or not (price.prompt or price.completion):
            bill = Bill()
            yield bill
            self.spent_usd += bill.cost_usd
            return
        await self._wait_for_room(self.limit_usd)
        bill = Bill()
        self._in_flight += 1
        try:
            yield bill
        finally:
            self._in_flight -= 1
            self.spent_usd += bill.cost_usd
            if bill.cost_usd:
                self._dearest_usd = max(bill.cost_usd, self._dearest_usd or 0.0)
            self._changed.set()

    async def _wait_for_room(self, limit_usd: float) -> None:
        while not self._has_room(limit_usd):
            if self._in_flight == 0:
                raise RunCancelled(
                    f"Stopped at the budget of {limit_usd:g} USD ({self.spent_usd:.4f} USD spent); "
                    "raise it and resume to go on."
                )
            self._changed.clear()
            await self._changed.wait()

    def _has_room(self, limit_usd: float) -> bool:
        if self._dearest_usd is None:
            return self._in_flight == 0 and self.spent_usd < limit_usd
        return self.spent_usd + (self._in_flight + 1) * self._dearest_usd <= limit_usd
