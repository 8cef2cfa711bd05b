"""Tags on rows, on both kinds of database."""

from __future__ import annotations

from workbench.storage import Store


def test_tags_stay_in_the_order_they_were_put_on_and_apart_by_dataset(store: Store) -> None:
    tags = store.row_tags
    for row, tag in (("a", "odd"), ("b", "odd"), ("a", "early"), ("a", "odd")):
        tags.add("sums", row, tag)
    tags.add("other", "a", "elsewhere")
    assert tags.of_rows("sums", ["a", "b", "c", "a"]) == {"a": ("odd", "early"), "b": ("odd",)}
    assert tags.rows_with("sums", "odd") == {"a", "b"}
    assert tags.known("sums") == ["early", "odd"]


def test_taking_off_a_tag_leaves_the_others(store: Store) -> None:
    for tag in ("odd", "50%_'\"; DROP TABLE row_tags", "Ωdd"):
        store.row_tags.add("sums", "a", tag)
    store.row_tags.remove("sums", "a", "odd")
    store.row_tags.remove("sums", "a", "never there")
    assert store.row_tags.of_rows("sums", ["a"]) == {"a": ("50%_'\"; DROP TABLE row_tags", "Ωdd")}


def test_thousands_of_rows_are_asked_for_at_once(store: Store) -> None:
    store.row_tags.add("sums", "row 1999", "last")
    found = store.row_tags.of_rows("sums", (f"row {n}" for n in range(2500)))
    assert found == {"row 1999": ("last",)}
