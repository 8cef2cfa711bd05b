"""The headline facts of a model, and of its adapter; of a hosted one, what its row says."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import link
from workbench.app.widgets.numbers import dollars
from workbench.app.widgets.text import escaped
from workbench.core.model import ModelSpec
from workbench.engine.inspecting import Inspection, adapter_facts, facts
from workbench.models.local.anatomy import Anatomy


def headline(found: Anatomy) -> None:
    """Five numbers that say what kind of model it is."""
    heads = f"{found.heads}" if found.heads else "–"
    if found.heads and found.key_value_heads and found.key_value_heads != found.heads:
        heads += f" / {found.key_value_heads}"
    numbers = {
        "Parameters": amount(found.parameters),
        "Layers": _shown(found.layers),
        "Hidden width": _shown(found.width),
        "Heads": heads,
        "Context": f"{found.context:,}" if found.context else "–",
        "On disk": size(found.disk_bytes),
    }
    for column, (label, value) in zip(st.columns(len(numbers)), numbers.items(), strict=True):
        column.metric(label, value, border=True)


def facts_table(found: Anatomy) -> None:
    """Everything that the files state, in two columns."""
    lines = facts(found)
    half = -(-len(lines) // 2)
    for column, part in zip(st.columns(2), (lines[:half], lines[half:]), strict=True):
        with column:
            _table(part, "What the model's files state")


def adapter_panel(found: Inspection) -> None:
    """What the row's adapter adds to its base."""
    if found.adapter is not None and found.anatomy is not None:
        st.subheader("What its adapter adds", anchor=False)
        _table(adapter_facts(found.adapter, found.anatomy), "What the adapter adds")
    elif found.unseen_adapter:
        st.warning(escaped(found.unseen_adapter), icon=":material/warning:")


def hosted(spec: ModelSpec, why: str) -> None:
    """A model that runs elsewhere: what is known of it, and what is not."""
    st.info(escaped(why), icon=":material/cloud:")
    price = f"{dollars(spec.price.prompt)} in, {dollars(spec.price.completion)} out"
    lines = [
        ("provider", spec.provider),
        ("its name there", spec.model),
        ("address", spec.base_url.rpartition("@")[2] if spec.base_url else "the provider's own"),
        ("USD per million tokens", price if spec.price.prompt or spec.price.completion else "not stated"),
        ("context", f"{spec.context:,} tokens" if spec.context else "not stated"),
    ]
    _table(lines, "What the model's row says")
    link("size", "Compare its quality and cost with local models", ":material/straighten:")


def amount(value: int) -> str:
    """A count in three digits: `1.48 M`, `7.24 B`."""
    for unit, word in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= unit:
            return f"{value / unit:.3g} {word}"
    return str(value)


def size(value: int) -> str:
    """Bytes in three digits: `5.9 MB`, `14.5 GB`."""
    for unit, word in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= unit:
            number = value / unit
            return f"{number:.0f} {word}" if number >= 100 else f"{number:.1f} {word}"
    return f"{value} B"


def _shown(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _table(lines: list[tuple[str, str]], alt: str) -> None:
    st.table(
        {"Fact": [escaped(name) for name, _ in lines], "Value": [escaped(value) for _, value in lines]},
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt=alt,
    )
