"""Datasets: the store, import and export of tables, splits and what a dataset is made of."""

from __future__ import annotations

from workbench.datasets.store import DatasetStore

__all__ = ["DatasetStore"]
