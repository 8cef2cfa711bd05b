"""An ensemble as a form: its members, how their answers are combined, and what a tie does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

import streamlit as st

from workbench.app.widgets.fields import number, one_line, one_of, without_empty
from workbench.core.prompt import Tie
from workbench.prompting import combiner_names

COMBINE = {
    "majority": "the answer given most often",
    "weighted": "the answer with most weight",
    "best_of": "the output that a measure likes best",
    "consensus": "the text most like all the others",
    "fuse": "a prompt merges the outputs",
    "cascade": "the next member only where they disagree",
}
TIES = {"first": "the first member wins", "shortest": "the shortest text wins", "none": "no answer"}


def ensemble_form(
    content: dict[str, Any], key: str, prompts: Sequence[str], replace: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Shows the form; `replace` is called with new content when members are added or removed."""
    new = dict(content)
    new["description"] = one_line("Description", content.get("description"), f"{key} description")
    found = content.get("members")
    members = [m if isinstance(m, dict) else {} for m in found] if isinstance(found, list) else []
    edited = [_member(member, index, len(members), key, prompts) for index, member in enumerate(members)]
    new["members"] = [member for member, kept in edited if kept]
    changed = len(new["members"]) < len(members)
    if st.button(
        "Add a member", icon=":material/add:", key=f"{key} add", type="tertiary", disabled=not prompts
    ):
        new["members"].append({"prompt": prompts[0]})
        changed = True
    left, right = st.columns(2)
    with left:
        combine = one_of(
            "Combined by", content.get("combine", "majority"), combiner_names(), f"{key} combine"
        )
        new["combine"] = combine
    with right:
        ties = one_of(
            "A tie",
            content.get("ties", "first"),
            get_args(Tie),
            f"{key} ties",
            format_func=lambda n: TIES.get(n, n),
        )
        new["ties"] = None if ties == "first" else ties
    st.caption(f"{COMBINE.get(combine, combine).capitalize()}.")
    new["fuse"] = new["by"] = None
    if combine == "fuse" and prompts:
        new["fuse"] = one_of("Merged by the prompt", content.get("fuse"), prompts, f"{key} fuse")
    if combine == "best_of":
        new["by"] = one_of("Best by", content.get("by", "logprob"), ("logprob", *prompts), f"{key} by")
    new = without_empty(new)
    if changed:
        replace(new)
    return new


def _member(
    member: dict[str, Any], index: int, members: int, key: str, prompts: Sequence[str]
) -> tuple[dict[str, Any], bool]:
    """The edited member, and whether it stays."""
    found = member.get("sampling")
    sampling = found if isinstance(found, dict) else {}
    name, samples, heat, weight, remove = st.columns([3, 1.5, 1.7, 1.5, 0.8], vertical_alignment="bottom")
    with name:
        prompt = one_of(f"Member {index + 1}", member.get("prompt"), prompts, f"{key} prompt {index}")
    with samples:
        times = number(
            "Samples", member.get("samples", 1), f"{key} samples {index}", True, min_value=1, max_value=1000
        )
    with heat:
        temperature = number(
            "Temp.",
            sampling.get("temperature"),
            f"{key} heat {index}",
            min_value=0,
            max_value=10,
            step=0.1,
        )
    with weight:
        share = number("Weight", member.get("weight", 1.0), f"{key} weight {index}", min_value=0.01, step=0.5)
    with remove:
        gone = members > 1 and st.button("✕", key=f"{key} remove {index}", help=f"Remove member {index + 1}")
    new = member | {
        "prompt": prompt,
        "samples": None if times in (None, 1) else times,
        "sampling": without_empty({**sampling, "temperature": temperature}),
        "weight": None if share in (None, 1) else share,
    }
    return without_empty(new), not gone
