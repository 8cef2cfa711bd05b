"""The table formats that can be imported: one small file each, found by the ending of a file's name."""

from __future__ import annotations

from workbench.datasets.formats import delimited, excel, json_document, json_lines, parquet
from workbench.datasets.formats.registry import dataset_format, format_of, known_suffixes

__all__ = [
    "dataset_format",
    "delimited",
    "excel",
    "format_of",
    "json_document",
    "json_lines",
    "known_suffixes",
    "parquet",
]
