"""What a run would take, before it starts: calls, how many are in the cache, tokens and cost."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.model import Model
from workbench.core.prompt import DEFAULT_SAMPLING, Ensemble
from workbench.engine.asking import Asker
from workbench.engine.calls import CallDesk
from workbench.engine.composing import Composer
from workbench.engine.plan import Plan
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError

SAMPLED_ROWS = 40
"""Rows that are rendered and counted; the rest is taken to be like them."""


@dataclass(frozen=True, slots=True)
class PlanEstimate:
    """What a run would take at most. `notes` say what a number leaves out."""

    units: int
    calls: int
    cached_calls: int
    prompt_tokens: int
    completion_tokens_max: int
    cost_usd_max: float
    notes: list[str]


def estimate(workspace: Workspace, plan: Plan) -> PlanEstimate:
    """Estimates a plan from up to 40 of its rows, spread evenly; nothing is called."""
    rows = plan.dataset.rows
    step = max(1, len(rows) // SAMPLED_ROWS)
    sampled = range(0, len(rows), step)
    scale = len(rows) / len(sampled)
    composer = Composer(workspace.datasets, plan.dataset)
    desk = CallDesk(workspace.store)
    calls: dict[str, tuple[int, int, float]] = {}
    made = 0
    notes: list[str] = []
    for cell in plan.cells:
        model = workspace.models.open(cell.model)
        asker = Asker(plan.prompts, composer, desk, model, plan.sampling[cell.index])
        if isinstance(prompt := plan.prompts[cell.prompt], Ensemble) and (prompt.fuse or prompt.by):
            notes.append(f"{cell.label}: calls that depend on the members' answers are not counted.")
        for repeat in range(plan.experiment.repeats):
            for leaf in asker.leaf_calls(cell.prompt, repeat):
                for position in sampled:
                    made += 1
                    try:
                        request = asker.request(
                            leaf.prompt, rows[position], leaf.sample, leaf.sampling, leaf.logprobs
                        )
                    except WorkbenchError:
                        continue
                    key = desk.key(model, request, leaf.sample)
                    if key not in calls:
                        tokens = model.count_tokens(request.messages)
                        most = request.sampling.max_tokens or DEFAULT_SAMPLING.max_tokens or 0
                        calls[key] = (tokens, most, _price(model, tokens, most))
    found = workspace.store.completions.get_many(calls)
    new = [what for key, what in calls.items() if key not in found]
    if step > 1:
        notes.append(f"Estimated from {len(sampled)} of {len(rows)} rows.")
    return PlanEstimate(
        units=plan.units,
        calls=round(made * scale),
        cached_calls=round((made - len(new)) * scale),
        prompt_tokens=round(sum(tokens for tokens, _, _ in new) * scale),
        completion_tokens_max=round(sum(most for _, most, _ in new) * scale),
        cost_usd_max=sum(cost for _, _, cost in new) * scale,
        notes=list(dict.fromkeys(notes)),
    )


def _price(model: Model, prompt_tokens: int, completion_tokens: int) -> float:
    price = model.spec.price
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6
