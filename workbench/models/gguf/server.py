"""llama.cpp's server inside this process: one for each file and settings, however many use it.

It listens on 127.0.0.1 at a port that the system chooses, and answers only who knows its key.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workbench.errors import ModelUnavailable
from workbench.models.gguf.header import GgufHeader, read_header
from workbench.models.local.memory import free_memory
from workbench.models.local.process_memory import resident_bytes

LARGEST_CONTEXT = 8192  # tokens for a request, unless the row states its own
CONTEXT_STEP = 256  # llama.cpp rounds up to it
READ_TOKENS = 512  # of a prompt at once
LIBRARY_BYTES = 70 * 2**20
"""Python, llama.cpp and the workbench in a process, before any model."""
NUMBER_BYTES = 4  # of an activation


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What makes one server differ from another."""

    file: Path
    slots: int
    context: int
    """Tokens of one request with its answer."""
    on_cpu: bool
    chat_template: str | None = None


@dataclass(eq=False)
class RunningServer:
    """A loaded model that answers at `address`."""

    address: str
    key: str
    device: str
    header: GgufHeader
    load_s: float
    before_bytes: int
    """What the process held before it was loaded, the library included."""
    estimated_bytes: int
    server: Any
    users: int = 0
    peak_bytes: int = 0

    def sample(self) -> int:
        """The most memory that it took so far, in bytes, what the library takes included."""
        grown = max(0, resident_bytes() - self.before_bytes)
        self.peak_bytes = max(self.peak_bytes, grown + LIBRARY_BYTES)
        return self.peak_bytes

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One of the server's small questions, such as /tokenize, waited for. Raises OSError."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        content = None if body is None else json.dumps(body).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        with contextlib.closing(connection):
            connection.request("GET" if body is None else "POST", path, content, headers)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise ConnectionRefusedError(f"HTTP {answer.status}")
            return json.loads(answer.read())


_Key = tuple[ServerSettings, int, int]
_RUNNING: dict[_Key, RunningServer] = {}
_LOCKS: dict[_Key, threading.Lock] = {}
_LOCK = threading.Lock()


class ServerLease:
    """One user's hold on a running server. The last one to let go frees its memory.

    Raises ModelUnavailable where the file cannot be loaded.
    """

    def __init__(self, settings: ServerSettings, model: str) -> None:
        status = settings.file.stat()
        self._key = (settings, status.st_mtime_ns, status.st_size)
        with _LOCK:
            lock = _LOCKS.setdefault(self._key, threading.Lock())
        with lock:  # a second user waits for the first one's loading instead of loading again
            if self._key not in _RUNNING:
                _RUNNING[self._key] = _start(settings, model)
            self.running = _RUNNING[self._key]
            self.running.users += 1
        self._held = True

    def release(self) -> None:
        """Lets go; a second call does nothing."""
        if not self._held:
            return
        self._held = False
        with _LOCKS[self._key]:
            self.running.users -= 1
            if self.running.users == 0:
                del _RUNNING[self._key]
                self.running.server = None  # stops its threads and frees its memory


def fitting(
    header: GgufHeader, file: Path, slots: int, context: int | None, on_cpu: bool, model: str
) -> ServerSettings:
    """Settings whose attention cache fits into the memory that is free.

    A context that the row states is kept, and fewer requests run side by side; one that it does not
    state may shrink as well. Raises ModelUnavailable where not even one request fits.
    """
    wanted = context or min(header.context or LARGEST_CONTEXT, LARGEST_CONTEXT)
    least = context or min(wanted, 2 * CONTEXT_STEP)
    each = max(1, header.cache_bytes_per_token())
    fixed = header.file_bytes + _work_bytes(header)
    free = free_memory()
    tokens = (free - fixed) // each
    if tokens < least:
        raise ModelUnavailable(
            f"it needs about {_gib(fixed + each * least)} with one request of {least:,} tokens, and "
            f"{_gib(free)} are free; take a smaller quantization, or a smaller `context` in its row.",
            model,
            "llama_cpp",
        )
    slots = min(slots, tokens // least)
    return ServerSettings(file, slots, min(wanted, tokens // slots), on_cpu)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def estimated_bytes(header: GgufHeader, settings: ServerSettings) -> int:
    """Memory that the model takes: weights, attention cache of every slot, and room to work in."""
    each = header.cache_bytes_per_token()
    return LIBRARY_BYTES + header.file_bytes + each * settings.slots * settings.context + _work_bytes(header)


def _start(settings: ServerSettings, model: str) -> RunningServer:
    header = read_header(settings.file, model)
    library = _library(model)
    before, started = resident_bytes(), time.perf_counter()
    key = secrets.token_urlsafe(24)
    try:
        server = library.Server(_parameters(library, settings, key))
    except Exception as problem:  # llama.cpp says no more than that it could not
        raise ModelUnavailable(
            f"llama.cpp cannot load '{settings.file}' (architecture {header.architecture}); it may be made "
            "for another version, or memory may be short.",
            model,
            "llama_cpp",
            problem,
        ) from None
    running = RunningServer(
        address=server.listening_address,
        key=key,
        device=_device(library, settings),
        header=header,
        load_s=time.perf_counter() - started,
        before_bytes=before,
        estimated_bytes=estimated_bytes(header, settings),
        server=server,
    )
    # one that is let go before its loop has begun never ends; this question goes through the loop
    with contextlib.suppress(OSError, http.client.HTTPException):
        running.ask("/slots")
    return running


def _parameters(library: Any, settings: ServerSettings, key: str) -> Any:
    from workbench.models.local.resident import thread_count

    wanted = library.CommonParams()
    wanted.model.path = str(settings.file)
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = 0
    wanted.api_keys = [key]
    wanted.ui = False
    wanted.verbosity = -1
    wanted.n_parallel = settings.slots
    wanted.n_ctx = settings.slots * -(-settings.context // CONTEXT_STEP) * CONTEXT_STEP
    wanted.n_ubatch = READ_TOKENS
    wanted.fit_params = False  # what fits was settled before
    wanted.ctx_shift = False  # an answer that no longer sees its question is worth nothing
    wanted.cache_ram_mib = 0  # prompts stay in their slots; no second store of them
    wanted.warmup = False
    wanted.reasoning_format = library.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    wanted.n_threads_http = settings.slots + 2
    threads = thread_count()
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    if settings.on_cpu:
        wanted.n_gpu_layers = 0
    if settings.chat_template is not None:
        wanted.chat_template = settings.chat_template
    return wanted


def _work_bytes(header: GgufHeader) -> int:
    """Logits and activations while prompts are read."""
    vocabulary = header.number("vocab_size") or 0
    width = (header.number("embedding_length") or 0) + (header.number("feed_forward_length") or 0)
    return READ_TOKENS * (vocabulary + 4 * width) * NUMBER_BYTES


def _library(model: str) -> Any:
    try:
        import xllamacpp
    except ImportError:
        raise ModelUnavailable(
            "llama.cpp is not installed; install it with: pip install 'workbench[gguf]'.", model, "llama_cpp"
        ) from None
    return xllamacpp


def _device(library: Any, settings: ServerSettings) -> str:
    names = [] if settings.on_cpu else [str(one.get("name", "")) for one in library.get_device_info()]
    return next((name.lower() for name in names if name and not name.upper().startswith("CPU")), "cpu")


def wants_cpu(device: str | None) -> bool:
    """Whether a row, or else WORKBENCH_DEVICE, puts the model on the CPU."""
    return (device or os.environ.get("WORKBENCH_DEVICE") or "").startswith("cpu")
