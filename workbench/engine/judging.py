"""Judging: a judge prompt is asked about each output of a cell, through the same cache as all calls.

    JudgeDesk(workspace, run, plan).judge("judge-score", "small", outputs, {"samples": 1, …})
    [Judgement(score=4.0, reason="Right, but it does not say why."), Judgement(score=None, reason="The …")]

What a judge says is kept within half a second, so that after a kill only what was in flight is asked
again; a person's cancel and the run's budget stop it as they stop the run itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.core.prompt import Prompt
from workbench.engine.calls import CallDesk
from workbench.engine.cell_judging import CellJudging, Question
from workbench.engine.composing import Composer
from workbench.engine.execute import OnProgress, make_progress
from workbench.engine.plan import Plan
from workbench.engine.using import UsedModel
from workbench.engine.workspace import Workspace
from workbench.errors import MetricError, RunCancelled
from workbench.metrics import CellOutputs, Judgement
from workbench.storage import RunRecord

FLUSH_S = 0.25
TOLD_EVERY_S = 2.0


class JudgeDesk:
    """Judges the cells of one run. Models stay open between cells; `close` frees them."""

    def __init__(
        self, workspace: Workspace, run: RunRecord, plan: Plan, on_progress: OnProgress | None = None
    ) -> None:
        self._workspace, self._plan, self._run = workspace, plan, run
        self._on_progress, self._told_s = on_progress, 0.0
        self._runner = asyncio.Runner()
        self._composer = Composer(workspace.datasets, plan.dataset)
        self._models: dict[str, UsedModel] = {}
        # the counters as the run's own calls left them, not as they were when it began
        now = workspace.store.runs.get(run.id) or run
        self._calls, self._cached, self._seconds = now.calls, now.cached, now.seconds
        self._done, self._errors = now.done, now.errors
        self._started = time.monotonic()
        self._desk = CallDesk(
            workspace.store, "" if run.use_cache else run.id, run.budget_usd, spent_usd=now.cost_usd
        )
        self._loading: str | None = None

    def judge(
        self, judge: str, model: str, outputs: CellOutputs, settings: Mapping[str, Any]
    ) -> list[Judgement]:
        """What the judge makes of each output. Raises RunCancelled, and MetricError for an unknown judge."""
        prompt = self._plan.prompts.get(judge)
        if not isinstance(prompt, Prompt) or prompt.rubric is None:
            raise MetricError(f"The run was not planned with a judge '{judge}'; add it to a new run.")
        if model not in self._models:
            self._models[model] = UsedModel(self._workspace.models.open(model), self._note_loading)
        opened = self._models[model]
        cell = CellJudging(prompt, prompt.rubric, opened, outputs, settings, self._composer, self._desk)
        self._runner.run(self._work(cell))
        return cell.judgements()

    def close(self) -> None:
        """Frees the models."""

        async def close_all() -> None:
            for model in self._models.values():
                await model.close()

        try:
            self._runner.run(close_all())
        finally:
            self._runner.close()

    async def _work(self, cell: CellJudging) -> None:
        if cell.model.local and cell.total:
            await cell.model.identify()
        feed = cell.questions()
        tasks = {
            asyncio.ensure_future(self._serve(cell, feed)) for _ in range(max(1, cell.model.concurrency))
        }
        pending = tasks
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=FLUSH_S, return_when=asyncio.FIRST_EXCEPTION
                )
                for task in done:
                    task.result()
                await asyncio.to_thread(self._store, cell.progress(self._loading))
                if await asyncio.to_thread(self._workspace.store.runs.cancel_requested, self._run.id):
                    raise RunCancelled("Cancelled; `resume` goes on from here.")
            # only now: a cell that was broken off is asked about anew, mostly out of the cache
            self._calls += cell.calls
            self._cached += cell.cached_calls
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._store(cell.progress(None))

    async def _serve(self, cell: CellJudging, feed: Iterator[Question]) -> None:
        for question in feed:
            if await cell.ask(question):
                await asyncio.sleep(0)  # what comes out of the cache never waits: give cancel a turn

    def _store(self, message: str) -> None:
        values = {
            "calls": self._calls,
            "cached": self._cached,
            "cost_usd": self._desk.spent_usd,
            "seconds": self._seconds + time.monotonic() - self._started,
        }
        self._workspace.store.outputs.add(self._run.id, [], self._desk.take_new(), message=message, **values)
        if self._on_progress is not None and time.monotonic() - self._told_s >= TOLD_EVERY_S:
            self._told_s = time.monotonic()
            so_far = values | {"done": self._done, "errors": self._errors, "per_second": 0.0}
            self._on_progress(make_progress(self._run.id, "running", self._run.total, so_far, message))

    def _note_loading(self, name: str | None) -> None:
        self._loading = name
