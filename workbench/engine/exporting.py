"""Exports of a run: the result table as text, Markdown, HTML, CSV, JSON or JUnit XML; outputs as files."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, Literal, cast, get_args

from tabulate import tabulate

from workbench.core.figures import figure, signed, with_interval
from workbench.core.run import Comparison, MetricEstimate, Report
from workbench.datasets import neutralise, write_rows
from workbench.engine.browsing import OutputView, output_views
from workbench.engine.comparing import compare, compare_json
from workbench.engine.junit import Case, comparison_junit, junit
from workbench.engine.markdown import comparison_markdown, plain_text
from workbench.engine.plan import stored_cells
from workbench.engine.records import experiment_of, get_run
from workbench.engine.reporting import report, report_json
from workbench.engine.score import metrics_of
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError, WorkbenchError

ReportFormat = Literal["table", "md", "html", "csv", "json", "junit"]
CompareFormat = Literal["md", "csv", "json", "junit"]
OutputFormat = Literal["csv", "jsonl", "parquet"]


def export_report(workspace: Workspace, run: str, format: str = "table") -> str:  # noqa: A002
    """The result table in one of the formats of `workbench report --format`."""
    if format not in get_args(ReportFormat):
        raise UsageError(f"'{format}' is no report format; use {', '.join(get_args(ReportFormat))}.")
    shown = report(workspace, run)
    if format == "json":
        return json.dumps(report_json(shown), ensure_ascii=False, indent=2)
    if format == "junit":
        return _junit(workspace, shown)
    head, lines = _table(workspace, shown, plain=format == "csv")
    if format == "csv":
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(
            [head, *[[neutralise(cell) for cell in line] for line in lines]]
        )
        return buffer.getvalue()
    style = {"table": "simple", "md": "github", "html": "html"}[format]
    if format == "md":
        lines = [[plain_text(str(cell)) for cell in line] for line in lines]
    table = str(tabulate(lines, head, tablefmt=style, disable_numparse=True))
    return f"{table}\n"


def export_comparison(
    workspace: Workspace,
    comparison: Comparison,
    format: str = "md",  # noqa: A002
    failing: Collection[str] = ("worse",),
) -> str:
    """A comparison as a pull-request comment, CSV, JSON or JUnit XML.

    Args:
        failing: verdicts that fail a case of the JUnit XML.
    """
    if format not in get_args(CompareFormat):
        raise UsageError(f"'{format}' is no format of comparisons; use {', '.join(get_args(CompareFormat))}.")
    if format == "md":
        return comparison_markdown(report(workspace, comparison.run), comparison)
    if format == "junit":
        return comparison_junit(comparison, failing)
    document = compare_json(comparison)
    if format == "json":
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    lines = [
        entry | {"sampling": json.dumps(entry["sampling"]), "stopped": line.stopped}
        for entry, line in zip(document["comparisons"], comparison.comparisons, strict=True)
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(list(lines[0]) if lines else [])
    writer.writerows([neutralise(value) for value in line.values()] for line in lines)
    return buffer.getvalue()


def export_outputs(workspace: Workspace, run: str, format: str = "csv") -> bytes:  # noqa: A002
    """Every output of a run, one a row, with its scores. Formula cells are neutralised in CSV."""
    if format not in get_args(OutputFormat):
        raise UsageError(f"'{format}' is no format for outputs; use {', '.join(get_args(OutputFormat))}.")
    buffer = io.BytesIO()
    write_rows(list(_output_rows(workspace, run)), buffer, cast(OutputFormat, format))
    return buffer.getvalue()


def _output_rows(workspace: Workspace, run: str) -> Iterator[dict[str, Any]]:
    record = get_run(workspace, run)
    cells = stored_cells(record)
    column = record.definition["reference"]
    references = {
        str(row["id"]): row.get(column) if column else None
        for row in workspace.store.runs.rows(record.row_set).values()
    }
    tags = workspace.store.row_tags.of_rows(record.dataset, references)
    for view in output_views(workspace, run):
        cell = cells[view.cell]
        yield {
            "row": view.row_id,
            "repeat": view.repeat,
            "prompt": cell.prompt,
            "version": cell.version,
            "model": cell.model,
            "sampling": json.dumps(cell.sampling) if cell.sampling else "",
            "text": view.text,
            "answer": view.answer,
            "reference": references.get(view.row_id),
            "error": view.error,
            **{f"score:{name}": value for name, value in view.scores.items()},
            "reasons": json.dumps(view.reasons, ensure_ascii=False) if view.reasons else "",
            "tags": ", ".join(tags.get(view.row_id, ())),
            "prompt_tokens": view.prompt_tokens,
            "completion_tokens": view.completion_tokens,
            "latency_s": view.latency_s,
            "cost_usd": view.cost_usd,
        }


def _table(workspace: Workspace, shown: Report, plain: bool) -> tuple[list[str], list[list[Any]]]:
    """Header and lines. `plain` gives numbers in columns of their own instead of one text."""
    names = list(dict.fromkeys(name for line in shown.cells for name in line.metrics))
    verdicts = _verdicts(workspace, shown, names)
    sampled = any(line.cell.sampling for line in shown.cells)
    head = ["prompt", "model", *(["sampling"] if sampled else [])]
    for name in names:
        whole = [name, f"{name} low", f"{name} high", f"{name} n", f"{name} unscored"]
        head += whole if plain else [name]
    head += ["verdict", "rows", "errors", "no answer", "tokens", "p50 s", "USD"]
    lines = []
    for line in shown.cells:
        cells: list[Any] = [line.cell.prompt, line.cell.model]
        if sampled:
            cells.append(json.dumps(line.cell.sampling))
        for name in names:
            estimate = line.metrics[name]
            cells += (
                [estimate.mean, estimate.low, estimate.high, estimate.n, estimate.unscored]
                if plain
                else [_scored_text(estimate, line.errors)]
            )
        tokens = line.prompt_tokens + line.completion_tokens
        cells += [verdicts.get(line.cell.index, ""), line.rows, line.errors, line.unanswered, tokens]
        cells += [f"{line.latency_p50_s:.2f}", f"{line.cost_usd:.4f}"]
        lines.append(cells)
    return head, lines


def interval_text(estimate: MetricEstimate) -> str:
    """`0.710 [0.640, 0.770]`, the mean alone without an interval; a dash where nothing was scored."""
    if estimate.n == 0:
        return "–"
    return with_interval(estimate.mean, estimate.low, estimate.high)


def _scored_text(estimate: MetricEstimate, errors: int) -> str:
    """The interval, and how many outputs were not scored although they are no errors."""
    unscored = estimate.unscored - errors
    return interval_text(estimate) + (f", {unscored:,} unscored" if unscored > 0 else "")


def verdict_texts(comparison: Comparison) -> dict[int, str]:
    """Per cell index: the verdict with its difference, `baseline` for the baseline."""
    texts = {comparison.baseline.index: "baseline"}
    for line in comparison.comparisons:
        if not line.n:  # every output of one of the two is an error
            texts[line.cell.index] = "–"
            continue
        if line.verdict == "stopped":
            said = f" ({signed(line.difference)})" if math.isfinite(line.difference) else ""
            texts[line.cell.index] = f"stopped after {line.stopped} rows{said}"
            continue
        more = f", about {line.rows_needed} rows needed" if line.rows_needed else ""
        if line.stopped is not None:
            more = f" over {line.n} rows"
        texts[line.cell.index] = f"{line.verdict} ({signed(line.difference)}{more})"
    return texts


def _verdicts(workspace: Workspace, shown: Report, names: list[str]) -> dict[int, str]:
    if not names:
        return {}
    try:
        return verdict_texts(compare(workspace, shown.run, names[0]))
    except WorkbenchError:
        return {}


def _junit(workspace: Workspace, shown: Report) -> str:
    """One suite a cell, one case a row; a case fails where it is wrong by the first metric.

    Only a metric of right or wrong can fail a row: of 0.6 ROUGE nobody said that it is too little.
    """
    record = get_run(workspace, shown.run)
    metrics = metrics_of(experiment_of(record))
    name, metric = next(iter(metrics.items()))
    best = metric.range[1] if metric.direction == "higher" else metric.range[0]
    views: dict[int, list[OutputView]] = defaultdict(list)
    for view in output_views(workspace, shown.run):
        views[view.cell].append(view)

    def case(view: OutputView) -> Case:
        row = view.row_id + (f" repeat {view.repeat}" if view.repeat else "")
        score = view.scores.get(name)
        if view.error is not None:
            return Case(row, view.latency_s, error=view.error)
        if score is None:
            return Case(
                row,
                view.latency_s,
                skipped=f"unscored: {view.reasons[name]}" if view.reasons.get(name) else "unscored",
            )
        wrong = metric.kind == "proportion" and score != best
        said = f"{name} {figure(score)}"
        details = f"answer: {view.answer}\n\n{view.text}" if wrong else said
        return Case(row, view.latency_s, failure=said if wrong else None, details=details)

    properties = {"run": shown.run, "dataset": record.dataset, "rows": record.row_set}
    suites = [(line.cell.label, [case(view) for view in views[line.cell.index]]) for line in shown.cells]
    return junit(shown.experiment, suites, properties)
