"""The answer to the question of size as JSON, CSV, Markdown, or a table for the terminal."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any, Literal, get_args

from tabulate import tabulate

from workbench.core.sizing import SizePoint, Sizes
from workbench.datasets import neutralise
from workbench.engine.exporting import interval_text
from workbench.engine.reporting import cell_json, estimate_json, number
from workbench.errors import UsageError

SizesFormat = Literal["table", "csv", "md", "json"]
PLAIN = (
    "base",
    "quantization",
    "local",
    "parameters",
    "tokens_per_s",
    "first_token_s",
    "memory_bytes",
    "disk_bytes",
    "rows_per_s",
    "usd_per_1000_rows",
    "cost_basis",
    "on_front",
    "shortfall",
    "shortfall_high",
    "good_enough",
    "rows_needed",
)
"""What JSON and CSV tell of a point beside its cell and quality. Null or empty: not known."""


def sizes_json(found: Sizes) -> dict[str, Any]:
    """The whole answer; null where something is not known."""
    best, smallest = found.best, found.smallest_good_enough
    return {
        "run": found.run,
        "metric": found.metric,
        "prompt": found.prompt,
        "margin": found.margin,
        "confidence": found.confidence,
        "best": cell_json(best.cell) if best is not None else None,
        "smallest_good_enough": cell_json(smallest.cell) if smallest is not None else None,
        "points": [
            {
                **cell_json(point.cell),
                "quality": estimate_json(point.quality),
                **{key: number(getattr(point, key)) for key in PLAIN},
            }
            for point in found.points
        ],
        "gains": [{key: number(value) for key, value in asdict(gain).items()} for gain in found.gains],
        "break_evens": [asdict(one) for one in found.break_evens],
        "notes": list(found.notes),
    }


def sizes_table(found: Sizes, format: str = "table") -> str:  # noqa: A002
    """Every point as a line of a table, CSV or Markdown; `json` is the text of `sizes_json`.

    CSV gives plain numbers in SI units, the others what people read. Raises UsageError for another format.
    """
    if format not in get_args(SizesFormat):
        raise UsageError(f"'{format}' is no format for sizes; use {', '.join(get_args(SizesFormat))}.")
    if format == "json":
        return json.dumps(sizes_json(found), ensure_ascii=False, indent=2)
    if format == "csv":
        return _csv(found)
    sampled = any(point.cell.sampling for point in found.points)
    head = ["model", *(["sampling"] if sampled else []), found.metric, "worse by at most", "verdict"]
    head += ["tokens/s", "first token", "memory", "disk", "USD/1,000 rows", "front"]
    lines = [_line(point, found, sampled) for point in found.points]
    if format == "md":
        lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    style = {"table": "simple", "md": "github"}[format]
    return f"{tabulate(lines, head, tablefmt=style, disable_numparse=True)}\n"


def size_verdict(point: SizePoint, found: Sizes) -> str:
    """In words: best, smallest good enough, good enough, not good enough, or undecided and for how long."""
    if not point.quality.n:
        return "not scored"
    if found.best is not None and point.cell.index == found.best.cell.index:
        return "best"
    if point.good_enough:
        smallest = found.smallest_good_enough
        least = smallest is not None and point.cell.index == smallest.cell.index
        return "smallest good enough" if least else "good enough"
    if point.shortfall >= found.margin:
        return "not good enough"
    return f"undecided: about {point.rows_needed:,} rows" if point.rows_needed else "undecided"


def amount(value: float | None) -> str:
    """Bytes as people say them: 420 MB, 1.3 GB; a dash where not known."""
    if value is None:
        return "–"
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} bytes"


def _line(point: SizePoint, found: Sizes, sampled: bool) -> list[str]:
    first, usd = point.first_token_s, point.usd_per_1000_rows
    cells = [point.cell.model, *([json.dumps(point.cell.sampling)] if sampled else [])]
    return [
        *cells,
        interval_text(point.quality),
        f"{point.shortfall_high:.3f}" if point.quality.n else "–",
        size_verdict(point, found),
        "–" if point.tokens_per_s is None else f"{point.tokens_per_s:,.0f}",
        "–" if first is None else f"{first:.2f} s" if first >= 0.1 else f"{1000 * first:.0f} ms",
        amount(point.memory_bytes),
        amount(point.disk_bytes),
        "–" if usd is None else f"{usd:.3g}",
        "yes" if point.on_front else "",
    ]


def _csv(found: Sizes) -> str:
    head = ["prompt", "version", "model", "sampling", found.metric, "low", "high", "n", *PLAIN, "verdict"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([neutralise(cell) for cell in head])
    for point in found.points:
        cell, quality = point.cell, point.quality
        line: list[Any] = [
            cell.prompt,
            cell.version,
            cell.model,
            json.dumps(cell.sampling) if cell.sampling else "",
        ]
        line += [quality.mean, quality.low, quality.high, quality.n]
        line += [getattr(point, key) for key in PLAIN]
        line.append(size_verdict(point, found))
        writer.writerow([neutralise("" if number(value) is None else value) for value in line])
    return buffer.getvalue()
