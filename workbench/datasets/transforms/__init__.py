"""Rows said a little differently, for probes of bias and robustness: one transform a file.

    dataset: {name: word-problems, transform: [{swap: {terms: pronouns}}, {typos: {rate: 0.05}}]}

A transform changes texts and nothing else: the row keeps its id and its right answer. What it draws is
decided by its seed, the row's id and the column, so that a row comes out the same in any order of rows
and on every machine. A package outside adds one through the entry point group `workbench.transforms`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from workbench.core.document import validate
from workbench.core.registry import Registry
from workbench.datasets.transforms.base import Row, Transform
from workbench.errors import DatasetError, InvalidFile

registry: Registry[type[Transform]] = Registry(
    "transform of rows", "workbench.transforms", __name__, DatasetError
)
transform = registry.register

Spec = str | Mapping[str, Any]
Apply = Callable[[Row], Row]


def transform_names() -> list[str]:
    """Every transform's name, sorted."""
    return registry.names()


def build_transform(spec: Spec) -> Transform:
    """The transform that `typos` or `{typos: {rate: 0.1}}` writes. Raises UnknownName, DatasetError."""
    if isinstance(spec, str):
        name, settings = spec, None
    elif len(spec) == 1:
        name, settings = next(iter(spec.items()))
    else:
        raise DatasetError(
            f"A transform is one name with its settings, such as {{typos: {{rate: 0.05}}}}; not {dict(spec)}."
        )
    found = registry.get(str(name))
    if settings is not None and not isinstance(settings, Mapping):
        settings = {found.shorthand: settings}
    try:
        return validate(found, dict(settings or {}))
    except InvalidFile as problem:
        raise DatasetError(f"Transform '{name}': {problem}") from None


def transform_rows(
    rows: Sequence[Row], specs: Sequence[Spec], columns: Collection[str], kept: Collection[str] = ()
) -> list[Row]:
    """The rows with every transform applied in turn, to the texts of these columns.

    Args:
        columns: what is changed where a transform does not name its own columns.
        kept: columns that stay as they are whatever is asked, such as the reference.

    Raises DatasetError for a column that no row has.
    """
    built = [build_transform(spec) for spec in specs]
    known = {name for row in rows for name in row}
    for one in built:
        for name in one.columns:
            if name not in known:
                raise DatasetError(
                    f"A transform names column '{name}', which no row has ({', '.join(sorted(known))})."
                )
    changed = [dict(row) for row in rows]
    for one in built:
        for row in changed:
            for name in one.columns or columns:
                if name in row and name not in kept:
                    row[name] = one.changed(row[name], row, name)
    return changed


__all__ = ["Row", "Spec", "Transform", "build_transform", "transform", "transform_names", "transform_rows"]
