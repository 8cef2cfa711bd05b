"""A collection in a real browser: looked through by key, by two people at once, readable in light and dark.

How one is collected, cleaned and learnt from is walked in `test_fine_tune.py`.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.axe import check_both_schemes
from tests.e2e.conftest import Site, keep, open_page, press, settle, with_workspace
from workbench.core.collection import CollectionItem, Item, Origin

pytestmark = pytest.mark.timeout(900)  # a browser on a busy machine
REPORT = {
    "looked_at": 9,
    "picked": 7,
    "picked_by": "exact_match of at least 1",
    "left_out": {"below the bar": 2, "repeats a held-back row": 1},
    "apart_from": ["word-problems#test"],
    "overlaps": {
        "rows": 1,
        "listed": [
            {
                "row": "sum-6",
                "split": "word-problems#test",
                "row_id": "t-1",
                "how": "the same words",
                "words": "what is 6 plus 1",
            }
        ],
    },
    "clean": [{"step": "exact_duplicates", "seen": 6, "dropped": 0, "changed": 0}],
}


def sum_item(number: int) -> Item:
    origin = Origin("output", dataset="sums", split="train", row_id=f"sum-{number}", prompt="direct")
    question = ({"role": "user", "content": f"What is {number} + 1?"},)
    return Item(question, f"That makes {number + 1}.", origin, row={"parity": number % 2})


@pytest.fixture(scope="module")
def collection(site: Site) -> str:
    """Six sums to learn from; its id."""
    made = "20261121-100000-abc123"
    places = [CollectionItem(number, sum_item(number)) for number in range(6)]
    with_workspace(
        site, lambda ws: ws.store.collections.create(made, "sums", "completion", {}, REPORT, places)
    )
    return made


def stored(site: Site, collection: str) -> list[CollectionItem]:
    return list(with_workspace(site, lambda ws: ws.store.collections.items(collection)))


def deed(tab: Any, key: str, then: str) -> None:
    """Does something by key, and waits for what the page says of it."""
    press(tab, key)
    tab.get_by_text(re.compile(then)).first.wait_for()


def begin_edit(tab: Any, written: str) -> None:
    press(tab, "e")
    tab.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    settle(tab)
    tab.keyboard.press("Control+End")
    tab.keyboard.type(written)


def test_two_people_look_through_the_same_items_by_keyboard(tab: Any, site: Site, collection: str) -> None:
    open_page(tab, site, f"/collections?collection={collection}")
    deed(tab, "j", "Where it comes from")
    deed(tab, "r", "Rejected item 0")
    assert [one.state for one in stored(site, collection)][:3] == ["dropped", "kept", "kept"]
    assert "item=1" in tab.url
    deed(tab, "u", "Took back: rejected item 0")
    assert "item=0" in tab.url
    assert {one.state for one in stored(site, collection)} == {"kept"}
    deed(tab, "j", "2 of 6 items")
    deed(tab, "k", "1 of 6 items")

    begin_edit(tab, " Jar")  # J, A and R are letters here
    deed(tab, "Control+Enter", "Edited item 0")
    edited = stored(site, collection)[0].item
    assert (edited.completion, edited.original) == ("That makes 1. Jar", "That makes 1.")

    other = tab.context.new_page()
    open_page(other, site, f"/collections?collection={collection}&item=0")
    begin_edit(other, " Theirs")
    begin_edit(tab, " Mine")
    deed(tab, "Control+Enter", "Edited item 0")
    deed(other, "Control+Enter", "Somebody changed item 0 meanwhile")
    assert stored(site, collection)[0].item.completion == "That makes 1. Jar Mine"
    other.close()
    deed(tab, "Escape", "Reject these")
    assert "item=" not in tab.url


def test_each_view_can_be_read_in_light_and_dark(tab: Any, site: Site, collection: str) -> None:
    """The others, cleaning and profile among them, are read on the walk to a tuned model."""
    for view, shows in (
        ("items", "6 kept"),
        ("sources", "the same words"),
        ("export", f"export collection {collection}"),
    ):
        open_page(tab, site, f"/collections?collection={collection}&view={view}")
        tab.get_by_text(shows).first.wait_for()
        keep(tab, f"collection-{view}")
        check_both_schemes(tab, f"collection-{view}")
        tab.emulate_media(color_scheme="light")
