"""The splits whose rows are kept for evaluation, so that nothing of them may be learnt.

held_back_splits(workspace, Collect(runs=("transit-samples",)))   ->  ["transit#dev", "transit#test", …]
"""

from __future__ import annotations

import re
from collections.abc import Collection

from workbench.core.tuning import Collect
from workbench.engine.workspace import Workspace
from workbench.errors import CollectionError, UnknownName

EVALUATION_SPLITS = frozenset({"dev", "test", "validation", "valid", "val", "eval", "evaluation"})
"""Words in the names of splits that rows are kept in for evaluation."""


def is_for_evaluation(split: str) -> bool:
    """Whether a split's name says that its rows are kept for evaluation: test, Dev, validation_matched."""
    return not EVALUATION_SPLITS.isdisjoint(re.split(r"[^a-z]+", split.lower()))


def held_back_splits(workspace: Workspace, settings: Collect) -> list[str]:
    """As DATASET#SPLIT: those that the settings name, else every evaluation split of the workspace.

    Raises CollectionError for one that is not written so, UnknownName for one that is not there.
    """
    if settings.apart_from is None:
        return [
            f"{name}#{split}"
            for name in workspace.datasets.names()
            for split in workspace.datasets.splits(name)
            if is_for_evaluation(split)
        ]
    for named in settings.apart_from:
        name, mark, split = named.partition("#")
        if not mark or not split:
            raise CollectionError(
                f"`apart_from` names splits as DATASET#SPLIT, such as {name}#test; got '{named}'."
            )
        known = workspace.datasets.splits(name)
        if split not in known:
            raise UnknownName(f"split in dataset '{name}'", split, known)
    return list(settings.apart_from)


def check_split(what: str, name: str, split: str, held_back: Collection[str], settings: Collect) -> None:
    """Raises CollectionError where `what`, such as a run, is over a split that is held back."""
    # a dataset that is gone is in no list, but its split's name still tells
    is_gone = settings.apart_from is None and is_for_evaluation(split)
    if f"{name}#{split}" in held_back or is_gone:
        raise CollectionError(
            f"{what} is over '{name}#{split}', which is kept for evaluation, so that nothing of it may be "
            f"learnt; run the experiment over another split, such as train (`workbench import FILE --splits "
            f"train=0.8,test=0.2` cuts a table into both)."
        )
