"""Models on this machine, run by `transformers`: a folder with safetensors weights, or a hub name.

    - {name: mine, provider: transformers, model: ./models/mine, quantization: int8}

Requests from anywhere in the process join one running batch a model (see `local/batching.py`).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.document import content_hash
from workbench.core.model import ChatMessage, Completion, Footprint, ModelSpec, Request
from workbench.errors import ModelRefused, ModelUnavailable, PromptTooLong
from workbench.models.local.adapters import adapter_kind, check_base, find_adapter, is_soft, require_adapter
from workbench.models.local.chat_templates import template_text
from workbench.models.local.libraries import import_libraries
from workbench.models.local.quantization import QUANTIZATIONS, check_quantization
from workbench.models.local.soft_prompts import virtual_tokens
from workbench.models.local.weights import (
    context_tokens,
    find_weights,
    local_folder,
    require_safetensors,
    weights_hash,
)
from workbench.models.registry import ModelCheck, provider

if TYPE_CHECKING:
    from workbench.models.local.batching import Ticket
    from workbench.models.local.chat import ChatTokenizer
    from workbench.models.local.loading import Wanted
    from workbench.models.local.resident import Lease, Resident
    from workbench.models.local.rows import Row

DEFAULT_CONCURRENCY = 64
DEFAULT_CONTEXT = 2048
DEFAULT_MAX_TOKENS = 256
MOST_ALTERNATIVES = 20


@provider("transformers")
class TransformersModel:
    """One row with `provider: transformers`. Loads at first use; `warm()` loads before."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.local = True
        self.concurrency = spec.concurrency or DEFAULT_CONCURRENCY
        self.context = _stated_context(spec)
        self._lease: Lease | None = None
        self._chat: ChatTokenizer | None = None
        self._opening = threading.Lock()

    @staticmethod
    def check(spec: ModelSpec) -> ModelCheck:
        """Whether the folder holds weights and the quantization is known. Loads nothing."""
        try:
            told = ""
            quantization = check_quantization(spec.quantization, spec.name)
            folder = local_folder(spec.model, spec.name)
            if folder is None:
                return ModelCheck(
                    True, f"'{spec.model}' is not on this machine; it is downloaded at its first use."
                )
            require_safetensors(folder, spec.name)
            if spec.adapter is not None:
                adapter = local_folder(spec.adapter, spec.name)
                if adapter is None:
                    where = "is not on this machine; it is downloaded at its first use."
                    return ModelCheck(True, f"The adapter '{spec.adapter}' {where}")
                check_base(require_adapter(adapter, spec.name), folder, spec.name)
                told = _told(adapter, spec.name)
            if spec.chat_template is not None:
                template_text(spec.chat_template, spec.name)
        except ModelUnavailable as problem:
            return ModelCheck(False, problem.problem)
        return ModelCheck(True, f"Weights in {folder}, held as {QUANTIZATIONS[quantization].good_for}{told}")

    async def warm(self) -> str:
        """Loads the model and says where it runs."""
        return (await self._ready()).device

    async def complete(self, request: Request) -> Completion:
        """Answers one request. Raises ModelError, and PromptTooLong where the messages do not fit."""
        ticket, resident = await self._submit(request, reading_along=None)
        try:
            row = await ticket.done
        except ModelUnavailable as problem:
            raise self._named(problem) from None
        finally:
            ticket.row.gone = True
            resident.leave()
        text = _text(row, resident)
        return Completion(
            text=text,
            prompt_tokens=len(row.prompt) - len(resident.virtual),
            completion_tokens=len(row.ids),
            cached_tokens=max(0, row.cached - len(resident.virtual)),
            latency_s=time.perf_counter() - row.joined_at,
            finish_reason=row.finish or "other",
            logprob=row.logprob if request.logprobs else None,
            first_token_s=row.first_token_at - row.joined_at,
            top_logprobs=_alternatives(row, resident) if request.top_logprobs else None,
        )

    async def stream(self, request: Request) -> AsyncIterator[str]:
        """Pieces of text as they are decoded."""
        more = asyncio.Event()
        ticket, resident = await self._submit(request, reading_along=more)
        ticket.done.add_done_callback(lambda _: more.set())
        text = ticket.row.text
        try:
            while not ticket.done.done():
                await more.wait()
                more.clear()
                if not ticket.done.done() and text is not None and (piece := text.piece()):
                    yield piece
            try:
                row = ticket.done.result()
            except ModelUnavailable as problem:
                raise self._named(problem) from None
            if row.text is not None:
                row.text.finish()
                if piece := row.text.piece(final=True):
                    yield piece
        finally:
            ticket.row.gone = True
            resident.leave()

    async def log_likelihoods(self, texts: Sequence[str]) -> list[tuple[float, int] | str]:
        """How likely each text is as it stands, without a chat template. Raises ModelUnavailable.

        (sum of log-probabilities in nats, tokens counted), the first token left out; (0.0, 0) for fewer
        than two tokens; a sentence for a text that cannot be read.
        """
        from workbench.models.local.likelihood import log_likelihoods

        resident = await self._entered()
        try:
            readable = min(self._context_in(resident), resident.cache_tokens) - len(resident.virtual)
            return await log_likelihoods(resident, texts, readable, self.spec.name)
        except ModelUnavailable as problem:
            raise self._named(problem) from None
        finally:
            resident.leave()

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the messages in the model's own chat template. Loads the tokenizer, not the model."""
        return len(self._tokenizer().encode(messages))

    def identity(self) -> str:
        """Hash of the files that decide the answers, and of how the weights are held."""
        folder = find_weights(self.spec.model, self.spec.name)
        held = check_quantization(self.spec.quantization, self.spec.name)
        method = QUANTIZATIONS[held].method
        decides = {"weights": weights_hash(folder), "quantization": f"{held}, {method}" if method else held}
        if self.spec.adapter is not None:
            decides["adapter"] = weights_hash(find_adapter(self.spec.adapter, self.spec.name))
        if self.spec.chat_template is not None:
            decides["chat_template"] = template_text(self.spec.chat_template, self.spec.name)
        return content_hash(decides)

    def footprint(self) -> Footprint | None:
        """What the model takes on this machine, so far; None while it is not loaded."""
        lease = self._lease
        return None if lease is None else lease.resident.footprint()

    async def close(self) -> None:
        """Lets go of the model; its memory is freed when nobody else in the process uses it."""
        await asyncio.to_thread(self._close)

    def __repr__(self) -> str:
        return f"TransformersModel({self.spec.name!r}, {self.spec.model!r})"

    async def _ready(self) -> Resident:
        if self._lease is None:
            await asyncio.to_thread(self._open)
        lease = self._lease
        if lease is None:
            raise ModelUnavailable("the model was closed.", self.spec.name, self.spec.provider)
        return lease.resident

    def _close(self) -> None:
        with self._opening:  # whoever was cancelled while it was loading leaves a thread that loads on
            lease, self._lease = self._lease, None
            if lease is not None:
                lease.release()

    def _open(self) -> None:
        quantization = check_quantization(self.spec.quantization, self.spec.name)
        with self._opening:
            if self._lease is None:
                folder = find_weights(self.spec.model, self.spec.name)  # before the seconds of importing
                import_libraries()
                from workbench.models.local.resident import Lease, Use

                use = Use(self.concurrency, self.spec.context, self.spec.concurrency is not None)
                self._lease = Lease(self._wanted(folder, quantization), use)
                self.context = self.context or self._lease.resident.context

    def _wanted(self, folder: Path, quantization: str) -> Wanted:
        from workbench.models.local.loading import Wanted

        spec = self.spec
        adapter = find_adapter(spec.adapter, spec.name) if spec.adapter is not None else None
        return Wanted(folder, quantization, spec.name, adapter, spec.chat_template, spec.device)

    def _tokenizer(self) -> ChatTokenizer:
        if self._lease is not None:
            return self._lease.resident.chat
        if self._chat is None:
            import_libraries()
            from workbench.models.local.chat import ChatTokenizer

            folder = find_weights(self.spec.model, self.spec.name)
            self._chat = ChatTokenizer(folder, self.spec.name, self.spec.chat_template)
        return self._chat

    async def _entered(self) -> Resident:
        """The model in memory, told that a request begins."""
        resident = await self._ready()
        while not resident.enter():  # its memory went to another model meanwhile
            if self._lease is not None and self._lease.resident is resident:
                self._lease = None
            resident = await self._ready()
        return resident

    async def _submit(self, request: Request, reading_along: asyncio.Event | None) -> tuple[Ticket, Resident]:
        resident = await self._entered()
        try:
            from workbench.models.local.batching import Ticket

            loop = asyncio.get_running_loop()
            row = self._row(request, resident, reading_along is not None)
            told = reading_along.set if reading_along is not None else None
            ticket = Ticket(row, loop, loop.create_future(), told)
            resident.batcher.submit(ticket)
        except BaseException:
            resident.leave()
            raise
        return ticket, resident

    def _named(self, problem: ModelUnavailable) -> ModelUnavailable:
        """The decoding thread does not know what experiments call the model."""
        return ModelUnavailable(problem.problem, self.spec.name, self.spec.provider, problem.original)

    def _context_in(self, resident: Resident) -> int:
        return min(filter(None, (self.spec.context, resident.context)), default=DEFAULT_CONTEXT)

    def _row(self, request: Request, resident: Resident, written: bool) -> Row:
        from workbench.models.local.rows import Row
        from workbench.models.local.writing import GrowingText

        sampling, messages = request.sampling, resident.chat.encode(request.messages)
        prompt = (*resident.virtual, *messages)
        context = self._context_in(resident)
        if len(prompt) >= context:
            held = context - len(resident.virtual)
            raise PromptTooLong(
                f"The messages are {len(messages):,} tokens for model '{self.spec.name}', whose context "
                f"holds {held:,} with the answer; use fewer or shorter examples, or a model with more "
                "context."
            )
        limit = min(sampling.max_tokens or DEFAULT_MAX_TOKENS, context - len(prompt))
        if len(prompt) + limit > resident.cache_tokens:
            raise ModelRefused(
                f"{len(messages):,} tokens of messages and up to {limit:,} of answer are more than there was "
                f"memory for when it was loaded ({resident.cache_tokens:,} tokens); lower `max_tokens`, use "
                "shorter messages, or close other programs.",
                self.spec.name,
                self.spec.provider,
            )
        stop = sampling.stop or ()
        return Row(
            prompt=prompt,
            limit=limit,
            temperature=sampling.temperature or 0.0,
            top_p=1.0 if sampling.top_p is None else sampling.top_p,
            seed=sampling.seed or 0,
            logprobs=request.logprobs,
            top_logprobs=min(request.top_logprobs, MOST_ALTERNATIVES),
            text=GrowingText(resident.chat.decode, stop) if stop or written else None,
        )


def _told(adapter: Path, name: str) -> str:
    """What its adapter does to the model, as a sentence after another."""
    kind = adapter_kind(adapter, name)
    if is_soft(adapter, name):
        return f" {virtual_tokens(adapter)} virtual tokens ({kind}) stand before every prompt."
    return f" Its {kind} adapter is merged in."


def _stated_context(spec: ModelSpec) -> int | None:
    """The context window: the row's, or what the model's configuration states where it is here already."""
    if spec.context is not None:
        return spec.context
    try:
        folder = local_folder(spec.model, spec.name)
    except ModelUnavailable:  # opening a model is always possible; using it says what is wrong
        return None
    return context_tokens(folder) if folder else None


def _alternatives(row: Row, resident: Resident) -> tuple[dict[str, float], ...]:
    """By token of the answer, the likeliest first; of two tokens with one text, the likelier counts."""
    texts = {token: resident.chat.token_text(token) for found in row.alternatives for token in found}
    upwards = (sorted(found.items(), key=lambda one: one[1]) for found in row.alternatives)
    return tuple(dict(reversed({texts[token]: value for token, value in up}.items())) for up in upwards)


def _text(row: Row, resident: Resident) -> str:
    """The answer's text: no special tokens, and no space that only parts it from the template."""
    if row.text is None:
        return resident.chat.decode([token for token in row.ids if token not in resident.end_ids]).lstrip()
    row.text.finish()
    return row.text.text.lstrip()
