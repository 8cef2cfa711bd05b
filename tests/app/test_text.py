"""What others wrote is shown as text,, and differences are marked."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as some

from workbench.app.widgets.text import JOINER, escaped, escaped_lines, marked, short, with_answer
from workbench.prompting import word_diff

HARMLESS = re.compile(r"\\[!-/:-@\[-`{-~]|[^!-/:-@\[-`{-~]")


@given(some.text())
def test_escaped_text_has_no_markdown_left(text: str) -> None:
    assert HARMLESS.sub("", escaped(text)) == ""
    assert HARMLESS.sub("", escaped_lines(text)) == ""


@given(some.text(alphabet="ab <>[]()!*_`:$~#-\\&./@"))
def test_escaping_changes_nothing_that_is_seen(text: str) -> None:
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped(text)).replace(JOINER, "")
    assert shown == text


def test_signs_that_turn_a_line_round_do_not_reach_what_stands_after_them() -> None:
    assert escaped("7\u202e0 sdrawkcab\u2067") == "70 sdrawkcab"
    assert escaped("שלום 7") == "שלום 7"


def test_the_answer_is_marked_across_what_differs() -> None:
    parts = word_diff("It is 7 apples", "It is 18 apples")
    assert marked(with_answer(parts, (6, 8)), ("same", "added", "answer")) == (
        "It is :blue-background[***18***] apples"
    )
    split = with_answer([("same", "a b"), ("removed", "x"), ("added", "c d")], (2, 4))
    assert split == [("same", "a "), ("answer", "b"), ("removed", "x"), ("answer", "c"), ("added", " d")]
    assert with_answer([("same", "ab")], None) == [("same", "ab")]
    assert with_answer([("same", "ab")], (5, 9)) == [("same", "ab")]


def test_an_image_in_a_models_text_is_never_fetched() -> None:
    assert escaped("![x](http://a.example/b.png)").startswith("\\!\\[x\\]\\(")


def test_new_words_are_bold_and_gone_words_struck_so_colour_is_not_alone() -> None:
    assert (
        marked(word_diff("the cat sat", "the dog sat"))
        == "the :red-background[~~cat~~]:green-background[**dog**] sat"
    )


def test_marks_never_touch_spaces_or_cross_lines() -> None:
    written = marked([("added", " two\nlines ")])
    assert written == "\u00a0:green-background[**two**]  \n:green-background[**lines**] "


def test_a_mark_names_characters_that_cannot_be_seen() -> None:
    assert marked([("removed", "\u202e"), ("same", "turned")]) == ":red-background[~~U\\+202E~~]turned"
    assert "U" not in marked([("removed", "\u202ea")])


def test_short_text_stays_and_long_text_ends_in_an_ellipsis() -> None:
    assert short("a  b\nc") == "a b c"
    assert short("word " * 50, 20).endswith("…")
    assert len(short("word " * 50, 20)) <= 20
