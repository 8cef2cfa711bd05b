"""What is computed from a collection's items, kept until they change: their version is part of the key."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.core.collection import CollectionItem, Task
from workbench.core.dataset import ID_COLUMN
from workbench.core.document import validate
from workbench.core.tuning import Balance, Collect
from workbench.engine import Workspace
from workbench.tuning import (
    CollectionProfile,
    balance_choices,
    balance_preview,
    formats_for,
    profile,
    taught_items,
    why_unwritable,
)
from workbench.tuning.cleaning.balancing import ValueCount, groups_of
from workbench.tuning.collecting.foreseeing import Foreseen, ForeseenPairs, foresee, foresee_pairs

MOST_PROFILED, MOST_LOOKED_AT = 20_000, 5_000
"""Items of a larger collection that are drawn to be described, and to see what it can be balanced by."""
FEW = 12


def cached_profile(ws: Workspace, collection: str) -> tuple[CollectionProfile, int]:
    """The profile of what is kept, and how many items it is of."""
    return _profile(ws, str(ws.root), collection, ws.store.collections.version(collection))


def cached_choices(ws: Workspace, collection: str) -> list[str]:
    """By what the kept items can be balanced."""
    return _choices(ws, str(ws.root), collection, ws.store.collections.version(collection))


def cached_balance(ws: Workspace, collection: str, settings: Balance) -> tuple[ValueCount, ...]:
    """How many items of each value there are, and would be. Raises CollectionError."""
    version = ws.store.collections.version(collection)
    return _balance(ws, str(ws.root), collection, version, settings.model_dump_json())


def cached_foreseen(ws: Workspace, wanted: dict[str, Any], task: Task) -> Foreseen:
    """What outputs are worth by these settings, whatever the bar. Raises WorkbenchError."""
    settings = _without_bar(wanted)
    return _foreseen(ws, str(ws.root), settings.model_dump_json(), task, _rated(ws, settings.runs))


def cached_pairs(ws: Workspace, wanted: dict[str, Any]) -> ForeseenPairs:
    """How many preferences ratings hold. Raises WorkbenchError."""
    settings = _without_bar(wanted)
    return _pairs(ws, str(ws.root), settings.model_dump_json(), _rated(ws, settings.runs))


def cached_unwritable(
    ws: Workspace, collection: str, task: Task, *, extra: bool, once: bool
) -> dict[str, str]:
    """Formats of the task that cannot hold what is taught, each with the reason in a sentence."""
    version = ws.store.collections.version(collection)
    return _unwritable(ws, str(ws.root), collection, version, task, extra, once)


def _without_bar(wanted: dict[str, Any]) -> Collect:
    settings = validate(Collect, wanted)
    pick = settings.pick.model_copy(update={"at_least": None, "at_most": None})
    # what is not looked at must not make another key
    return Collect(
        runs=settings.runs,
        prompts=settings.prompts,
        models=settings.models,
        pick=pick,
        teach=settings.teach,
        apart_from=settings.apart_from,
    )


def _rated(ws: Workspace, runs: Sequence[str]) -> str:
    return " ".join(str(ws.store.ratings.newest(run)) for run in runs)


def _kept(ws: Workspace, collection: str) -> list[CollectionItem]:
    return ws.store.collections.items(collection, state="kept")


@st.cache_data(show_spinner="Describing the items …", max_entries=20)
def _profile(_ws: Workspace, root: str, collection: str, version: str) -> tuple[CollectionProfile, int]:
    kept = _kept(_ws, collection)
    if len(kept) > MOST_PROFILED:
        kept = sorted(random.Random(0).sample(kept, MOST_PROFILED), key=lambda one: one.number)
    return profile([one.item for one in kept], numbers=[one.number for one in kept]), len(kept)


@st.cache_data(show_spinner="Reading the items …", max_entries=20)
def _choices(_ws: Workspace, root: str, collection: str, version: str) -> list[str]:
    kept = _kept(_ws, collection)
    if len(kept) > MOST_LOOKED_AT:
        kept = random.Random(0).sample(kept, MOST_LOOKED_AT)
    items = [one.item for one in kept]
    # what tells few groups apart first: that is what people even out
    return sorted(
        (name for name in balance_choices(items) if name != ID_COLUMN),
        key=lambda name: len(set(groups_of(items, name))) > FEW,
    )


@st.cache_data(show_spinner="Counting …", max_entries=50)
def _balance(
    _ws: Workspace, root: str, collection: str, version: str, settings: str
) -> tuple[ValueCount, ...]:
    items = [one.item for one in _kept(_ws, collection)]
    return balance_preview(items, Balance.model_validate_json(settings))


@st.cache_data(show_spinner="Checking that it can be written …", max_entries=20)
def _unwritable(
    _ws: Workspace, root: str, collection: str, version: str, task: Task, extra: bool, once: bool
) -> dict[str, str]:
    found = _kept(_ws, collection) if once else taught_items(_ws, collection)
    items, numbers = [one.item for one in found], [one.number for one in found]
    reasons = {
        name: why_unwritable(items, name, task, extra=extra, numbers=numbers) for name in formats_for(task)
    }
    return {name: reason for name, reason in reasons.items() if reason is not None}


@st.cache_data(show_spinner="Reading the scores …", max_entries=20, ttl=600)
def _foreseen(_ws: Workspace, root: str, settings: str, task: Task, rated: str) -> Foreseen:
    return foresee(_ws, Collect.model_validate_json(settings), task)


@st.cache_data(show_spinner="Reading the ratings …", max_entries=20, ttl=600)
def _pairs(_ws: Workspace, root: str, settings: str, rated: str) -> ForeseenPairs:
    return foresee_pairs(_ws, Collect.model_validate_json(settings))
