"""The second part of a recipe's form: method, objective, and only the settings that they look at.

Every setting comes from `Train` itself, with its help, range and default; a setting that is left empty shows
what would be chosen from the data, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic import ValidationError

from workbench.app.widgets.beside import two_beside
from workbench.app.widgets.fields import listed, number, one_line
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_words import METHODS, OBJECTIVES
from workbench.core.tuning import Train
from workbench.tuning.checking.choosing import Choice
from workbench.tuning.checking.fields import FieldHelp, fields

LABELS = {
    "epochs": "Times through the data",
    "max_steps": "Steps, at most",
    "batch": "Examples a step",
    "accumulate": "Batches added up",
    "max_grad_norm": "Longest gradient",
    "neftune": "NEFTune noise",
    "max_tokens": "Longest example, tokens",
    "too_long": "Longer ones",
    "validation": "Share held back",
    "evaluate_every": "Steps between looks",
    "patience": "Patience, looks",
    "keep": "Weights that are kept",
    "samples": "Prompts asked at each look",
    "merge": "Keep whole weights",
}
GROUPS: dict[str, tuple[str, ...]] = {
    "How long, how fast": ("epochs", "learning_rate", "batch", "max_steps"),
    "The method's own": ("rank", "alpha", "targets", "virtual_tokens", "beta", "dropout"),
    "Against overfitting": ("validation", "patience", "keep", "evaluate_every", "weight_decay", "neftune"),
    "More": (
        "schedule",
        "warmup",
        "accumulate",
        "max_grad_norm",
        "max_tokens",
        "too_long",
        "samples",
        "precision",
        "processes",
        "seed",
        "gradient_checkpointing",
        "merge",
    ),
}
FOLDED = ("Against overfitting", "More")


def train_part(value: dict[str, Any], key: str, chosen: Sequence[Choice]) -> dict[str, Any]:
    """The key `train`, without what is as by default; what no longer applies is left out."""
    new = dict(value)
    new["method"] = _word("Method", value.get("method", "lora"), METHODS, f"{key} method", "method")
    objective = value.get("objective", "supervised")
    new["objective"] = _word("Objective", objective, OBJECTIVES, f"{key} objective", "objective")
    settled = _settled(new["method"], new["objective"])
    by_name = {one.name: one for one in fields()}
    choices = {one.field: one for one in chosen}
    grouped = {name for names in GROUPS.values() for name in names}
    others = tuple(name for name in by_name if name not in grouped and name not in ("method", "objective"))
    for group, listed_here in GROUPS.items():
        names = listed_here + (others if group == "More" else ())
        shown = [by_name[name] for name in names if name in by_name and by_name[name].applies_to(settled)]
        if not shown:
            continue
        stated = any(one.name in value for one in shown)
        box = st.expander(group, expanded=stated) if group in FOLDED else st.container()
        with box:
            if group not in FOLDED:
                st.markdown(f"**{group}**")
            _group(shown, value, new, key, choices)
    for name, one in by_name.items():
        if name in ("method", "objective"):
            continue
        if not one.applies_to(settled) or (name in new and new[name] == _plain(one.default)):
            new.pop(name, None)
    defaults = {"method": "lora", "objective": "supervised"}
    return {name: one for name, one in new.items() if name not in defaults or defaults[name] != one}


def _group(
    shown: Sequence[FieldHelp],
    value: dict[str, Any],
    new: dict[str, Any],
    key: str,
    choices: dict[str, Choice],
) -> None:
    for start in range(0, len(shown), 2):
        for column, one in zip(two_beside(), shown[start : start + 2], strict=False):
            with column:
                found = _field(one, value, f"{key} {one.name}", choices.get(one.name))
                if found is None and one.default is not None:
                    new[one.name] = None  # said so: without it, the default would count
                elif found is None:
                    new.pop(one.name, None)
                else:
                    new[one.name] = found


def _field(one: FieldHelp, value: dict[str, Any], key: str, choice: Choice | None) -> Any:
    """One setting; None where it is left out or off."""
    stated = value.get(one.name, _plain(one.default))
    label = LABELS.get(one.name, one.label)
    told = escaped(_told(one))
    if one.kind == "yes":
        return bool(st.toggle(label, value=bool(stated), key=key, help=told))
    if one.kind == "choice":
        options = [*one.options, *([stated] if stated not in one.options else [])]
        return st.selectbox(label, options, index=options.index(stated), key=key, help=told)
    if one.kind == "words":
        words = one_line(label, ", ".join(map(str, stated or ())), key, help=told, placeholder="every one")
        return listed(words)
    whole = one.kind == "whole"
    settings: dict[str, Any] = {"placeholder": _placeholder(one, choice), "help": told}
    if not whole:
        settings |= {"format": "%.6g", "step": _step(one, choice)}
    if one.low is not None:
        settings["min_value"] = one.low + (1e-6 if one.above and not whole else 0)
    if one.high is not None:
        settings["max_value"] = one.high
    found = number(label, stated, key, whole, **settings)
    if choice is not None and found is None:
        st.caption(escaped(f"{_shown(choice.value)}: {choice.reason}"))
    if found is None and one.default is not None and one.name != "patience":
        return _plain(one.default)
    return found


def _word(label: str, value: str, words: dict[str, str], key: str, field: str) -> str:
    options = [*words, *([value] if value not in words else [])]
    return str(
        st.selectbox(
            label,
            options,
            index=options.index(value),
            key=key,
            format_func=lambda name: words.get(name, name),
            help=escaped(Train.model_fields[field].description or ""),
        )
    )


def _settled(method: str, objective: str) -> Train:
    try:
        return Train.model_validate({"method": method, "objective": objective})
    except ValidationError:  # a word that the YAML has wrong: its sentence stands beside the form
        return Train()


def _told(one: FieldHelp) -> str:
    """The help with the range and the default."""
    said = one.help[:1].upper() + one.help[1:]
    bounds = []
    if one.low is not None:
        bounds.append(f"{'more than' if one.above else 'from'} {one.low:g}")
    if one.high is not None:
        bounds.append(f"to {one.high:g}")
    default = "chosen from the data" if one.chosen else _shown(_plain(one.default))
    if one.default is None and not one.chosen:
        default = "off"
    span = f" Range: {' '.join(bounds)}." if bounds else ""
    return f"{said}.{span} Default: {default}."


def _placeholder(one: FieldHelp, choice: Choice | None) -> str:
    if choice is not None:
        return f"{_shown(choice.value)}, chosen"
    if one.chosen:
        return "chosen later"
    return "never" if one.name == "patience" else "off"


def _step(one: FieldHelp, choice: Choice | None) -> float:
    if one.name == "learning_rate":
        return float(choice.value) / 5 if choice is not None else 0.0001
    return 1.0 if one.name in ("epochs", "alpha", "neftune") else 0.05


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return ", ".join(value) if isinstance(value, list) else str(value)
