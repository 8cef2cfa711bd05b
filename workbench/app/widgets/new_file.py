"""Starting a new prompt or experiment: from a template, or as a copy of another."""

from __future__ import annotations

import streamlit as st

from workbench.app.pages import go
from workbench.app.widgets.drafting import Draft
from workbench.app.widgets.errors import explained
from workbench.core.document import check_name, load, to_yaml
from workbench.core.experiment import DatasetChoice, Experiment
from workbench.engine import Workspace
from workbench.errors import UsageError, WorkbenchError
from workbench.prompting import read_prompt

TEMPLATES = {
    "zero-shot": """\
description: Ask directly.
messages:
  - {role: user, content: "{{ question }}"}
answer: {type: text}
""",
    "few-shot": """\
description: Show a few examples first.
messages:
  - {role: user, content: "{{ question }}"}
examples: {from: word-problems#train, count: 3, select: similar}
answer: {after: "Answer:", type: number}
""",
    "step by step": """\
description: Reason first, then answer.
messages:
  - {role: user, content: "{{ question }}"}
reasoning: step_by_step
answer: {after: "Answer:", type: number}
sampling: {temperature: 0.0, max_tokens: 160}
""",
    "self-consistency": """\
description: Ask several times and take the most frequent answer.
members:
  - {prompt: step-by-step, samples: 5, sampling: {temperature: 0.7}}
combine: majority
""",
}


def new_prompt(ws: Workspace) -> None:
    """A popover with a name and a template."""
    with st.popover("New prompt", icon=":material/add:", width="stretch"):
        name = st.text_input("Name", key="new prompt name", placeholder="my-prompt")
        kind = st.radio("Start from", list(TEMPLATES), key="new prompt template")
        if st.button("Create", type="primary", key="new prompt create"):
            with explained("creating the prompt"):
                free_name(name, ws.prompts.names(), "prompt")
                text = f"name: {name}\n{TEMPLATES[kind]}"
                ws.prompts.save(read_prompt(text, f"prompts/{name}.yaml"), text=text)
                go("prompts", prompt=name)


def new_experiment(ws: Workspace) -> None:
    """A popover with a name; the grid starts small."""
    with st.popover("New experiment", icon=":material/add:", width="stretch"):
        name = st.text_input("Name", key="new experiment name", placeholder="my-experiment")
        if st.button("Create", type="primary", key="new experiment create"):
            with explained("creating the experiment"):
                free_name(name, ws.experiment_names(), "experiment")
                prompts, models, datasets = ws.prompts.names(), ws.models.names(), ws.datasets.names()
                if not prompts or not datasets:
                    missing = "prompt" if not prompts else "dataset"
                    raise WorkbenchError(f"An experiment needs a {missing}; make one first.")
                split = ws.datasets.splits(datasets[0])
                ws.save_experiment(
                    Experiment(
                        name=name,
                        dataset=DatasetChoice(
                            name=datasets[0], split="test" if "test" in split else split[0], limit=50
                        ),
                        prompts=tuple(prompts[:2]),
                        models=tuple(models[:1]),
                    )
                )
                go("experiments", experiment=name)


def duplicate(ws: Workspace, kind: str, draft: Draft) -> None:
    """A popover that saves the draft under another name and leaves the original as it is."""
    with st.popover("Duplicate", icon=":material/content_copy:"):
        name = st.text_input(
            "Name of the copy", key=f"duplicate {kind} {draft.name}", value=f"{draft.name}-2"
        )
        if st.button("Make the copy", key=f"duplicate {kind} {draft.name} go", type="primary"):
            with explained("making the copy"):
                text = to_yaml(draft.content() | {"name": name})
                if kind == "prompt":
                    free_name(name, ws.prompts.names(), kind)
                    ws.prompts.save(read_prompt(text, f"prompts/{name}.yaml"))
                    go("prompts", prompt=name)
                free_name(name, ws.experiment_names(), kind)
                ws.save_experiment(load(Experiment, text, f"experiments/{name}.yaml"))
                go("experiments", experiment=name)


def free_name(name: str, taken: list[str], kind: str) -> None:
    """Refuses an empty or taken name, and one that is no safe file name. Raises UsageError."""
    if not name.strip():
        raise UsageError(f"Give the {kind} a name.")
    try:
        check_name(name)
    except ValueError as problem:
        raise UsageError(f"{problem}.") from None
    if name in taken:
        raise UsageError(f"There is already a {kind} named '{name}'; choose another name.")
