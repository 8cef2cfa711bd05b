"""The keyboard of the Rate page: keys are heard wherever the focus is, except in a field that is typed in.

A key means what `keys` says for the item that the rater is looking at, so each press carries that
item; until the next one is on the screen further keys are not heard. Some keys only move the focus
or the page, and never reach the server. What is typed in a field is sent whenever the typing pauses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import streamlit as st

T = TypeVar("T")
SCRIPT = """
const WAIT_MS = 4000  // then a press is taken as lost, as when the server was restarted
const PAUSE_MS = 1000  // without a key in a field, and what stands in it is sent
const typed = (node) => node && (node.isContentEditable || node.tagName === "TEXTAREA" ||
  node.tagName === "SELECT" ||
  (node.tagName === "INPUT" && !["checkbox", "radio", "button"].includes(node.type)))

// the field may be drawn a little later than this script is told of it
const lead = (field, tries) => {
  const found = document.querySelector(`[class*="st-key-${field}"] textarea`)
  if (found) return found.focus()
  if (tries) setTimeout(() => lead(field, tries - 1), 50)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const held = (parentElement.rating ??= {})
  if (held.item !== data.item) {
    held.since = performance.now()
    if (held.item) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
  }
  held.item = data.item
  held.waiting = null
  parentElement.host.dataset.hears = data.item
  if (held.hear) document.removeEventListener("keydown", held.hear, true)
  if (data.focus && held.focused !== data.focus) lead(data.focus, 20)
  held.focused = data.focus
  const fields = Object.values(data.fields)

  if (held.write) document.removeEventListener("input", held.write, true)
  held.write = ({ target }) => {
    if (!fields.some((field) => target.closest(`[class*="st-key-${field}"]`))) return
    clearTimeout(held.pause)
    const send = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }
    held.pause = setTimeout(() => target.dispatchEvent(new KeyboardEvent("keydown", send)), PAUSE_MS)
  }
  document.addEventListener("input", held.write, true)

  held.hear = (event) => {
    const target = event.target
    if (event.key === "Escape" && typed(target)) return target.blur()
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typed(target)) return
    if (document.querySelector("[role=dialog], [role=listbox]")) return
    if (target.type === "radio" && event.key.startsWith("Arrow")) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const field = data.fields[key]
    if (field) {
      const found = document.querySelector(`[class*="st-key-${field}"] textarea`)
      if (found) { event.preventDefault(); found.focus(); found.scrollIntoView({ block: "nearest" }) }
      return
    }
    const steps = { ArrowDown: 80, ArrowUp: -80, PageDown: 600, PageUp: -600 }
    if (steps[key] && target === document.body) {
      event.preventDefault()
      return document.querySelector("[data-testid=stMain]")?.scrollBy(0, steps[key])
    }
    const action = data.keys[key]
    if (!action) return
    event.preventDefault()
    const now = performance.now()
    if (event.repeat || (held.waiting !== null && now - held.waiting < WAIT_MS)) return
    held.waiting = now
    const press = String(performance.timeOrigin + event.timeStamp)
    setTriggerValue("pressed", { action, item: data.item, press, seconds: (now - held.since) / 1000 })
  }
  document.addEventListener("keydown", held.hear, true)
  return () => {
    document.removeEventListener("keydown", held.hear, true)
    document.removeEventListener("input", held.write, true)
  }
}
"""


@dataclass(frozen=True, slots=True)
class Press:
    """One key: what it stands for, what it is about, seconds since that was shown, and which press it is."""

    action: str
    item: str
    seconds: float | None
    name: str


def listen(
    item: str,
    turn: int,
    keys: Mapping[str, str],
    fields: Mapping[str, str],
    on_press: Callable[[], None],
    key: str,
    focus: str = "",
) -> None:
    """Hears keys from now on; `on_press` does what was pressed by `carried_out(key, …)`.

    Args:
        item: what the keys are about; comes back with each press.
        turn: another number each time, which says that the page has been drawn anew.
        keys: a key as browsers name it, letters small → the action that it stands for.
        fields: a key → the beginning of the widget key of the text area that it leads to.
        focus: the same of a text area that gets the focus once it is drawn.
    """
    st.session_state.setdefault(_presses(key), _Presses())
    data = {"item": item, "turn": turn, "keys": dict(keys), "fields": dict(fields), "focus": focus}
    _component()(key=key, data=data, height=1, on_pressed_change=on_press)


def carried_out(key: str, do: Callable[[Press], T]) -> T | None:
    """What the press that has just arrived led to, by `do`, which is called once for it; None without one.

    A browser can tell of one press twice. Where the second telling comes while `do` is at work,
    Streamlit ends the script of the first, which from then on keeps nothing in the session. So `do`
    reads the session, if it has to, before it changes anything, and returns what is to be kept in it.
    """
    press = _pressed(key)
    if press is None:
        return None
    presses: _Presses = st.session_state[_presses(key)]
    with presses.lock:
        if presses.last != press:
            presses.led_to = do(press)
            presses.last = press
        return cast(T, presses.led_to)


class _Presses:
    """The last press of a visit, and what it led to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last: Press | None = None
        self.led_to: Any = None


def _presses(key: str) -> str:
    return f"{key} presses"


def _pressed(key: str) -> Press | None:
    """The press that has just arrived; None where it is not one of ours."""
    found: Any = getattr(st.session_state.get(key), "pressed", None)
    if not isinstance(found, dict):
        return None
    action, item, name, seconds = (found.get(part) for part in ("action", "item", "press", "seconds"))
    if not isinstance(action, str) or not isinstance(item, str) or not isinstance(name, str):
        return None
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < 86_400:
        return Press(action, item, None, name)
    return Press(action, item, float(seconds), name)


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("workbench_rate_keys", js=SCRIPT)
