"""Rows of zeros: dora divides each row of a matrix by its length, which such a row does not have.

zero_rows(find_base(spec_of_small))                ->  ("k_proj", "q_proj")
where_rows_have_length(base, Train(method="dora"))   ->  Train(method="dora", targets=("down_proj", …))
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from workbench.core.tuning import Train
from workbench.models.local.tensors import weight_files
from workbench.tuning.checking.base import Base
from workbench.tuning.checking.trainable import adapted

MOST_READ = 10**9
"""Weights of a base whose files are looked through; reading more takes too long."""


def zero_rows(base: Base) -> tuple[str, ...]:
    """Last names of the linear layers in which some row is nothing but zeros; reads the weights."""
    if base.parameters > MOST_READ:
        return ()
    return _zero_rows(base.folder, frozenset(layer.name for layer in base.linear))


def where_rows_have_length(base: Base, train: Train) -> Train:
    """The settings; of dora that names no `targets`, with the layers that it can divide.

    Where there is none, they stay, and are refused.
    """
    if train.method != "dora" or train.targets:
        return train
    without = zero_rows(base)
    rest = _last_names(layer.name for layer in adapted(base, train)) - set(without)
    return train.model_copy(update={"targets": tuple(sorted(rest))}) if without and rest else train


def _last_names(names: Iterable[str]) -> set[str]:
    return {name.removesuffix(".weight").rpartition(".")[2] for name in names}


@lru_cache(maxsize=8)
def _zero_rows(folder: Path, names: frozenset[str]) -> tuple[str, ...]:
    from safetensors import safe_open

    found: set[str] = set()
    for file in weight_files(folder):
        with safe_open(file, framework="pt") as opened:
            for name in names.intersection(opened.keys()):
                if not bool(opened.get_tensor(name).any(dim=1).all()):
                    found |= _last_names([name])
    return tuple(sorted(found))
