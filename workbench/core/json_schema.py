"""Whether a mapping is a JSON schema that a model can be held to; what is wrong with it, where it is not.

{type: object, properties: {value: {type: integer}}, required: [value]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
OF_ONE = ("items", "additionalProperties", "not", "contains")
OF_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
OF_NAMED = ("properties", "$defs", "definitions", "patternProperties")
SAYS_SOMETHING = {"type", "enum", "const", "$ref", *OF_ONE, *OF_MANY, *OF_NAMED}
DEEPEST = 50


def schema_problem(schema: Any) -> str | None:
    """The first thing that is wrong, with its place; None for a schema that can be used."""
    return next(_problems(schema, schema, "", 0), None)


def _problems(schema: Any, root: Any, place: str, depth: int) -> Iterator[str]:
    here = f" at `{place}`" if place else ""
    if depth > DEEPEST:
        yield f"it is nested more than {DEEPEST} deep"
        return
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield f"a schema{here} is a mapping such as {{type: string}}, not {schema!r}"
        return
    if not SAYS_SOMETHING & schema.keys():
        yield f"the schema{here} says nothing about what is valid; start with `type`"
    yield from _own_problems(schema, root, here)
    for key in OF_ONE:
        if key in schema:
            yield from _problems(schema[key], root, _below(place, key), depth + 1)
    for key in OF_MANY:
        parts = schema.get(key, ())
        if not isinstance(parts, list | tuple):
            yield f"`{key}`{here} is a list of schemas"
            continue
        for index, part in enumerate(parts):
            yield from _problems(part, root, f"{_below(place, key)}[{index}]", depth + 1)
    for key in OF_NAMED:
        parts = schema.get(key, {})
        if not isinstance(parts, dict):
            yield f"`{key}`{here} is a mapping from names to schemas"
            continue
        for name, part in parts.items():
            yield from _problems(part, root, _below(_below(place, key), str(name)), depth + 1)


def _own_problems(schema: dict[Any, Any], root: Any, here: str) -> Iterator[str]:
    stated = schema.get("type", ())
    for name in stated if isinstance(stated, list | tuple) else [stated]:
        if name not in TYPES:
            yield f"the type{here} is {name!r}; it is one of {', '.join(TYPES)}"
    choices = schema.get("enum", ["any"])
    if not isinstance(choices, list | tuple) or not choices:
        yield f"`enum`{here} is a list of at least one value"
    required = schema.get("required", ())
    if not isinstance(required, list | tuple) or not all(isinstance(name, str) for name in required):
        yield f"`required`{here} is a list of names"
    elif isinstance(properties := schema.get("properties"), dict):
        unknown = [name for name in required if name not in properties]
        if unknown:
            yield f"`required`{here} names '{unknown[0]}', which is none of its properties"
    reference = schema.get("$ref")
    if reference is not None and not _leads_somewhere(reference, root):
        yield f"`$ref: {reference}`{here} leads nowhere within the schema"


def _leads_somewhere(reference: Any, root: Any) -> bool:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    for name in filter(None, reference[1:].split("/")):
        if not isinstance(root, dict) or name not in root:
            return False
        root = root[name]
    return True


def _below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
