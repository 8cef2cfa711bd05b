"""Exports of a run: the result table as text, Markdown, HTML, CSV, JSON or JUnit XML; outputs as files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, cast, get_args
from xml.etree import ElementTree

from tabulate import tabulate

from workbench.core.run import Comparison, MetricEstimate, Report
from workbench.datasets import neutralise, write_rows
from workbench.engine.browsing import output_views
from workbench.engine.comparing import compare
from workbench.engine.plan import stored_cells
from workbench.engine.records import get_run
from workbench.engine.reporting import report, report_json
from workbench.engine.workspace import Workspace
from workbench.errors import UsageError, WorkbenchError

ReportFormat = Literal["table", "md", "html", "csv", "json", "junit"]
OutputFormat = Literal["csv", "jsonl", "parquet"]
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
        lines = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    table = str(tabulate(lines, head, tablefmt=style, disable_numparse=True))
    return f"{table}\n"


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
        head += [name, f"{name} low", f"{name} high", f"{name} n"] if plain else [name]
    head += ["verdict", "rows", "errors", "no answer", "tokens", "p50 s", "USD"]
    lines = []
    for line in shown.cells:
        cells: list[Any] = [line.cell.prompt, line.cell.model]
        if sampled:
            cells.append(json.dumps(line.cell.sampling))
        for name in names:
            estimate = line.metrics[name]
            cells += (
                [estimate.mean, estimate.low, estimate.high, estimate.n]
                if plain
                else [interval_text(estimate)]
            )
        tokens = line.prompt_tokens + line.completion_tokens
        cells += [verdicts.get(line.cell.index, ""), line.rows, line.errors, line.unanswered, tokens]
        cells += [f"{line.latency_p50_s:.2f}", f"{line.cost_usd:.4f}"]
        lines.append(cells)
    return head, lines


def interval_text(estimate: MetricEstimate) -> str:
    """`0.710 [0.640, 0.770]`; a dash where nothing was scored."""
    if estimate.n == 0:
        return "–"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def verdict_texts(comparison: Comparison) -> dict[int, str]:
    """Per cell index: the verdict with its difference, `baseline` for the baseline."""
    texts = {comparison.baseline.index: "baseline"}
    for line in comparison.comparisons:
        if not line.n:  # every output of one of the two is an error
            texts[line.cell.index] = "–"
            continue
        more = f", about {line.rows_needed} rows needed" if line.rows_needed else ""
        texts[line.cell.index] = f"{line.verdict} ({line.difference:+.3f}{more})"
    return texts


def _verdicts(workspace: Workspace, shown: Report, names: list[str]) -> dict[int, str]:
    if not names:
        return {}
    try:
        return verdict_texts(compare(workspace, shown.run, names[0]))
    except WorkbenchError:
        return {}


def _junit(workspace: Workspace, shown: Report) -> str:
    """One suite a cell, one case a row; a case fails where its first metric is below 1."""
    cells = {line.cell.index: line.cell for line in shown.cells}
    root = ElementTree.Element("testsuites", name=_xml(shown.experiment))
    suites: dict[int, ElementTree.Element] = {}
    for index, cell in cells.items():
        suites[index] = ElementTree.SubElement(root, "testsuite", name=_xml(cell.label))
    counts = {index: [0, 0, 0] for index in cells}
    for view in output_views(workspace, shown.run):
        name = view.row_id + (f" repeat {view.repeat}" if view.repeat else "")
        case = ElementTree.SubElement(
            suites[view.cell],
            "testcase",
            name=_xml(name),
            classname=_xml(cells[view.cell].label),
            time=f"{view.latency_s:.3f}",
        )
        counts[view.cell][0] += 1
        metric, score = next(iter(view.scores.items()), ("", None))
        if view.error is not None:
            counts[view.cell][2] += 1
            ElementTree.SubElement(case, "error", message=_xml(view.error))
        elif score is None:
            ElementTree.SubElement(case, "skipped", message="unscored")
        elif score < 1:
            counts[view.cell][1] += 1
            failure = ElementTree.SubElement(case, "failure", message=_xml(f"{metric} {score:.3f}"))
            failure.text = _xml(f"answer: {view.answer}\n\n{view.text}")
    for index, suite in suites.items():
        for key, value in zip(("tests", "failures", "errors"), counts[index], strict=True):
            suite.set(key, str(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
