"""Files of examples to learn from, as other tools write and read them: one format a file.

    read_examples(Path("mine.jsonl"))                    ->  ReadExamples(task="completion", items=[…], …)
    write_examples(items, "trl", "preference")           ->  b'{"prompt": […], "chosen": […], …}\n…'

A format knows its files by what stands in them. What a line holds beside the example goes to the item's
`extra` and comes back when the item is written. A package outside adds a format through the entry point
group `workbench.example_formats`.
"""

from __future__ import annotations

from workbench.tuning.formats.reading import ExampleFile, ReadExamples, open_examples, read_examples
from workbench.tuning.formats.registry import (
    ExampleFormat,
    example_format,
    example_formats,
    formats_for,
    usual_format,
)
from workbench.tuning.formats.writing import example_lines, why_unwritable, write_examples

__all__ = [
    "ExampleFile",
    "ExampleFormat",
    "ReadExamples",
    "example_format",
    "example_formats",
    "example_lines",
    "formats_for",
    "open_examples",
    "read_examples",
    "usual_format",
    "why_unwritable",
    "write_examples",
]
