"""A new row of models.yaml: any OpenAI-compatible address, or a local folder of weights."""

from __future__ import annotations

import os

import streamlit as st

from workbench.app import state
from workbench.app.widgets.errors import explained
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.core.document import validate
from workbench.core.model import ModelSpec
from workbench.engine import Workspace
from workbench.models.local.quantization import available

KINDS = {
    "openai": "An OpenAI-compatible address (hosted, Ollama, vLLM, llama.cpp …)",
    "transformers": "A local folder or hub name of safetensors weights",
}


def model_form(ws: Workspace) -> None:
    """Writes experiments/models.yaml; its comments and other rows stay."""
    provider = st.radio("Kind", list(KINDS), format_func=lambda name: KINDS[name], key="model kind")
    hosted = provider == "openai"
    with st.form("model", border=False, clear_on_submit=False):
        left, right = st.columns(2)
        name = left.text_input("Name, as experiments will call it", key="model name", placeholder="qwen")
        model = right.text_input(
            "The server's name for it" if hosted else "Folder or hub name",
            key="model id",
            placeholder="qwen2.5:7b" if hosted else "./models/mine",
        )
        content: dict[str, object] = {"name": name.strip(), "provider": provider, "model": model.strip()}
        if hosted:
            content["base_url"] = left.text_input(
                "Base URL", key="model url", placeholder="http://127.0.0.1:11434/v1"
            ).strip()
            content["key"] = right.text_input(
                "Environment variable with the key",
                key="model key",
                placeholder="OPENAI_API_KEY",
                help="Its name, not the key itself: keys are in no file. None for local servers.",
            ).strip()
            price_in = left.number_input("USD per million prompt tokens", 0.0, key="model price in")
            price_out = right.number_input("USD per million completion tokens", 0.0, key="model price out")
            if price_in or price_out:
                content["price"] = {"prompt": price_in, "completion": price_out}
        else:
            kind = left.selectbox(
                "Quantization", ["as it is", *(one.name for one in available())], key="model quantization"
            )
            content["quantization"] = "" if kind == "as it is" else kind
        if st.form_submit_button("Add the model", type="primary", icon=":material/add:"):
            _add(ws, {key: value for key, value in content.items() if value != ""})


def _add(ws: Workspace, content: dict[str, object]) -> None:
    with explained("adding the model"):
        spec = validate(ModelSpec, content)
        ws.models.add(spec)
        key = f" Set {spec.key} before it is used." if spec.key and not os.environ.get(spec.key) else ""
        say_next(f"Added {escaped(spec.name)} to experiments/models.yaml.{escaped(key)}")
        state.remember(state.MODEL, spec.name)
        st.rerun()
