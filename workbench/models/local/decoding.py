"""One running batch: prompts join it, every step gives each row a token, finished rows leave their place.

What prompts have in common is read once: equal prompts, beginnings that rows of the batch share (which
are also held in memory once), and beginnings that were read for earlier rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.errors import ModelUnavailable
from workbench.models.local.attention import CannotShare, Shared, Sharing, register
from workbench.models.local.families import Family, families, portions
from workbench.models.local.key_values import KeyValues, LayerPair
from workbench.models.local.memory import PREFIX_BYTES
from workbench.models.local.prefixes import PrefixTree
from workbench.models.local.rows import Ids, Row
from workbench.models.local.sampling import choose, log_probabilities

PADDED_TOKENS = 2048
"""Tokens of one forward pass over prompts: more would keep a reader of a stream waiting."""
ATTENTION_LAYERS = {"full_attention", "sliding_attention", "chunked_attention"}
SHORTEST_STORED = 16
"""Tokens; below this, taking them out of the tree costs more than reading them."""
VACANT = Row((), 0, finish="stop")
"""Stands in a place of the batch that nobody has taken yet."""


@dataclass(eq=False)
class _Beginning:
    """What some rows of the batch share."""

    ids: Ids
    layers: list[LayerPair]
    rows: set[Row] = field(default_factory=set)


class Decoder:
    """Runs a causal language model over a batch that changes from step to step."""

    def __init__(
        self, network: Any, end_ids: set[int], padding_id: int, prefix_bytes: int = PREFIX_BYTES
    ) -> None:
        """`end_ids` are the tokens that end an answer; `padding_id` may be any token.

        Raises ModelUnavailable for an architecture that does not work on keys and values alone.
        """
        self.rows: list[Row] = []
        self._network, self._end_ids, self._padding_id = network, end_ids, padding_id
        self._device = next(network.parameters()).device
        self._tree = PrefixTree(prefix_bytes)
        self._beginnings: dict[Ids, _Beginning] = {}
        self._shared: list[Shared] = []
        self._keys = KeyValues()
        self._last = torch.zeros(0, dtype=torch.long)
        self._positions = torch.zeros(0, dtype=torch.long)
        config = network.config.get_text_config()
        kinds = set(getattr(config, "layer_types", None) or ())
        if getattr(network, "_is_stateful", False) or not kinds <= ATTENTION_LAYERS:
            raise ModelUnavailable(
                f"its architecture ('{config.model_type}') keeps a running state beside keys and values, "
                "which cannot be batched here; run it as a GGUF file with `provider: llama_cpp`."
            )
        # a window slides over columns, and behind a shared beginning some columns are empty
        self._stores = not getattr(config, "sliding_window", None)
        self._shares = self._stores and getattr(config, "_attn_implementation", "") == "sdpa"
        self._plain_masks = self._shares
        if self._shares:
            network.set_attn_implementation(register())
        accepted = inspect.signature(network.forward).parameters
        self._shares &= any(each.kind is each.VAR_KEYWORD for each in accepted.values())
        self._last_only: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    def plan(self, rows: Sequence[Row]) -> list[Family]:
        """In which families, and portions of them, the rows are best read."""
        if not self._stores:
            found = [Family((), list(rows))]
        else:
            found = families(rows, self._beginnings, self._parted)
        return [portion for family in found for portion in portions(family, PADDED_TOKENS)]

    def shared_tokens(self) -> int:
        """Tokens that are held once for several rows."""
        return sum(map(len, self._beginnings))

    @torch.inference_mode()
    def join(self, family: Family) -> None:
        """Reads the rows' prompts, gives each its first token, and adds them to the batch."""
        rows = [row for row in family.rows if not row.gone]
        if not rows:
            return
        try:
            keys, logits, beginning = self._read(family.beginning, rows)
        except CannotShare:  # known at the first try, before any row shares something
            self._shares = False
            self._beginnings.clear()
            keys, logits, beginning = self._read(family.beginning, rows)
        last = self._take(logits, rows)
        lengths = torch.tensor([len(row.prompt) for row in rows])
        self._place(rows, keys, last, lengths)
        if beginning is not None:
            beginning.rows.update(rows)
        self._regroup()

    @torch.inference_mode()
    def step(self) -> None:
        """Gives every row of the batch its next token."""
        columns = self._keys.extend(torch.ones(len(self.rows), 1, dtype=torch.bool))
        mask = columns[:, None, None] if self._plain_masks else columns
        logits = self._forward(self._last[:, None], mask, self._positions[:, None], self._keys, self._shared)
        self._positions = self._positions + 1
        self._last = self._take(logits, self.rows)

    @torch.inference_mode()
    def sweep(self, refilled: bool) -> None:
        """Frees what rows that are done still hold, at once where nobody takes their places.

        Args:
            refilled: other rows wait to take the places.
        """
        staying = self._staying()
        leaving = len(self.rows) - len(staying)
        if leaving == 0:
            return
        cancelled = any(row.gone for row in self.rows)
        for index, row in enumerate(self.rows):
            if row.leaves and row is not VACANT:
                self._keep_answer(index, row)
                self._keys.mask[index] = False
                self.rows[index] = VACANT
        if not len(staying) or cancelled or (not refilled and leaving * 4 >= len(self.rows)):
            self.rows = [self.rows[index] for index in staying.tolist()]
            self._last, self._positions = self._last[staying], self._positions[staying]
            self._keys = self._keys.selected(staying) if self.rows else KeyValues()
        else:
            self._keys.trim()
        self._regroup()

    def clear(self) -> None:
        """Forgets the batch and everything that was read."""
        self.rows = []
        self._keys = KeyValues()
        self._tree.clear()
        self._beginnings, self._shared = {}, []
        self._last = self._positions = torch.zeros(0, dtype=torch.long)

    def _staying(self) -> Tensor:
        staying = [index for index, row in enumerate(self.rows) if not row.leaves]
        return torch.tensor(staying, dtype=torch.long)

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

    def _place(self, rows: list[Row], keys: KeyValues, last: Tensor, lengths: Tensor) -> None:
        """Puts new rows where others have left, or makes the batch larger."""
        free = [index for index, row in enumerate(self.rows) if row.leaves]
        if len(free) >= len(rows) and self._keys.replace(free[: len(rows)], keys):
            for index, row in zip(free, rows, strict=False):
                self.rows[index] = row
            at = torch.tensor(free[: len(rows)])
            self._last[at], self._positions[at] = last, lengths
            return
        staying = self._staying()
        self._keys = self._keys.joined(staying, keys) if len(staying) else keys
        self._last = torch.cat([self._last[staying], last])
        self._positions = torch.cat([self._positions[staying], lengths])
        self.rows = [*(self.rows[index] for index in staying.tolist()), *rows]

    def _regroup(self) -> None:
        """Notes which places of the batch share what, and lets go of what none shares any more."""
        places = {row: index for index, row in enumerate(self.rows) if not row.leaves}
        self._shared = []
        for ids, beginning in list(self._beginnings.items()):
            beginning.rows &= places.keys()
            if not beginning.rows:
                del self._beginnings[ids]
                continue
            at = sorted(places[row] for row in beginning.rows)
            everybody = len(at) == len(self.rows)
            index = None if everybody else torch.tensor(at, device=self._device)
            self._shared.append(Shared(beginning.layers, index))

    def _read(self, start_ids: Ids, rows: Sequence[Row]) -> tuple[KeyValues, Tensor, _Beginning | None]:
        """The rows' own keys and values, their next-token logits, and what they share."""
        beginning, paid = self._beginning(start_ids) if start_ids else (None, 0)
        start = len(start_ids) if beginning and self._shares else 0
        prompts = list(dict.fromkeys(row.prompt for row in rows))
        known = [self._known(prompt, start) for prompt in prompts]
        spans = list(zip(prompts, known, strict=True))
        keys = KeyValues.of_rows(
            [self._tree.read(ids, start, end) if end > start else [] for ids, end in spans]
        )
        shared = [Shared(beginning.layers, None)] if beginning and start else []
        logits = self._read_rests([ids[end:] for ids, end in spans], known, keys, shared)
        for index, ids in enumerate(prompts):
            if self._stores:
                self._tree.keep(ids, start, keys.of_row(index, 0, len(ids) - start))
        place = {prompt: index for index, prompt in enumerate(prompts)}
        fresh = set(prompts)
        for row in rows:
            row.cached = known[place[row.prompt]] if row.prompt in fresh else len(row.prompt)
            fresh.discard(row.prompt)
        rows[0].cached -= paid
        order = torch.tensor([place[row.prompt] for row in rows])
        if len(rows) > len(prompts):
            keys = keys.selected(order)
        return keys, logits[order], beginning if start else None

    def _known(self, prompt: Ids, start: int) -> int:
        """How many tokens of a prompt need not be read: at least the last one must."""
        if not self._stores:
            return 0
        stored = min(self._tree.match(prompt)[0], len(prompt) - 1)
        return stored if stored - start >= SHORTEST_STORED else start

    def _parted(self, prompt: Ids) -> Ids:
        return prompt[: min(self._tree.match(prompt)[1], len(prompt) - 1)]

    def _beginning(self, ids: Ids) -> tuple[_Beginning, int]:
        """What a family shares: held by the batch, stored, or read now; and how many tokens were read."""
        if ids in self._beginnings:
            return self._beginnings[ids], 0
        known = min(self._tree.match(ids)[0], len(ids) - 1)
        keys = KeyValues.of_rows([self._tree.read(ids, 0, known) if known else []])
        self._read_rests([ids[known:]], [known], keys, [])
        found = _Beginning(ids, keys.of_row(0, 0, len(ids)))
        self._tree.keep(ids, 0, found.layers)
        if self._shares:
            self._beginnings[ids] = found
        return found, len(ids) - known

    def _read_rests(
        self, rests: Sequence[Ids], starts: Sequence[int], keys: KeyValues, shared: list[Shared]
    ) -> Tensor:
        """Reads what is left of each prompt, padded on the left; the logits after each one's last token."""
        if len(rests) == 1 and len(rests[0]) > PADDED_TOKENS:  # attention over all at once takes its square
            first = rests[0][:PADDED_TOKENS]
            self._read_rests([first], starts, keys, shared)
            return self._read_rests([rests[0][PADDED_TOKENS:]], [starts[0] + PADDED_TOKENS], keys, shared)
        width = max(map(len, rests))
        ids = torch.full((len(rests), width), self._padding_id)
        there = torch.zeros(len(rests), width, dtype=torch.bool)
        positions = torch.zeros(len(rests), width, dtype=torch.long)
        for index, (rest, start) in enumerate(zip(rests, starts, strict=True)):
            at = width - len(rest)
            ids[index, at:] = torch.tensor(rest)
            there[index, at:] = True
            positions[index, at:] = torch.arange(start, start + len(rest))
        columns = keys.extend(there)
        mask = _causal(columns, width) if self._plain_masks else columns
        return self._forward(ids, mask, positions, keys, shared)

    def _keep_answer(self, index: int, row: Row) -> None:
        """Stores a finished row's answer, which the next turn of a conversation begins with."""
        if not self._stores or row.gone or len(row.ids) < 2:
            return
        ids = (*row.prompt, *row.ids[:-1])  # the last token was chosen and never read
        start = next((len(own.ids) for own in self._beginnings.values() if row in own.rows), 0)
        first = len(row.prompt)
        self._tree.keep(ids, first, self._keys.of_row(index, first - start, len(ids) - start))

    def _forward(
        self, ids: Tensor, mask: Tensor, positions: Tensor, keys: KeyValues, shared: list[Shared]
    ) -> Tensor:
        """Logits after the last column, shape (rows, vocabulary), fp32 on the CPU."""
        sharing = Sharing(shared)
        found = self._network(
            input_ids=ids.to(self._device),
            attention_mask=mask.to(self._device),
            position_ids=positions.to(self._device),
            past_key_values=keys.cache,
            use_cache=True,
            **({"sharing": sharing} if shared else {}),
            **self._last_only,
        )
        if shared and len(sharing.layers_seen) < len(keys.cache.layers):
            raise CannotShare
        return found.logits[:, -1].float().cpu()


def _causal(columns: Tensor, new: int) -> Tensor:
    """Which columns each of the last `new` tokens looks at, shape (rows, 1, new, columns)."""
    count = columns.shape[1]
    order = torch.arange(count)
    asking = order[count - new :, None]
    # padding looks at itself, since a softmax over nothing would be NaN
    seen = (columns[:, None, :] & (order <= asking)) | (order == asking)
    return seen[:, None]
