"""The model card of a tuned model: what it is, what it learnt, how it compares, what may go wrong.

card = model_card(workspace, "20261121-120000-3f9c1a")
write_model_card(workspace, tuning, Path("card.html"))
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.core.collection import Item
from workbench.core.document import dump, to_yaml
from workbench.core.files import write_text
from workbench.core.tuning import Recipe
from workbench.engine.plan import prompt_version, stored_prompts
from workbench.engine.workspace import Workspace
from workbench.errors import TuningError, UsageError, WorkbenchError
from workbench.models.embedded import EMBEDDED
from workbench.storage.runs import RunRecord
from workbench.storage.tunings import TuningRecord
from workbench.tuning.cards.as_html import model_card_html
from workbench.tuning.cards.as_markdown import model_card_markdown
from workbench.tuning.cards.blocks import (
    Block,
    Bullets,
    Code,
    ModelCard,
    Paragraph,
    Section,
    facts,
    section,
)
from workbench.tuning.cards.data import data_section
from workbench.tuning.cards.results import headline_words, note_bullets, result_sections
from workbench.tuning.cards.risks import risk_sentences
from workbench.tuning.cards.training_part import training_sections
from workbench.tuning.folders import TuningFolder
from workbench.tuning.lineages import Lineage, lineage
from workbench.tuning.records import get_tuning
from workbench.tuning.snapshot import read_items
from workbench.tuning.stages import recipe_of
from workbench.tuning.verdict.as_json import stored_verdict
from workbench.tuning.verdict.records import TuningVerdict

FORMATS = {"md": model_card_markdown, "html": model_card_html}
LICENSE_LINE = re.compile(r"^license:\s*[\"']?([\w .+()-]{1,60}?)[\"']?\s*$", re.MULTILINE)
EMBEDDED_LICENSE = "Apache-2.0"
LEARNT_FROM = {
    "supervised": "completions",
    "dpo": "preferences (DPO)",
    "orpo": "preferences (ORPO)",
    "kto": "completions said to be good or bad (KTO)",
}


def model_card(workspace: Workspace, tuning: str) -> ModelCard:
    """The card of a tuning's model, as far as is known: what was not measured is said not to be.

    Raises UnknownName for a tuning that is not there, TuningError for one that has no model yet.
    """
    record = get_tuning(workspace, tuning)
    if record.model is None:
        raise TuningError(f"Tuning {tuning} has no model yet, so there is nothing to write a card of.")
    recipe, folder = recipe_of(record), TuningFolder.of(workspace.state_dir, record.id)
    items, verdict = read_items(folder), stored_verdict(record)
    line = _lineage(workspace, record.model)
    sections = [
        _what(workspace, record, recipe),
        _use(workspace, record, recipe, verdict),
        *(result_sections(verdict) if verdict is not None else []),
        section("Risks and limits", [Bullets(tuple(_risks(workspace, recipe, items, verdict)))]),
        section("Notes", [note_bullets(verdict)]) if verdict is not None else None,
        data_section(workspace, record, items),
        *training_sections(workspace, record, folder),
        section("Recipe", [Code(to_yaml(_recipe_as_written(recipe)), "yaml")]),
        _hashes(record, recipe, line, verdict),
    ]
    told = headline_words(verdict) if verdict is not None else "It was not measured against its base."
    return ModelCard(
        record.model,
        record.id,
        f"{recipe.base}, tuned by recipe {recipe.name}. {told}",
        tuple(one for one in sections if one is not None),
    )


def card_text(card: ModelCard, form: str) -> str:
    """The card in a form: md or html. Raises UsageError for another."""
    if form not in FORMATS:
        raise UsageError(f"A model card is written as {' or '.join(FORMATS)}, not as '{form}'.")
    return FORMATS[form](card)


def write_model_card(workspace: Workspace, tuning: str, file: Path, form: str | None = None) -> Path:
    """Writes the card to a file in one step; `form` (md, html) follows from its name where left out.

    Raises UsageError for another form, UnknownName, TuningError, StorageError.
    """
    ending = file.suffix.lower().lstrip(".")
    form = form or {"htm": "html", "markdown": "md"}.get(ending, ending)
    if form not in FORMATS:
        raise UsageError(
            f"A model card is written as {' or '.join(FORMATS)}, which '{file.name}' does not say; name one."
        )
    write_text(file, card_text(model_card(workspace, tuning), form))
    return file


def base_license(workspace: Workspace, base: str) -> str | None:
    """The licence of a base: of an embedded one, or as its folder's README.md says; None where not known."""
    try:
        spec = workspace.models.spec(base)
    except WorkbenchError:
        return None
    folder = Path(spec.model)
    if spec.name.split("@")[0] in EMBEDDED and folder.parent.name == "weights":
        return EMBEDDED_LICENSE
    try:
        head = (folder / "README.md").read_text("utf-8", "replace")[:4000]
    except OSError:
        return None
    found = LICENSE_LINE.search(head)
    return found[1].strip() if found else None


def _lineage(workspace: Workspace, model: str) -> Lineage | None:
    try:
        return lineage(workspace, model)
    except WorkbenchError:  # deleted since, or its papers are gone: the card tells what is left
        return None


def _what(workspace: Workspace, record: TuningRecord, recipe: Recipe) -> Section | None:
    license_name = base_license(workspace, recipe.base)
    return section(
        "What it is",
        [
            Paragraph(recipe.description) if recipe.description else None,
            facts(
                ("base", recipe.base),
                ("licence of the base", license_name or "not known: look it up before you pass the model on"),
                ("tuned by", f"{recipe.train.method}, learning from {LEARNT_FROM[recipe.train.objective]}"),
                ("kept as", "whole weights" if recipe.train.merge else None),
                ("recipe", recipe.name),
                ("tuning", record.id),
                ("made", f"{record.finished_at or record.created_at:%Y-%m-%d %H:%M} UTC"),
                ("status", record.status),
            ),
        ],
    )


def _use(
    workspace: Workspace, record: TuningRecord, recipe: Recipe, verdict: TuningVerdict | None
) -> Section | None:
    words = "Name it wherever a model is named: in an experiment, in a menu, on the command line."
    if verdict is not None:
        words = (
            f"It was tuned for prompt {verdict.headline.prompt} on data like {verdict.dataset}"
            f"{_about(workspace, verdict.dataset)}; beyond that it is measured only where this card says. "
            + words
        )
    example = {
        "name": "my-experiment",
        "dataset": {"name": verdict.dataset if verdict else "my-data", "split": "test"},
        "prompts": [verdict.headline.prompt if verdict else "my-prompt"],
        "models": [recipe.base, record.model],
    }
    return section(
        "Intended use",
        [
            Paragraph(words),
            Code(to_yaml(example), "yaml"),
            *_prompt(_measured_in(workspace, verdict), verdict),
        ],
    )


def _prompt(run: RunRecord | None, verdict: TuningVerdict | None) -> list[Block]:
    """The prompt that the figures hold for: who reads a card need not have the workspace."""
    if run is None or verdict is None:
        return []
    name, prompts = verdict.headline.prompt, stored_prompts(run)
    if name not in prompts:
        return []
    version = prompt_version(prompts, name)
    return [Paragraph(f"Prompt {name}, version {version}:"), Code(dump(prompts[name]), "yaml")]


def _measured_in(workspace: Workspace, verdict: TuningVerdict | None) -> RunRecord | None:
    """The run of base and tuned model, deleted or not; None where there is none."""
    run = verdict.runs.get("verdict") if verdict is not None else None
    return workspace.store.runs.get(run) if run else None


def _about(workspace: Workspace, dataset: str) -> str:
    try:
        description = workspace.datasets.card(dataset).description
    except WorkbenchError:
        return ""
    return f" ({description.rstrip('.')})" if description else ""


def _risks(
    workspace: Workspace, recipe: Recipe, items: Sequence[Item], verdict: TuningVerdict | None
) -> list[str]:
    record = _measured_in(workspace, verdict)
    rows = list(workspace.store.runs.rows(record.row_set).values()) if record is not None else []
    unknown = base_license(workspace, recipe.base) is None
    more = (
        ["The licence of the base is not known; what it allows goes for this model, too."] if unknown else []
    )
    return [*risk_sentences(recipe, items, verdict, rows), *more]


def _recipe_as_written(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude_defaults=True)


def _hashes(
    record: TuningRecord, recipe: Recipe, line: Lineage | None, verdict: TuningVerdict | None
) -> Section | None:
    runs = verdict.runs if verdict is not None else {}
    return section(
        "Names by content",
        [
            facts(
                ("weights", line.weights if line is not None else None),
                ("base", line.base_identity if line is not None else None),
                ("recipe", recipe.hash),
                ("collection", record.collection_version),
                *((f"run: {purpose}", run) for purpose, run in runs.items()),
            ),
            Paragraph(
                f"Every row, prompt version and run behind it: workbench models lineage {record.model}"
            ),
        ],
    )
