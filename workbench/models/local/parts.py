"""Where a model's parameters are, as a tree: by component over all layers, or layer by layer.

Part("model", 1377920, (Part("embedding", 196608, …), Part("attention", 393216, (Part("query", …), …)), …))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.models.local.components import COMPONENTS, PIECES, place
from workbench.models.local.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a model and what it consists of; the pieces of `parts` sum to `parameters`."""

    name: str
    parameters: int
    parts: tuple[Part, ...] = ()


def summed(tensors: Iterable[Tensor], name: str) -> Part:
    """All tensors by component and piece, summed over layers."""
    sums: dict[str, dict[str, int]] = {component: {} for component in COMPONENTS}
    for tensor in tensors:
        where = place(tensor.name)
        pieces = sums[where.component]
        pieces[where.piece] = pieces.get(where.piece, 0) + tensor.parameters
    return _tree(name, sums)


def layered(tensors: tuple[Tensor, ...]) -> Part:
    """`embedding`, `layer 0` … with their components, then what belongs to no layer."""
    layers: dict[int, dict[str, dict[str, int]]] = {}
    outside: dict[str, dict[str, int]] = {component: {} for component in COMPONENTS}
    for tensor in tensors:
        where = place(tensor.name)
        held = outside if where.layer is None else layers.setdefault(where.layer, {})
        pieces = held.setdefault(where.component, {})
        pieces[where.piece] = pieces.get(where.piece, 0) + tensor.parameters
    around = {part.name: part for part in _tree("", outside).parts}
    numbered = [_tree(f"layer {number}", layers[number]) for number in sorted(layers)]
    first = [around.pop("embedding")] if "embedding" in around else []
    parts = (*first, *numbered, *around.values())
    return Part("model", sum(part.parameters for part in parts), parts)


def _tree(name: str, sums: dict[str, dict[str, int]]) -> Part:
    parts = []
    for component in COMPONENTS:
        pieces = tuple(
            Part(piece, count) for piece, count in sorted(sums.get(component, {}).items(), key=_order)
        )
        if pieces:
            parts.append(Part(component, sum(piece.parameters for piece in pieces), pieces))
    return Part(name, sum(part.parameters for part in parts), tuple(parts))


def _order(held: tuple[str, int]) -> int:
    name = held[0].removeprefix("experts: ")
    return PIECES.index(name) if name in PIECES else len(PIECES)
