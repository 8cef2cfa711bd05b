"""One running batch: prompts join it, every step gives each row a token, finished rows leave it.

Prompts that join together share what they have in common: equal prompts are read once, and a common
beginning (system text, examples) is read once and kept for the prompts of the next joining.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.core.model import FinishReason
from workbench.models.local.key_values import KeyValues
from workbench.models.local.prefixes import PrefixStore, common_length
from workbench.models.local.sampling import choose, log_probabilities
from workbench.models.local.writing import GrowingText

WORTH_SHARING = 256  # tokens that reading a beginning once must save


@dataclass(eq=False)
class Row:
    """One request in the batch: what it asks for, and how far it is."""

    prompt: tuple[int, ...]
    limit: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    logprobs: bool = False
    text: GrowingText | None = None
    """Kept up to date with every token where stop strings or a reader wait for it; else None."""
    ids: list[int] = field(default_factory=list)
    logprob: float = 0.0
    cached: int = 0
    finish: FinishReason | None = None
    gone: bool = False
    """Set from outside when nobody waits for the row any more."""
    joined_at: float = 0.0
    """When reading the prompt began, by `time.perf_counter`; waiting for a place is not the model's time."""
    _numbers: Any = None

    @property
    def leaves(self) -> bool:
        """Whether the row has no business in the batch any more."""
        return self.gone or self.finish is not None

    def draw(self) -> float:
        """The row's next random number."""
        if self._numbers is None:
            self._numbers = np.random.default_rng(self.seed)
        return float(self._numbers.random())

    def take(self, token: int, end_ids: set[int]) -> None:
        """Adds a token and notes whether the answer ends with it."""
        self.ids.append(token)
        if token in end_ids:
            self.finish = "stop"
            return
        if self.text is not None:
            self.text.add(token)
            if self.text.stopped:
                self.finish = "stop"
        if self.finish is None and len(self.ids) >= self.limit:
            self.finish = "length"


class Decoder:
    """Runs a causal language model over a batch that changes from step to step."""

    def __init__(self, network: Any, end_ids: set[int], padding_id: int) -> None:
        """`end_ids` are the tokens that end an answer; `padding_id` may be any token."""
        self.rows: list[Row] = []
        self._network, self._end_ids, self._padding_id = network, end_ids, padding_id
        self._device = next(network.parameters()).device
        self._prefixes = PrefixStore()
        self._keys = KeyValues()
        self._last = torch.zeros(0, dtype=torch.long)
        self._positions = torch.zeros(0, dtype=torch.long)
        config = network.config.get_text_config()
        # a window slides over columns, and behind a shared beginning some columns are empty
        self._shares = not getattr(config, "sliding_window", None)
        self._plain_masks = self._shares and getattr(config, "_attn_implementation", "") == "sdpa"
        accepted = inspect.signature(network.forward).parameters
        self._last_only: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    @torch.inference_mode()
    def join(self, rows: Sequence[Row]) -> None:
        """Reads the rows' prompts, gives each its first token, and adds them to the batch."""
        prompts = list(dict.fromkeys(row.prompt for row in rows))
        place = {prompt: index for index, prompt in enumerate(prompts)}
        keys, logits, shared = self._read(prompts)
        seen: set[tuple[int, ...]] = set()
        for row in rows:
            again = row.prompt in seen
            row.cached = len(row.prompt) if again else shared[place[row.prompt]]
            seen.add(row.prompt)
        order = torch.tensor([place[row.prompt] for row in rows])
        if len(rows) > len(prompts):
            keys = keys.selected(order)
        last = self._take(logits[order], rows)
        lengths = torch.tensor([len(row.prompt) for row in rows])
        staying = self._staying()
        self._keys = self._keys.joined(staying, keys) if len(staying) else keys
        self._last = torch.cat([self._last[staying], last])
        self._positions = torch.cat([self._positions[staying], lengths])
        self.rows = [*(self.rows[index] for index in staying.tolist()), *rows]

    @torch.inference_mode()
    def step(self) -> None:
        """Gives every row of the batch its next token."""
        mask = self._keys.extend(torch.ones(len(self.rows), 1, dtype=torch.bool))
        if self._plain_masks:  # one token sees what its row has: no need for the model to work that out
            mask = mask[:, None, None]
        logits = self._forward(self._last[:, None], mask, self._positions[:, None], self._keys)
        self._positions = self._positions + 1
        self._last = self._take(logits, self.rows)

    @torch.inference_mode()
    def sweep(self) -> None:
        """Takes rows that are done out of the batch, once they are many enough to be worth a copy."""
        staying = self._staying()
        leaving = len(self.rows) - len(staying)
        if leaving * 4 < len(self.rows):
            return
        self.rows = [self.rows[index] for index in staying.tolist()]
        self._last, self._positions = self._last[staying], self._positions[staying]
        self._keys = self._keys.selected(staying) if self.rows else KeyValues()

    def _staying(self) -> Tensor:
        staying = [index for index, row in enumerate(self.rows) if not row.leaves]
        return torch.tensor(staying, dtype=torch.long)

    def clear(self) -> None:
        """Forgets the batch."""
        self.rows = []
        self._keys, self._prefixes = KeyValues(), PrefixStore()
        self._last = self._positions = torch.zeros(0, dtype=torch.long)

    def _take(self, logits: Tensor, rows: Sequence[Row]) -> Tensor:
        chosen = choose(logits, rows)
        wanted = [index for index, row in enumerate(rows) if row.logprobs and not row.leaves]
        if wanted:
            for index, value in zip(wanted, log_probabilities(logits[wanted], chosen[wanted]), strict=True):
                rows[index].logprob += value
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if not row.leaves:
                row.take(token, self._end_ids)
        return chosen

    def _read(self, prompts: Sequence[tuple[int, ...]]) -> tuple[KeyValues, Tensor, list[int]]:
        """Cache, next-token logits, and the tokens that each prompt did not have to read itself."""
        common = common_length(prompts) if self._shares else 0
        start, stored = self._prefixes.longest(prompts[0][:common])
        fresh = common - start
        first_pays = 0
        if fresh * (len(prompts) - 1) >= WORTH_SHARING:
            stored = self._read_beginning(prompts[0], start, common, stored)
            start, first_pays = common, fresh
        keys = KeyValues() if stored is None else stored.repeated(len(prompts))
        rests = [prompt[start:] for prompt in prompts]
        width = max(len(rest) for rest in rests)
        ids = torch.full((len(rests), width), self._padding_id)
        mask = torch.zeros(len(rests), width, dtype=torch.bool)
        positions = torch.zeros(len(rests), width, dtype=torch.long)
        for index, rest in enumerate(rests):
            at = width - len(rest)
            ids[index, at:] = torch.tensor(rest)
            mask[index, at:] = True
            positions[index, at:] = torch.arange(start, start + len(rest))
        logits = self._forward(ids, keys.extend(mask), positions, keys)
        return keys, logits, [start - (first_pays if index == 0 else 0) for index in range(len(prompts))]

    def _read_beginning(
        self, prompt: tuple[int, ...], start: int, end: int, stored: KeyValues | None
    ) -> KeyValues:
        keys = KeyValues() if stored is None else stored.repeated(1)
        mask = keys.extend(torch.ones(1, end - start, dtype=torch.bool))
        self._forward(torch.tensor([prompt[start:end]]), mask, torch.arange(start, end)[None], keys)
        self._prefixes.keep(prompt[:end], keys)
        return keys

    def _forward(self, ids: Tensor, mask: Tensor, positions: Tensor, keys: KeyValues) -> Tensor:
        """Logits after the last column, shape (rows, vocabulary), fp32 on the CPU."""
        found = self._network(
            input_ids=ids.to(self._device),
            attention_mask=mask.to(self._device),
            position_ids=positions.to(self._device),
            past_key_values=keys.cache,
            use_cache=True,
            **self._last_only,
        )
        return found.logits[:, -1].float().cpu()


def groups(
    rows: Iterable[Row], padded_tokens: int, key: Callable[[Row], Any] = lambda row: row.prompt[:16]
) -> list[list[Row]]:
    """Rows that are best read together: those that begin alike, then the others by length.

    A group's rows times its longest prompt stay within `padded_tokens`, unless it is a single row.
    """
    alike: dict[Any, list[Row]] = {}
    for row in rows:
        alike.setdefault(key(row), []).append(row)
    single = [row for bucket in alike.values() if len(bucket) < 4 for row in bucket]
    buckets = [bucket for bucket in alike.values() if len(bucket) >= 4] + ([single] if single else [])
    found: list[list[Row]] = []
    for bucket in buckets:
        group: list[Row] = []
        for row in sorted(bucket, key=lambda row: len(row.prompt)):
            if group and len(row.prompt) * (len(group) + 1) > padded_tokens:
                found.append(group)
                group = []
            group.append(row)
        found.append(group)
    return found
