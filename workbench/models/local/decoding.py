"""One running batch: prompts join it, every step gives each row a token, finished rows leave it.

What prompts have in common is read once: equal prompts, beginnings that rows of the batch share (which
are also held in memory once), and beginnings that were read for earlier rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.models.local.attention import CannotShare, Shared, Sharing, register
from workbench.models.local.families import Family, families, portions
from workbench.models.local.key_values import NOWHERE, LayerPair, ReadKeys
from workbench.models.local.likelihood import sums_of_log_probabilities
from workbench.models.local.masks import Masks
from workbench.models.local.memory import PREFIX_BYTES
from workbench.models.local.prefixes import PrefixTree, virtual_ids
from workbench.models.local.rows import Ids, Row
from workbench.models.local.running_keys import Group, RunningKeys
from workbench.models.local.sampling import alternatives, choose, log_probabilities

PADDED_TOKENS = 2048
"""Tokens of one forward pass over prompts: more would keep a reader of a stream waiting."""
SHORTEST_STORED = 16
"""Tokens; below this, taking them out of the tree costs more than reading them."""


@dataclass(eq=False)
class _Beginning:
    """What some rows of the batch share."""

    ids: Ids
    layers: list[LayerPair]
    rows: set[Row] = field(default_factory=set)


class Decoder:
    """Runs a causal language model over a batch that changes from step to step."""

    def __init__(
        self,
        network: Any,
        end_ids: set[int],
        padding_id: int,
        prefix_bytes: int = PREFIX_BYTES,
        virtual: Sequence[LayerPair] = (),
    ) -> None:
        """`end_ids` are the tokens that end an answer; `padding_id` may be any token.

        `virtual` are keys and values of virtual tokens: every prompt must begin with their `virtual_ids`.

        Raises ModelUnavailable for an architecture that does not work on keys and values alone.
        """
        self.rows: list[Row] = []
        self._network, self._end_ids, self._padding_id = network, end_ids, padding_id
        self._device = next(network.parameters()).device
        self._virtual, self._virtual_layers = virtual_ids(virtual), list(virtual)
        self._tree = PrefixTree(prefix_bytes, self._virtual, self._virtual_layers)
        self._beginnings: dict[Ids, _Beginning] = {}
        self._shared: list[Shared] = []
        self._last = torch.zeros(0, dtype=torch.long)
        self._positions = torch.zeros(0, dtype=torch.long)
        self._masks = Masks(network)
        accepted = inspect.signature(network.forward).parameters
        passes_on = any(each.kind is each.VAR_KEYWORD for each in accepted.values())
        attention = getattr(network.config.get_text_config(), "_attn_implementation", "")
        self._shares = passes_on and attention == "sdpa" and self._masks.full_only
        if self._shares:
            network.set_attn_implementation(register())
        self._keys = RunningKeys(self._shares)
        self._last_only: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    def plan(self, rows: Sequence[Row]) -> list[Family]:
        """In which families, and portions of them, the rows are best read."""
        found = families(rows, self._beginnings, self._parted)
        return [portion for family in found for portion in portions(family, PADDED_TOKENS)]

    def shared_tokens(self, entering: Iterable[Family] = ()) -> int:
        """Tokens that are held once for several rows, those of entering families included."""
        if not self._shares:
            return 0
        return sum(map(len, self._beginnings.keys() | {family.beginning for family in entering}))

    def expect(self, rows: int) -> None:
        """Says how many rows the batch is about to have."""
        self._keys.expected_rows = rows

    def own_tokens(self, family: Family) -> int:
        """The most tokens that a row of the family may come to hold for itself."""
        shared = len(family.beginning) if self._shares else 0
        return max(len(row.prompt) - shared + row.limit for row in family.rows)

    @torch.inference_mode()
    def join(self, family: Family) -> None:
        """Reads the rows' prompts, gives each its first token, and adds them to the batch."""
        rows = [row for row in family.rows if not row.gone]
        if not rows:
            return
        try:
            keys, places, logits, beginning = self._read(family.beginning, rows)
        except CannotShare:  # known when the first prompt is read, before anything runs
            self._shares = False
            self._beginnings.clear()
            self._keys = RunningKeys(grouped=False)
            keys, places, logits, beginning = self._read(family.beginning, rows)
        start = len(beginning.ids) if beginning is not None else 0
        order = self._keys.add(keys, places, [len(row.prompt) - start + row.limit for row in rows])
        last = torch.cat([self._last, self._take(logits[places], rows)])
        positions = torch.cat([self._positions, torch.tensor([len(row.prompt) for row in rows])])
        self._last, self._positions = last[order], positions[order]
        self.rows = [[*self.rows, *rows][at] for at in order]
        if beginning is not None:
            beginning.rows.update(rows)
        self._regroup()

    @torch.inference_mode()
    def step(self) -> None:
        """Gives every row of the batch its next token."""
        columns = self._keys.next_token(self._device)
        mask = self._masks.of(columns, columns.amax(1, keepdim=True))
        groups = self._keys.groups()
        sharing = Sharing(self._shared, groups if len(groups) > 1 else [])
        logits = self._forward(self._last[:, None], mask, self._positions[:, None], self._keys, sharing)
        self._positions = self._positions + 1
        self._last = self._take(logits, self.rows)

    @torch.inference_mode()
    def sweep(self) -> None:
        """Takes rows that are done out of the batch, and frees what they held."""
        leaving = [index for index, row in enumerate(self.rows) if row.leaves]
        if not leaving:
            return
        for index in leaving:
            self._keep_answer(index, self.rows[index])
            if self.rows[index].broken:
                self._keys.wipe(index)
        order = self._keys.remove(leaving)
        self.rows = [self.rows[index] for index in order]
        self._last, self._positions = self._last[order], self._positions[order]
        self._regroup()

    def log_likelihoods(self, sequences: Sequence[Ids], tokens: int) -> list[float]:
        """See `sums_of_log_probabilities`; the running batch stays as it is."""
        return sums_of_log_probabilities(self._network, sequences, tokens, self._virtual_layers)

    def clear(self) -> None:
        """Forgets the batch and everything that was read."""
        self.rows = []
        self._keys = RunningKeys(self._shares)
        self._tree.clear()
        self._beginnings, self._shared = {}, []
        self._last = self._positions = torch.zeros(0, dtype=torch.long)

    def _take(self, logits: Tensor, rows: Sequence[Row]) -> Tensor:
        lost = logits[:, 0].isnan()  # what is not a number before the last layer is none in any logit
        if lost.any():
            for index in lost.nonzero()[:, 0].tolist():
                rows[index].broken, rows[index].finish = True, "other"
            logits = logits.nan_to_num()
        chosen = choose(logits, rows)
        wanted = [index for index, row in enumerate(rows) if row.logprobs and not row.leaves]
        if wanted:
            for index, value in zip(wanted, log_probabilities(logits[wanted], chosen[wanted]), strict=True):
                rows[index].logprob += value
        asking = [index for index, row in enumerate(rows) if row.top_logprobs and not row.leaves]
        if asking:
            counts = [rows[index].top_logprobs for index in asking]
            for index, found in zip(
                asking, alternatives(logits[asking], chosen[asking], counts), strict=True
            ):
                rows[index].alternatives.append(found)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if not row.leaves:
                row.take(token, self._end_ids)
        return chosen

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

    def _read(
        self, start_ids: Ids, rows: Sequence[Row]
    ) -> tuple[ReadKeys, Tensor, Tensor, _Beginning | None]:
        """Keys and values of the rows' different prompts, which of them each row has, their next-token
        logits, and what the rows share."""
        beginning, paid = self._beginning(start_ids) if start_ids else (None, 0)
        start = len(start_ids) if beginning and self._shares else 0
        prompts = list(dict.fromkeys(row.prompt for row in rows))
        known = [self._known(prompt, start) for prompt in prompts]
        spans = list(zip(prompts, known, strict=True))
        keys = ReadKeys.of_rows(
            [self._tree.read(ids, start, end) if end > start else [] for ids, end in spans],
            [start] * len(prompts),
        )
        shared = [Shared(beginning.layers, None)] if beginning and start else []
        logits = self._read_rests([ids[end:] for ids, end in spans], known, keys, shared)
        for index, ids in enumerate(prompts):
            self._tree.keep(ids, start, keys.of_row(index, start, len(ids)))
        place = {prompt: index for index, prompt in enumerate(prompts)}
        fresh = set(prompts)
        for row in rows:
            row.cached = known[place[row.prompt]] if row.prompt in fresh else len(row.prompt)
            fresh.discard(row.prompt)
        rows[0].cached -= paid
        places = torch.tensor([place[row.prompt] for row in rows])
        return keys, places, logits, beginning if start else None

    def _known(self, prompt: Ids, start: int) -> int:
        """How many tokens of a prompt need not be read: at least the last one must."""
        stored = min(self._tree.match(prompt)[0], len(prompt) - 1)
        # virtual tokens cannot be read: they are what training made them
        return stored if stored - start >= SHORTEST_STORED else max(start, len(self._virtual))

    def _parted(self, prompt: Ids) -> Ids:
        return prompt[: min(self._tree.match(prompt)[1], len(prompt) - 1)]

    def _beginning(self, ids: Ids) -> tuple[_Beginning, int]:
        """What a family shares: held by the batch, stored, or read now; and how many tokens were read."""
        if ids in self._beginnings:
            return self._beginnings[ids], 0
        if ids == self._virtual:
            found, known = _Beginning(ids, self._virtual_layers), len(ids)
        else:
            known = min(self._tree.match(ids)[0], len(ids) - 1)
            keys = ReadKeys.of_rows([self._tree.read(ids, 0, known) if known else []], [0])
            self._read_rests([ids[known:]], [known], keys, [])
            found = _Beginning(ids, keys.of_row(0, 0, len(ids)))
        self._tree.keep(ids, 0, found.layers)
        if self._shares:
            self._beginnings[ids] = found
        return found, len(ids) - known

    def _read_rests(
        self, rests: Sequence[Ids], starts: Sequence[int], keys: ReadKeys, shared: list[Shared]
    ) -> Tensor:
        """Reads what is left of each prompt, padded on the left; the logits after each one's last token."""
        if len(rests) == 1 and len(rests[0]) > PADDED_TOKENS:  # attention over all at once takes its square
            first = rests[0][:PADDED_TOKENS]
            self._read_rests([first], starts, keys, shared)
            return self._read_rests([rests[0][PADDED_TOKENS:]], [starts[0] + PADDED_TOKENS], keys, shared)
        width = max(map(len, rests))
        ids = torch.full((len(rests), width), self._padding_id)
        positions = torch.full((len(rests), width), NOWHERE)
        for index, (rest, start) in enumerate(zip(rests, starts, strict=True)):
            at = width - len(rest)
            ids[index, at:] = torch.tensor(rest)
            positions[index, at:] = torch.arange(start, start + len(rest))
        keys.extend(positions)
        mask = self._masks.of(keys.positions, positions)
        everything = Group(slice(None), slice(None), keys.positions.shape[1])
        sharing = Sharing(shared, [everything] if self._shares else [])
        return self._forward(ids, mask, positions.clamp(min=0), keys, sharing)

    def _keep_answer(self, index: int, row: Row) -> None:
        """Stores a finished row's answer, which the next turn of a conversation begins with."""
        if row.gone or row.broken or len(row.ids) < 2:
            return
        ids = (*row.prompt, *row.ids[:-1])  # the last token was chosen and never read
        start = next((len(own.ids) for own in self._beginnings.values() if row in own.rows), 0)
        first = len(row.prompt)
        self._tree.keep(ids, first, self._keys.of_row(index, first - start, len(ids) - start))

    def _forward(
        self, ids: Tensor, mask: Any, positions: Tensor, keys: ReadKeys | RunningKeys, sharing: Sharing
    ) -> Tensor:
        """Logits after the last column, shape (rows, vocabulary), fp32 on the CPU."""
        there = (
            {kind: one.to(self._device) for kind, one in mask.items()}
            if isinstance(mask, dict)
            else mask.to(self._device)
        )
        found = self._network(
            input_ids=ids.to(self._device),
            attention_mask=there,
            position_ids=positions.to(self._device),
            past_key_values=keys.cache,
            use_cache=True,
            **({"sharing": sharing} if sharing else {}),
            **self._last_only,
        )
        if sharing and len(sharing.layers_seen) < len(keys.cache.layers):
            raise CannotShare
        return found.logits[:, -1].float().cpu()
