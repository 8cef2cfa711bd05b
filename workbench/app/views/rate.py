"""Rate: people say which outputs are better, without knowing whose they are; made for hours, by keyboard."""

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import choose
from workbench.app.widgets.empty import empty
from workbench.app.widgets.errors import explained, say
from workbench.app.widgets.numbers import many
from workbench.app.widgets.rate_panel import rate_panel
from workbench.app.widgets.rate_raters import raters_line, raters_of
from workbench.app.widgets.rate_setup import plan_in_words, set_up
from workbench.app.widgets.text import escaped
from workbench.app.workspace import current_run, workspace
from workbench.core.rating import rater_name
from workbench.engine import Workspace, default_plan, runs, start_rating
from workbench.errors import UsageError

SETUP = "setup"


def rater() -> str | None:
    """Who rates, by the URL or as said before on this visit; None where nobody has said so."""
    asked = state.text(state.RATER) or state.last(state.RATER)
    if not asked:
        return None
    try:
        name = rater_name(asked)
    except ValueError as problem:
        say(UsageError(f"This is no name for a rater: {problem}."))
        return None
    state.remember(state.RATER, name)
    return name


def choose_run(ws: Workspace, run: str) -> str:
    """The run by its date and id: an experiment's name could say whose outputs they are."""
    found = {one.id: one for one in runs(ws, limit=50)}
    options = list(found) if run in found else [run, *found]

    def words(option: str) -> str:
        one = found.get(option)
        if one is None:
            return option
        return f"{one.created_at:%d %b %H:%M} UTC · {many(one.cells, 'cell')} · {one.id}"

    return choose("Run", options, state.RUN, run, shown=words) or run


def start(ws: Workspace, run: str) -> None:
    """Which run, how, and who: what is asked before the first item."""
    run = choose_run(ws, run)
    plan = ws.store.ratings.plan(run)
    how = plan or default_plan(ws, run)
    st.markdown(plan_in_words(how))
    raters_line(raters_of(ws, run), "Rated so far")
    with st.form("rate start", border=False):
        name = st.text_input("Your name", max_chars=60, placeholder="as your ratings are kept")
        started = st.form_submit_button("Start rating", type="primary", icon=":material/play_arrow:")
    if started:
        try:
            kept = rater_name(name)
        except ValueError as problem:
            raise UsageError(f"Write your name first: {problem}.") from None
        if plan is None:
            start_rating(ws, run, how)
        state.remember(state.RATER, kept)
        st.rerun()
    st.caption(
        "You will not see which prompt or model wrote what. Every key is kept at once: close the page "
        "whenever you like, and go on here with the same name."
    )
    link("rate", "Change how it is rated", ":material/tune:", run=run, view=SETUP)


def screen(ws: Workspace, run: str, name: str) -> None:
    """The rating screen, and the way out of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{escaped(name)} rates run {escaped(run)}", width="content")
        st.button("Someone else", type="tertiary", on_click=leave, icon=":material/logout:")
    st.fragment(rate_panel)(ws, run, name)


def leave() -> None:
    """Asks for the name again."""
    state.remember(state.RATER, None)


def show() -> None:
    ws = workspace()
    st.title("Rate")
    run = current_run(ws)
    if run is None:
        empty("Nothing to rate yet.", "Run an experiment, or import outputs.", "home", "Go to Home")
        return
    if state.text(state.VIEW) == SETUP:
        if set_up(ws, run, default_plan(ws, run)):
            state.put(view=None)
            st.rerun()
        link("rate", "Back", ":material/arrow_back:", run=run)
        return
    name = rater()
    if name is None or ws.store.ratings.plan(run) is None:
        start(ws, run)
    else:
        screen(ws, run, name)


with explained("showing the Rate page"):
    show()
