"""Fine-tuning: collect what was good, train on it, and measure the tuned model against its base.

Names are imported when first used, so that `workbench.tuning` costs nothing by itself.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME: dict[str, str] = {
    "ModelCard": "cards.blocks",
    "TuningVerdict": "verdict.records",
    "check_evaluation": "verdict.evaluating",
    "evaluate_tuning": "verdict.evaluating",
    "model_card": "cards.composing",
    "model_card_html": "cards.as_html",
    "model_card_markdown": "cards.as_markdown",
    "stored_verdict": "cards.composing",
    "verdict_json": "verdict.records",
    "write_model_card": "cards.composing",
    "CollectionProfile": "profiles",
    "apply_balance": "cleaning.stored",
    "apply_cleaning": "cleaning.stored",
    "balance": "cleaning.balancing",
    "balance_choices": "cleaning.balancing",
    "balance_preview": "cleaning.balancing",
    "clean": "cleaning.applying",
    "cleaning_preview": "cleaning.applying",
    "clear_balance": "cleaning.stored",
    "kept_balance": "cleaning.balancing",
    "profile": "profiles",
    "profile_json": "profiles",
    "training_items": "cleaning.balancing",
    "TrainingResult": "training.following",
    "TrainingState": "training.events",
    "check_combination": "training.combinations",
    "read_points": "training.events",
    "read_state": "training.events",
    "train": "training.following",
    "CollectionSummary": "collecting.stored",
    "accept": "collecting.curating",
    "collect": "collecting.gathering",
    "collections": "collecting.stored",
    "delete_collection": "collecting.stored",
    "edit": "collecting.curating",
    "find_collection": "collecting.stored",
    "find_sources": "collecting.sources",
    "item_page": "collecting.stored",
    "kept_items": "collecting.stored",
    "reject": "collecting.curating",
    "undelete_collection": "collecting.stored",
    "undo": "collecting.curating",
    "TuningFolder": "folders",
    "TrainingJob": "job",
    "TuningSummary": "lifecycle",
    "cancel_tuning": "lifecycle",
    "continue_tuning": "lifecycle",
    "create_tuning": "lifecycle",
    "delete_tuning": "lifecycle",
    "execute_tuning": "lifecycle",
    "resume_tuning": "lifecycle",
    "tuning_json": "lifecycle",
    "tuning_progress": "lifecycle",
    "tunings": "lifecycle",
    "undelete_tuning": "lifecycle",
    "ExportedModel": "exporting",
    "export_tuned": "exporting",
    "find_tuning": "records",
    "get_tuning": "records",
    "broken_recipes": "recipes",
    "delete_recipe": "recipes",
    "load_recipe": "recipes",
    "recipe_names": "recipes",
    "save_recipe": "recipes",
    "Lineage": "lineages",
    "lineage": "lineages",
    "lineage_items": "lineages",
    "lineage_json": "lineages",
    "delete_tuned_model": "tuned_models",
    "experiments_with": "tuned_models",
    "tuned_names": "tuned_models",
    "undelete_tuned_model": "tuned_models",
    "ExampleFile": "formats.reading",
    "ReadExamples": "formats.reading",
    "ImportedExamples": "example_imports",
    "example_format": "formats.registry",
    "example_formats": "formats.registry",
    "formats_for": "formats.registry",
    "import_examples": "example_imports",
    "open_examples": "formats.reading",
    "read_examples": "formats.reading",
    "write_examples": "formats.writing",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.tuning' has no attribute '{name}'")
    return getattr(importlib.import_module(f"workbench.tuning.{_HOME[name]}"), name)
