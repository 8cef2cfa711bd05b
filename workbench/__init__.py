"""A workbench for people who improve what language models answer: write, run, compare, rate, export, tune.

    import workbench

    ws = workbench.Workspace.open("my-prompts")
    run = workbench.create_run(ws, ws.experiment("quickstart"), limit=20)
    workbench.execute_run(ws, run)
    for line in workbench.compare(ws, run).comparisons:
        print(line.cell.label, line.difference, line.verdict)

Names are imported when they are first used: `import workbench` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "workbench.core.dataset": ["Dataset", "DatasetCard"],
    "workbench.core.experiment": ["Experiment"],
    "workbench.core.model": ["Completion", "Model", "ModelSpec", "Price", "Request"],
    "workbench.core.prompt": [
        "AnswerRule",
        "Ensemble",
        "Examples",
        "Member",
        "Message",
        "Prompt",
        "Sampling",
    ],
    "workbench.core.race": ["Race", "RaceSettings"],
    "workbench.core.rating": ["RatingPlan"],
    "workbench.core.run": [
        "Cell",
        "CellComparison",
        "CellReport",
        "Comparison",
        "MetricEstimate",
        "Output",
        "Progress",
        "Report",
        "Vote",
    ],
    "workbench.core.tuning": ["Collect", "Recipe"],
    "workbench.engine": [
        "RatingDesk",
        "Workspace",
        "against_people",
        "cancel_run",
        "compare",
        "compare_pairs",
        "create_run",
        "delete_run",
        "estimate",
        "execute_run",
        "export_outputs",
        "export_report",
        "export_winner",
        "find_run",
        "import_finished",
        "leaderboard",
        "make_plan",
        "progress",
        "report",
        "resume_run",
        "rows",
        "runs",
        "sizes",
        "slices",
        "start_rating",
        "try_prompt",
        "undelete_run",
        "winner",
    ],
    "workbench.errors": [
        "CollectionError",
        "CyclicEnsemble",
        "DatasetError",
        "InvalidFile",
        "MetricError",
        "MissingVariable",
        "ModelError",
        "ModelRefused",
        "ModelUnavailable",
        "PromptError",
        "PromptTooLong",
        "RunCancelled",
        "RunError",
        "StorageError",
        "TuningCancelled",
        "TuningError",
        "UnknownName",
        "Unscored",
        "UsageError",
        "WorkbenchError",
    ],
    "workbench.metrics": ["Metric", "load_metric", "metric_names", "score_table"],
    "workbench.tuning": [
        "collect",
        "create_tuning",
        "execute_tuning",
        "lineage",
        "load_recipe",
        "tuning_json",
    ],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF, key=lambda name: (name.lower(), name))


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'workbench' has no attribute '{name}'")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
