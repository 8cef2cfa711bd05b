"""A draft: a file's text while a person edits it, as a form or as YAML, until it is saved.

Both ways edit one text. It outlives a failed validation and a visit to another page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.core.document import parse, to_yaml
from workbench.errors import InvalidFile


@dataclass(frozen=True)
class Draft:
    """The draft of one file; `saved` is what stands in the file, `shown` how its path is named."""

    kind: str
    name: str
    saved: str
    shown: str

    @property
    def text(self) -> str:
        """What is being edited."""
        found = state.draft(self.kind, self.name)
        return self.saved if found is None else found

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return self.text.strip() != self.saved.strip()

    @property
    def key(self) -> str:
        """Prefix of widget keys; a new one after each change from outside the form."""
        return f"{self.kind} {self.name} {state.revision(self.kind, self.name)}"

    def content(self) -> dict[str, Any]:
        """The text as plain values. Raises InvalidFile when it is not YAML."""
        content, _ = parse(self.text, self.shown)
        if not isinstance(content, dict):
            raise InvalidFile("expected `key: value` lines at the top level.", self.shown, 1)
        return content

    def take_form(self, edited: dict[str, Any]) -> None:
        """Keeps what a form gave back, if a person changed something in it.

        A form may write a value otherwise than the file does (a default left out), so "changed" is
        measured against what this form gave back at first.
        """
        first_key = f"{self.key} as first shown"
        now = json.dumps(edited, sort_keys=True, default=str)
        first = st.session_state.setdefault(first_key, (now, self.text))
        text = first[1] if now == first[0] else to_yaml(edited)
        if text != self.text:
            state.keep_draft(self.kind, self.name, text)

    def replace(self, content: dict[str, Any]) -> None:
        """Takes new content and fills the form anew."""
        self.write(to_yaml(content))

    def write(self, text: str) -> None:
        """Takes new text and fills the form anew."""
        state.keep_draft(self.kind, self.name, text, outside_form=True)
        st.rerun()

    def discard(self) -> None:
        """Back to the file."""
        state.drop_draft(self.kind, self.name)

    def yaml_editor(self, height: int = 420) -> None:
        """The text itself."""
        typed = st.text_area(
            f"{self.shown}",
            value=self.text,
            key=f"{self.key} yaml",
            height=height,
            help="Ctrl+Enter checks it and updates the preview.",
        )
        if typed != self.text:
            # the form is filled anew from this text when it is next shown
            st.session_state[f"{state.REVISION}{self.kind} {self.name} stale"] = True
            state.keep_draft(self.kind, self.name, typed)

    def refresh_form(self) -> None:
        """To be called before the form: after an edit as YAML, its fields are filled anew."""
        if st.session_state.pop(f"{state.REVISION}{self.kind} {self.name} stale", False):
            state.keep_draft(self.kind, self.name, self.text, outside_form=True)
