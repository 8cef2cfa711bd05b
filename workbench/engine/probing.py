"""Probes: the same cells asked the same rows, slightly changed. Do the answers change, and for the worse?

    probe = create_probe(workspace, run, transforms=[{"swap": "pronouns"}])
    execute_run(workspace, probe)
    probe_report(workspace, probe)

A probe is a run of its own over the rows that the change touches, with the prompts as they stood in
the run that it probes. Both are paired row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.core.prompt import AnyPrompt, Prompt
from workbench.core.run import LIVE
from workbench.datasets.transforms import build_transform
from workbench.engine.lifecycle import RunSummary, queue_plan, runs
from workbench.engine.plan import Plan, load_plan, prompt_version, transformed
from workbench.engine.records import effective_status, get_run
from workbench.engine.workspace import Workspace
from workbench.errors import RunError, UsageError

Spec = str | dict[str, Any]
EXAMPLES = "examples"


@dataclass(frozen=True, slots=True)
class ProbePreview:
    """What a probe would do: how many of `rows` it changes, and one of them before and after, by column."""

    rows: int
    changed: int
    before: dict[str, str]
    after: dict[str, str]


def preview_probe(
    workspace: Workspace, run: str, transforms: Sequence[Spec], most: int = 2_000
) -> ProbePreview:
    """How many of the first `most` rows transforms would change, and one of them. Raises WorkbenchError."""
    plan = load_plan(workspace, get_run(workspace, run))
    first = replace(plan.dataset, rows=plan.dataset.rows[:most])
    rows = transformed(first, tuple(transforms), plan.prompts)
    pairs = [(old, new) for old, new in zip(first.rows, rows, strict=True) if old != new]
    if not pairs:
        return ProbePreview(len(rows), 0, {}, {})
    old, new = pairs[0]
    names = [name for name in new if new[name] != old.get(name)]
    return ProbePreview(
        len(rows),
        len(pairs),
        {name: str(old.get(name)) for name in names},
        {name: str(new[name]) for name in names},
    )


def create_probe(
    workspace: Workspace,
    run: str,
    transforms: Sequence[Spec] = (),
    examples_seed: int | None = None,
    owner: str = "worker",
) -> str:
    """Queues a probe of a run that is not live; returns its id.

    Args:
        transforms: changes of the rows, as experiments write them under `dataset.transform`.
        examples_seed: shows few-shot examples in another order instead.

    Raises UsageError where nothing is to be changed, no row is, or no prompt has examples.
    """
    record = get_run(workspace, run)
    if effective_status(workspace, record) in LIVE:
        raise RunError(f"Run '{run}' is still going; probe it when it has ended.")
    if "probe" in record.definition:
        raise UsageError(f"Run '{run}' is itself a probe; probe the run that it is of.")
    if bool(transforms) == (examples_seed is not None):
        raise UsageError("A probe changes either the rows or the order of examples: name one of the two.")
    plan = load_plan(workspace, record)
    if examples_seed is not None:
        plan, kind = _with_shuffled_examples(plan, examples_seed), EXAMPLES
    else:
        plan, kind = _with_changed_rows(plan, transforms), _kind(transforms)
    facts = {"of": run, "kind": kind, "transforms": list(transforms), "examples_seed": examples_seed}
    return queue_plan(
        workspace,
        plan,
        owner=owner,
        name=probe_name(plan.experiment.name, kind),
        marks={"probe": facts},
        use_cache=record.use_cache,
        budget_usd=record.budget_usd,
    )


def probe_name(experiment: str, kind: str) -> str:
    """How a probe is called in lists of runs; never the experiment's own name, which finds its runs."""
    return f"{experiment[:70]} ({kind} probe)"[:100]


def probes_of(workspace: Workspace, run: str) -> list[RunSummary]:
    """The probes of a run, newest first."""
    found = {
        record.id
        for record in workspace.store.runs.newest(limit=1000)
        if record.definition.get("probe", {}).get("of") == run
    }
    return [summary for summary in runs(workspace, limit=1000) if summary.id in found] if found else []


def _kind(transforms: Sequence[Spec]) -> str:
    names = [spec if isinstance(spec, str) else next(iter(spec)) for spec in transforms]
    return "+".join(names)


def _with_changed_rows(plan: Plan, transforms: Sequence[Spec]) -> Plan:
    for spec in transforms:
        build_transform(spec)
    rows = transformed(plan.dataset, tuple(transforms), plan.prompts)
    changed = [new for old, new in zip(plan.dataset.rows, rows, strict=True) if new != old]
    if not changed:
        raise UsageError(
            f"None of the {len(rows)} rows is changed by this probe: none holds what it looks for "
            "in the columns that the prompts show."
        )
    return replace(plan, dataset=replace(plan.dataset, rows=tuple(changed)))


def _with_shuffled_examples(plan: Plan, seed: int) -> Plan:
    prompts: dict[str, AnyPrompt] = {}
    for name, prompt in plan.prompts.items():
        if isinstance(prompt, Prompt) and prompt.examples is not None and prompt.examples.count > 1:
            prompt = prompt.model_copy(
                update={"examples": prompt.examples.model_copy(update={"shuffle": seed})}
            )
        prompts[name] = prompt
    cells = tuple(replace(cell, version=prompt_version(prompts, cell.prompt)) for cell in plan.cells)
    if cells == plan.cells:
        raise UsageError("No prompt of this run shows two examples or more, so there is no order to change.")
    return replace(plan, prompts=prompts, cells=cells)
