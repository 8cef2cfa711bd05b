"""Loaded models of this process: what equal rows want is in memory once, however many use it.

A model that is wanted and does not fit beside the others takes the place of those that answer nobody just
then, the longest unused first; their users load them again when they are asked next.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.core.model import Footprint
from workbench.errors import ModelUnavailable
from workbench.models.local import process_memory
from workbench.models.local.chat import ChatTokenizer
from workbench.models.local.fitting import Demand, DoesNotFit, cache_tokens, check_fit, gigabytes, shortened
from workbench.models.local.libraries import library_bytes
from workbench.models.local.loading import Wanted, device_name, load
from workbench.models.local.memory import MemoryEstimate, cache_bytes_per_token, free_memory, prefix_bytes
from workbench.models.local.quantization import QUANTIZATIONS
from workbench.models.local.rows import Ids
from workbench.models.local.tensors import read_tensors
from workbench.models.local.weights import context_tokens

DEFAULT_THREADS = max(1, (os.cpu_count() or 2) // 2)
DEFAULT_CONTEXT = 2048
USUAL_CACHE_BYTES = 2**30
"""Attention cache of a model whose row does not say how many requests it takes at once."""
WAIT_S = 10.0
"""How long a model waits for the others to finish what they are at, where it does not fit beside them."""


@dataclass(frozen=True, slots=True)
class Use:
    """How a row's user means to use its model."""

    largest_batch: int
    """Requests at once, at most."""
    context: int | None = None
    """Tokens of one request, where the row says it; else what the model's files say."""
    stated_batch: bool = False
    """Whether the row says `largest_batch` itself."""

    @property
    def exact(self) -> bool:
        """Whether all of it has to fit, instead of as much of it as there is memory for."""
        return self.stated_batch and self.context is not None


@dataclass(eq=False)
class Resident:
    """A model in memory with its decoding thread."""

    chat: ChatTokenizer
    batcher: Any
    context: int | None
    device: str
    end_ids: set[int]
    name: str
    parameters: int
    disk_bytes: int
    load_s: float
    estimate: MemoryEstimate
    cache_tokens: int
    """Tokens that there is attention cache for: no request may take more with its answer."""
    vocabulary: int
    """Logits of one token."""
    before_bytes: int
    """What the process held before, libraries included."""
    virtual: Ids = ()
    """Ids of the virtual tokens that every prompt begins with."""
    users: int = 0
    answering: int = 0
    used_at: float = field(default_factory=time.monotonic)
    gone: bool = False
    """Set when its memory was given to another model."""
    peak_bytes: int = 0

    def enter(self) -> bool:
        """Says that a request begins; False where the model is gone and has to be loaded again."""
        with _CHANGED:
            if self.gone:
                return False
            self.answering += 1
            return True

    def leave(self) -> None:
        """Says that a request has ended."""
        with _CHANGED:
            self.answering -= 1
            self.used_at = time.monotonic()
            _CHANGED.notify_all()

    def sample(self) -> int:
        """The most memory that it took so far, in bytes, what the libraries take included."""
        with _CHANGED:
            others = any(one is not self and one.answering for one in _RESIDENTS.values())
            if not self.gone and not (others and self.peak_bytes):
                grown = max(0, process_memory.peak_bytes() - self.before_bytes)
                self.peak_bytes = max(self.peak_bytes, grown + library_bytes())
            return self.peak_bytes

    def footprint(self) -> Footprint:
        """What it takes on this machine, so far."""
        return Footprint(
            device=self.device,
            disk_bytes=self.disk_bytes,
            memory_bytes=self._device_bytes() if self.device.startswith("cuda") else self.sample(),
            parameters=self.parameters,
            load_s=self.load_s,
            estimated_bytes=self.estimate.total_bytes,
        )

    def _device_bytes(self) -> int:
        import torch

        return int(torch.cuda.max_memory_reserved(self.device))


_RESIDENTS: dict[tuple[Any, ...], Resident] = {}
_CHANGED = threading.Condition(threading.RLock())
_LOADING = threading.Lock()  # one after the other, so that each sees what the one before it left


def thread_count() -> int:
    """Threads an operation may use: WORKBENCH_THREADS, else half the processors."""
    stated = os.environ.get("WORKBENCH_THREADS", "")
    return max(1, int(stated)) if stated.isdigit() else DEFAULT_THREADS


class Lease:
    """One user's hold on a resident model. The last one to let go frees its memory."""

    def __init__(self, wanted: Wanted, use: Use) -> None:
        """Waits while the model is loaded. Raises ModelUnavailable, DoesNotFit where memory is short."""
        self._key = wanted.key()
        self.resident = self._taken(use) or self._loaded(wanted, use)
        self._held = True

    def release(self) -> None:
        """Lets go; a second call does nothing."""
        with _CHANGED:
            if not self._held:
                return
            self._held = False
            self.resident.users -= 1
            last = self.resident.users == 0 and not self.resident.gone
            if last:
                del _RESIDENTS[self._key]
        if last:
            _free(self.resident)

    def _taken(self, use: Use) -> Resident | None:
        with _CHANGED:
            found = _RESIDENTS.get(self._key)
            if found is not None:
                found.users += 1
                found.used_at = time.monotonic()
                found.batcher.largest_batch = max(found.batcher.largest_batch, use.largest_batch)
            return found

    def _loaded(self, wanted: Wanted, use: Use) -> Resident:
        with _LOADING:
            found = self._taken(use)  # by whoever loaded it while this one waited
            if found is not None:
                return found
            try:
                found = _resident(wanted, use)
            except ModelUnavailable as problem:
                process_memory.give_back()
                if problem.model is not None:
                    raise
                raise ModelUnavailable(
                    f"cannot be loaded: {problem.problem}", wanted.name, "transformers", problem
                ) from None
            except BaseException:
                process_memory.give_back()
                raise
            with _CHANGED:
                _RESIDENTS[self._key] = found
                found.users += 1
            found.sample()
            return found


def _resident(wanted: Wanted, use: Use) -> Resident:
    from workbench.models.local.batching import Batcher
    from workbench.models.local.decoding import Decoder
    from workbench.models.local.prefixes import virtual_ids

    device = device_name(wanted.quantization, wanted.device, wanted.name)
    demand, free = _with_room(_demand(wanted, use, device), use)
    before, started = process_memory.resident_bytes(), time.perf_counter()
    process_memory.forget_peak()
    with process_memory.separate_blocks():
        loaded = load(wanted)
        if QUANTIZATIONS[wanted.quantization].bits < 16:
            _leave_file(loaded.network)
    process_memory.give_back()
    load_s = time.perf_counter() - started
    tensors = read_tensors(wanted.folder)
    tokens = cache_tokens(demand, free)
    kept = prefix_bytes(tokens * cache_bytes_per_token(wanted.folder, wanted.quantization))
    batcher = Batcher(
        Decoder(loaded.network, loaded.end_ids, loaded.chat.padding_id, kept, loaded.virtual),
        use.largest_batch,
        tokens,
        thread_count(),
        wanted.name,
    )
    return Resident(
        loaded.chat,
        batcher,
        loaded.context,
        loaded.device,
        loaded.end_ids,
        name=wanted.name,
        parameters=sum(tensor.parameters for tensor in tensors),
        disk_bytes=sum(file.stat().st_size for file in _files(wanted)),
        load_s=load_s,
        estimate=demand.estimate(),
        cache_tokens=tokens,
        vocabulary=int(loaded.network.config.get_text_config().vocab_size),
        before_bytes=before,
        virtual=virtual_ids(loaded.virtual),
    )


def _leave_file(network: Any) -> None:
    """Copies what was not quantized: one such tensor keeps the whole file of weights in memory."""
    import torch

    for tensor in (*network.parameters(), *network.buffers()):
        if type(tensor.data) is torch.Tensor and tensor.is_floating_point():
            tensor.data = tensor.data.clone()


def _files(wanted: Wanted) -> list[Path]:
    folders = [wanted.folder, *([wanted.adapter] if wanted.adapter else [])]
    return [file for folder in folders for file in folder.iterdir() if file.is_file()]


def _demand(wanted: Wanted, use: Use, device: str) -> Demand:
    """What is wished for: as many requests as the row says, else as many as are usual."""
    context = use.context or context_tokens(wanted.folder) or DEFAULT_CONTEXT
    rows = use.largest_batch
    if not use.stated_batch:
        usual = USUAL_CACHE_BYTES // max(1, cache_bytes_per_token(wanted.folder, wanted.quantization))
        rows = max(1, min(rows, usual // context))
    return Demand(wanted.folder, wanted.quantization, wanted.name, context, rows, wanted.adapter, device)


def _with_room(demand: Demand, use: Use) -> tuple[Demand, int]:
    """The demand that fits and the free bytes, after idle models have made room if need be."""
    give_up_at = time.monotonic() + WAIT_S
    while True:
        free = free_memory(demand.device)
        try:
            return _fitted(demand, use, free), free
        except DoesNotFit as problem:
            idle, busy = _others()
            if idle is not None:
                _free(idle)
                continue
            held = sum(one.peak_bytes for one in busy)
            if not busy or problem.needed_bytes > free + held:
                raise
            if time.monotonic() >= give_up_at:
                names = ", ".join(f"'{one.name}' ({gigabytes(one.peak_bytes)})" for one in busy)
                raise ModelUnavailable(
                    f"it needs about {gigabytes(problem.needed_bytes)} of memory and {gigabytes(free)} are "
                    f"free while {names} is answering; try again when that is done.",
                    demand.name,
                    "transformers",
                ) from None
        with _CHANGED:
            _CHANGED.wait(1.0)


def _fitted(demand: Demand, use: Use, free_bytes: int) -> Demand:
    from workbench.models.embedded_rows import embedded_specs

    candidates = [(spec.name, Path(spec.model)) for spec in embedded_specs()]
    if use.exact:
        check_fit(demand, free_bytes, candidates)
        return demand
    least = replace(demand, rows=1)
    if use.context is None:
        least = shortened(least, free_bytes)
    check_fit(least, free_bytes, candidates)
    most = replace(demand, context_tokens=least.context_tokens)
    return replace(most, rows=cache_tokens(most, free_bytes) // most.context_tokens)


def _others() -> tuple[Resident | None, list[Resident]]:
    """The resident that answers nobody and was used longest ago, taken out; and those that answer."""
    with _CHANGED:
        idle = {key: one for key, one in _RESIDENTS.items() if not one.answering}
        busy = [one for one in _RESIDENTS.values() if one.answering]
        if not idle:
            return None, busy
        key = min(idle, key=lambda key: idle[key].used_at)
        idle[key].gone = True
        return _RESIDENTS.pop(key), busy


def _free(resident: Resident) -> None:
    """Stops its thread and returns its memory to the system."""
    resident.sample()
    resident.gone = True
    resident.batcher.close()
    before = process_memory.resident_bytes()
    resident.batcher = None
    process_memory.give_back()
    freed = max(0, before - process_memory.resident_bytes())
    with _CHANGED:
        for other in _RESIDENTS.values():  # what went was part of what they started from
            other.before_bytes = max(0, other.before_bytes - freed)
        _CHANGED.notify_all()
