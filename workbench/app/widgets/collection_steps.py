"""The settings of cleaning steps as fields, told by the steps themselves."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from workbench.app.widgets.fields import many_lines, number, one_line
from workbench.core.document import parse
from workbench.errors import CollectionError, WorkbenchError
from workbench.tuning.cleaning import Spec, build_step, registry, step_names

ONE_LINE_EACH = "One a line"
A_LINE = 3
"""Fields that stand beside each other."""


def choose_steps(key: str, default: list[str]) -> list[Spec]:
    """Which steps, in which order, with which settings. Raises CollectionError for settings that are none."""
    facts = {name: registry.get(name).description for name in step_names()}
    chosen = st.multiselect(
        "Steps, one after the other",
        list(facts),
        default=default,
        key=f"{key} steps",
        format_func=lambda name: name.replace("_", " "),
    )
    return [_step(name, facts[name], key) for name in chosen]


def without_settings() -> list[str]:
    """The steps that can do without settings of a person's."""
    return [name for name in step_names() if _is_complete(name)]


def _is_complete(name: str) -> bool:
    try:
        build_step(name)
    except WorkbenchError:
        return False
    return True


def _step(name: str, description: str, key: str) -> Spec:
    """The fields of one step; what is left as it is does not stand in the spec."""
    fields = registry.get(name).model_fields
    settings: dict[str, Any] = {}
    with st.container(border=True):
        st.markdown(f"**{name.replace('_', ' ')}** :gray[{description}]")
        places = [
            column for _ in range(-(-len(fields) // A_LINE)) for column in st.columns(A_LINE, gap="medium")
        ]
        for place, (setting, field) in zip(places, fields.items(), strict=False):
            with place:
                value = _field(setting, field, f"{key} {name} {setting}")
            if value != _default(field):
                settings[setting] = value
    return {name: settings} if settings else name


def _field(name: str, field: FieldInfo, key: str) -> Any:
    label = name.replace("_", " ").capitalize()
    about: dict[str, Any] = {"help": field.description}
    default: Any = _default(field)
    annotation = _without_none(field.annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is bool:
        return st.checkbox(label, value=bool(default), key=key, **about)
    if annotation in (int, float):
        return number(label, default, key, whole=annotation is int, **_bounds(field), **about)
    if origin is Literal:
        options = list(map(str, inner))
        return st.selectbox(label, options, index=options.index(default), key=key, **about)
    if origin is tuple and get_origin(inner[0]) is Literal:
        return tuple(st.multiselect(label, get_args(inner[0]), default=default, key=key, **about))
    if origin is tuple:
        text = many_lines(label, None, key, height=80, placeholder=ONE_LINE_EACH, **about)
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(one_line(label, None, key, placeholder="exact_match: 1", **about))
    return one_line(label, default, key, **about)


def _mapping(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    found, _ = parse(f"{{{text}}}", "the settings")
    if not isinstance(found, dict):
        raise CollectionError(f"Write `name: number`, separated by commas; not '{text}'.")
    return found


def _default(field: FieldInfo) -> Any:
    if not field.is_required():
        return field.get_default(call_default_factory=True, validated_data={})
    return () if get_origin(field.annotation) is tuple else ""


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _bounds(field: FieldInfo) -> dict[str, float]:
    names = {"ge": "min_value", "le": "max_value"}
    return {names[key]: getattr(part, key) for part in field.metadata for key in names if hasattr(part, key)}
