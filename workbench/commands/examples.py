"""Files of examples to learn from, as `workbench import` takes them: which are such, what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.commands.finished import DATASET, shown_reading
from workbench.commands.printing import counted, print_json, printable
from workbench.commands.session import say
from workbench.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from workbench.engine import Workspace

ENDINGS = (".json", ".jsonl", ".ndjson")
NOT_FOR_EXAMPLES = (
    "these are examples to learn from, for which options of tables and of finished outputs have no meaning "
    "(--format dataset imports them as a dataset)."
)


def checked_format(name: str | None) -> None:
    """Raises UnknownName for a --format that is neither of examples nor of finished outputs."""
    if name is None:
        return
    from workbench.engine.finished.registry import finished_formats
    from workbench.tuning.formats import example_formats

    known = [DATASET, *finished_formats.names(), *example_formats()]
    if name not in known:
        raise UnknownName("format", name, known)


def are_examples(
    files: Sequence[Path], format_name: str | None, encoding: str | None, for_tables: bool
) -> bool:
    """Whether the files are examples to learn from: by the format's name, or by what stands in all of them.

    Args:
        for_tables: options are given that have a meaning for tables or finished outputs only.

    Raises UsageError where only some of several files are.
    """
    from workbench.tuning.formats import example_formats
    from workbench.tuning.formats.reading import example_format_of

    if format_name is not None:
        return format_name in example_formats()
    if for_tables or any(file.suffix.lower() not in ENDINGS for file in files):
        return False
    found = [example_format_of(file, encoding) for file in files]
    certain = [one is not None and one[1] for one in found]
    if any(certain) and not all(certain):
        raise UsageError(
            "Several files are imported together only where all are of one kind; "
            f"{files[certain.index(True)]} holds examples to learn from, and {files[certain.index(False)]} "
            "does not: import them apart."
        )
    if len(files) == 1 and found[0] is not None and not certain[0]:
        say(f"Taken for rows to ask models about; to learn from them, import with --format {found[0][0]}.")
    return all(certain)


def import_examples(
    opened: Workspace,
    files: Sequence[Path],
    name: str | None,
    format_name: str | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Makes a collection of the files and says what came of it."""
    from workbench.tuning.example_imports import import_examples as make

    with shown_reading() as on_reading:
        made = make(opened, files, name, format_name=format_name, encoding=encoding, on_reading=on_reading)
    if as_json:
        print_json(
            {
                "kind": "collection",
                "collection": made.collection,
                "name": made.name,
                "task": made.task,
                "formats": made.formats,
                "items": made.items,
                "held_back": made.held_back,
                "same_texts": made.same_texts,
                "unmapped": made.unmapped,
            }
        )
        return
    print(
        f"Collection {made.name} ({made.collection}): {counted(made.items, 'item')} "
        f"of {', '.join(made.formats)}, task {made.task}"
    )
    if made.held_back:
        say(
            f"Dropped, as they repeat rows kept for evaluation: {counted(made.held_back, 'item')}; see "
            f"workbench collections preview {made.name} --dropped"
        )
    if made.same_texts:
        say(f"Dropped, as chosen and rejected say the same: {counted(made.same_texts, 'item')}")
    for sentence in made.unmapped:
        say(printable(f"Kept beside the examples: {sentence}"))
    say(f"Next: workbench collections show {made.name}")
