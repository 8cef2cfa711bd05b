"""The tree of what was read: nothing is mixed up, shared parts are held once, the oldest goes first."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.models.local.prefixes import PrefixTree, common_length

BYTES_PER_TOKEN = 2 * (2 * 3 + 1 * 3) * 4  # keys and values, two layers of different widths, fp32


def layers_of(ids: tuple[int, ...]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Keys and values that follow from the tokens before them, as attention's do."""
    column = torch.tensor([float(sum(ids[: at + 1]) * 10 + at) for at in range(len(ids))])
    wide, narrow = column.expand(1, 2, -1), column.expand(1, 1, -1)
    return [
        (wide[..., None] + torch.arange(3.0), -wide[..., None] + torch.arange(3.0)),
        (narrow[..., None] * 2 + torch.arange(3.0), narrow[..., None] * 3 + torch.arange(3.0)),
    ]


def same(
    one: list[tuple[torch.Tensor, torch.Tensor]], other: list[tuple[torch.Tensor, torch.Tensor]]
) -> bool:
    return all(
        torch.equal(a, b)
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def keep(tree: PrefixTree, ids: tuple[int, ...], first: int = 0) -> None:
    tree.keep(ids, first, [(k[:, :, first:], v[:, :, first:]) for k, v in layers_of(ids)])


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=9).map(tuple), min_size=1, max_size=12))
def test_what_is_kept_is_read_back_for_every_beginning_of_it(prompts: list[tuple[int, ...]]) -> None:
    tree = PrefixTree(10**9)
    for ids in prompts:
        keep(tree, ids)
    distinct = {ids[:end] for ids in prompts for end in range(1, len(ids) + 1)}
    assert tree.bytes == len(distinct) * BYTES_PER_TOKEN, "a shared beginning is held once"
    for ids in prompts:
        assert tree.match(ids)[0] == len(ids)
        for first in range(len(ids)):
            read = tree.read(ids, first, len(ids))
            assert same(read, [(k[:, :, first:], v[:, :, first:]) for k, v in layers_of(ids)])


def test_the_place_where_prompts_part_is_known() -> None:
    tree = PrefixTree(10**9)
    keep(tree, (1, 2, 3, 4))
    assert tree.match((1, 2, 3, 9)) == (3, 0), "one prompt alone parts nowhere"
    keep(tree, (1, 2, 7))
    assert tree.match((1, 2, 3, 9)) == (3, 2)


def test_what_was_used_longest_ago_goes_first_and_a_beginning_stays_while_something_needs_it() -> None:
    tree = PrefixTree(8 * BYTES_PER_TOKEN)
    keep(tree, (1, 1, 1, 2))
    keep(tree, (1, 1, 1, 3))
    keep(tree, (5, 5))
    tree.read((1, 1, 1, 2), 0, 4)
    keep(tree, (6, 6))
    assert tree.match((1, 1, 1, 3))[0] == 3, "the end that was not used is gone, what it shares is not"
    assert tree.match((1, 1, 1, 2))[0] == 4
    assert tree.match((6, 6))[0] == 2
    assert tree.bytes <= tree.most_bytes


def test_a_prompt_that_is_larger_than_the_memory_leaves_nothing_behind() -> None:
    tree = PrefixTree(3 * BYTES_PER_TOKEN)
    keep(tree, tuple(range(9)))
    assert (tree.bytes, tree.match((0, 1))[0]) == (0, 0)


def test_a_tail_is_not_kept_without_its_beginning() -> None:
    tree = PrefixTree(10**9)
    keep(tree, (4, 5, 6), first=1)
    assert tree.bytes == 0


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=6).map(tuple), min_size=1, max_size=5))
def test_the_common_length_leaves_a_token_of_every_prompt(prompts: list[tuple[int, ...]]) -> None:
    length = common_length(prompts)
    assert length < min(map(len, prompts))
    assert len({ids[:length] for ids in prompts}) == 1
    longer = {ids[: length + 1] for ids in prompts}
    assert len(longer) > 1 or length + 1 == min(map(len, prompts))
