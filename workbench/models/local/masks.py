"""Which earlier tokens each token looks at, by their positions, in the form that a model's layers take.

positions of the columns   0 1 2 3       asking from position 3, with a window of 2:   · · 2 3
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workbench.errors import ModelUnavailable
from workbench.models.local.key_values import NOWHERE

FULL, SLIDING, CHUNKED = "full_attention", "sliding_attention", "chunked_attention"


class Masks:
    """Makes the masks of one network.

    Raises ModelUnavailable for an architecture that does not work on keys and values alone.
    """

    def __init__(self, network: Any) -> None:
        config = network.config.get_text_config()
        stated = getattr(config, "layer_types", None)
        self._window = getattr(config, "sliding_window", None)
        self._chunk = getattr(config, "attention_chunk_size", None)
        self._kinds = set(stated or [SLIDING if self._window else FULL])
        if getattr(network, "_is_stateful", False) or not self._kinds <= {FULL, SLIDING, CHUNKED}:
            raise ModelUnavailable(
                f"its architecture ('{config.model_type}') keeps a running state beside keys and values, "
                "which cannot be batched here; run it as a GGUF file with `provider: llama_cpp`."
            )
        attention = getattr(config, "_attn_implementation", "")
        self._added_to: torch.dtype | None = network.dtype if attention == "eager" else None
        # some that add positions to their scores work them out from which columns are there
        self._flat = self.full_only and (attention != "sdpa" or bool(getattr(config, "alibi", False)))

    @property
    def full_only(self) -> bool:
        """Whether every token looks at all before it, in every layer."""
        return self._kinds == {FULL}

    def of(self, columns: Tensor, asking: Tensor) -> Any:
        """What the model takes as its `attention_mask`.

        Args:
            columns: shape (rows, columns), the positions of all columns, NOWHERE where there is no token.
            asking: shape (rows, new), the positions of the tokens that ask, which are the last columns
                or, for one token a row, anywhere.
        """
        if self._flat:
            return columns != NOWHERE
        key, query = columns[:, None, :], asking[:, :, None]
        seen = (key != NOWHERE) & (key <= query)
        # padding looks at itself, since a softmax over nothing would be NaN
        new = asking.shape[1]
        if new > 1:
            own = torch.eye(new, dtype=torch.bool)
            seen[:, :, columns.shape[1] - new :] |= own & (asking == NOWHERE)[:, :, None]
        found = {FULL: seen}
        if SLIDING in self._kinds and self._window:
            found[SLIDING] = seen & ((query - key < self._window) | (query == NOWHERE))
        if CHUNKED in self._kinds and self._chunk:
            found[CHUNKED] = seen & ((query // self._chunk == key // self._chunk) | (query == NOWHERE))
        masks = {kind: self._form(found.get(kind, seen)) for kind in self._kinds}
        return masks if len(masks) > 1 else next(iter(masks.values()))

    def _form(self, seen: Tensor) -> Tensor:
        if self._added_to is None:
            return seen[:, None]
        lowest = torch.finfo(self._added_to).min
        return torch.where(seen, 0.0, lowest).to(self._added_to)[:, None]
