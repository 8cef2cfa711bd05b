"""Text that grows token by token is that of all tokens, in whole characters, without its stop string."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from workbench.models.local.writing import GrowingText


def decode(ids: Sequence[int]) -> str:
    """A tokenizer whose tokens are bytes, so that characters are split everywhere."""
    return bytes(ids).decode("utf-8", "replace")


def grown(text: str, stop: tuple[str, ...] = ()) -> tuple[GrowingText, list[str]]:
    writer, pieces = GrowingText(decode, stop), []
    for token in text.encode():
        writer.add(token)
        pieces.append(writer.piece())
        if writer.stopped:
            break
    writer.finish()
    pieces.append(writer.piece(final=True))
    return writer, pieces


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\ufffd"), max_size=40)


@given(texts)
def test_pieces_add_up_to_the_text_without_the_space_before_it(text: str) -> None:
    writer, pieces = grown(text)
    assert writer.text == text
    assert "".join(pieces) == text.lstrip()


@given(texts, st.lists(st.text("ab \n", min_size=1, max_size=4), max_size=3))
def test_a_stop_string_and_what_follows_never_shows(text: str, stop: list[str]) -> None:
    writer, pieces = grown(text, tuple(stop))
    found = [text.index(word) for word in stop if word in text]
    assert writer.stopped == bool(found)
    # the first stop string to be complete ends the answer, wherever a longer one began
    assert all(word not in writer.text for word in stop)
    assert text.startswith(writer.text)
    assert "".join(pieces) == writer.text.lstrip()


@given(st.text("ab", max_size=30), st.text("ab", min_size=1, max_size=4))
def test_nothing_that_may_begin_a_stop_string_is_given_out_early(text: str, stop: str) -> None:
    given_out = ""
    writer = GrowingText(decode, (stop,))
    for token in text.encode():
        writer.add(token)
        given_out += writer.piece()
        assert stop not in given_out
        if writer.stopped:
            break


def test_bytes_that_never_become_a_character_are_shown_at_the_end() -> None:
    writer = GrowingText(decode)
    writer.add(0xF0)
    assert writer.piece() == ""
    writer.finish()
    assert writer.piece(final=True) == "\ufffd"
