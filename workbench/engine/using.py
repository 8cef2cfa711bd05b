"""What a run's models take: how long each was at work, on which machine, and what it held there.

    small@int8  320 calls  9,800 tokens  busy 12.3 s  on Linux x86_64, AMD EPYC 7B13, 2 cores

A model's clock runs while at least one of its calls is under way: answers out of the cache are no
calls, and loading comes before the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from workbench.core.model import ChatMessage, Completion, LocalModel, Model, Request
from workbench.core.sizing import ModelUse
from workbench.errors import ModelError, ModelUnavailable, WorkbenchError

PROCESSORS = Path("/proc/cpuinfo")
NVIDIA = Path("/proc/driver/nvidia/gpus")
LONGEST_NAME = 200


class UsedModel:
    """A model at work in one session of a run: the same model, with a clock and a count of tokens.

    A local model is loaded before its first call, and only when a call is really made. What fails
    there, or in telling which weights it has, is not tried again: every later call gets the same
    error at once.

    Args:
        on_loading: told the model's name when it begins to load, and None when that is over.
    """

    def __init__(self, model: Model, on_loading: Callable[[str | None], None] | None = None) -> None:
        self.model = model
        self.spec = model.spec
        self.concurrency = model.concurrency
        self.context = model.context
        self.local = model.local
        self._on_loading = on_loading
        self._loading = asyncio.Lock()
        self._loaded = not (model.local and hasattr(model, "warm"))
        self._identity: str | None = None
        self._problem: ModelError | None = None
        self._calls = self._prompt_tokens = self._completion_tokens = self._cached_tokens = 0
        self._busy_s = self._busy_since = 0.0
        self._under_way = 0

    async def complete(self, request: Request) -> Completion:
        """Answers one request. Raises WorkbenchError, whatever it is that goes wrong."""
        if not self._loaded:
            await self._load()
        with self._clock():
            try:
                completion = await self.model.complete(request)
            except WorkbenchError:
                raise
            except Exception as error:  # a fault in one model's code is no reason to end the others' work
                raise self._failure("failed on a request", error) from error
        self._calls += 1
        self._prompt_tokens += completion.prompt_tokens
        self._completion_tokens += completion.completion_tokens
        self._cached_tokens += completion.cached_tokens
        return completion

    def stream(self, request: Request) -> AsyncIterator[str]:
        """Pieces of text as they come, off the clock."""
        return self.model.stream(request)

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the messages as the model sees them."""
        return self.model.count_tokens(messages)

    async def identify(self) -> None:
        """Finds out the identity in a thread of its own: files are hashed, or fetched from the hub first.

        Raises nothing: what is wrong, `identity` says.
        """
        self._tell(self.spec.name)
        try:
            with contextlib.suppress(ModelError):
                await asyncio.to_thread(self.identity)
        finally:
            self._tell(None)

    def identity(self) -> str:
        """Hash of what decides the outputs. Raises ModelError, the same one each time."""
        self._raise_known()
        if self._identity is None:
            try:
                self._identity = self.model.identity()
            except Exception as error:
                self._problem = self._failure("cannot be identified", error)
                raise self._problem from error
        return self._identity

    async def close(self) -> None:
        """Frees the model's memory and connections; a failure of that concerns nobody else."""
        with contextlib.suppress(Exception):
            await self.model.close()

    def use(self) -> ModelUse | None:
        """What it did and took so far; None where nothing was asked of it. Ask before closing it.

        No calls: all that was asked was in the cache. Earlier figures of the same weights then serve.
        """
        if self._identity is None or (self._problem is not None and not self._calls):
            return None
        footprint = self.model.footprint() if isinstance(self.model, LocalModel) else None
        return ModelUse(
            self.spec.name,
            self._identity,
            machine_name(),
            self._calls,
            self._prompt_tokens,
            self._completion_tokens,
            self._cached_tokens,
            self._busy_s,
            footprint,
        )

    async def _load(self) -> None:
        async with self._loading:
            self._raise_known()
            if self._loaded:
                return
            self._tell(self.spec.name)
            try:
                await self.model.warm()  # type: ignore[attr-defined]
            except Exception as error:
                self._problem = self._failure("cannot be loaded", error)
                raise self._problem from error
            finally:
                self._tell(None)
            self._loaded, self.context = True, self.model.context

    @contextlib.contextmanager
    def _clock(self) -> Iterator[None]:
        if self._under_way == 0:
            self._busy_since = time.perf_counter()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._busy_s += time.perf_counter() - self._busy_since

    def _raise_known(self) -> None:
        if self._problem is not None:
            raise self._problem.with_traceback(None)

    def _failure(self, what: str, error: Exception) -> ModelError:
        if isinstance(error, ModelError) and error.model is not None:
            return error
        name, provider = self.spec.name, self.spec.provider
        if isinstance(error, ModelError):
            return type(error)(error.problem, name, error.provider or provider, error.original)
        words = (str(error).strip().splitlines() or [""])[0][:300].rstrip(".")
        return ModelUnavailable(
            f"{what} ({type(error).__name__}{': ' + words if words else ''}).", name, provider, error
        )

    def _tell(self, name: str | None) -> None:
        if self._on_loading is not None:
            self._on_loading(name)


@cache
def machine_name() -> str:
    """A short stable name of this machine's kind: system, processor, cores, NVIDIA accelerators.

    Figures are compared only where it is the same. It names no host, and it is read from the
    system, not from torch, so that a page which never loads a model finds what a run has measured.
    """
    parts = [f"{platform.system()} {platform.machine()}", _processor(), _counted(_cores(), "core")]
    cards = _accelerators()
    parts += [f"{cards.count(card)} × {card}" for card in dict.fromkeys(cards)]
    return ", ".join(part for part in parts if part)[:LONGEST_NAME]


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", PROCESSORS.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        found = None
    name = found[1] if found else platform.processor()
    return "" if name == platform.machine() else " ".join(name.split())


def _cores() -> int:
    # what this process may use: a container's share is what its speed depends on
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _accelerators() -> list[str]:
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return []
    found = []
    for file in sorted(NVIDIA.glob("*/information")):
        try:
            model = re.search(r"^Model:\s*(.+)$", file.read_text("utf-8", "replace"), re.MULTILINE)
        except OSError:
            continue
        found.append(model[1].strip() if model else "NVIDIA")
    return found


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
