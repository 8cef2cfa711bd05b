"""How a run is to be rated: a plan is checked against the run, kept, and read back."""

from __future__ import annotations

from workbench.core.rating import RatingPlan
from workbench.engine.rating.offer import Offer
from workbench.engine.rating.sitting import rated_run
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError
from workbench.storage import RunRecord


def default_plan(workspace: Workspace, run: str) -> RatingPlan:
    """How a run is rated: as somebody said before, else by pairs (by thumbs where it has one cell)."""
    return plan_of(workspace, rated_run(workspace, run))


def plan_of(workspace: Workspace, record: RunRecord) -> RatingPlan:
    """The same of a stored run."""
    stored = workspace.store.ratings.plan(record.id)
    if stored is not None:
        return stored
    return RatingPlan(mode="pairwise" if len(record.definition["cells"]) > 1 else "thumbs")


def start_rating(workspace: Workspace, run: str, plan: RatingPlan) -> RatingPlan:
    """Says how a run is rated from now on, and returns it. Ratings given before stay.

    Raises UsageError where the plan does not fit the run, such as pairs of one cell; UnknownName for an
    unknown run, RunError for a deleted one.
    """
    record = rated_run(workspace, run)
    cells = len(record.definition["cells"])
    for cell in plan.cells:
        if not 0 <= cell < cells:
            raise UsageError(f"There is no cell {cell}; the run has cells 0 to {cells - 1}.")
    chosen = len(plan.cells) or cells
    if plan.mode == "pairwise" and chosen < 2:
        raise UsageError(
            "Pairs need two cells, and one is chosen here; choose another, or rate by thumbs or likert."
        )
    offer = Offer(workspace, record, plan)
    if offer.count == 0:
        raise UsageError(
            "There is nothing to rate: the two outputs of every pair say the same."
            if offer.identical
            else "There is nothing to rate: the chosen cells have no outputs without errors yet."
        )
    workspace.store.ratings.set_plan(run, plan)
    return plan
