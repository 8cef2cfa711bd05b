"""The runs behind a verdict: real ones, kept by the tuning as they are made, so that nothing is asked twice.

tunings.result = {"runs": {"verdict": "20261121-120000-3f9c1a", "forgetting: word-problems": "…"}}
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.experiment import Experiment
from workbench.core.run import LIVE, Progress
from workbench.engine.lifecycle import cancel_run, execute_run, progress, queue_plan, resume_run
from workbench.engine.plan import Plan, make_plan
from workbench.engine.workspace import Workspace
from workbench.errors import RunCancelled, TuningCancelled, TuningError, UnknownName

OnVerdict = Callable[[str], None]
"""Told in words what is being measured."""


class VerdictRuns:
    """Makes, resumes and remembers the runs of one tuning's verdict.

    Args:
        tuning: its id; a tuning that is not stored keeps nothing.
        on_progress: told in words how far the runs are; what it raises stops them.
    """

    def __init__(self, workspace: Workspace, tuning: str, on_progress: OnVerdict | None = None) -> None:
        self._workspace, self._tuning, self._tell = workspace, tuning, on_progress
        record = workspace.store.tunings.get(tuning)
        self.known: dict[str, str] = dict((record.result or {}).get("runs", {})) if record else {}

    def finished(self, purpose: str, experiment: Experiment, plan: Callable[[], Plan] | None = None) -> str:
        """The id of the completed run of an experiment for a purpose, worked off here as far as it is not.

        Args:
            plan: lays the experiment out where its rows and prompts are not the workspace's.

        Calls that ended in errors are made again. Raises TuningCancelled when a person stopped it or the
        tuning; what is stored stays.
        """
        self.check()
        run = self.known.get(purpose)
        record = self._workspace.store.runs.get(run) if run is not None else None
        if run is None or record is None or record.deleted_at is not None:
            run = self._created(purpose, make_plan(self._workspace, experiment) if plan is None else plan())
        else:
            status = progress(self._workspace, run).status
            if status == "completed" and not record.errors:
                return run
            if status not in LIVE:
                resume_run(self._workspace, run, owner="command")
        self._work(run, purpose, experiment)
        return run

    def check(self) -> None:
        """Raises TuningCancelled once a person asked the tuning to stop."""
        record = self._workspace.store.tunings.get(self._tuning)
        if record is not None and record.cancel_requested:
            raise TuningCancelled("The tuning was cancelled; what was measured so far is kept.")

    def say(self, words: str) -> None:
        """Tells how far it is, and stops where a person asked for it."""
        self.check()
        if self._tell is not None:
            self._tell(words)

    def _created(self, purpose: str, plan: Plan) -> str:
        run = queue_plan(
            self._workspace,
            plan,
            owner="command",
            name=verdict_run_name(plan.experiment.name, plan.experiment.models[-1]),
            marks={"tuning": {"id": self._tuning, "for": purpose}},
        )
        self.known[purpose] = run
        self._keep()
        return run

    def _keep(self) -> None:
        record = self._workspace.store.tunings.get(self._tuning)
        if record is not None:
            result = (record.result or {}) | {"runs": dict(self.known)}
            self._workspace.store.tunings.set(self._tuning, result=result)

    def _work(self, run: str, purpose: str, experiment: Experiment) -> None:
        def follow(state: Progress) -> None:
            try:
                self.say(f"{experiment.name}: {state.done:,} of {state.total:,} answers")
            except TuningCancelled:
                if progress(self._workspace, run).status in LIVE:
                    cancel_run(self._workspace, run)

        try:
            execute_run(self._workspace, run, follow)
        except RunCancelled as stop:
            self.check()
            raise TuningCancelled(f"The run for the {purpose} was stopped: {stop}") from None
        except UnknownName:
            raise TuningError(
                f"The run for the {purpose} was deleted meanwhile; resume the tuning to make it anew."
            ) from None


def verdict_run_name(experiment: str, tuned: str) -> str:
    """How such a run is called in lists; never the experiment's own name, which finds its runs."""
    return f"{experiment[:40]} ({tuned[:40]} against its base)"
