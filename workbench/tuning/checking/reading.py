"""How a base reads a collection, counted in a process of its own: tokenizers bring libraries that a page must
not wait for. What was counted is kept, so that each pair of base and collection is counted once.

`python -m workbench.tuning.checking.reading --root ROOT --base small --collection 20261121-120000-3f9c1a`

    STATE/readings/KEY.json    {"facts": {…}, "findings": [], "device": "cpu", "problem": ""}
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.core.document import content_hash
from workbench.core.files import write_text
from workbench.engine import processes
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError
from workbench.tuning.checking.base import Base, find_base
from workbench.tuning.checking.facts import DataFacts, Lengths, measure
from workbench.tuning.checking.findings import Finding, text_findings
from workbench.tuning.collecting.stored import find_collection, kept_items

PATIENCE_S = 120.0
"""After which a process that has not answered counts as lost."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a process found out about a base and a collection.

    Attributes:
        facts: None where they could not be counted; `problem` says why.
        findings: what its special tokens and chat template make of the texts.
        device: where it would train.
    """

    facts: DataFacts | None
    findings: tuple[Finding, ...] = ()
    device: str = "cpu"
    problem: str = ""


def find_reading(workspace: Workspace, base: Base, collection: str) -> Reading | None:
    """What was counted; None while it is not, in which case `start_reading` has it counted."""
    try:
        kept = json.loads(_file(workspace, base, collection).read_text("utf-8"))
        return _from_json(kept)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def start_reading(workspace: Workspace, base: Base, collection: str) -> None:
    """Has a process count, unless one is at it already. Raises StorageError, UnknownName."""
    mark = _file(workspace, base, collection).with_suffix(".started")
    try:
        if time.time() - mark.stat().st_mtime < PATIENCE_S:
            return
    except OSError:
        pass
    write_text(mark, "")
    arguments = ("--base", base.name, "--collection", find_collection(workspace, collection).id)
    processes.start(workspace, "workbench.tuning.checking.reading", "reading.log", *arguments)


def read_collection(workspace: Workspace, base: Base, collection: str) -> Reading:
    """Counts here. What cannot be read is told in the reading."""
    from workbench.models.local.loading import device_name

    record = find_collection(workspace, collection)
    items = kept_items(workspace, record.id)
    try:
        facts = measure(base, items, record.task)
        found = tuple(text_findings(base, items)) if items else ()
        device = device_name("fp32", base.device, base.name)
        return Reading(facts, found, device)
    except WorkbenchError as problem:
        return Reading(None, problem=str(problem))


def main(arguments: list[str] | None = None) -> None:
    """Counts one pair and keeps what came out."""
    parser = argparse.ArgumentParser(prog="workbench.tuning.checking.reading", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--collection", required=True)
    options = parser.parse_args(arguments)
    workspace = Workspace.open(options.root)
    base = find_base(workspace.models.spec(options.base))
    file = _file(workspace, base, options.collection)
    try:
        found = read_collection(workspace, base, options.collection)
    except Exception as problem:  # told to whoever waits, then as it would be
        _keep(file, Reading(None, problem=f"Something unexpected happened ({type(problem).__name__})."))
        raise
    _keep(file, found)


def _keep(file: Path, reading: Reading) -> None:
    write_text(file, json.dumps(asdict(reading)))
    file.with_suffix(".started").unlink(missing_ok=True)


def _from_json(kept: dict[str, object]) -> Reading:
    body = json.loads(json.dumps(kept))
    facts = body["facts"]
    if facts is not None:
        for part in ("prompts", "completions"):
            facts[part] = Lengths(**facts[part])
        facts = DataFacts(**{**facts, "lengths": tuple(facts["lengths"])})
    found = tuple(Finding(**one) for one in body["findings"])
    return Reading(facts, found, body["device"], body["problem"])


def _file(workspace: Workspace, base: Base, collection: str) -> Path:
    record = find_collection(workspace, collection)
    version = workspace.store.collections.version(record.id)
    adapter = str(base.adapter) if base.adapter else ""
    key = content_hash([str(base.folder), adapter, base.chat_template, base.device, record.task, version])
    return workspace.state_dir / "readings" / f"{key[:24]}.json"


if __name__ == "__main__":
    main()
