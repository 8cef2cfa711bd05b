"""Inputs whose value lives in the URL, so that what they show can be linked to and reloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.widgets.text import escaped


def _store(key: str, widget: str, *also_clear: str) -> None:
    value = st.session_state[widget]
    state.remember(key, value if value is None or isinstance(value, str) else str(value))
    state.put(**dict.fromkeys(also_clear))


def choose(
    label: str,
    options: Sequence[str],
    key: str,
    default: str | None = None,
    clears: tuple[str, ...] = (),
    shown: Callable[[str], str] = str,
    sticky: bool = True,
    **settings: Any,
) -> str | None:
    """A select box.

    Args:
        key: where the choice stands in the URL.
        default: chosen where neither the URL nor an earlier choice says anything.
        clears: URL keys that mean nothing once this choice changes.
        shown: an option in words; two options must not read the same.
        sticky: whether the last choice on any page counts before the default.
    """
    if not options:
        return None
    if (stranger := state.unknown(key, options)) is not None:
        st.warning(f"There is no {escaped(key)} named '{escaped(stranger)}' here.", icon=":material/warning:")
        state.put(**{key: None})
    widget = f"url {key}"
    state.hold(widget, state.choice(key, options, default, sticky))
    return st.selectbox(
        label,
        options,
        key=widget,
        format_func=shown,
        on_change=_store,
        args=(key, widget, *clears),
        **settings,
    )


def segments(
    label: str, options: dict[str, str], key: str, clears: tuple[str, ...] = (), **settings: Any
) -> str:
    """A row of choices (URL value → words); the first is the default."""
    names = list(options)
    widget = f"url {key}"
    found = state.text(key)
    state.hold(widget, found if found in names else names[0])

    def store() -> None:
        value = st.session_state[widget]
        state.put(**{key: None if value == names[0] else value}, **dict.fromkeys(clears))

    # not st.segmented_control: its chosen label is the theme's primary colour, which in the dark theme
    # cannot be read as text and under a button's white text at once
    return str(
        st.radio(
            label,
            names,
            key=widget,
            horizontal=True,
            format_func=lambda name: options[name],
            on_change=store,
            **settings,
        )
    )


def search(label: str, key: str = state.TEXT, clears: tuple[str, ...] = (), **settings: Any) -> str:
    """A search box that follows the typing."""
    widget = f"url {key}"
    state.hold(widget, state.text(key))

    def store() -> None:
        state.put(**{key: st.session_state[widget]}, **dict.fromkeys(clears))

    st.text_input(label, key=widget, type="search", live="400ms", max_chars=200, on_change=store, **settings)
    return state.text(key)


def pager(total: int, per_page: int, key: str = state.PAGE) -> int:
    """Page buttons for `total` things; gives the offset of the page shown."""
    pages = max(1, -(-total // per_page))
    current = state.whole(key, 1, pages, 1)
    if pages == 1:
        return 0
    widget = f"url {key} {current} of {pages}"

    def store() -> None:
        state.put(**{key: st.session_state[widget] if st.session_state[widget] > 1 else None})

    st.pagination(pages, default=current, key=widget, on_change=store)
    return (current - 1) * per_page


def pick_numbers(label: str, names: dict[int, str], key: str, default: list[int], most: int) -> list[int]:
    """Several of a numbered list, such as cells, at most `most`."""
    widget = f"url {key} of {len(names)}"
    state.hold(widget, state.wholes(key, list(names), most) or default[:most])

    def store() -> None:
        state.put(**{key: sorted(st.session_state[widget])})

    picked = st.multiselect(
        label,
        list(names),
        key=widget,
        format_func=lambda number: names[number],
        max_selections=most,
        on_change=store,
    )
    return sorted(picked)
