"""Executing: every unit of a plan is asked, and stored within half a second of its answer.

Units of one model are worked off by as many coroutines as the model takes requests at once.
Hosted models run side by side; local ones, which share the machine, one after the other, those of
one folder in a row. A model that cannot be loaded, or fails, fails its own units alone. A race asks
for a few rows at a time; its models stay open in between, where the memory allows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.run import Cell, Output, Progress
from workbench.core.sizing import ModelUse
from workbench.engine.asking import Asker
from workbench.engine.calls import CallDesk, storable
from workbench.engine.composing import Composer
from workbench.engine.plan import Plan
from workbench.engine.using import UsedModel
from workbench.engine.workspace import Workspace
from workbench.errors import RunCancelled, WorkbenchError
from workbench.storage import RunRecord
from workbench.storage.completions import StoredCompletion
from workbench.storage.outputs import Unit

FLUSH_S = 0.25
LOOK_AHEAD = 128
"""Units whose cached completions are read in one query."""

OnProgress = Callable[[Progress], None]


@dataclass
class Counters:
    """How far the run is, over this session and the ones before."""

    done: int
    errors: int
    calls: int
    cached: int
    seconds_before: float
    started: float = field(default_factory=time.monotonic)
    recent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Seconds of work, pauses between sessions left out."""
        return self.seconds_before + time.monotonic() - self.started

    def per_second(self) -> float:
        """Units a second over the last ten seconds or so."""
        now = time.monotonic()
        self.recent.append((now, self.done))
        self.recent = [point for point in self.recent if now - point[0] <= 10] or self.recent[-1:]
        earlier, done = self.recent[0]
        if now - earlier < 0.5:
            return self.done / max(now - self.started, 0.001) if self.seconds_before == 0 else 0.0
        return (self.done - done) / (now - earlier)


class Execution:
    """One session of work on a run: `work` asks everything, `ask` a part and `close` ends it.

    They return when all is stored, and raise RunCancelled when a person or the budget stops the run.
    """

    def __init__(
        self,
        workspace: Workspace,
        plan: Plan,
        run: RunRecord,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._workspace = workspace
        self._store = workspace.store
        self._plan = plan
        self._run = run
        self._on_progress = on_progress
        self._composer = Composer(workspace.datasets, plan.dataset)
        self._desk = CallDesk(
            self._store, "" if run.use_cache else run.id, run.budget_usd, spent_usd=run.cost_usd
        )
        self._finished: list[Output] = []
        self._uses: list[ModelUse] = []
        self._loading: str | None = None
        self._models: dict[str, UsedModel] = {}
        self._total = run.total
        self._standing = ""
        self._counters = Counters(run.done, run.errors, run.calls, run.cached, run.seconds)
        self._stored = self._store.outputs.done(run.id)
        self._counters.done = len(self._stored)

    async def work(self) -> None:
        """Asks every unit that has no output yet."""
        try:
            await self.ask(self._plan.cells, range(len(self._plan.dataset.rows)))
        finally:
            await self.close()

    def expect(self, total: int, standing: str) -> None:
        """From here on progress is told against `total` outputs, with `standing` as its words."""
        self._total, self._standing = total, standing

    async def ask(self, cells: Sequence[Cell], positions: Sequence[int], *, keep: bool = False) -> None:
        """Asks the units of these cells and rows that have no output yet.

        `keep`: the models are asked again soon and stay loaded, those that make room for others at least.
        """
        by_model: dict[str, list[Cell]] = {}
        for cell in cells:
            by_model.setdefault(cell.model, []).append(cell)
        for name in [name for name in self._models if name not in by_model]:
            await self._close(name)
        models = {name: self._opened(name) for name in by_model}
        local = _neighbours_together({name: model for name, model in models.items() if model.local})
        kept = {name for name, model in models.items() if keep and (len(local) == 1 or _makes_room(model))}

        async def work_model(name: str) -> None:
            try:
                await self._work_model(models[name], by_model[name], positions)
            finally:
                if name not in kept:
                    await self._close(name)

        async def local_models() -> None:
            for name in local:
                await work_model(name)

        groups = [work_model(name) for name in models if name not in local]
        worker = asyncio.ensure_future(_all_or_first_error([*groups, local_models()]))
        try:
            while not worker.done():
                await asyncio.wait({worker}, timeout=FLUSH_S)
                await asyncio.to_thread(self._store_batch, *self._take())
                if await asyncio.to_thread(self._store.runs.cancel_requested, self._run.id):
                    raise RunCancelled("Cancelled; `resume` goes on from here.")
            worker.result()
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await worker
            self._store_rest()

    async def close(self) -> None:
        """Closes the models that are still open, and stores what they took."""
        for name in list(self._models):
            await self._close(name)
        self._store_rest()

    def _opened(self, name: str) -> UsedModel:
        if name not in self._models:
            self._models[name] = UsedModel(self._workspace.models.open(name), self._note_loading)
        return self._models[name]

    async def _close(self, name: str) -> None:
        model = self._models.pop(name)
        with contextlib.suppress(Exception):  # a model that cannot say what it took
            if use := model.use():
                self._uses.append(use)
        await model.close()

    async def _work_model(self, model: UsedModel, cells: list[Cell], positions: Sequence[int]) -> None:
        askers = {
            cell.index: Asker(
                self._plan.prompts, self._composer, self._desk, model, self._plan.sampling[cell.index]
            )
            for cell in cells
        }
        if model.local and any(self._units(cells, positions)):
            await model.identify()
        feed = self._looked_up(self._units(cells, positions), askers)

        async def serve() -> None:
            for cell, position, repeat in feed:
                await self._unit(askers[cell], cell, position, repeat)

        width = max(1, model.concurrency)
        await _all_or_first_error([serve() for _ in range(width)])

    def _note_loading(self, name: str | None) -> None:
        self._loading = name

    def _units(self, cells: list[Cell], positions: Sequence[int]) -> Iterator[Unit]:
        for position in positions:
            for repeat in range(self._plan.experiment.repeats):
                for cell in cells:
                    unit = (cell.index, position, repeat)
                    if unit not in self._stored:
                        yield unit

    def _looked_up(self, units: Iterator[Unit], askers: dict[int, Asker]) -> Iterator[Unit]:
        """The same units, with the completions that the cache has for them read in bulk."""
        block: list[Unit] = []
        while block := [unit for _, unit in zip(range(LOOK_AHEAD), units, strict=False)]:
            keys: list[str] = []
            for cell, position, repeat in block:
                asker, name = askers[cell], self._plan.cells[cell].prompt
                for leaf in asker.leaf_calls(name, repeat):
                    # a unit that cannot be rendered fails where it is asked, alone
                    with contextlib.suppress(WorkbenchError):
                        keys.append(asker.prepare(leaf, self._plan.dataset.rows[position]))
            self._desk.look_up(keys)
            yield from block

    async def _unit(self, asker: Asker, cell: int, position: int, repeat: int) -> None:
        row = self._plan.dataset.rows[position]
        try:
            output = await asker.output(cell, self._plan.cells[cell].prompt, row, position, repeat)
        except RunCancelled:
            raise
        except WorkbenchError as error:
            output = Output(cell, str(row["id"]), position, repeat, error=storable(str(error)))
        self._stored.add((cell, position, repeat))
        self._finished.append(output)
        # what comes out of the cache or fails at once never waits: give the writer and cancel a turn
        if output.error is not None or output.calls == output.cached_calls:
            await asyncio.sleep(0)

    def _take(self) -> tuple[list[Output], list[StoredCompletion], list[ModelUse]]:
        # on the event loop's thread, which is the one that appends
        finished, self._finished = self._finished, []
        uses, self._uses = self._uses, []
        return finished, self._desk.take_new(), uses

    def _store_rest(self) -> None:
        rest = self._take()
        if any(rest):
            self._store_batch(*rest)

    def _store_batch(
        self, finished: list[Output], completions: list[StoredCompletion], uses: list[ModelUse]
    ) -> None:
        counters = self._counters
        counters.done += len(finished)
        for output in finished:
            counters.errors += output.error is not None
            counters.calls += output.calls
            counters.cached += output.cached_calls
        message = f"Loading {self._loading}" if self._loading else self._standing
        values: dict[str, Any] = {
            "done": counters.done,
            "errors": counters.errors,
            "calls": counters.calls,
            "cached": counters.cached,
            "cost_usd": self._desk.spent_usd,
            "seconds": counters.seconds,
            "per_second": counters.per_second(),
        }
        self._store.outputs.add(self._run.id, finished, completions, message=message, **values)
        for use in uses:
            self._store.model_uses.add(self._run.id, use)
        if self._on_progress is not None:
            self._on_progress(make_progress(self._run.id, "running", self._total, values, message))


def make_progress(run: str, status: str, total: int, values: dict[str, Any], message: str = "") -> Progress:
    """Progress from a run's counters."""
    rate, left = values["per_second"], total - values["done"]
    return Progress(
        run=run,
        status=status,
        done=values["done"],
        total=total,
        errors=values["errors"],
        calls=values["calls"],
        cached=values["cached"],
        seconds=values["seconds"],
        per_second=rate,
        seconds_left=left / rate if rate > 0 else None,
        cost_usd=values["cost_usd"],
        message=message,
    )


def _makes_room(model: UsedModel) -> bool:
    # an idle model of transformers leaves memory to one that is wanted; llama.cpp keeps what it has
    return not model.local or model.spec.provider == "transformers"


def _neighbours_together(models: dict[str, UsedModel]) -> list[str]:
    """Names in their order, but those with the same weights in a row: what one read, the next finds."""
    folders = dict.fromkeys(model.spec.model for model in models.values())
    return [name for folder in folders for name, model in models.items() if model.spec.model == folder]


async def _all_or_first_error(coroutines: list[Any]) -> None:
    """Waits for all; the first error stops the others and is raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
