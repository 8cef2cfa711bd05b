"""Where a tuned model came from: the base, the recipe, the collection, and every row, prompt version, run and
rater behind its examples.

lineage(workspace, "small-quickstart-2").parent.model  →  "small-quickstart", which it was tuned from
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.core.collection import Item
from workbench.core.model import ModelSpec
from workbench.core.tuning import Recipe
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, WorkbenchError
from workbench.models.registry import find_provider
from workbench.storage.tunings import TuningRecord
from workbench.tuning.job import TrainingJob
from workbench.tuning.tuned_models import ITEMS, models_dir, read_papers, tuned_names

Maker = tuple[str | None, str | None, str | None, str | None, str | None, str | None]
"""run, dataset, split, prompt, version, model"""


@dataclass(frozen=True, slots=True)
class MadeBy:
    """Items that one prompt version made on one model in one run; what is not known is None."""

    run: str | None
    dataset: str | None
    split: str | None
    prompt: str | None
    version: str | None
    model: str | None
    rows: int
    items: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """The line of one tuned model.

    Attributes:
        weights: hash of what was saved; recipe_hash, collection_version, base_identity: of what went in.
        taught: the prompt (`prompt`, `version`) whose messages were learnt, where one was named for all;
            others may have made the texts.
        kinds: items by where they came from: output, rating, correction, import.
        raters: items by who rated or wrote them; files: by the file they were imported from.
        parent: the base's own line, where it was tuned here, too.
        lost: a sentence where the base was tuned here and is gone.
    """

    model: str
    weights: str
    tuning: str
    made_at: str
    recipe: str
    recipe_hash: str
    collection: str
    collection_name: str
    collection_version: str
    base: str
    base_identity: str
    items: int
    rows: int
    learnt: int
    held_back: int
    kinds: dict[str, int]
    made_by: tuple[MadeBy, ...]
    raters: dict[str, int]
    files: dict[str, int]
    taught: dict[str, str] | None = None
    parent: Lineage | None = None
    lost: str = ""


def make_papers(
    workspace: Workspace, record: TuningRecord, recipe: Recipe, base: ModelSpec, job: TrainingJob, learnt: int
) -> dict[str, Any]:
    """What lineage.json says beside the weights' hash.

    Args:
        learnt: examples that were trained on; the others were held back.
    """
    stored = workspace.store.collections.get(record.collection or "")
    return {
        "tuning": record.id,
        "made_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "recipe": {
            "name": recipe.name,
            "hash": recipe.hash,
            "definition": record.definition["recipe"],
        },
        "collection": {
            "id": record.collection,
            "name": stored.name if stored is not None else "",
            "version": record.collection_version,
            "taught": stored.report.get("taught") if stored is not None else None,
        },
        "base": {"name": base.name, "identity": _identity(base)},
        "train": job.train.model_dump(mode="json"),
        "learnt": learnt,
    }


def lineage(workspace: Workspace, model: str) -> Lineage:
    """The line of a tuned model, back to the model that was not tuned here.

    Raises UnknownName, and TuningError where the model was not tuned here or its papers are gone.
    """
    return _lineage(workspace, model.split("@")[0], frozenset())


def lineage_items(workspace: Workspace, model: str) -> list[Item]:
    """Every example that a tuned model saw, with its origin. Raises as `lineage` does."""
    from workbench.tuning.snapshot import read_items_file

    _papers(workspace, model.split("@")[0])
    return read_items_file(models_dir(workspace) / model.split("@")[0] / ITEMS)


def lineage_json(found: Lineage, items: Iterable[Item] | None = None) -> dict[str, Any]:
    """The lineage as plain values, with every item's origin where `items` are given."""
    document = asdict(found)
    if items is not None:
        document["origins"] = [{"key": item.key, **item.to_json()["origin"]} for item in items]
    return document


def _lineage(workspace: Workspace, model: str, seen: frozenset[str]) -> Lineage:
    papers = _papers(workspace, model)
    items = lineage_items(workspace, model)
    base = str(papers["base"]["name"])
    parent, lost = None, ""
    above = base.split("@")[0]
    if above in tuned_names(workspace) and above not in seen | {model}:
        try:
            parent = _lineage(workspace, above, seen | {model})
        except WorkbenchError as problem:
            lost = str(problem)
    else:
        lost = _lost(models_dir(workspace), above)
    return Lineage(
        model=model,
        weights=str(papers.get("weights", "")),
        tuning=str(papers["tuning"]),
        made_at=str(papers.get("made_at", "")),
        recipe=str(papers["recipe"]["name"]),
        recipe_hash=str(papers["recipe"]["hash"]),
        collection=str(papers["collection"]["id"] or ""),
        collection_name=str(papers["collection"]["name"]),
        collection_version=str(papers["collection"]["version"] or ""),
        base=base,
        base_identity=str(papers["base"]["identity"]),
        items=len(items),
        rows=len({row for item in items if (row := _row(item))}),
        learnt=int(papers["learnt"]),
        held_back=len(items) - int(papers["learnt"]),
        kinds=dict(Counter(str(item.origin.kind) for item in items).most_common()),
        made_by=_made_by(items),
        raters=dict(Counter(rater for item in items for rater in item.origin.raters).most_common()),
        files=dict(Counter(item.origin.file for item in items if item.origin.file).most_common()),
        taught=papers["collection"].get("taught"),
        parent=parent,
        lost=lost,
    )


def _papers(workspace: Workspace, model: str) -> Mapping[str, Any]:
    workspace.models.spec(model)
    if model not in tuned_names(workspace):
        known = ", ".join(tuned_names(workspace)) or "none yet"
        raise TuningError(
            f"Model '{model}' was not tuned here, so its lineage is not known (tuned here: {known})."
        )
    papers = read_papers(models_dir(workspace) / model)
    if papers is None or not {"tuning", "recipe", "collection", "base", "learnt"} <= papers.keys():
        raise TuningError(f"{models_dir(workspace) / model / 'lineage.json'} is missing or damaged.")
    return papers


def _made_by(items: Iterable[Item]) -> tuple[MadeBy, ...]:
    counts: Counter[Maker] = Counter()
    rows: dict[Maker, set[str]] = {}
    for item in items:
        origin = item.origin
        key = (origin.run, origin.dataset, origin.split, origin.prompt, origin.version, origin.model)
        counts[key] += 1
        if row := _row(item):
            rows.setdefault(key, set()).add(row)
    return tuple(MadeBy(*key, len(rows.get(key, ())), count) for key, count in counts.most_common())


def _row(item: Item) -> str:
    origin = item.origin
    return f"{origin.dataset}#{origin.split}#{origin.row_id}" if origin.row_id is not None else ""


def _lost(folder: Path, base: str) -> str:
    if any((folder / ".deleted" / base).glob("*/lineage.json")):
        return (
            f"Its base '{base}' was tuned here and deleted; bring it back with "
            f"`workbench models undelete {base}` to see the line before it."
        )
    return ""


def _identity(base: ModelSpec) -> str:
    return str(find_provider(base.provider)(base).identity())
