"""The part of a model card that its collection fills: what was learnt, from where, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.collection import Item
from workbench.core.document import to_yaml
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError
from workbench.storage.tunings import TuningRecord
from workbench.tuning.cards.blocks import Code, Paragraph, Section, Table, facts, section

MOST_SOURCES = 40


def data_section(workspace: Workspace, record: TuningRecord, items: Sequence[Item]) -> Section | None:
    """What was learnt, with a line for every run, prompt version, model or file that it came from."""
    collection = record.collection or ""
    stored = workspace.store.collections.get(collection)
    report: Mapping[str, Any] = stored.report if stored is not None else {}
    sources = _sources(items)
    more = len(sources.rows) - MOST_SOURCES
    return section(
        "What it learnt from",
        [
            _counts(items, stored.name if stored is not None else None, report, _licences(workspace, items)),
            Table(sources.heads, sources.rows[:MOST_SOURCES], sources.numbers),
            Paragraph(f"And {more:,} sources more.") if more > 0 else None,
            _left_out(workspace, collection, report),
            _cleaning(report),
            Code(to_yaml({"collect": stored.settings}), "yaml") if stored is not None else None,
        ],
    )


def _licences(workspace: Workspace, items: Sequence[Item]) -> str:
    """What the datasets' own cards say, "not known" where one is silent or gone; '' without datasets."""
    told = {}
    for name in dict.fromkeys(item.origin.dataset for item in items if item.origin.dataset):
        try:
            told[name] = workspace.datasets.card(name).license or "not known"
        except WorkbenchError:
            told[name] = "not known"
    return ", ".join(f"{name}: {text}" for name, text in told.items())


def _counts(items: Sequence[Item], name: str | None, report: Mapping[str, Any], licences: str) -> Table:
    kinds = Counter(item.origin.kind for item in items)
    raters = len({rater for item in items for rater in item.origin.raters})
    rows = {(item.origin.dataset, item.origin.row_id) for item in items if item.origin.row_id is not None}
    edited = sum(item.original is not None for item in items)
    repeats = report.get("overlaps", {}).get("rows") if isinstance(report.get("overlaps"), dict) else None
    return facts(
        ("collection", name),
        ("items", f"{len(items):,}"),
        ("rows", f"{len(rows):,}" if rows else None),
        ("from", ", ".join(f"{kind}: {count:,}" for kind, count in kinds.most_common())),
        ("licence of the data", licences),
        ("prompt that was taught", _taught(report)),
        ("people who rated or wrote", f"{raters:,}" if raters else None),
        ("edited by a person", f"{edited:,}" if edited else None),
        ("held apart from", ", ".join(map(str, report.get("apart_from") or ())) or None),
        ("rows left out as repeats of those", f"{repeats:,}" if isinstance(repeats, int) else None),
    )


def _taught(report: Mapping[str, Any]) -> str | None:
    """The prompt whose messages were learnt, where it need not be the one that made the texts."""
    one = report.get("taught")
    return f"{one.get('prompt')} {str(one.get('version'))[:8]}" if isinstance(one, dict) else None


def _sources(items: Sequence[Item]) -> Table:
    makers: dict[tuple[str, ...], list[str]] = {}
    for item in items:
        one = item.origin
        where = one.file or (f"{one.dataset}#{one.split}" if one.dataset else "")
        made = f"{one.prompt} {(one.version or '')[:8]}".strip() if one.prompt else ""
        makers.setdefault((one.run or "", where, made, one.model or ""), []).append(one.row_id or "")
    ranked = sorted(makers.items(), key=lambda entry: -len(entry[1]))
    rows = tuple(
        (*key, f"{len(set(ids) - {''}):,}" if any(ids) else "–", f"{len(ids):,}") for key, ids in ranked
    )
    return Table(("run", "data", "prompt and version", "model", "rows", "items"), rows, (4, 5))


def _left_out(workspace: Workspace, collection: str, report: Mapping[str, Any]) -> Table:
    """Outputs that were never taken, and items that were dropped later, by a step or by a person."""
    early = report.get("left_out")
    reasons = [(str(why), int(count)) for why, count in early.items()] if isinstance(early, dict) else []
    for (state, reason), count in workspace.store.collections.count(collection).items():
        if state == "dropped":
            reasons.append((reason or "other", count))
    rows = tuple((why, f"{count:,}") for why, count in reasons if count)
    return Table(("left out", "how many"), rows, (1,))


def _cleaning(report: Mapping[str, Any]) -> Table:
    steps, counted = report.get("clean"), ("seen", "dropped", "changed")
    rows = tuple(
        (str(one.get("step", "")), *(f"{int(one.get(name) or 0):,}" for name in counted))
        for one in (steps if isinstance(steps, list) else [])
        if isinstance(one, dict)
    )
    return Table(("cleaning step", *counted), rows, (1, 2, 3))
