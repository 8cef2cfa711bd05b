"""A benchmark ends in its time whatever the model does, is kept, and can be stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.models.tiny import tiny_model
from workbench.core.model import ChatMessage, Completion, ModelSpec, Request
from workbench.engine import Workspace, benchmarking
from workbench.engine.benchmark_process import (
    BenchmarkState,
    benchmark_state,
    cancel_benchmark,
    start_benchmark,
)
from workbench.engine.benchmarking import (
    BATCHES,
    BenchmarkProgress,
    BenchmarkResult,
    benchmark_json,
    benchmark_model,
    benchmark_of,
    kept_benchmarks,
)
from workbench.errors import ModelUnavailable, RunCancelled, RunError, UnknownName, UsageError
from workbench.models import ModelCheck, provider, registry


@dataclass
class Clock:
    """Seconds that pass while a model waits, and at no other time: no busy machine makes them longer."""

    now: float = 1000.0

    def read(self) -> float:
        return self.now


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps to the next thing to do: waiting takes no time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.time = clock.read  # type: ignore[method-assign]
        look = self._selector.select  # type: ignore[attr-defined]

        def leap(timeout: float | None) -> Any:
            clock.now += timeout or 0
            return look(timeout and 0)

        self._selector.select = leap  # type: ignore[attr-defined]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What benchmarks read instead of the machine's clock."""
    clock = Clock()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=lambda: LeapingLoop(clock)) as runner:
            return runner.run(work)

    monkeypatch.setattr(benchmarking, "time", SimpleNamespace(monotonic=clock.read, perf_counter=clock.read))
    monkeypatch.setattr(benchmarking, "asyncio", SimpleNamespace(**vars(asyncio) | {"run": run}))
    return clock


class Paced:
    """A model that takes exactly as long as its name says: `PREFILL/DECODE` seconds a token."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec, self.concurrency, self.context, self.local = spec, 64, None, True
        self._read_s, self._write_s = map(float, spec.model.split("/"))
        self.asked: list[str] = []

    @staticmethod
    def check(spec: ModelSpec) -> ModelCheck:
        return ModelCheck(True, "Ready.")

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request.messages[-1]["content"])
        read, written = self.count_tokens(request.messages), request.sampling.max_tokens or 1
        await asyncio.sleep(read * self._read_s + written * self._write_s)
        return Completion("x", prompt_tokens=read, completion_tokens=written)

    async def stream(self, request: Request) -> AsyncIterator[str]:
        await asyncio.sleep(self.count_tokens(request.messages) * self._read_s + self._write_s)
        yield "x"

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return 10 + 2 * len(messages[-1]["content"].split())

    def identity(self) -> str:
        return f"paced {self.spec.model}"

    async def close(self) -> None:
        self.closed = True


class OneAtOnce(Paced):
    """One that is asked a single thing at a time."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.concurrency = 1


@pytest.fixture(autouse=True)
def _providers() -> Iterator[None]:
    """The two are known while a test lasts, and to no other test."""
    provider("paced")(Paced)
    provider("one_at_once")(OneAtOnce)
    yield
    for name in ("paced", "one_at_once"):
        del registry._PROVIDERS[name]


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "workspace"
    for folder in ("prompts", "experiments"):
        (root / folder).mkdir(parents=True)
    opened = Workspace.open(root)
    yield opened
    opened.close()


def add(ws: Workspace, name: str, model: str, kind: str = "paced") -> str:
    ws.models.add(ModelSpec(name=name, provider=kind, model=model))
    return name


@pytest.mark.usefixtures("clock")
def test_speeds_are_those_of_the_model(ws: Workspace) -> None:
    result = benchmark_model(ws, add(ws, "steady", "0.00005/0.002"), seconds=6)
    assert [speed.batch for speed in result.speeds] == list(BATCHES)
    for speed in result.speeds:
        assert not speed.note
        # 20,000 and 500 tokens a second for each request, less the one token or short prompt beside
        assert speed.decode_tokens_per_s is not None
        assert 0.95 * 500 * speed.batch < speed.decode_tokens_per_s <= 500 * speed.batch
        assert speed.prefill_tokens_per_s is not None
        assert 0.9 * 20_000 * speed.batch < speed.prefill_tokens_per_s <= 20_000 * speed.batch
    assert result.first_token_s == pytest.approx(0.0028, abs=0.0002)
    assert 3 < result.seconds < 6


@pytest.mark.usefixtures("clock")
def test_the_result_is_kept_with_date_and_machine(ws: Workspace) -> None:
    name = add(ws, "steady", "0.0001/0.001")
    first = benchmark_model(ws, name, seconds=2)
    second = benchmark_model(ws, name, seconds=2)
    assert kept_benchmarks(ws, name) == [second, first]
    assert first.machine
    assert first.taken_at < second.taken_at
    assert benchmark_of(benchmark_json(first)) == first


@pytest.mark.usefixtures("clock")
def test_no_prompt_is_asked_twice_or_begins_like_another(ws: Workspace) -> None:
    model = Paced(ModelSpec(name="steady", provider="paced", model="0.0001/0.001"))
    benchmarking.asyncio.run(benchmarking._Benchmark(model, "steady", 2, None, None).take())
    assert len(model.asked) > sum(BATCHES)
    assert len({text[:5] for text in model.asked}) > 0.99 * len(model.asked)
    assert model.closed


@pytest.mark.usefixtures("clock")
def test_a_slow_model_is_asked_for_less(ws: Workspace) -> None:
    result = benchmark_model(ws, add(ws, "slow", "0.002/0.03"), seconds=6)
    assert result.seconds < 9
    assert all(speed.decode_tokens_per_s for speed in result.speeds)


def test_a_model_that_is_too_slow_says_so_and_takes_no_longer(ws: Workspace, clock: Clock) -> None:
    result = benchmark_model(ws, add(ws, "stuck", "9/9"), seconds=2)
    assert clock.now < 1003.5
    assert result.first_token_s is None
    for speed in result.speeds:
        assert speed.prefill_tokens_per_s is None
        assert speed.decode_tokens_per_s is None
        assert "prefill did not fit" in speed.note
        assert "decode did not fit" in speed.note


@pytest.mark.usefixtures("clock")
def test_more_at_once_than_the_model_takes_is_not_measured(ws: Workspace) -> None:
    result = benchmark_model(ws, add(ws, "one", "0.0001/0.001", "one_at_once"), seconds=1)
    assert [speed.note for speed in result.speeds] == [
        "",
        "answers 1 at once",
        "answers 1 at once",
    ]


@pytest.mark.usefixtures("clock")
def test_progress_is_told_with_the_time_left(ws: Workspace) -> None:
    seen: list[BenchmarkProgress] = []
    benchmark_model(ws, add(ws, "steady", "0.0001/0.001"), seconds=3, on_progress=seen.append)
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares)
    assert {"decode, 1 at once", "prefill, 32 at once"} <= {progress.message for progress in seen}
    assert seen[-1].seconds_left is not None
    assert seen[-1].seconds_left < 2


def test_a_cancelled_benchmark_stops_and_keeps_nothing(ws: Workspace, clock: Clock) -> None:
    name = add(ws, "stuck", "9/9")
    with pytest.raises(RunCancelled):
        benchmark_model(ws, name, seconds=30, cancelled=lambda: clock.now > 1000.5)
    assert clock.now < 1001
    assert kept_benchmarks(ws, name) == []


def test_a_hosted_model_is_not_called_unless_meant(ws: Workspace) -> None:
    spec = ModelSpec(name="gpt", provider="openai", model="gpt", base_url="http://127.0.0.1:9/v1")
    ws.models.add(spec)
    with pytest.raises(UsageError, match="may cost money"):
        benchmark_model(ws, "gpt", seconds=1)


def test_what_the_model_says_is_wrong_is_told(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="there is no folder"):
        benchmark_model(ws, add(ws, "gone", str(tmp_path / "gone"), "transformers"), seconds=1)
    with pytest.raises(UnknownName):
        benchmark_model(ws, "nobody", seconds=1)


@pytest.mark.timeout(300)
def test_a_real_model_is_measured(ws: Workspace, tmp_path: Path) -> None:
    name = add(ws, "tiny", str(tiny_model(tmp_path / "tiny", context=512)), "transformers")
    result: BenchmarkResult = benchmark_model(ws, name, seconds=6)
    for speed in result.speeds:  # on a busy machine some of it takes longer than its time
        assert speed.prefill_tokens_per_s or "prefill did not fit" in speed.note
        assert speed.decode_tokens_per_s or "decode did not fit" in speed.note
    assert any(speed.prefill_tokens_per_s or speed.decode_tokens_per_s for speed in result.speeds)
    assert result.device == "cpu"
    assert result.load_s


# --- in a process of its own


def wait_for(ws: Workspace, found: Callable[[BenchmarkState], bool], most_s: float = 120) -> BenchmarkState:
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        state = benchmark_state(ws)
        if state is not None and found(state):
            return state
        time.sleep(0.2)
    raise AssertionError(f"still {benchmark_state(ws)}")


@pytest.mark.timeout(300)
def test_a_page_starts_one_polls_it_and_cancels_it(ws: Workspace, tmp_path: Path) -> None:
    assert benchmark_state(ws) is None
    name = add(ws, "tiny", str(tiny_model(tmp_path / "tiny", context=512)), "transformers")
    start_benchmark(ws, name)
    with pytest.raises(RunError, match="two at once"):
        start_benchmark(ws, name)
    assert wait_for(ws, lambda state: state.share > 0.02).seconds_left is not None
    cancel_benchmark(ws)
    assert wait_for(ws, lambda state: state.status != "running").status == "cancelled"
    assert kept_benchmarks(ws, name) == []


@pytest.mark.timeout(300)
def test_what_goes_wrong_in_the_process_reaches_the_page(ws: Workspace, tmp_path: Path) -> None:
    start_benchmark(ws, add(ws, "gone", str(tmp_path / "gone"), "transformers"))
    state = wait_for(ws, lambda state: state.status != "running")
    assert state.status == "failed"
    assert "there is no folder" in state.message


def test_a_benchmark_whose_process_died_is_not_called_running(ws: Workspace) -> None:
    from workbench.engine.benchmark_process import _write

    _write(ws, BenchmarkState("small", "running", 0.5, started_at=time.time() - 100))
    state = benchmark_state(ws)
    assert state is not None
    assert (state.status, state.message) == ("failed", "It was interrupted; start it again.")


def test_a_damaged_state_file_is_no_state(ws: Workspace) -> None:
    ws.state_dir.mkdir(exist_ok=True)
    (ws.state_dir / "benchmark.json").write_text('{"model": ')
    assert benchmark_state(ws) is None
