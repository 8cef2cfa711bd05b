"""Reading what a person wrote in YAML into a strict record, with errors that name the place.

load(Prompt, "name: direct\nmesages: []", file="prompts/direct.yaml")
InvalidFile: prompts/direct.yaml, line 2, key `mesages`: unknown key. Did you mean 'messages'?
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from workbench.errors import InvalidFile, suggestion

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_CHARACTERS = 4_000_000
MAX_ALIASES = 50  # YAML aliases multiply: a "billion laughs" file is refused before it is built

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_name(name: str) -> str:
    """A name that is also a safe file name: letters, digits, '.', '_' and '-', at most 100."""
    if not NAME.fullmatch(name) or name.endswith("."):
        raise ValueError(
            f"'{name[:120]}' is not a usable name: use letters, digits, '.', '_' and '-', "
            "starting with a letter or digit, at most 100 characters"
        )
    return name


Name = Annotated[str, AfterValidator(check_name)]


class Strict(BaseModel):
    """Base of every record that a person writes: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Record = TypeVar("Record", bound=BaseModel)


def load(record: type[Record], text: str, file: str | None = None) -> Record:
    """Validates YAML text as `record`. Raises InvalidFile with file, line and key."""
    content, lines = parse(text, file)
    if not isinstance(content, dict):
        raise InvalidFile("expected `key: value` lines at the top level.", file, 1)
    return validate(record, content, file, lines)


def validate(
    record: type[Record],
    content: Any,
    file: str | None = None,
    lines: dict[tuple[str | int, ...], int] | None = None,
) -> Record:
    """Validates parsed content as `record`; `lines` maps key paths to 1-based lines."""
    try:
        return record.model_validate(content)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        # a misspelt key also shows up as a missing one: name the spelling first
        error = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
        path = tuple(error["loc"])
        line = _nearest_line(path, lines or {})
        raise InvalidFile(_sentence(error, record), file, line, _dotted(path) or None) from None


def parse(text: str, file: str | None = None) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    """YAML text → (content, line of every key path). Safe: no tags, bounded size and aliases."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidFile(f"the file is longer than {MAX_CHARACTERS:,} characters.", file)
    if "\x00" in text:
        raise InvalidFile(
            "the file holds NUL bytes; it is not text.", file, text[: text.index("\x00")].count("\n") + 1
        )
    try:
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader))
        if aliases > MAX_ALIASES:
            raise InvalidFile(f"more than {MAX_ALIASES} YAML aliases.", file)
        node = yaml.compose(text, Loader)
        content = yaml.load(text, Loader)  # a SafeLoader: builds plain values only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidFile(f"not valid YAML: {problem}.", file, mark.line + 1 if mark else None) from None
    except RecursionError:
        raise InvalidFile("the YAML is nested too deeply.", file) from None
    lines: dict[tuple[str | int, ...], int] = {}
    if node is not None:
        _collect_lines(node, (), lines, file)
    return content, lines


def _collect_lines(
    node: yaml.Node, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], file: str | None
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > 40:
        raise InvalidFile("the YAML is nested too deeply.", file, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name in seen:
                raise InvalidFile("the key stands twice.", file, key.start_mark.line + 1, name)
            seen.add(name)
            lines[(*path, name)] = key.start_mark.line + 1
            _collect_lines(value, (*path, name), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*path, index), lines, file)


def _nearest_line(path: tuple[Any, ...], lines: dict[tuple[str | int, ...], int]) -> int | None:
    # pydantic puts names of union members into its paths; skip what is not a key of the file
    known: tuple[str | int, ...] = ()
    for part in path:
        if (*known, part) in lines:
            known = (*known, part)
    return lines.get(known)


def _dotted(path: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in path if not str(part).startswith(("function-", "tagged-")))


def _sentence(error: Any, record: type[BaseModel]) -> str:
    kind, path = error["type"], error["loc"]
    if kind == "extra_forbidden":
        return f"unknown key.{suggestion(str(path[-1]), _keys_at(record, path[:-1]))}"
    if kind == "missing":
        return "this key is needed and is not there."
    if kind == "value_error":
        return str(error["ctx"]["error"]).rstrip(".") + "."
    message = error["msg"]
    return f"{message[0].lower()}{message[1:]} (found {str(error['input'])[:80]!r})."


def _keys_at(record: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """The keys that are right at `path`, found by walking the annotations."""
    for part in path:
        if isinstance(part, int):
            continue
        field = record.model_fields.get(str(part)) or next(
            (f for f in record.model_fields.values() if f.alias == part), None
        )
        if field is None:
            found = _models_in(record)
            record = next((m for m in found if m.__name__ == part), record)
            continue
        inner = _models_in(field.annotation)
        if not inner:
            return []
        record = inner[0]
    return [f.alias or name for name, f in record.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]


def dump(record: BaseModel, **changes: Any) -> str:
    """A record as YAML a person would write: defaults left out, long text as blocks."""
    content = record.model_dump(by_alias=True, exclude_defaults=True, mode="json") | changes
    return to_yaml(content)


def to_yaml(content: Any) -> str:
    """Plain values as YAML, keys in the given order, several lines of text as a `|` block."""
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and not re.search(r"[ \t]\n|^\s|[^\S\n]$", text) else None
    if re.search("[\r\x85\u2028\u2029]", text):
        style = '"'  # YAML folds these line breaks unless they stand as escapes
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def content_hash(content: Any) -> str:
    """SHA-256 (hex) of plain values as canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
