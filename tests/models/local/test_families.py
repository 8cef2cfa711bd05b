"""Which rows share a beginning: as many tokens as pay, and never a row that does not begin so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.models.local.families import families, portions
from workbench.models.local.rows import Row

EXAMPLES, OTHERS = tuple(range(100, 300)), tuple(range(400, 700))


def rows(*prompts: tuple[int, ...]) -> list[Row]:
    return [Row(prompt, 8) for prompt in prompts]


def test_rows_with_the_same_examples_are_one_family_and_the_rest_is_none() -> None:
    entering = rows((*EXAMPLES, 1, 2), (*EXAMPLES, 3), (*EXAMPLES, 4), (7, 8), (9,))
    found = {family.beginning: family.rows for family in families(entering)}
    assert found == {EXAMPLES: entering[:3], (): entering[3:]}


def test_a_short_common_start_hides_no_family() -> None:
    first = rows(*((1, 2, *EXAMPLES, 1000 + at) for at in range(4)))
    second = rows(*((1, 2, *OTHERS, 1000 + at) for at in range(4)))
    alone = rows((1, 2, 3))
    found = {family.beginning: family.rows for family in families([*first, *alone, *second])}
    assert found == {(1, 2, *EXAMPLES): first, (1, 2, *OTHERS): second, (): alone}


def test_members_of_an_ensemble_share_their_own_examples_behind_one_system_text() -> None:
    system = tuple(range(50))
    first = rows(*((*system, *EXAMPLES, 1000 + at) for at in range(8)))
    second = rows(*((*system, *OTHERS, 1000 + at) for at in range(8)))
    found = {family.beginning: family.rows for family in families([*first, *second])}
    assert found == {(*system, *EXAMPLES): first, (*system, *OTHERS): second}


def test_samples_of_one_prompt_share_all_but_its_last_token() -> None:
    entering = rows(*[EXAMPLES] * 8)
    (family,) = families(entering)
    assert (family.beginning, family.rows) == (EXAMPLES[:-1], entering)


def test_a_late_row_joins_the_family_that_is_running() -> None:
    (late,) = entering = rows((*EXAMPLES, 9))
    (family,) = families(entering, running=[EXAMPLES, EXAMPLES[:10]])
    assert (family.beginning, family.rows) == (EXAMPLES, [late])


def test_a_row_alone_takes_up_a_stored_place_where_prompts_parted_when_it_is_long() -> None:
    entering = rows((*OTHERS, 9))
    assert families(entering, parted=lambda ids: OTHERS)[0].beginning == OTHERS
    assert families(entering, parted=lambda ids: OTHERS[:20])[0].beginning == ()


PROMPTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.lists(st.integers(0, 1), min_size=1, max_size=4)),
    max_size=20,
)


@given(PROMPTS)
def test_every_row_is_in_one_family_and_begins_as_it_says(shapes: list[tuple[int, int, list[int]]]) -> None:
    starts = ((), EXAMPLES, OTHERS)
    entering = rows(*((*starts[one], *(5,) * (70 * two), *rest) for one, two, rest in shapes))
    found = [portion for family in families(entering) for portion in portions(family, 300)]
    assert sorted(map(id, entering)) == sorted(id(row) for family in found for row in family.rows)
    for family in found:
        assert all(row.prompt[: len(family.beginning)] == family.beginning for row in family.rows)
        assert all(len(row.prompt) > len(family.beginning) for row in family.rows)
        padded = len(family.rows) * max(len(row.prompt) - len(family.beginning) for row in family.rows)
        assert padded <= 300 or len(family.rows) == 1
