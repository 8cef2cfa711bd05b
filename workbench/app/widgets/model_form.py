"""A new row of models.yaml: any OpenAI-compatible address, a local folder of weights, or a GGUF file."""

from __future__ import annotations

import os

import streamlit as st

from workbench.app import state
from workbench.app.widgets.errors import explained
from workbench.app.widgets.quantizations import offered
from workbench.app.widgets.said import say_next
from workbench.app.widgets.text import escaped
from workbench.core.document import validate
from workbench.core.model import ModelSpec
from workbench.engine import Workspace
from workbench.models.local.chat_templates import CHAT_TEMPLATES

KINDS = {
    "openai": "An OpenAI-compatible address (hosted, Ollama, vLLM, llama.cpp …)",
    "transformers": "A local folder or hub name of safetensors weights",
    "llama_cpp": "A local GGUF file, run by llama.cpp",
}
MODEL_FIELDS = {
    "openai": ("The server's name for it", "qwen2.5:7b"),
    "transformers": ("Folder or hub name", "./models/mine"),
    "llama_cpp": ("GGUF file", "./models/mine-q8_0.gguf"),
}
ITS_OWN = "its own"


def model_form(ws: Workspace) -> None:
    """Writes experiments/models.yaml; its comments and other rows stay."""
    provider = st.radio("Kind", list(KINDS), format_func=lambda name: KINDS[name], key="model kind")
    hosted = provider == "openai"
    with st.form("model", border=False, clear_on_submit=False):
        left, right = st.columns(2)
        name = left.text_input("Name, as experiments will call it", key="model name", placeholder="qwen")
        model = right.text_input(
            MODEL_FIELDS[provider][0], key="model id", placeholder=MODEL_FIELDS[provider][1]
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
            content |= _local_fields(provider)
        if st.form_submit_button("Add the model", type="primary", icon=":material/add:"):
            _add(ws, {key: value for key, value in content.items() if value != ""})


def _local_fields(provider: str) -> dict[str, object]:
    left, right = st.columns(2)
    found: dict[str, object] = {}
    if provider == "transformers":
        kind = left.selectbox("Quantization", ["as it is", *offered()], key="model quantization")
        found["quantization"] = "" if kind == "as it is" else kind
        found["adapter"] = right.text_input(
            "Adapter over it", key="model adapter", placeholder="none: the model alone"
        ).strip()
        template = left.selectbox(
            "Chat template",
            [ITS_OWN, *CHAT_TEMPLATES],
            key="model template",
            help="For a model whose tokenizer brings none.",
        )
        found["chat_template"] = "" if template == ITS_OWN else template
    hour = right.number_input(
        "USD for an hour of this machine",
        0.0,
        key="model price hour",
        help="The Size page works out from it what 1,000 rows cost. 0: not known.",
    )
    if hour:
        found["price"] = {"hour": hour}
    return found


def _add(ws: Workspace, content: dict[str, object]) -> None:
    with explained("adding the model"):
        spec = validate(ModelSpec, content)
        ws.models.add(spec)
        key = f" Set {spec.key} before it is used." if spec.key and not os.environ.get(spec.key) else ""
        say_next(f"Added {escaped(spec.name)} to experiments/models.yaml.{escaped(key)}")
        state.remember(state.MODEL, spec.name)
        st.rerun()
