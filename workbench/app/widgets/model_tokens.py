"""Any text as a model's tokenizer cuts it: each token visible, with its number.

The text may come from anywhere: it is shown as text, never as Markdown or HTML, and only the first
tokens of a long one are drawn.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.app.widgets.numbers import count
from workbench.app.widgets.text import escaped
from workbench.engine import Workspace
from workbench.engine.inspecting import Inspection, inspect_model
from workbench.models.local.tokens import SHOWN, TokenPiece, TokenView, view_tokens

MOST_CHARACTERS = 200_000
EXAMPLE = "Ana has 12 apples 🍎 and gives 5 to señor López.\nHow many are left?"
VISIBLE = str.maketrans({" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"})
COLOURS = ("blue", "green", "orange", "gray")
NONE = "none"


def tokens_panel(ws: Workspace, name: str, found: Inspection) -> None:
    """A text box and its tokens; beside them, if wanted, how many another model makes of it."""
    folder = tokenizer_folder(found)
    if folder is None:
        st.info(
            "The tokens of a GGUF file are seen through the folder that it was made of: choose that model.",
            icon=":material/info:",
        )
        return
    text = st.text_area("Text", EXAMPLE, height=110, max_chars=MOST_CHARACTERS, key="tokens text")
    others = [NONE, *(spec.name for spec in ws.models.specs() if spec.name != name.partition("@")[0])]
    other = st.selectbox("Count beside", others, key="tokens beside", help="Another local model's tokenizer.")
    with explained("reading the text's tokens"):
        view = view_tokens(folder, text)
        _counts(name, view)
        if other != NONE:
            _beside(ws, other, text, view)
        st.markdown(chips(view))
        if view.count > len(view.pieces):
            st.caption(f"The first {count(len(view.pieces))} of {count(view.count)} tokens are shown.")
        with st.expander("The same as a table"):
            _table(view)


def tokenizer_folder(found: Inspection) -> Path | None:
    """Where the model's tokenizer lies; None for a file that keeps it inside."""
    return found.path if found.path is not None and found.path.is_dir() else None


def chips(view: TokenView) -> str:
    """Markdown: every token on a ground of its own, its number small beside it."""
    return " ".join(_chip(place, piece) for place, piece in enumerate(view.pieces))


def _chip(place: int, piece: TokenPiece) -> str:
    colour = "red" if piece.special else COLOURS[place % 2]
    words = escaped(visible(piece)) or "∅"
    return f":{colour}-background[{words}] :small[{piece.id}]"


def visible(piece: TokenPiece) -> str:
    """The token's text with its spaces and breaks shown; other invisible letters by their code."""
    shown = piece.text if piece.special else piece.text.translate(VISIBLE)
    return "".join(letter if letter.isprintable() else f"<U+{ord(letter):04X}>" for letter in shown)


def _counts(name: str, view: TokenView) -> None:
    rate = view.characters_per_token
    for column, (label, value) in zip(
        st.columns(3),
        {
            "Tokens": count(view.count),
            "Characters": count(view.characters),
            "Characters a token": "–" if rate is None else f"{rate:.2f}",
        }.items(),
        strict=True,
    ):
        column.metric(label, value, border=True)


def _beside(ws: Workspace, other: str, text: str, view: TokenView) -> None:
    seen = inspect_model(ws, other)
    folder = tokenizer_folder(seen)
    if folder is None:
        why = seen.unseen or "Its tokenizer is inside its GGUF file."
        st.caption(escaped(f"{other}: {why}"))
        return
    theirs = view_tokens(folder, text, shown=0)
    change = f", {theirs.count / view.count - 1:+.0%}" if view.count else ""
    st.markdown(f"**{escaped(other)}** makes {count(theirs.count)} tokens of it{escaped(change)}.")


def _table(view: TokenView) -> None:
    kinds = [
        "special" if one.special else "part of a character" if one.partial else "" for one in view.pieces
    ]
    st.dataframe(
        {
            "place": list(range(1, len(view.pieces) + 1)),
            "number": [piece.id for piece in view.pieces],
            "text": [visible(piece) for piece in view.pieces],
            "kind": kinds,
        },
        hide_index=True,
        height=min(400, 40 + 35 * len(view.pieces)),
        alt=f"The first {SHOWN} tokens",
        key="tokens table",
    )
