"""How fast a model is here, in about half a minute and through its public calls alone.

small on Linux x86_64, 2 cores    load 3.1 s, first token 0.02 s
batch   prefill tokens/s   decode tokens/s
    1              4,100               310
    8              9,800             1,450

Each figure has a time box. Work is sized by what was measured before, so that a slow model is asked for
less, and a figure that does not fit its box says so instead of taking longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
import statistics
import string
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench.core.model import ChatMessage, Completion, Footprint, LocalModel, Model, Request
from workbench.core.prompt import DEFAULT_SAMPLING, Sampling
from workbench.engine.using import machine_name
from workbench.engine.workspace import Workspace
from workbench.errors import RunCancelled, UsageError, WorkbenchError

SECONDS = 30.0
BATCHES = (1, 8, 32)
PROMPT_TOKENS = 512
ANSWER_TOKENS = 64
FEWEST_TOKENS = 8
STREAMS = 5
TICK_S = 0.25
# of the whole time, for the first token, and for one batch's prefill and decode
FIRST_SHARE, PREFILL_SHARE, DECODE_SHARE = 0.1, 0.12, 0.18
GRACE = 1.4  # a box may run over by this factor, to let calls in flight end


@dataclass(frozen=True, slots=True)
class BatchSpeed:
    """Speed with `batch` requests in flight. None: it could not be taken; `note` says why."""

    batch: int
    prefill_tokens_per_s: float | None = None
    """Prompt tokens read a second, those served from a cache left out."""
    decode_tokens_per_s: float | None = None
    """Tokens written a second, over all requests in flight."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """One benchmark of one model on one machine."""

    model: str
    identity: str
    machine: str
    device: str
    taken_at: datetime.datetime
    seconds: float
    """What measuring took, loading left out."""
    load_s: float | None
    """None where it was in memory already, or is not on this machine."""
    first_token_s: float | None
    """Median over some streams of a short prompt."""
    speeds: tuple[BatchSpeed, ...]
    footprint: Footprint | None = None


@dataclass(frozen=True, slots=True)
class BenchmarkProgress:
    """How far a benchmark is."""

    share: float
    """0 to 1, by time."""
    message: str
    seconds_left: float | None
    """None while the model loads: nobody knows."""


OnProgress = Callable[[BenchmarkProgress], None]


def benchmark_model(
    workspace: Workspace,
    name: str,
    seconds: float = SECONDS,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    hosted: bool = False,
) -> BenchmarkResult:
    """Measures a model and keeps the result; loading is timed and comes on top.

    Args:
        name: NAME or NAME@QUANTIZATION.
        seconds: how long measuring takes, about; never more than half as much again.
        on_progress: called four times a second.
        cancelled: asked as often; True stops, and nothing is kept.
        hosted: whether a model that is not on this machine may be called, which may cost money.

    Raises RunCancelled, UsageError for a hosted model without `hosted`, and what the model raises.
    """
    model = workspace.models.open(name)
    if not model.local and not hosted:
        raise UsageError(
            f"'{name}' does not run on this machine: measuring it calls its server some hundred times, which "
            "may cost money; say --hosted if that is meant."
        )
    benchmark = _Benchmark(model, name, seconds, on_progress, cancelled)
    result = asyncio.run(benchmark.take())
    document = benchmark_json(result)
    workspace.store.benchmarks.add(name, result.identity, result.machine, result.device, document)
    return result


def kept_benchmarks(workspace: Workspace, name: str) -> list[BenchmarkResult]:
    """The kept results of a model as it is now, on any machine, newest first."""
    identity = workspace.models.open(name).identity()
    return [benchmark_of(record.result) for record in workspace.store.benchmarks.of_model(identity)]


def benchmark_json(result: BenchmarkResult) -> dict[str, Any]:
    """A result as JSON has it."""
    return asdict(result) | {"taken_at": result.taken_at.isoformat()}


def benchmark_of(document: dict[str, Any]) -> BenchmarkResult:
    """The result that `benchmark_json` wrote."""
    footprint = document.get("footprint")
    return BenchmarkResult(
        **document
        | {
            "taken_at": datetime.datetime.fromisoformat(document["taken_at"]),
            "speeds": tuple(BatchSpeed(**speed) for speed in document["speeds"]),
            "footprint": Footprint(**footprint) if footprint else None,
        }
    )


class _NotTaken(Exception):
    """Why a figure could not be taken, as the end of a sentence."""


class _Benchmark:
    """One measuring: its clock, its words, and what it has learned of the model's pace."""

    def __init__(
        self,
        model: Model,
        name: str,
        seconds: float,
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._model, self._name, self._seconds = model, name, seconds
        self._on_progress, self._cancelled = on_progress, cancelled
        self._message, self._started = "loading the model", 0.0
        # new words every time: what an earlier benchmark read may still be in a cache
        self._words = random.Random()
        self._prefill_pace = self._decode_pace = 0.0  # tokens a second, as last measured
        self._tokens_a_word = self._tokens_around = 0.0

    async def take(self) -> BenchmarkResult:
        """Loads, measures and lets go of the model."""
        watcher = asyncio.create_task(self._watch(asyncio.current_task()))
        try:
            return await self._measure()
        except asyncio.CancelledError:
            if self._cancelled is not None and self._cancelled():
                raise RunCancelled("The benchmark was cancelled; nothing was kept.") from None
            raise
        finally:
            watcher.cancel()
            await self._model.close()

    async def _watch(self, measuring: asyncio.Task[Any] | None) -> None:
        while True:
            if self._cancelled is not None and self._cancelled() and measuring is not None:
                measuring.cancel()
                return
            if self._on_progress is not None:
                passed = time.monotonic() - self._started if self._started else 0.0
                left = max(0.0, self._seconds - passed) if self._started else None
                share = min(1.0, passed / self._seconds)
                self._on_progress(BenchmarkProgress(share, self._message, left))
            await asyncio.sleep(TICK_S)

    async def _measure(self) -> BenchmarkResult:
        model, device, load_s = self._model, "hosted", None
        if isinstance(model, LocalModel):
            before = time.perf_counter()
            device = await model.warm()
            load_s = time.perf_counter() - before
        begun = self._started = time.monotonic()
        await self._warm_up()
        first_token_s = await self._first_token(self._seconds * FIRST_SHARE)
        speeds = [await self._speed(batch) for batch in BATCHES]
        footprint = model.footprint() if isinstance(model, LocalModel) else None
        return BenchmarkResult(
            model=self._name,
            identity=await asyncio.to_thread(model.identity),
            machine=machine_name(),
            device=footprint.device if footprint else device,
            taken_at=datetime.datetime.now(datetime.UTC),
            seconds=time.monotonic() - begun,
            load_s=footprint.load_s if footprint and footprint.load_s else load_s,
            first_token_s=first_token_s,
            speeds=tuple(speeds),
            footprint=footprint,
        )

    async def _warm_up(self) -> None:
        """A call that the first use makes slow, then one each to learn how fast it reads and writes."""
        self._message = "warming up"
        limit_s = self._seconds / 4
        self._prefill_pace = self._decode_pace = 1 / limit_s  # if it is too slow to tell
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._ask(FEWEST_TOKENS, 1)
                before = time.perf_counter()
                read = await self._ask(64, 1)
                between = time.perf_counter()
                self._prefill_pace = (read.prompt_tokens - read.cached_tokens) / max(1e-6, between - before)
                written = await self._ask(FEWEST_TOKENS, FEWEST_TOKENS)
                self._decode_pace = written.completion_tokens / max(1e-6, time.perf_counter() - between)

    async def _first_token(self, box_s: float) -> float | None:
        self._message = "time to the first token"
        found: list[float] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(box_s):
                for _ in range(STREAMS):
                    request, before = self._request(16, FEWEST_TOKENS), time.perf_counter()
                    async with contextlib.aclosing(self._model.stream(request)) as pieces:  # type: ignore[type-var]
                        async for _ in pieces:
                            found.append(time.perf_counter() - before)
                            break
        return statistics.median(found) if found else None

    async def _speed(self, batch: int) -> BatchSpeed:
        speed, notes = BatchSpeed(batch), []
        if batch > self._model.concurrency:
            return replace(speed, note=f"answers {self._model.concurrency} at once")
        self._message = f"prefill, {batch} at once"
        try:
            speed = replace(speed, prefill_tokens_per_s=await self._prefill(batch))
        except _NotTaken as problem:
            notes.append(f"prefill {problem}")
        self._message = f"decode, {batch} at once"
        try:
            speed = replace(speed, decode_tokens_per_s=await self._decode(batch))
        except _NotTaken as problem:
            notes.append(f"decode {problem}")
        return replace(speed, note="; ".join(notes))

    async def _prefill(self, batch: int) -> float:
        box_s = self._seconds * PREFILL_SHARE
        room = PROMPT_TOKENS if self._model.context is None else self._model.context // 2
        # a batch is never slower in all than one by one
        size = min(room, PROMPT_TOKENS, int(self._prefill_pace * box_s / batch / 2))
        done, took_s = await self._box(batch, box_s, max(FEWEST_TOKENS, size), 1)
        fresh = sum(each.prompt_tokens - each.cached_tokens for each in done)
        if fresh <= 0:
            raise _NotTaken("could not be told: every token came from a cache")
        self._prefill_pace = fresh / took_s
        return self._prefill_pace

    async def _decode(self, batch: int) -> float:
        box_s = self._seconds * DECODE_SHARE
        size = min(ANSWER_TOKENS, int(self._decode_pace * box_s / batch / 2))
        done, took_s = await self._box(batch, box_s, FEWEST_TOKENS, max(FEWEST_TOKENS, size))
        written = sum(each.completion_tokens for each in done)
        if not written:
            raise _NotTaken("could not be told: the model wrote nothing")
        self._decode_pace = written / took_s
        return self._decode_pace

    async def _box(
        self, batch: int, box_s: float, prompt_tokens: int, answer_tokens: int
    ) -> tuple[list[Completion], float]:
        """Keeps `batch` requests in flight for the box: the completions, and the seconds to the last."""
        done: list[Completion] = []
        before = time.perf_counter()

        async def ask_on() -> None:
            # nobody starts what would end far behind the others
            while not done or time.perf_counter() - before < box_s * 0.8:
                done.append(await self._ask(prompt_tokens, answer_tokens))

        try:
            async with asyncio.timeout(box_s * GRACE), asyncio.TaskGroup() as group:
                for _ in range(batch):
                    group.create_task(ask_on())
        except TimeoutError:
            raise _NotTaken(f"did not fit into {box_s * GRACE:.0f} s") from None
        except ExceptionGroup as problems:
            ours = [problem for problem in problems.exceptions if isinstance(problem, WorkbenchError)]
            raise (ours or problems.exceptions)[0] from None
        return done, time.perf_counter() - before

    def _ask(self, prompt_tokens: int, answer_tokens: int) -> Awaitable[Completion]:
        return self._model.complete(self._request(prompt_tokens, answer_tokens))

    def _request(self, prompt_tokens: int, answer_tokens: int) -> Request:
        sampling = Sampling(max_tokens=answer_tokens).over(DEFAULT_SAMPLING)
        return Request(self._prompt(prompt_tokens), sampling)

    def _prompt(self, tokens: int) -> tuple[ChatMessage, ...]:
        """Random words, about this many tokens with the chat template; no two prompts begin alike."""
        if not self._tokens_a_word:
            one, many = (self._model.count_tokens(self._message_of(words)) for words in (1, 65))
            self._tokens_a_word = max(0.1, (many - one) / 64)
            self._tokens_around = max(0.0, one - self._tokens_a_word)
        return self._message_of(max(1, round((tokens - self._tokens_around) / self._tokens_a_word)))

    def _message_of(self, words: int) -> tuple[ChatMessage, ...]:
        letters = self._words.choices(string.ascii_lowercase, k=5 * words)
        text = " ".join("".join(letters[place : place + 5]) for place in range(0, len(letters), 5))
        return ({"role": "user", "content": text},)
