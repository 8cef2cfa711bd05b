"""A recipe as a form, in three parts: what to learn from, model and method, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app.widgets.fields import one_line, without_empty
from workbench.app.widgets.tune_bases import base_choice
from workbench.app.widgets.tune_evaluate import evaluate_part
from workbench.app.widgets.tune_fields import train_part
from workbench.app.widgets.tune_source import source_part
from workbench.engine import Workspace
from workbench.tuning.checking.choosing import Choice


@dataclass(frozen=True)
class Known:
    """What the page knows of the training while the form is drawn: the choices made for empty fields."""

    choices: Sequence[Choice] = ()


def recipe_form(ws: Workspace, content: dict[str, Any], key: str, known: Known) -> dict[str, Any]:
    """Shows the form and gives the edited content; what it has no field for stays as it is."""
    new = dict(content)
    new["description"] = one_line("Description", content.get("description"), f"{key} description")
    source, method, verdict = st.tabs(["What to learn from", "Model and method", "Verdict"])
    train = content.get("train")
    train = train if isinstance(train, dict) else {}
    with method:
        new["base"] = base_choice(ws, content.get("base"), f"{key} base")
        new["train"] = train_part(train, f"{key} train", known.choices)
    with source:
        new |= source_part(ws, content, str(new["train"].get("objective", "supervised")), f"{key} source")
    with verdict:
        new["model"] = one_line(
            "Name of the tuned model",
            content.get("model"),
            f"{key} model",
            placeholder=f"{new['base']}-{content.get('name', 'recipe')}",
            help="What experiments will call it. Where the name is taken, a number is added.",
        )
        evaluate = content.get("evaluate")
        new["evaluate"] = evaluate_part(
            ws, evaluate if isinstance(evaluate, dict) else {}, new, f"{key} verdict"
        )
    return without_empty(new)
