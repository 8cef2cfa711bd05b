"""nf4 is as exact for odd widths as for others: each block of weights keeps its own scale."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.require import require
from workbench.models.local.quantization import QUANTIZATIONS
from workbench.models.local.quantized_layers import _nf4


@pytest.mark.parametrize("width", [64, 96, 144, 160, 256, 50])
def test_rows_of_very_different_size_keep_their_own_scales(width: int):
    require(QUANTIZATIONS["nf4"].installed, "bitsandbytes")
    torch.manual_seed(1)
    with torch.inference_mode():
        layer = nn.Linear(width, 128, bias=False)
        layer.weight.data *= torch.logspace(-2, 1, 128)[:, None]
        held = _nf4(_copy(layer), "cpu")
        for rows in (1, 2, 40):
            states = torch.randn(rows, width)
            wanted, found = layer(states), held(states)
            per_output = (wanted - found).norm(dim=0) / wanted.norm(dim=0).clamp_min(1e-6)
            assert per_output.median() < 0.2
            assert (wanted - found).norm() / wanted.norm() < 0.2


def _copy(layer: nn.Linear) -> nn.Linear:
    made = nn.Linear(layer.in_features, layer.out_features, bias=False)
    made.weight.data.copy_(layer.weight.data)
    return made
