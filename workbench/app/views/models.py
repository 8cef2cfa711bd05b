"""Models: what can be run here, whether it would work now, and a row for any other."""

import streamlit as st

from workbench.app import state
from workbench.app.pages import link
from workbench.app.widgets.controls import choose
from workbench.app.widgets.errors import broken_files, explained
from workbench.app.widgets.model_form import model_form
from workbench.app.widgets.numbers import dollars, seconds
from workbench.app.widgets.quantizations import offered
from workbench.app.widgets.said import say_once
from workbench.app.widgets.stream import streamed
from workbench.app.widgets.text import escaped, short
from workbench.app.widgets.tuned_model import delete_with_undo
from workbench.app.widgets.undo import offer_undo, undo_bar
from workbench.app.workspace import workspace
from workbench.core.model import ModelSpec
from workbench.core.prompt import Message, Prompt, Sampling
from workbench.engine import Workspace, stream_prompt
from workbench.models.embedded_rows import embedded_specs
from workbench.tuning import tuned_names

LINKED = 24


def table(ws: Workspace, specs: list[ModelSpec]) -> None:
    """One line a model, with whether it would work now."""
    checks = {spec.name: ws.models.check(spec.name) for spec in specs}
    st.table(
        {
            "Model": [f"**{escaped(spec.name)}**" for spec in specs],
            "Ready": [
                ":green-badge[✓ ready]" if checks[spec.name].ok else ":orange-badge[! not ready]"
                for spec in specs
            ],
            "What it is": [
                escaped(short(spec.description if checks[spec.name].ok else checks[spec.name].sentence, 200))
                for spec in specs
            ],
            "Runs through": [escaped(spec.provider) for spec in specs],
            "USD per million tokens": [
                escaped(f"{dollars(spec.price.prompt)} in, {dollars(spec.price.completion)} out")
                if spec.price.prompt or spec.price.completion
                else "free"
                for spec in specs
            ],
        },
        border="horizontal",
        hide_index=True,
        alt="Models",
    )


def links(ws: Workspace, specs: list[ModelSpec]) -> None:
    """A link to each model's own page."""
    with st.container(horizontal=True):
        for spec in specs[:LINKED]:
            link("model", escaped(spec.name), "🔬", model=spec.name)
    st.caption("What each is made of, whether it fits here, how fast it is, how it reads a text.")


def say_hello(ws: Workspace, names: list[str], specs: dict[str, ModelSpec]) -> None:
    """A box to hear a model speak."""
    left, right = st.columns([1, 2])
    with left:
        name = choose("Model", names, state.MODEL) or names[0]
        local = specs[name].provider == "transformers"
        kinds = ["as its row says", *offered()] if local else ["as its row says"]
        kind = st.selectbox("Quantization", kinds, key="hello quantization", disabled=not local)
    with right:
        said = st.text_input("Say something", value="Hello! How are you?", key="hello text")
        clicked = st.button("Send", type="primary", icon=":material/send:", key="hello send")
    if clicked and said:
        with explained("asking the model"):
            asked = "{% raw %}" + said.replace("{%", "{ %") + "{% endraw %}"
            prompt = Prompt(
                name="hello",
                messages=(Message(role="user", content=asked),),
                sampling=Sampling(temperature=0.0, max_tokens=80),
            )
            model = name if kind == kinds[0] else f"{name}@{kind}"
            heard = streamed(stream_prompt(ws, prompt, model, None, {}), st.empty())
            st.caption(f"{seconds(heard.first_s)} to the first word, {seconds(heard.all_s)} in all")
    row, delete = st.columns([5, 1], vertical_alignment="center")
    if specs[name].provider == "openai":
        row.caption(escaped(f"{specs[name].model} at {specs[name].base_url or 'its own address'}"))
    if specs[name] not in embedded_specs():
        tuned = name in tuned_names(ws)
        words = f"Delete {name}, which was tuned here" if tuned else f"Take {name} out of models.yaml"
        with delete:
            if st.button("Delete", icon=":material/delete:", key="model delete", help=words):
                with explained("deleting the model"):
                    if tuned:
                        delete_with_undo(ws, name)
                    else:
                        ws.models.remove(name)
                        offer_undo(f"model {name}", lambda: ws.models.add(specs[name]))
                    state.remember(state.MODEL, None)
                    st.rerun()


def show() -> None:
    ws = workspace()
    st.title("Models")
    undo_bar()
    say_once()
    broken_files(ws.models.broken())
    specs = ws.models.specs()
    table(ws, specs)
    links(ws, specs)
    with st.expander("What quantization does"):
        st.markdown("\n".join(f"- **{name}** — {words}" for name, words in offered().items()))
        st.caption("Write `small@int8` wherever a model is named.")
    st.subheader("Say hello", anchor=False)
    say_hello(ws, [spec.name for spec in specs], {spec.name: spec for spec in specs})
    st.subheader("Add a model", anchor=False)
    model_form(ws)


with explained("showing the models"):
    show()
