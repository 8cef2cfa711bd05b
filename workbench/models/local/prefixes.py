"""What was read before, as a tree: prompts begin with the same examples, system texts and chat turns.

    <system> You label tickets. <user> …examples… ─┬─ ticket 1 <assistant> billing
                                                   └─ ticket 2
    <system> You translate. ────────────────────────── …

Every node holds keys and values of its own tokens only. What was used longest ago goes first when the
tree's memory is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from workbench.models.local.key_values import LayerPair
from workbench.models.local.rows import Ids


class _Node:
    """A stretch of tokens between two places where prompts part."""

    def __init__(self, ids: Ids, layers: list[LayerPair], parent: _Node | None) -> None:
        self.ids, self.layers, self.parent = ids, layers, parent
        self.children: dict[int, _Node] = {}
        self.used = 0

    @property
    def bytes(self) -> int:
        """Memory of its keys and values."""
        return sum(side.numel() * side.element_size() for pair in self.layers for side in pair)


class PrefixTree:
    """Keys and values of the beginnings that were read, by their tokens.

    Args:
        most_bytes: memory that the tree may hold.
        virtual: ids that everything begins with, if any; they stay, whatever memory there is.
        layers: keys and values of `virtual`.
    """

    def __init__(self, most_bytes: int, virtual: Ids = (), layers: Sequence[LayerPair] = ()) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        """Memory of what is kept, without that of virtual tokens."""
        self._virtual, self._virtual_layers = virtual, list(layers)
        self._clock = 0
        self.clear()

    def match(self, ids: Ids) -> tuple[int, int]:
        """How many tokens of `ids` are there, and how many up to the last place where prompts parted."""
        found = parted = 0
        for node, length in self._path(ids):
            found += length
            if length == len(node.ids) and len(node.children) > 1:
                parted = found
        return found, parted

    def read(self, ids: Ids, first: int, last: int) -> list[LayerPair]:
        """Keys and values of ids[first:last], which must be in the tree, as layers of one row each."""
        pieces: list[list[LayerPair]] = []
        self._clock += 1
        at = 0
        for node, length in self._path(ids[:last]):
            node.used = self._clock
            start, end = max(first - at, 0), length
            if start < end:
                pieces.append([_part(pair, start, end) for pair in node.layers])
            at += length
        return [
            (torch.cat([pair[0] for pair in depth], 2), torch.cat([pair[1] for pair in depth], 2))
            for depth in zip(*pieces, strict=True)
        ]

    def keep(self, ids: Ids, first: int, layers: Sequence[LayerPair]) -> None:
        """Adds ids[first:] with their keys and values; ids[:first] must be there, else nothing happens."""
        self._clock += 1
        node, at = self._root, 0
        for step, length in self._path(ids):
            step.used = self._clock
            node = step if length == len(step.ids) else self._split(step, length)
            at += length
        if at < first or at == len(ids):
            return
        own = [_part(pair, at - first, len(ids) - first) for pair in layers]
        leaf = _Node(ids[at:], own, node)
        leaf.used = self._clock
        node.children[ids[at]] = leaf
        self.bytes += leaf.bytes
        if self.bytes > self.most_bytes:
            self._forget(self.most_bytes * 7 // 8)

    def clear(self) -> None:
        """Forgets everything but the virtual tokens."""
        self._root = _Node((), [], None)
        if self._virtual:
            node = _Node(self._virtual, self._virtual_layers, self._root)
            self._root.children[self._virtual[0]] = node
        self.bytes = 0

    def _path(self, ids: Ids) -> Iterator[tuple[_Node, int]]:
        """The nodes along `ids`, each with how many of its tokens agree; the last may agree in part."""
        node, at = self._root, 0
        while at < len(ids) and (child := node.children.get(ids[at])) is not None:
            length = _agreeing(child.ids, ids[at : at + len(child.ids)])
            whole = length == len(child.ids)  # asked first: who walks here may cut the node
            yield child, length
            if not whole:
                return
            node, at = child, at + length

    def _split(self, node: _Node, length: int) -> _Node:
        """Cuts a node in two after its first `length` tokens; gives the upper part."""
        upper = _Node(node.ids[:length], [_part(pair, 0, length) for pair in node.layers], node.parent)
        upper.used = node.used
        node.layers = [_part(pair, length, len(node.ids)) for pair in node.layers]
        node.ids = node.ids[length:]
        parent = node.parent or self._root
        parent.children[upper.ids[0]] = upper
        upper.children[node.ids[0]] = node
        node.parent = upper
        return upper

    def _forget(self, bytes_left: int) -> None:
        """Drops the ends that were used longest ago until no more than `bytes_left` are held."""
        while self.bytes > bytes_left:
            ends = sorted(
                (node for node in self._nodes() if not node.children and node.ids[0] >= 0),
                key=lambda node: node.used,
            )
            for node in ends:
                if self.bytes <= bytes_left:
                    return
                del (node.parent or self._root).children[node.ids[0]]
                self.bytes -= node.bytes

    def _nodes(self) -> Iterator[_Node]:
        waiting = list(self._root.children.values())
        while waiting:
            node = waiting.pop()
            waiting.extend(node.children.values())
            yield node


def _part(pair: LayerPair, first: int, last: int) -> LayerPair:
    # a copy, so that dropping one part of what was read together frees its memory
    return pair[0][:, :, first:last].clone(), pair[1][:, :, first:last].clone()


def _agreeing(one: Ids, other: Ids) -> int:
    """How many tokens both begin with."""
    if one == other:
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def virtual_ids(layers: Sequence[LayerPair]) -> Ids:
    """Ids for virtual tokens, which no vocabulary has: (-3, -2, -1) for three columns of keys and values."""
    return tuple(range(-layers[0][0].shape[2], 0)) if layers else ()


def common_length(prompts: Sequence[Ids], spare: int = 1) -> int:
    """How many tokens all prompts begin with; at least `spare` of each stay outside."""
    limit = min(len(prompt) for prompt in prompts) - spare
    return max(0, min(_agreeing(min(prompts), max(prompts)), limit))
