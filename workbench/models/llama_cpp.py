"""Models on this machine, run by llama.cpp: a GGUF file, or a folder that is converted to one.

    - {name: mine, provider: llama_cpp, model: ./models/mine-q8_0.gguf}

llama.cpp's server runs inside this process and is asked like any other; see `gguf/server.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import threading
from collections.abc import AsyncIterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from workbench.core.model import ChatMessage, Completion, Footprint, ModelSpec, Request
from workbench.errors import ModelError, ModelUnavailable
from workbench.models.registry import ModelCheck, provider

if TYPE_CHECKING:
    from workbench.models.gguf.client import LlamaServerClient
    from workbench.models.gguf.server import RunningServer, ServerLease
    from workbench.models.local.chat import ChatTokenizer

DEFAULT_SLOTS = 8
CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


@provider("llama_cpp")
class LlamaCppModel:
    """One row with `provider: llama_cpp`. Loads at first use; `warm()` loads before."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.local = True
        self.concurrency = spec.concurrency or DEFAULT_SLOTS
        self.context = spec.context
        self._lease: ServerLease | None = None
        self._client: LlamaServerClient | None = None
        self._chat: ChatTokenizer | None = None
        self._opening = threading.Lock()

    @staticmethod
    def check(spec: ModelSpec) -> ModelCheck:
        """Whether llama.cpp is installed and the file or folder can be used. Loads and converts nothing."""
        from workbench.models.gguf.files import check_source, chosen_template, named_file, require_template
        from workbench.models.gguf.header import read_header

        if find_spec("xllamacpp") is None or find_spec("gguf") is None:
            return ModelCheck(
                False, "llama.cpp is not installed; install it with: pip install 'workbench[gguf]'."
            )
        try:
            sentence = check_source(spec)
            chosen_template(spec)
            file = named_file(spec)
            if file is not None:
                header = read_header(file, spec.name)
                require_template(spec, header)
                sentence = f"{sentence[:-1]}: {header.architecture}, {header.parameters:,} parameters."
        except ModelError as problem:
            return ModelCheck(False, problem.problem)
        return ModelCheck(True, sentence)

    async def warm(self) -> str:
        """Loads the model, converting it before where it has to be, and says where it runs."""
        return (await self._ready()).device

    async def complete(self, request: Request) -> Completion:
        """Answers one request. Raises ModelError, and PromptTooLong where the messages do not fit."""
        await self._ready()
        client = self._client
        if client is None:
            raise self._closed()
        completion = await client.complete(request)
        if self._lease is not None:
            self._lease.running.sample()
        return completion

    async def stream(self, request: Request) -> AsyncIterator[str]:
        """Pieces of text as they are decoded."""
        await self._ready()
        client = self._client
        if client is None:
            raise self._closed()
        begun = False
        async for piece in client.stream(request):
            given = piece if begun else piece.lstrip()
            begun = begun or bool(given)
            if given:
                yield given

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the messages in the model's own chat template.

        Of a folder they are told by its tokenizer; of a GGUF file they are an estimate until it is loaded.
        """
        lease = self._lease
        if lease is not None:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError):
                return _counted(lease.running, messages)
        chat = self._tokenizer()
        if chat is not None:
            return len(chat.encode(messages))
        characters = sum(len(message["content"]) for message in messages)
        return -(-characters // CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)

    def identity(self) -> str:
        """Hash of the file, or of the folder that it is made of and how its weights are held."""
        from workbench.models.gguf.files import file_identity

        return file_identity(self.spec)

    def footprint(self) -> Footprint | None:
        """What it takes on this machine; None while it is not loaded."""
        lease = self._lease
        if lease is None:
            return None
        running = lease.running
        return Footprint(
            device=running.device,
            disk_bytes=running.header.file_bytes,
            memory_bytes=running.sample(),
            parameters=running.header.parameters,
            load_s=running.load_s,
            estimated_bytes=running.estimated_bytes,
        )

    async def close(self) -> None:
        """Lets go of the model; its memory is freed at once when nobody else in the process uses it."""
        lease, self._lease = self._lease, None
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        if lease is not None:
            await asyncio.to_thread(lease.release)

    def __repr__(self) -> str:
        return f"LlamaCppModel({self.spec.name!r}, {self.spec.model!r})"

    async def _ready(self) -> RunningServer:
        if self._lease is None:
            await asyncio.to_thread(self._open)
        lease = self._lease
        if lease is None:
            raise self._closed()
        return lease.running

    def _open(self) -> None:
        from workbench.models.gguf.client import LlamaServerClient
        from workbench.models.gguf.files import chosen_template, gguf_file, require_template
        from workbench.models.gguf.header import read_header
        from workbench.models.gguf.server import ServerLease, fitting, wants_cpu

        with self._opening:
            if self._lease is not None:
                return
            file = gguf_file(self.spec)
            header = read_header(file, self.spec.name)
            on_cpu = wants_cpu(self.spec.device)
            require_template(self.spec, header)
            settings = dataclasses.replace(
                fitting(header, file, self.concurrency, self.spec.context, on_cpu, self.spec.name),
                chat_template=chosen_template(self.spec),
            )
            lease = ServerLease(settings, self.spec.name)
            running = lease.running
            self.context = settings.context
            self._client = LlamaServerClient(self.spec, running.address, running.key)
            self._lease = lease

    def _tokenizer(self) -> ChatTokenizer | None:
        """That of the row's folder, where it is on this machine and can be read."""
        from workbench.models.gguf.files import named_file
        from workbench.models.local.libraries import import_libraries
        from workbench.models.local.weights import local_folder

        if self._chat is None:
            with contextlib.suppress(ModelUnavailable):  # using the model says what is wrong
                if named_file(self.spec) is not None:
                    return None
                folder = local_folder(self.spec.model, self.spec.name)
                if folder is not None:
                    import_libraries()
                    from workbench.models.local.chat import ChatTokenizer

                    self._chat = ChatTokenizer(folder, self.spec.name, self.spec.chat_template)
        return self._chat

    def _closed(self) -> ModelUnavailable:
        return ModelUnavailable("the model was closed.", self.spec.name, self.spec.provider)


def _counted(running: RunningServer, messages: Sequence[ChatMessage]) -> int:
    text = running.ask("/apply-template", {"messages": list(messages)})["prompt"]
    tokens: Any = running.ask("/tokenize", {"content": text, "parse_special": True})["tokens"]
    return len(tokens)
