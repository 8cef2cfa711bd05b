"""Attention over shared and own keys is attention over both side by side."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from workbench.models.local.attention import CannotShare, Shared, Sharing, attend

HEADS, HELD, WIDTH = 4, 2, 8


def reference(
    query: torch.Tensor, keys: list[torch.Tensor], values: list[torch.Tensor], masks: list[torch.Tensor]
) -> torch.Tensor:
    """Each row by itself, its shared columns in front of its own."""
    found = []
    for row in range(len(query)):
        key, value = (side[row].repeat_interleave(HEADS // HELD, 0) for side in (keys, values))
        scores = query[row] @ key.transpose(1, 2) / WIDTH**0.5
        weights = scores.masked_fill(~masks[row], -torch.inf).softmax(-1)
        found.append((weights @ value).transpose(0, 1))
    return torch.stack(found)


@pytest.mark.parametrize("new", [1, 5])
def test_two_families_and_a_row_of_neither_get_what_they_would_get_alone(new: int) -> None:
    torch.manual_seed(2)
    rows, columns = 5, 7
    query = torch.randn(rows, HEADS, new, WIDTH)
    own = [torch.randn(rows, HELD, columns, WIDTH) for _ in range(2)]
    mask = torch.rand(rows, 1, new, columns) < 0.6
    mask[:, :, :, -1] = True
    first, second = ([torch.randn(1, HELD, size, WIDTH) for _ in range(2)] for size in (11, 3))
    parts = [
        Shared([(first[0], first[1])], torch.tensor([0, 3])),
        Shared([(second[0], second[1])], torch.tensor([1, 4])),
    ]
    sharing = Sharing(parts)
    found, _ = attend(SimpleNamespace(layer_idx=0), query, own[0], own[1], mask, sharing=sharing)
    in_front = {0: first, 3: first, 1: second, 4: second}
    keys, values, masks = [], [], []
    for row in range(rows):
        extra = in_front.get(row, [torch.zeros(1, HELD, 0, WIDTH)] * 2)
        keys.append(torch.cat([extra[0][0], own[0][row]], 1))
        values.append(torch.cat([extra[1][0], own[1][row]], 1))
        masks.append(torch.cat([torch.ones(1, new, extra[0].shape[2], dtype=torch.bool), mask[row]], 2))
    assert torch.allclose(found, reference(query, keys, values, masks), atol=1e-5)
    assert sharing.layers_seen == {0}


def test_what_all_rows_share_needs_no_list_of_rows() -> None:
    torch.manual_seed(3)
    query, key, value = torch.randn(3, HEADS, 1, WIDTH), *torch.randn(2, 3, HELD, 4, WIDTH)
    shared = [(torch.randn(1, HELD, 6, WIDTH), torch.randn(1, HELD, 6, WIDTH))]
    mask = torch.ones(3, 1, 1, 4, dtype=torch.bool)
    module = SimpleNamespace(layer_idx=0)
    everybody, _ = attend(module, query, key, value, mask, sharing=Sharing([Shared(shared, None)]))
    listed, _ = attend(module, query, key, value, mask, sharing=Sharing([Shared(shared, torch.arange(3))]))
    assert torch.equal(everybody, listed)


def test_attention_that_does_more_than_weigh_is_not_split() -> None:
    query, key, value = torch.randn(1, HEADS, 1, WIDTH), *torch.randn(2, 1, HELD, 4, WIDTH)
    mask = torch.ones(1, 1, 1, 4, dtype=torch.bool)
    with pytest.raises(CannotShare):
        attend(SimpleNamespace(layer_idx=0), query, key, value, mask, sharing=Sharing([]), softcap=30.0)
