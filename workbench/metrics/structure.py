"""The shape of an output: is it JSON, does it keep to a schema, does it match a pattern?

    {name: json_schema, schema: {type: object, required: [city]}}
    {name: regex, pattern: "^(yes|no)"}

They read the whole output unless `of: answer` says otherwise; no answer is an empty text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.errors import MetricError, Unscored
from workbench.metrics.base import Metric, Reads
from workbench.metrics.registry import metric
from workbench.metrics.settings import check_flag, check_pattern

_MATCHING_S = 1.0


class StructureMetric(Metric):
    """Base of the metrics of an output's shape: 1 or 0 a row, the share is the score."""

    kind = "proportion"
    reads: Reads = "text"
    no_answer = None
    needs_reference = False


@metric
class JsonValid(StructureMetric):
    """1 when the whole text is one JSON document, else 0; the share is the score, higher is better.

    JSON as RFC 8259 has it: NaN, Infinity, comments and single quotes are none, and neither is JSON
    inside a Markdown fence or between other words (read it out with an answer rule and `of: answer`).
    """

    name = "json_valid"
    description = "Share of outputs that are one JSON document."
    source = "RFC 8259, as Python's json module reads it, without NaN and Infinity."

    def score_one(self, prediction: str, references: list[str]) -> float:
        return float(_json(prediction) is not _NO_JSON)


@metric
class JsonSchema(StructureMetric):
    """1 when the whole text is a JSON document that the schema holds for, else 0; the share is the score.

    Higher is better.

    Args:
        schema: a JSON schema (draft 2020-12) as a mapping; references lead within it only.
    """

    name = "json_schema"
    description = "Share of outputs that are JSON and keep to a schema."
    source = "JSON Schema draft 2020-12, by the package jsonschema."

    def __init__(self, schema: Mapping[str, Any] | bool | None = None) -> None:
        from workbench.core.json_schema import schema_problem

        if schema is None:
            raise MetricError(f"Metric '{self.name}' needs `schema`, a JSON schema such as {{type: object}}.")
        problem = schema_problem(schema)
        if problem is not None:
            raise MetricError(f"Metric '{self.name}': `schema` cannot be used: {problem}.")
        self._validator = _validator(self.name, schema)

    def score_one(self, prediction: str, references: list[str]) -> float:
        document = _json(prediction)
        if document is _NO_JSON:
            return 0.0
        try:
            return float(self._validator.is_valid(document))
        except RecursionError:
            raise Unscored("The schema leads back to itself too often to be checked.") from None


@metric
class Regex(StructureMetric):
    """1 when the pattern is found in the text, else 0; the share is the score.

    A search that takes longer than a second leaves its row unscored. Higher is better.

    Args:
        pattern: a regular expression of Python's; `(?i)` in front ignores case.
        full: whether the whole text must match, outer whitespace aside.
    """

    name = "regex"
    description = "Share of outputs in which a regular expression is found."
    source = "Python's regular expressions, by the package regex."

    def __init__(self, pattern: str | None = None, full: bool = False) -> None:
        self._pattern = check_pattern(self.name, "pattern", pattern)
        self._full = check_flag(self.name, "full", full)

    def score_one(self, prediction: str, references: list[str]) -> float:
        try:
            if self._full:
                found = self._pattern.fullmatch(prediction.strip(), timeout=_MATCHING_S)
            else:
                found = self._pattern.search(prediction, timeout=_MATCHING_S)
        except TimeoutError:
            raise Unscored(
                f"The pattern was not matched within {_MATCHING_S:g} s; a simpler one would be."
            ) from None
        return float(found is not None)


_NO_JSON = object()


def _json(text: str) -> Any:
    """The document that the whole text is, or `_NO_JSON`. Raises Unscored where nobody could tell."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_whole_number)
    except RecursionError:
        raise Unscored("The JSON is nested too deeply to be read.") from None
    except ValueError:
        return _NO_JSON


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _whole_number(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise Unscored(f"The JSON has a number of {len(digits)} digits, too many to be read.") from None


def _validator(name: str, schema: Any) -> Any:
    """A validator that fetches nothing and whose patterns cannot run away."""
    import jsonschema
    import regex
    from referencing import Registry

    def pattern(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Any:
        if not isinstance(instance, str):
            return
        try:
            found = regex.search(wanted, instance, timeout=_MATCHING_S)
        except TimeoutError:
            raise Unscored(f"A pattern of the schema was not matched within {_MATCHING_S:g} s.") from None
        if found is None:
            yield jsonschema.ValidationError(f"does not match {wanted}")

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as problem:
        raise MetricError(f"Metric '{name}': `schema` cannot be used: {problem.message}.") from None
    for wanted in _patterns(schema):
        check_pattern(name, "schema", wanted)
    guarded = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": pattern})
    return guarded(schema, registry=Registry())


def _patterns(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
        return own + [found for part in schema.values() for found in _patterns(part)]
    if isinstance(schema, list | tuple):
        return [found for part in schema for found in _patterns(part)]
    return []
