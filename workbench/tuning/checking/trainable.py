"""How many numbers a method trains on a base, told from the shapes in its files.

trainable(base, Train(method="lora", rank=16))  ->  245760
"""

from __future__ import annotations

from workbench.core.tuning import Train
from workbench.models.local.tensors import Tensor
from workbench.tuning.checking.base import Base
from workbench.tuning.training.combinations import LOW_RANK


def trainable(base: Base, train: Train) -> int:
    """Numbers that the optimiser changes."""
    if train.method == "full":
        return base.parameters
    if train.method in LOW_RANK:
        magnitudes = 1 if train.method == "dora" else 0
        return sum(
            train.rank * sum(layer.shape) + magnitudes * layer.shape[0] for layer in adapted(base, train)
        )
    if train.method == "ia3":
        return sum(layer.shape[0] for layer in adapted(base, train))
    widths = base.widths
    if train.method == "prefix":
        return train.virtual_tokens * widths.cache_numbers
    return train.virtual_tokens * widths.hidden


def adapted(base: Base, train: Train) -> list[Tensor]:
    """The linear layers that the method puts something beside."""
    if not train.targets:
        return list(base.linear)
    names = {layer.name: layer.name.removesuffix(".weight") for layer in base.linear}
    return [
        layer
        for layer in base.linear
        if any(names[layer.name] == one or names[layer.name].endswith(f".{one}") for one in train.targets)
    ]
