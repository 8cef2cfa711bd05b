"""Datasets: the store, import and export of tables, splits and what a dataset is made of."""

from __future__ import annotations

from workbench.datasets.export import neutralise, write_rows
from workbench.datasets.formats.registry import dataset_format, known_suffixes
from workbench.datasets.importing import ImportResult, import_dataset
from workbench.datasets.profile import ColumnProfile, DatasetProfile, Leak, profile
from workbench.datasets.read import Table, preview, read_table
from workbench.datasets.splitting import split_rows
from workbench.datasets.store import DatasetStore

__all__ = [
    "ColumnProfile",
    "DatasetProfile",
    "DatasetStore",
    "ImportResult",
    "Leak",
    "Table",
    "dataset_format",
    "import_dataset",
    "known_suffixes",
    "neutralise",
    "preview",
    "profile",
    "read_table",
    "split_rows",
    "write_rows",
]
