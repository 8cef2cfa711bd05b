"""An experiment as a form: the grid, the rows, the measures, and what it is held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app.widgets.fields import number, one_line, one_of, without_empty
from workbench.app.widgets.metric_picker import in_one_line, metric_picker, read_spec
from workbench.app.widgets.quantizations import offered

FIRST = "the first cell"


@dataclass(frozen=True)
class Choices:
    """What the workspace has to choose from."""

    prompts: Sequence[str]
    models: Sequence[str]
    local_models: Sequence[str]
    datasets: dict[str, Sequence[str]]
    metrics: dict[str, str]
    judges: Sequence[str] = ()
    """Prompts that have a rubric."""


def experiment_form(
    content: dict[str, Any], key: str, have: Choices, replace: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Shows the form and gives the edited content; what it has no field for stays as it is.

    `replace` is called with new content when a metric with settings is added or removed.
    """
    new = dict(content)
    new["description"] = one_line("Description", content.get("description"), f"{key} description")
    new["prompts"] = _several("Prompts", content.get("prompts"), have.prompts, f"{key} prompts")
    new["models"] = _several("Models", content.get("models"), have.models, f"{key} models")
    if any(model in have.local_models for model in new["models"]):
        kinds = offered()
        new["quantization"] = _several(
            "Quantization of local models (none: each model's own)",
            content.get("quantization"),
            tuple(kinds),
            f"{key} quantization",
            format_func=lambda name: f"{name}: {kinds[name]}" if name in kinds else name,
        )
    new["dataset"] = _dataset(content.get("dataset"), key, have)
    new["metrics"] = _metrics(content, key, have, replace)
    new["baseline"] = _baseline(content.get("baseline"), new, key)
    with st.expander("Sampling, repeats, budget, margin", expanded=bool(content.get("sampling"))):
        new["sampling"] = _sampling(content.get("sampling"), key)
        _limits(content, new, key)
    return without_empty(new)


def _several(label: str, value: Any, options: Sequence[str], key: str, **settings: Any) -> list[str]:
    found = (
        [str(part) for part in value]
        if isinstance(value, list)
        else [value]
        if isinstance(value, str)
        else []
    )
    everything = [*options, *(part for part in found if part not in options)]
    return list(st.multiselect(label, everything, default=found, key=key, **settings))


def _dataset(value: Any, key: str, have: Choices) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    name_column, split_column, limit_column, seed_column = st.columns([3, 1.5, 1.5, 1.5])
    with name_column:
        name = one_of("Dataset", found.get("name"), tuple(have.datasets), f"{key} dataset")
    splits = have.datasets.get(name, ())
    with split_column:
        split = one_of("Split", found.get("split", "test"), splits, f"{key} split of {name}")
    with limit_column:
        limit = number("Rows", found.get("limit"), f"{key} limit", True, min_value=1, placeholder="all")
    with seed_column:
        shuffle = number(
            "Shuffle seed",
            found.get("shuffle"),
            f"{key} shuffle",
            True,
            min_value=0,
            placeholder="in order",
        )
    return without_empty({**found, "name": name, "split": split, "limit": limit, "shuffle": shuffle})


def _metrics(
    content: dict[str, Any], key: str, have: Choices, replace: Callable[[dict[str, Any]], None]
) -> list[Any]:
    value = content.get("metrics")
    given = value if isinstance(value, list) else [value] if value else ["exact_match"]
    plain = _several(
        "Metrics; the first decides the winner",
        [part for part in given if isinstance(part, str)],
        tuple(have.metrics),
        f"{key} metrics",
        help="  \n".join(f"{name}: {said}" for name, said in have.metrics.items() if said),
    )
    kept: list[Any] = []
    settled = [part for part in given if not isinstance(part, str)]
    for index, spec in enumerate(settled):
        line, button = st.columns([6, 1], vertical_alignment="bottom")
        with line:
            written = one_line(f"With settings {index + 1}", in_one_line(spec), f"{key} metric {index}")
        kept.append(read_spec(written) if written.strip() else spec)
        with button:
            if st.button("Remove", key=f"{key} metric {index} remove", type="tertiary"):
                others = [part for place, part in enumerate(settled) if place != index]
                replace({**content, "metrics": [*plain, *others] or ["exact_match"]})
    metric_picker(
        f"{key} new metric",
        lambda spec: replace({**content, "metrics": [*plain, *kept, spec]}),
        have.judges,
        have.models,
    )
    return [*plain, *kept]


def _baseline(value: Any, new: dict[str, Any], key: str) -> Any:
    found = value if isinstance(value, dict) else {}
    left, right = st.columns(2)
    with left:
        prompt = one_of(
            "Baseline prompt", found.get("prompt", FIRST), (FIRST, *new["prompts"]), f"{key} baseline prompt"
        )
    if prompt == FIRST:
        return None
    with right:
        model = one_of("Baseline model", found.get("model"), new["models"], f"{key} baseline model")
    return {**found, "prompt": prompt, "model": model}


def _sampling(value: Any, key: str) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    new = dict(found)
    st.caption("Several values, separated by commas, make an axis of the grid.")
    for (name, label, whole), column in zip(
        (
            ("temperature", "Temperature", False),
            ("top_p", "Top p", False),
            ("max_tokens", "Most tokens", True),
            ("seed", "Seed", True),
        ),
        st.columns(4),
        strict=True,
    ):
        with column:
            given = found.get(name)
            shown = ", ".join(map(str, given)) if isinstance(given, list) else given
            written = one_line(label, shown, f"{key} sampling {name}")
            new[name] = _numbers(written, whole)
    return without_empty(new)


def _numbers(written: str, whole: bool) -> Any:
    """One number, a list, or the text as it stands, for validation to complain about."""
    parts = [part.strip() for part in written.split(",") if part.strip()]
    try:
        numbers = [int(part) if whole else float(part) for part in parts]
    except ValueError:
        return written
    return None if not numbers else numbers[0] if len(numbers) == 1 else numbers


def _limits(content: dict[str, Any], new: dict[str, Any], key: str) -> None:
    repeats, budget, margin = st.columns(3)
    with repeats:
        times = number("Repeats of every row", content.get("repeats", 1), f"{key} repeats", True, min_value=1)
        new["repeats"] = None if times in (None, 1) else times
    with budget:
        stated = content.get("budget")
        usd = number(
            "Budget, USD",
            stated.get("usd") if isinstance(stated, dict) else None,
            f"{key} budget",
            min_value=0,
        )
        new["budget"] = None if usd is None else {"usd": usd}
    with margin:
        tie = number("Tie margin", content.get("margin"), f"{key} margin", min_value=0, step=0.01)
        new["margin"] = tie or None
