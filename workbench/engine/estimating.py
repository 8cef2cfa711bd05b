"""What a run would take, before it starts: calls, how many are in the cache, tokens and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.model import Model
from workbench.core.prompt import DEFAULT_SAMPLING, Ensemble
from workbench.engine.asking import Asker
from workbench.engine.calls import CallDesk
from workbench.engine.composing import Composer
from workbench.engine.detecting import Detectable, detectable
from workbench.engine.judges import judge_sampling, judges_of
from workbench.engine.plan import Plan
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError
from workbench.prompting.rubric import sample_row

SAMPLED_ROWS = 40
"""Rows that are rendered and counted; the rest is taken to be like them."""
JUDGED_OF_SAMPLED = 4
"""Of the sampled rows, each so many-th is shown to a judge's templates too."""


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
    detectable: Detectable | None = None
    """The smallest difference that so many rows will show; None where there is nothing to go by."""


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
    judging = _judging(workspace, plan, composer, rows[:: step * JUDGED_OF_SAMPLED])
    if judging.calls:
        notes.append(
            f"{judging.calls:,} of the calls are to judges; the outputs that they read are not counted in "
            "the tokens, nor which of them are in the cache."
        )
    if step > 1:
        notes.append(f"Estimated from {len(sampled)} of {len(rows)} rows.")
    return PlanEstimate(
        units=plan.units,
        calls=round(made * scale) + judging.calls,
        cached_calls=round((made - len(new)) * scale),
        prompt_tokens=round(sum(tokens for tokens, _, _ in new) * scale) + judging.prompt_tokens,
        completion_tokens_max=round(sum(most for _, most, _ in new) * scale) + judging.completion_tokens_max,
        cost_usd_max=sum(cost for _, _, cost in new) * scale + judging.cost_usd_max,
        notes=list(dict.fromkeys(notes)),
        detectable=detectable(workspace, plan),
    )


@dataclass(slots=True)
class _Judging:
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens_max: int = 0
    cost_usd_max: float = 0.0


def _judging(
    workspace: Workspace, plan: Plan, composer: Composer, rows: Sequence[Mapping[str, Any]]
) -> _Judging:
    """What the judges of the plan's metrics take at most, with outputs of no length."""
    total = _Judging()
    for use in judges_of(plan.experiment, plan.prompts):
        model = workspace.models.open(use.metric.model)
        pairwise = use.prompt.rubric is not None and use.prompt.rubric.kind == "pairwise"
        judged = len(plan.cells) - pairwise  # the baseline is not compared with itself
        calls = use.calls(judged * len(plan.dataset.rows) * plan.experiment.repeats)
        shown = [composer.messages(use.prompt, sample_row(use.prompt, row, ["", ""])) for row in rows]
        tokens = round(sum(model.count_tokens(messages) for messages in shown) / len(shown))
        sampling = judge_sampling(use.prompt, model.spec, use.metric.sampling)
        most = sampling.max_tokens or DEFAULT_SAMPLING.max_tokens or 0
        total.calls += calls
        total.prompt_tokens += calls * tokens
        total.completion_tokens_max += calls * most
        total.cost_usd_max += calls * _price(model, tokens, most)
    return total


def _price(model: Model, prompt_tokens: int, completion_tokens: int) -> float:
    price = model.spec.price
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6
