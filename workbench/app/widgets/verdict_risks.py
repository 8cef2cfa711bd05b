"""The risks and notes of a tuned model, as its card says them."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.errors import explained
from workbench.app.widgets.text import escaped
from workbench.engine import Workspace
from workbench.storage.tunings import TuningRecord
from workbench.tuning import ModelCard, model_card
from workbench.tuning.cards.blocks import Bullets

SHOWN = ("Risks and limits", "Notes")


def risks(ws: Workspace, record: TuningRecord) -> None:
    """A list a section; nothing where the card has none."""
    with explained("reading the risks"):
        card = card_of(ws, record)
        for section in card.sections:
            sentences = [one for block in section.blocks if isinstance(block, Bullets) for one in block.items]
            if section.title in SHOWN and sentences:
                st.subheader(section.title, anchor=False)
                st.markdown("\n".join(f"- {escaped(one)}" for one in sentences))


def card_of(ws: Workspace, record: TuningRecord) -> ModelCard:
    """The model card; made once for each state of the tuning. Raises TuningError where there is no model."""
    there = record.model in ws.models.names()
    return _card(str(ws.root), record.id, str(record.finished_at), there, ws)


@st.cache_data(show_spinner=False, max_entries=16)
def _card(root: str, tuning: str, finished: str, there: bool, _ws: Workspace) -> ModelCard:
    return model_card(_ws, tuning)
