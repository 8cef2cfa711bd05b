"""A busy machine tells of a press twice and breaks drawings off: deeds are done once, messages are seen."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from workbench.app.widgets import rate_keys
from workbench.app.widgets.rate_keys import Press, carried_out


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A visit to a page that listens."""
    kept: dict[str, Any] = {}
    monkeypatch.setattr(rate_keys, "st", SimpleNamespace(session_state=kept))
    monkeypatch.setattr(rate_keys, "_component", lambda: lambda **_: None)
    rate_keys.listen("7", 1, {"u": "undo"}, {}, lambda: None, "keyboard")
    return kept


def arrive(session: dict[str, Any], **press: Any) -> None:
    session["keyboard"] = SimpleNamespace(pressed=press)


def test_a_press_that_is_told_again_while_it_is_carried_out_is_carried_out_once(
    session: dict[str, Any],
) -> None:
    arrive(session, action="undo", item="7", seconds=0.5, press="1000.25")
    begun, go_on = threading.Event(), threading.Event()
    deeds: list[Press] = []

    def do(press: Press) -> str:
        deeds.append(press)
        begun.set()
        assert go_on.wait(30)
        return "took back"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(carried_out, "keyboard", do)
        assert begun.wait(30)
        second = pool.submit(carried_out, "keyboard", do)
        go_on.set()
        assert first.result(30) == second.result(30) == "took back"
    assert deeds == [Press("undo", "7", 0.5, "1000.25")]
    arrive(session, action="undo", item="7", seconds=0.5, press="2000.5")
    assert carried_out("keyboard", do) == "took back" and len(deeds) == 2


def test_what_failed_is_carried_out_when_it_is_told_again(session: dict[str, Any]) -> None:
    arrive(session, action="undo", item="7", seconds=0.5, press="1000.25")
    with pytest.raises(ZeroDivisionError):
        carried_out("keyboard", lambda press: 1 // 0)
    assert carried_out("keyboard", lambda press: press.action) == "undo"


@pytest.mark.parametrize("press", [None, "u", {}, {"action": "undo", "item": 7, "press": "1"}])
def test_what_is_no_press_does_nothing(session: dict[str, Any], press: Any) -> None:
    session["keyboard"] = SimpleNamespace(pressed=press)
    assert carried_out("keyboard", lambda press: pytest.fail("carried out")) is None


def test_a_message_is_kept_until_a_drawing_that_showed_it_came_to_its_end() -> None:
    def script() -> None:
        import streamlit as st

        from workbench.app import state

        with state.drawing():
            if message := state.told("message"):
                st.info(message)
            if st.session_state.pop("broken off", False):
                st.rerun()

    test = AppTest.from_function(script)
    test.session_state["message"] = "Rejected item 0."
    test.session_state["broken off"] = True
    assert [one.value for one in test.run().info] == ["Rejected item 0."]
    assert not test.run().info
