"""What a model says to fixed prompts at each look, side by side over time: before, in between, last."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.text import escaped, escaped_lines, short
from workbench.core.tuning import TuningPoint
from workbench.tuning import TrainingJob, TrainingState, TuningFolder

COLUMNS = 4


def samples_panel(folder: TuningFolder, points: list[TuningPoint], state: TrainingState) -> None:
    """One block a prompt: the question, and the answers at some of the looks."""
    looks = [one for one in points if one.samples]
    if not looks:
        return
    st.subheader("What the model says", anchor=False)
    shown = _spread(looks, state.best_step)
    questions = _questions(folder)
    for place in range(len(looks[-1].samples)):
        with st.container(border=True):
            if place < len(questions):
                st.markdown(f"**{escaped(short(questions[place], 300))}**")
            for column, look in zip(st.columns(COLUMNS), shown, strict=False):
                said = look.samples[place] if place < len(look.samples) else ""
                column.caption(_when(look, state))
                column.markdown(escaped_lines(said[:1000]) if said.strip() else ":gray[says nothing]")
    if len(looks) > len(shown):
        best = "" if state.best_step is None else ", the best"
        st.caption(f"{len(looks)} looks; the first{best} and the last are among those shown.")


def _when(look: TuningPoint, state: TrainingState) -> str:
    words = "before" if look.step == 0 else f"step {look.step}"
    return f"{words}, the best" if look.step == state.best_step else words


def _spread(looks: list[TuningPoint], best: int | None) -> list[TuningPoint]:
    """At most COLUMNS looks, evenly over time; the best one is among them."""
    if len(looks) <= COLUMNS:
        return looks
    places = {round(index * (len(looks) - 1) / (COLUMNS - 1)) for index in range(COLUMNS)}
    at = next((index for index, look in enumerate(looks) if look.step == best), None)
    if at is not None and at not in places:
        inner = sorted(places - {0, len(looks) - 1})
        places.discard(min(inner, key=lambda place: abs(place - at)))
        places.add(at)
    return [looks[place] for place in sorted(places)]


def _questions(folder: TuningFolder) -> list[str]:
    """What the model was asked, the last message of each."""
    try:
        job = TrainingJob.read(folder.job)
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [str(messages[-1]["content"]) if messages else "" for messages in job.samples]
