"""How an ensemble's quality grows with the number of its voters, from the votes that are stored."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from workbench.core.run import MetricEstimate, Vote
from workbench.engine.answer_rules import answer_rule
from workbench.engine.plan import load_plan
from workbench.engine.records import get_run
from workbench.engine.score import metrics_of
from workbench.engine.workspace import Workspace
from workbench.prompting.read import read_reference
from workbench.statistics import bootstrap_mean

SUBSETS = 25
"""Random subsets of voters that are averaged for one point of the curve."""


def vote_curve(workspace: Workspace, run: str, cell: int) -> list[tuple[int, MetricEstimate]]:
    """The first metric against the number of voters, for an ensemble cell with three voters or more.

    For k voters, random subsets of k of the stored votes decide by majority (first come wins a
    tie); the interval is over rows, as for the cell itself.
    """
    record = get_run(workspace, run)
    plan = load_plan(workspace, record)
    metric = next(iter(metrics_of(plan.experiment).values()))
    outputs = [o for o in workspace.store.outputs.of_cell(run, cell) if o.error is None]
    voters = min((len(output.votes) for output in outputs), default=0)
    if voters < 3:
        return []
    rule = answer_rule(plan.prompts[plan.cells[cell].prompt], dict(plan.prompts))
    column = plan.dataset.reference
    references = [
        read_reference(rule, plan.dataset.rows[output.position].get(column)) if column else None
        for output in outputs
    ]
    flat = [vote.answer for output in outputs for vote in output.votes[:voters]]
    repeated = [reference for reference in references for _ in range(voters)]
    right = metric.score(flat, repeated).values.reshape(len(outputs), voters)
    random = np.random.default_rng(0)
    curve = []
    for count in range(1, voters + 1):
        values = np.array(
            [
                _mean_of_subsets(output.votes, right[index], count, voters, random)
                for index, output in enumerate(outputs)
            ]
        )
        found = bootstrap_mean(values, confidence=plan.experiment.confidence)
        curve.append((count, MetricEstimate(found.mean, found.low, found.high, found.n)))
    return curve


def _mean_of_subsets(
    votes: tuple[Vote, ...], right: np.ndarray, count: int, voters: int, random: np.random.Generator
) -> float:
    subsets = 1 if count == voters else SUBSETS
    total = 0.0
    for _ in range(subsets):
        members = np.arange(voters) if count == voters else np.sort(random.permutation(voters)[:count])
        weights: dict[str, float] = defaultdict(float)
        first: dict[str, int] = {}
        for member in members:
            answer = votes[member].answer
            if answer is not None:
                weights[answer] += votes[member].weight
                first.setdefault(answer, int(member))
        if weights:
            best = max(weights, key=lambda answer: (weights[answer], -first[answer]))
            total += float(right[first[best]])
    return total / subsets
