"""Two versions of a prompt, or one prompt on two models, tried on the same row; differences marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app import state
from workbench.app.widgets.controls import choose
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.errors import explained
from workbench.app.widgets.history import version_labels
from workbench.app.widgets.messages import output_line
from workbench.app.widgets.row_picker import Picked
from workbench.app.widgets.stream import streamed_together
from workbench.app.widgets.text import escaped, escaped_lines, marked
from workbench.app.widgets.try_panel import judged, models_offered
from workbench.core.prompt import AnyPrompt, Prompt
from workbench.engine import Workspace, stream_prompt, try_prompt
from workbench.prompting import read_prompt, word_diff

DRAFT = "as edited now"


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, the prompt and the model."""

    label: str
    prompt: AnyPrompt
    model: str


def side_by_side(ws: Workspace, name: str, sides: list[Side], picked: Picked) -> None:
    """One button; both texts stream in beside each other, then the differing words are marked."""
    held = f"{state.TRIED}sides of {name}"
    clicked = st.button("Try both on this row", type="primary", icon=":material/play_arrow:", key="try both")
    columns = st.columns(2)
    lines, places = [], []
    for column, side in zip(columns, sides, strict=True):
        with column.container(border=True):
            st.markdown(f"**{escaped(side.label)}**")
            lines.append(st.empty())
            places.append(st.empty())
    if clicked:
        st.session_state.pop(held, None)
        with explained("trying both"):
            st.session_state[held] = _both(ws, sides, picked, places)
    for index, (line, text) in enumerate(st.session_state.get(held, [])):
        lines[index].markdown(line)
        first = st.session_state[held][0][1]
        if index == 0:
            places[index].markdown(escaped_lines(text) or "\u00a0")
        else:
            places[index].markdown(marked(word_diff(first, text)))


def _both(ws: Workspace, sides: list[Side], picked: Picked, places: list[Any]) -> list[tuple[str, str]]:
    plain = [side.prompt for side in sides if isinstance(side.prompt, Prompt)]
    if len(plain) < len(sides):
        outputs = [try_prompt(ws, s.prompt, s.model, picked.dataset, [picked.row])[0] for s in sides]
        return [(output_line(output), output.text) for output in outputs]
    streams = [
        stream_prompt(ws, p, s.model, picked.dataset, picked.row) for p, s in zip(plain, sides, strict=True)
    ]
    heard = streamed_together(streams, places)
    return [
        (judged(prompt, said, picked.row, picked.dataset.reference), said.text)
        for prompt, said in zip(plain, heard, strict=True)
    ]


def choose_sides(ws: Workspace, draft: Draft, prompt: AnyPrompt) -> list[Side]:
    """What stands on the left and on the right: two versions on one model, or one version on two."""
    kept = ws.prompts.history(draft.name)
    versions = {label: kept[len(kept) - int(number)].text for number, label in version_labels(kept).items()}
    offered = list(models_offered(ws))
    left, right = st.columns(2)
    sides = []
    for place, column, model_key in ((0, left, state.MODEL), (1, right, state.AGAINST)):
        with column:
            held = st.selectbox(
                "Version" if place == 0 else "Against the version",
                [DRAFT, *versions],
                key=f"side {place} {draft.name}",
            )
            default = offered[0] if place == 0 else offered[-1]
            model = choose("Model", offered, model_key, default) or default
            chosen = prompt if held == DRAFT else read_prompt(versions[held], draft.shown)
            sides.append(Side(f"{held} on {model}", chosen, model))
    return sides
