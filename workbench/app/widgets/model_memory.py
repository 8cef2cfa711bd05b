"""The memory that a model needs, by quantization and context, beside what is free on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from workbench.app import state
from workbench.app.widgets.errors import explained
from workbench.app.widgets.model_facts import size
from workbench.app.widgets.text import escaped
from workbench.engine.inspecting import Inspection
from workbench.models.local.memory import MemoryEstimate, estimate_memory, free_memory
from workbench.models.local.quantization import available

CONTEXTS = (512, 1024, 2048, 4096, 8192, 16384, 32768, 131072)
COLUMNS = 5
ROWS = (1, 8, 32, 64)


def memory_panel(found: Inspection) -> None:
    """A table of estimates; what fits is marked by a sign and a word, not by colour alone."""
    if found.path is None or not found.path.is_dir():
        st.info(
            "Memory is estimated for a folder of safetensors. A GGUF file takes its size on disk, and its "
            "attention cache beside.",
            icon=":material/info:",
        )
        return
    rows = st.radio(
        "Requests at once, each with the whole context",
        ROWS,
        horizontal=True,
        index=ROWS.index(_asked()),
        key="memory rows",
        on_change=_store,
    )
    free = free_memory()
    contexts = contexts_of(found.anatomy.context if found.anatomy else None)
    with explained("estimating the memory"):
        kinds = [kind.name for kind in available("cpu")]
        lines = {
            kind: [estimate_memory(found.path, kind, context, rows, _adapter(found)) for context in contexts]
            for kind in kinds
        }
        _table(lines, contexts, free)
        fitting = sum(estimate.needed_bytes <= free for line in lines.values() for estimate in line)
        st.caption(
            f"{escaped(size(free))} are free here now: {fitting} of {len(lines) * len(contexts)} fit. "
            "A figure is what a process holds at its peak: weights, attention cache of all requests, and "
            "what the libraries and one step need."
        )
        smallest = next(iter(lines))
        _details(smallest, lines[smallest][0], contexts[0])


def contexts_of(longest: int | None) -> list[int]:
    """Context lengths worth asking about: up to the model's own, which is the last."""
    if longest is None:
        return list(CONTEXTS[:COLUMNS])
    below = [context for context in CONTEXTS if context < longest]
    return [*below[-(COLUMNS - 1) :], longest]


def _table(lines: dict[str, list[MemoryEstimate]], contexts: Sequence[int], free: int) -> None:
    columns: dict[str, list[str]] = {"Quantization": [f"**{escaped(kind)}**" for kind in lines]}
    for place, context in enumerate(contexts):
        columns[f"{context:,} tokens"] = [_cell(line[place], free) for line in lines.values()]
    st.table(columns, border="horizontal", hide_index=True, alt="Memory by quantization and context")


def _cell(estimate: MemoryEstimate, free: int) -> str:
    words = escaped(size(estimate.needed_bytes))
    if estimate.needed_bytes <= free:
        return f":green-badge[✓ fits] {words}"
    return f":orange-badge[✗ too large] {words}"


def _details(kind: str, estimate: MemoryEstimate, context: int) -> None:
    st.caption(
        escaped(
            f"For instance {kind} with {context:,} tokens: weights {size(estimate.weights_bytes)}, attention "
            f"cache {size(estimate.cache_bytes)}, libraries and working memory "
            f"{size(estimate.overhead_bytes)}."
        )
    )


def _adapter(found: Inspection) -> Path | None:
    folder = Path(found.spec.adapter).expanduser() if found.spec.adapter else None
    return folder if folder is not None and folder.is_dir() else None


def _asked() -> int:
    asked = state.whole(state.AT_ONCE, ROWS[0], ROWS[-1], ROWS[1])
    return asked if asked in ROWS else ROWS[1]


def _store() -> None:
    state.put(**{state.AT_ONCE: st.session_state["memory rows"]})
