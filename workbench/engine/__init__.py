"""The engine: plan → execute → score, with cache, resume and cancel; and what is read of a run.

Names are imported when first used, so that `workbench.engine` costs nothing by itself.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Workspace": "workspace",
    "Plan": "plan",
    "make_plan": "plan",
    "PlanEstimate": "estimating",
    "estimate": "estimating",
    "RunSummary": "lifecycle",
    "create_run": "lifecycle",
    "execute_run": "lifecycle",
    "cancel_run": "lifecycle",
    "resume_run": "lifecycle",
    "raise_budget": "lifecycle",
    "delete_run": "lifecycle",
    "undelete_run": "lifecycle",
    "runs": "lifecycle",
    "progress": "lifecycle",
    "find_run": "records",
    "previous_run": "records",
    "add_metrics": "rescoring",
    "remove_metric": "rescoring",
    "report": "reporting",
    "report_json": "reporting",
    "compare": "comparing",
    "compare_json": "comparing",
    "Slices": "slicing",
    "slice_choices": "slicing",
    "slices": "slicing",
    "slices_json": "slicing",
    "Failures": "failure_groups",
    "failures": "failure_groups",
    "failures_json": "failure_groups",
    "History": "histories",
    "history": "histories",
    "history_json": "histories",
    "RunChange": "run_changes",
    "run_change": "run_changes",
    "run_change_json": "run_changes",
    "OutputView": "browsing",
    "RowPage": "browsing",
    "RowView": "browsing",
    "latest_outputs": "browsing",
    "run_errors": "browsing",
    "rows": "browsing",
    "RowQuery": "row_query",
    "ScoreRange": "row_query",
    "RowChoices": "row_offers",
    "row_choices": "row_offers",
    "column_values": "row_offers",
    "known_tags": "tagging",
    "tag_rows": "tagging",
    "tags_of": "tagging",
    "untag_row": "tagging",
    "sizes": "sizing",
    "sizes_json": "size_export",
    "sizes_table": "size_export",
    "size_verdict": "size_export",
    "machine_name": "using",
    "vote_curve": "voting",
    "Inspection": "inspecting",
    "inspect_model": "inspecting",
    "BenchmarkResult": "benchmarking",
    "benchmark_model": "benchmarking",
    "kept_benchmarks": "benchmarking",
    "Winner": "winners",
    "export_winner": "winners",
    "winner": "winners",
    "export_outputs": "exporting",
    "export_comparison": "exporting",
    "export_report": "exporting",
    "count_tokens": "preview",
    "model_context": "preview",
    "preview_messages": "preview",
    "stream_prompt": "preview",
    "try_prompt": "preview",
    "warm_model": "preview",
    "ensure_worker": "worker",
    "worker_alive": "worker",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.engine' has no attribute '{name}'")
    return getattr(importlib.import_module(f"workbench.engine.{_HOME[name]}"), name)
