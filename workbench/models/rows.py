"""Changing one row of models.yaml as text, so that a person's comments and layout stay."""

from __future__ import annotations

import re

import yaml

from workbench.core.document import dump
from workbench.core.model import ModelSpec
from workbench.errors import InvalidFile

EMPTY_LIST = re.compile(r"^models:[ \t]*(\[[ \t]*\]|null|~)?[ \t]*(#.*)?$", re.MULTILINE)
MODELS_KEY = re.compile(r"^models:", re.MULTILINE)


def with_row(text: str, spec: ModelSpec, line: int | None = None) -> str:
    """The file's text with the row added at the end of the list, or in place of the one at `line`."""
    text = _ended(text)
    if line is not None:
        before, old, after = _around(text, line)
        return before + _row(spec, _indent(old)) + after
    if not MODELS_KEY.search(text):
        return f"{text}models:\n{_row(spec, '  ')}"
    last = _last_row_line(text)
    if last is not None:
        before, old, after = _around(text, last)
        return before + old + _row(spec, _indent(old)) + after
    found = EMPTY_LIST.search(text)
    if found is None:
        raise InvalidFile("`models:` is not a list with one row a line; write it so to add rows here.")
    head = f"models:  {found.group(2)}" if found.group(2) else "models:"
    return text[: found.start()] + f"{head}\n{_row(spec, '  ').rstrip()}" + text[found.end() :]


def without_row(text: str, line: int) -> str:
    """The file's text without the row that starts at `line` (1-based)."""
    before, _, after = _around(_ended(text), line)
    if _last_row_line(before + after) is None:
        before = re.sub(r"^models:[ \t]*(?=#|$)", "models: []  ", before, flags=re.MULTILINE)
        before = re.sub(r"^(models: \[\])[ ]+$", r"\1", before, flags=re.MULTILINE)
    return before + after


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _row(spec: ModelSpec, indent: str) -> str:
    lines = dump(spec).splitlines()
    first, rest = f"{indent}- {lines[0]}\n", [f"{indent}  {line}\n" for line in lines[1:]]
    return first + "".join(rest)


def _indent(row: str) -> str:
    return row[: len(row) - len(row.lstrip(" "))]


def _rows(text: str) -> list[yaml.Node]:
    root = yaml.compose(text, yaml.SafeLoader)
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value == "models" and isinstance(value, yaml.SequenceNode) and not value.flow_style:
                return list(value.value)
    return []


def _last_row_line(text: str) -> int | None:
    rows = _rows(text)
    return rows[-1].start_mark.line + 1 if rows else None


def _around(text: str, line: int) -> tuple[str, str, str]:
    """Text before the row at `line`, the row, and what follows (comments after it included)."""
    lines = text.splitlines(keepends=True)
    row = next((node for node in _rows(text) if node.start_mark.line + 1 == line), None)
    if row is None:
        raise InvalidFile("`models:` is not a list with one row a line; change this row by hand.", line=line)
    # a block mapping's end mark stands at the next token, past the comments that follow the row
    end = row.end_mark.line + (1 if row.end_mark.column and getattr(row, "flow_style", True) else 0)
    end = max(end, line)
    while end > line and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return "".join(lines[: line - 1]), "".join(lines[line - 1 : end]), "".join(lines[end:])
