"""Choosing a metric: any of the list with its settings, a judge, or one of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf
from typing import Any

import streamlit as st
import yaml

from workbench.app.widgets.errors import explained
from workbench.app.widgets.fields import many_lines, one_line
from workbench.app.widgets.text import escaped
from workbench.core.document import parse
from workbench.errors import MetricError
from workbench.metrics import describe_metrics, load_metric

MetricSpec = str | dict[str, Any]
KINDS = {"metric": "A metric", "judge": "A judge", "hub": "From the hub"}


def metric_picker(
    key: str,
    on_add: Callable[[MetricSpec], None],
    judges: Sequence[str] = (),
    models: Sequence[str] = (),
    label: str = "Add a metric",
) -> None:
    """A popover that builds one metric, checks it, and hands it over.

    Args:
        on_add: gets the spec as experiments write it; what it raises is shown in the popover.
        judges: prompts that have a rubric.
        models: models that a judge can be asked on.
    """
    with st.popover(label, icon=":material/add_chart:"):
        kind = st.radio(
            "Kind", list(KINDS), format_func=lambda name: KINDS[name], horizontal=True, key=f"{key} kind"
        )
        with explained("setting up the metric"):
            build = {"metric": _metric, "judge": lambda k: _judge(k, judges, models), "hub": _hub}[kind]
            spec = build(f"{key} {kind}")
            shown_as = one_line("Shown as (optional)", None, f"{key} {kind} as")
            if st.button("Add", type="primary", key=f"{key} {kind} add", disabled=spec is None) and spec:
                if shown_as:
                    spec = {**({"name": spec} if isinstance(spec, str) else spec), "as": shown_as}
                load_metric(spec)
                on_add(spec)


def in_one_line(spec: MetricSpec) -> str:
    """A spec as YAML on one line: `{name: bleu, tokenize: zh}`."""
    text: str = yaml.safe_dump(
        spec, default_flow_style=True, sort_keys=False, allow_unicode=True, width=100_000
    )
    return text.removesuffix("...\n").strip()


def read_spec(text: str) -> MetricSpec:
    """The spec that a line of YAML writes; the text itself where it is none, for validation to refuse."""
    try:
        found, _ = parse(text, "the metric")
    except Exception:
        return text
    return found if isinstance(found, (str, dict)) and found else text


def _metric(key: str) -> MetricSpec | None:
    facts = {one["name"]: one for one in describe_metrics() if "problem" not in one}
    name = st.selectbox(
        "Metric",
        list(facts),
        key=f"{key} name",
        format_func=lambda name: f"{name}: {facts[name]['description']}",
    )
    if name is None:
        return None
    found = facts[name]
    low, high = ("unbounded" if isinf(end) else f"{end:g}" for end in found["range"])
    st.caption(
        escaped(
            f"From {low} to {high}; {found['direction']} is better; "
            f"{'needs' if found['needs_reference'] else 'needs no'} reference. {found['source']}"
        )
    )
    settings: dict[str, Any] = {}
    if found["settings"]:
        known = ", ".join(f"{one}: {value}" for one, value in found["settings"].items())
        text = many_lines(
            "Settings, as YAML (optional)", None, f"{key} {name} settings", height=80, placeholder=known
        )
        settings = _settings(text)
    return {"name": name, **settings} if settings else name


def _judge(key: str, judges: Sequence[str], models: Sequence[str]) -> MetricSpec | None:
    if not judges or not models:
        st.caption("A judge is a prompt with a `rubric`; there is none yet. Make one on the Prompts page.")
        return None
    judge = st.selectbox("Judge", judges, key=f"{key} judge")
    model = st.selectbox("Asked on", models, key=f"{key} model")
    st.caption("Each output is one more call to this model; answers are cached.")
    return {"judge": judge, "model": model}


def _hub(key: str) -> MetricSpec | None:
    name = one_line("Name on the hub", None, f"{key} name", placeholder="bertscore")
    st.caption("It is downloaded and run here: a program of the hub's own collection.")
    settings = _settings(
        many_lines(
            "Settings, as YAML (optional)",
            None,
            f"{key} settings",
            height=80,
            placeholder="lang: en, key: f1",
        )
    )
    return {"evaluate": name, **settings} if name else None


def _settings(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    one = text.strip()
    braced = f"{{{one}}}" if "\n" not in one and not one.startswith("{") else one
    found, _ = parse(braced, "the settings")
    if not isinstance(found, dict):
        raise MetricError("Settings are `name: value`, separated by commas or one a line.")
    return found
