"""A prompt as a form: messages, examples, reasoning, answer, sampling.

Takes the draft's plain content and gives back the edited content; what the form has no field for is
kept as it is. The YAML view beside it shows the same draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.app.widgets.fields import listed, many_lines, number, one_line, one_of, without_empty
from workbench.app.widgets.judge_parts import rubric_field
from workbench.core.document import to_yaml
from workbench.core.prompt import AnswerRule, Examples

ROLES = ("system", "user", "assistant")
ANSWERS = {
    "text": "the whole text",
    "number": "a number",
    "choice": "a choice letter",
    "label": "one of some labels",
    "regex": "what a pattern matches",
    "json": "a field of JSON",
}
SELECTORS = {
    "fixed": "the first ones, always the same",
    "random": "drawn at random for each row",
    "similar": "most like the row",
    "diverse": "like the row, unlike each other",
    "balanced": "every label as often",
}
OWN_WORDS = "in my own words"
NONE = "none"


def prompt_form(
    content: dict[str, Any],
    key: str,
    techniques: Sequence[str],
    splits: Sequence[str],
    replace: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Shows the form.

    Args:
        content: the draft as plain values; it need not be valid.
        key: prefix of every field's key; a new one fills the form anew.
        techniques: reasoning techniques by name.
        splits: where examples may come from, as dataset#split.
        replace: called with new content when messages are added, moved or removed.
    """
    new = dict(content)
    new["description"] = one_line("Description", content.get("description"), f"{key} description")
    new["messages"], reordered = _messages(content.get("messages"), key)
    new["reasoning"] = _reasoning(content.get("reasoning"), key, techniques)
    with st.expander("Examples (few-shot)", expanded=bool(content.get("examples"))):
        new["examples"] = _examples(content.get("examples"), key, splits)
    with st.expander("How the answer is read", expanded=True):
        new["answer"] = _answer(content.get("answer"), key)
    with st.expander("Sampling"):
        new["sampling"] = sampling_fields(content.get("sampling"), key)
    with st.expander("Rubric (makes it a judge of outputs)", expanded=bool(content.get("rubric"))):
        new["rubric"] = rubric_field(content.get("rubric"), key)
    new = without_empty(new)
    if reordered:
        replace(new)
    return new


def _messages(found: Any, key: str) -> tuple[list[dict[str, Any]], bool]:
    """The edited messages, and whether one was added, moved or removed just now."""
    messages = [m if isinstance(m, dict) else {} for m in found] if isinstance(found, list) else []
    new: list[dict[str, Any]] = []
    up = remove = None
    for index, message in enumerate(messages):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            role = one_of(
                f"Message {index + 1}", message.get("role"), ROLES, f"{key} role {index}", width=160
            )
            if index and st.button("Up", key=f"{key} up {index}", help=f"Move message {index + 1} up"):
                up = index
            if len(messages) > 1 and st.button(
                "Remove", key=f"{key} remove {index}", help=f"Remove message {index + 1}"
            ):
                remove = index
        text = many_lines(
            f"Text of message {index + 1}",
            message.get("content"),
            f"{key} text {index}",
            label_visibility="collapsed",
            placeholder="Write {{ column }} where the row's value should stand.",
        )
        new.append(message | {"role": role, "content": text})
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        added = st.button("Add a message", icon=":material/add:", key=f"{key} add", type="tertiary")
        st.caption("Ctrl+Enter updates the preview.")
    if up:
        new[up - 1], new[up] = new[up], new[up - 1]
    if remove is not None:
        del new[remove]
    if added:
        new.append({"role": "user", "content": ""})
    return new, bool(up) or remove is not None or added


def _reasoning(value: Any, key: str, techniques: Sequence[str]) -> Any:
    own = value.get("custom", "") if isinstance(value, dict) else None
    shown = OWN_WORDS if own is not None else value or NONE
    chosen = one_of(
        "Reasoning",
        shown,
        (NONE, *techniques, OWN_WORDS),
        f"{key} reasoning",
        help="What the model is asked to do before it gives its answer.",
    )
    if chosen == NONE:
        return None
    if chosen != OWN_WORDS:
        return chosen
    return {"custom": many_lines("The instruction", own, f"{key} own reasoning")}


def _examples(value: Any, key: str, splits: Sequence[str]) -> Any:
    examples = value if isinstance(value, dict) else {}
    written = "written here" if "rows" in examples else None
    source = one_of("From", written or examples.get("from") or NONE, (NONE, *splits), f"{key} from")
    if source == NONE:
        return None
    if written and source == written:
        st.code(to_yaml(examples["rows"]), language=None)
        st.caption("These rows are edited in the YAML view.")
        new = dict(examples)
    else:
        new = {name: part for name, part in examples.items() if name != "rows"} | {"from": source}
    default = Examples.model_fields
    left, right = st.columns(2)
    with left:
        new["count"] = number(
            "How many",
            examples.get("count", default["count"].default),
            f"{key} count",
            True,
            min_value=0,
            max_value=1000,
        )
    with right:
        new["select"] = one_of(
            "Chosen how", examples.get("select", "fixed"), tuple(SELECTORS), f"{key} select"
        )
    if new["select"] == "fixed":
        new["select"] = None
    if new.get("select") in ("random", "diverse", "balanced"):
        new["seed"] = number("Seed", examples.get("seed", 0), f"{key} seed", True, min_value=0) or None
    if new.get("select") in ("similar", "diverse", "balanced"):
        new["by"] = one_line("By column (optional)", examples.get("by"), f"{key} by")
    new["assistant"] = one_line(
        "An example's reply (optional)",
        examples.get("assistant"),
        f"{key} assistant",
        placeholder="{{ reasoning }} Answer: {{ answer }}",
        help="A template over the example's row; left empty, the right answer after the marker.",
    )
    said = SELECTORS.get(new.get("select") or "fixed", "")
    st.caption(f"{said.capitalize()}. No row is ever its own example; none comes from the evaluated split.")
    return without_empty(new)


def _answer(value: Any, key: str) -> Any:
    rule = value if isinstance(value, dict) else {}
    new = dict(rule)
    left, right = st.columns(2)
    with left:
        new["after"] = one_line(
            "After the marker (optional)", rule.get("after"), f"{key} after", placeholder="Answer:"
        )
    with right:
        kind = one_of(
            "It is",
            rule.get("type", "text"),
            tuple(ANSWERS),
            f"{key} type",
            format_func=lambda n: ANSWERS.get(n, n),
        )
    new["type"] = None if kind == "text" else kind
    for name in ("labels", "pattern", "path", "choices"):
        new.pop(name, None)
    if kind == "label":
        labels = rule.get("labels")
        shown = ", ".join(map(str, labels)) if isinstance(labels, (list, tuple)) else ""
        new["labels"] = listed(one_line("Labels, separated by commas", shown, f"{key} labels"))
    elif kind == "regex":
        new["pattern"] = one_line("Pattern (group 1 if it has one)", rule.get("pattern"), f"{key} pattern")
    elif kind == "json":
        new["path"] = one_line("Path, such as result.value", rule.get("path"), f"{key} path")
    elif kind == "choice":
        letters = AnswerRule.model_fields["choices"].default
        new["choices"] = one_line("Letters", rule.get("choices", letters), f"{key} choices")
    return without_empty(new)


def sampling_fields(value: Any, key: str) -> Any:
    """Temperature and its kin; what is left empty is decided by the experiment, then the model."""
    sampling = value if isinstance(value, dict) else {}
    new = dict(sampling)
    left, middle, right = st.columns(3)
    with left:
        new["temperature"] = number(
            "Temperature",
            sampling.get("temperature"),
            f"{key} temperature",
            min_value=0,
            max_value=10,
            step=0.1,
        )
    with middle:
        new["max_tokens"] = number(
            "Most tokens",
            sampling.get("max_tokens"),
            f"{key} max_tokens",
            True,
            min_value=1,
            max_value=1_000_000,
        )
    with right:
        new["top_p"] = number(
            "Top p", sampling.get("top_p"), f"{key} top_p", min_value=0, max_value=1, step=0.05
        )
    stop = sampling.get("stop")
    shown = ", ".join(map(str, stop)) if isinstance(stop, (list, tuple)) else stop
    if any("," in str(part) for part in stop or ()):
        st.caption("The stop texts hold commas; edit them in the YAML view.")
    else:
        new["stop"] = listed(one_line("Stop at, separated by commas", shown, f"{key} stop"))
    return without_empty(new)
