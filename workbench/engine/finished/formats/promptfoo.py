"""promptfoo: the results of an evaluation, as JSON or JSON lines; one cell a prompt on a provider.

    {"evalId": "eval-…", "config": {…}, "results": {"version": 3,
     "prompts": [{"raw": "Q: {{q}}", "label": "Q: {{q}}", "provider": "openai:gpt-4o"}],
     "results": [{"testIdx": 0, "promptIdx": 0, "provider": {"id": "openai:gpt-4o", "label": ""},
                  "prompt": {"raw": "Q: 2 + 2?", "label": "Q: {{q}}"}, "vars": {"q": "2 + 2?"},
                  "response": {"output": "4", "tokenUsage": {"prompt": 9, "completion": 1}, "cost": 0.0001},
                  "success": true, "score": 1, "namedScores": {}, "latencyMs": 540,
                  "testCase": {"assert": […]}, "gradingResult": {"componentResults": […], …}}]}}

Older files have no `promptIdx`, or only the table that people were shown. A row is a test's variables
(and what it is held against); the same test once more is a repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.datasets.source import Notes, Source
from workbench.engine.finished.head import Head
from workbench.engine.finished.json_stream import members
from workbench.engine.finished.parts import amount_of, count_of, fingerprint, objects, score_of, text_of
from workbench.engine.finished.promptfoo_tests import assertions_of, reference_of, template_of
from workbench.engine.finished.records import Finished, FinishedOutput, ImportSettings, Unmapped
from workbench.engine.finished.registry import FinishedFormat, finished_format

AROUND = ("results", "results.results", "table", "table.body", "results.table", "results.table.body")
TRIED, FAILED = 1, 2
"""Reasons of a failure: an assertion said no; something went wrong."""
KNOWN = {
    *("provider", "prompt", "vars", "response", "error", "success", "score", "latencyMs", "gradingResult"),
    *("namedScores", "testCase", "testIdx", "promptIdx", "promptId", "id", "failureReason", "cost"),
    *("tokenUsage", "description", "metadata", "test", "text", "pass"),
}
GRADED = ("gradingResult", "success", "latencyMs", "namedScores")


@dataclass(frozen=True, slots=True)
class _Column:
    """A prompt on a provider, as a file's head has it."""

    prompt: str
    model: str
    template: str


@dataclass
class _Columns:
    """The columns of a file by `promptIdx`, and the variables' names of its table."""

    columns: list[_Column] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    has_results: bool = False


@finished_format("promptfoo", suffixes=(".json", ".jsonl"))
class PromptfooResults(FinishedFormat):
    """Results of version 3, of version 2 and before, and tables alone."""

    description = "promptfoo's results, as JSON (all versions) or JSON lines."

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """By what a result has, or by the head of a table."""
        if settings.output is not None:
            return False
        if head.name.lower().endswith(".jsonl"):
            return head.has("provider") and sum(map(head.has, GRADED)) > 1
        for place in ("results.results.[].", "results.[]."):
            told = sum(head.has(place + key) for key in (*GRADED, "prompt", "response"))
            if head.has(place + "provider") and told > 1:
                return True
        if head.has("results.results", "results.stats") or head.has("evalId", "results.results"):
            return True
        return head.has("results.table.head", "results.table.body") or head.has("table.head", "table.body")

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """One output a result."""
        found = 0
        if source.suffix == ".jsonl":
            for number, result in objects(source, unmapped):
                if not {"provider", "prompt"} & result.keys():
                    raise source.problem("a result has neither `provider` nor `prompt`.", number)
                found += 1
                yield _output(result, _Columns(), unmapped)
        else:
            columns = _columns(source)
            for path, value in members(source, Notes(), AROUND):
                if path in ("results.results.[]", "results.[]"):
                    found += 1
                    yield _output(value, columns, unmapped)
                elif path.endswith("table.body.[]") and not columns.has_results:
                    for output in _of_table(value, columns, unmapped):
                        found += 1
                        yield output
        if not found:
            raise source.problem("there are no results in it; did the evaluation end before its first one?")


def _columns(source: Source) -> _Columns:
    """What the file says of its columns; they may stand after the results."""
    found = _Columns()
    prompts: list[Any] = []
    for path, value in members(replace(source, progress=None), Notes(), AROUND):
        if path in ("results.prompts", "prompts"):
            prompts = value
        elif path.endswith("table.head"):
            prompts = prompts or value.get("prompts") or []
            found.variables = [str(name) for name in value.get("vars") or []]
        elif path in ("results.results.[]", "results.[]"):
            found.has_results = True
            if prompts:
                break
    found.columns = _named(prompts)
    return found


def _named(prompts: list[Any]) -> list[_Column]:
    """A name for each column's prompt and model, other ones where two would be one."""
    columns: list[_Column] = []
    for prompt in prompts:
        one = prompt if isinstance(prompt, dict) else {"raw": prompt}
        raw = text_of(one.get("raw"))
        label = text_of(one.get("label") or one.get("display") or raw) or "prompt"
        model, number = _model(one.get("provider")), 1
        while any(column.prompt == label and column.template != raw for column in columns):
            number += 1
            label = f"{text_of(one.get('label') or one.get('display') or raw)} ({number})"
        plain, number = model, 1
        while any((column.prompt, column.model) == (label, model) for column in columns):
            number += 1
            model = f"{plain} ({number})"
        columns.append(_Column(label, model, raw))
    return columns


def _model(provider: Any) -> str:
    if isinstance(provider, dict):
        return text_of(provider.get("label") or provider.get("id")) or "unknown"
    return text_of(provider) or "unknown"


def _column(result: Mapping[str, Any], columns: _Columns) -> _Column:
    """The column that a result stands in, from the file's head or from the result itself."""
    index = result.get("promptIdx")
    if isinstance(index, int) and 0 <= index < len(columns.columns):
        return columns.columns[index]
    prompt = result.get("prompt")
    prompt = prompt if isinstance(prompt, dict) else {"raw": prompt}
    label = text_of(prompt.get("label") or prompt.get("display") or prompt.get("raw")) or "prompt"
    model = _model(result.get("provider"))
    for column in columns.columns:
        if column.prompt == label and column.model == model:
            return column
    return _Column(label, model, label if "{{" in label else "")


def _output(result: Any, columns: _Columns, unmapped: Unmapped) -> FinishedOutput:
    test = result.get("testCase") or result.get("test") or {}
    grading = result.get("gradingResult") or {}
    response = result.get("response") or {}
    if not isinstance(response, dict):
        response = {"output": response}
    output = response.get("output")
    text, error = text_of(output), _error(result, response, grading, output)
    column = _column(result, columns)
    ran = result.get("vars") or {}
    variables: dict[str, Any] = test["vars"] if isinstance(test.get("vars"), dict) else ran
    if ran.keys() - variables.keys():
        unmapped.add("variables that came about while the evaluation ran")
    asserts = assertions_of(test, grading)
    for kind in sorted({one.kind for one in asserts}):
        unmapped.add(f"assert '{kind}': what it asks for; its verdict is in the scores")
    for key in sorted(result.keys() - KNOWN):
        unmapped.add(f"key '{key}' of a result")
    for key in sorted({"raw", "logProbs", "audio", "video", "images"} & response.keys()):
        unmapped.add(f"key '{key}' of a response")
    if result.get("metadata") or response.get("metadata"):
        unmapped.add("metadata of a result")
    taken = response.get("tokenUsage") or result.get("tokenUsage") or {}
    latency_ms = amount_of(result.get("latencyMs"))
    cost_usd = amount_of(result.get("cost"))
    failed = result.get("failureReason") == FAILED
    if failed and error is None:
        unmapped.add("scores of an output that could not be graded")
    return FinishedOutput(
        row_id=_row_id(test, result, variables, asserts),
        row=_row(variables, test, result),
        prompt=column.prompt,
        model=column.model,
        text=text,
        reference=reference_of(asserts, variables),
        error=error,
        scores={} if failed else _scores(result, grading, unmapped),
        prompt_tokens=count_of(taken.get("prompt")),
        completion_tokens=count_of(taken.get("completion")),
        latency_s=None if latency_ms is None else latency_ms / 1000,
        cost_usd=amount_of(response.get("cost")) if cost_usd is None else cost_usd,
        messages=template_of(column.template) if column.template else (),
    )


def _error(
    result: Mapping[str, Any], response: Mapping[str, Any], grading: Mapping[str, Any], output: Any
) -> str | None:
    """Why the call failed; what an assertion objects to stands in the same place, and is none."""
    if output not in (None, ""):
        return None
    if said := text_of(response.get("error")):
        return said
    reason, said = result.get("failureReason"), text_of(result.get("error"))
    if reason == FAILED:
        return said or "The call failed; the file does not say why."
    graded = reason == TRIED or (reason is None and grading)
    return None if graded else said or None


def _row(variables: Mapping[str, Any], test: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    row = {key or "(no name)": value for key, value in variables.items() if key != "_conversation"}
    described = test.get("description") or result.get("description")
    if described and "description" not in row:
        row["description"] = described
    return row


def _row_id(
    test: Mapping[str, Any], result: Mapping[str, Any], variables: Mapping[str, Any], asserts: list[Any]
) -> str:
    """A name that the same test has in every file."""
    held = [[one.kind, one.value] for one in asserts]
    described = test.get("description") or result.get("description") or ""
    same = [{key: value for key, value in variables.items() if key != "_conversation"}, described, held]
    return f"test-{fingerprint(same, 12)}"


def _scores(
    result: Mapping[str, Any], grading: Mapping[str, Any], unmapped: Unmapped
) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, given in (
        ("pass", grading.get("pass", result.get("success", result.get("pass")))),
        ("score", result.get("score", grading.get("score"))),
    ):
        if given is not None:
            found[name] = score_of(given, name, unmapped)
    for name, value in (result.get("namedScores") or grading.get("namedScores") or {}).items():
        key = f"named {name}" if name in ("pass", "score") else name or "unnamed"
        found[key] = score_of(value, key, unmapped)
    for key, what in (("reason", "reasons of gradings"), ("comment", "comments on gradings")):
        if grading.get(key):
            unmapped.add(what)
    return found


def _of_table(line: Any, columns: _Columns, unmapped: Unmapped) -> Iterator[FinishedOutput]:
    """The outputs of one line of a table, each in its column."""
    values = line.get("vars") or []
    variables = dict(zip(columns.variables, values, strict=False))
    for index, output in enumerate(line.get("outputs") or []):
        if output is None:
            continue
        result = dict(output) if isinstance(output, dict) else _of_cell(text_of(output))
        result |= {"promptIdx": index, "vars": variables, "description": line.get("description")}
        result.setdefault("testCase", line.get("test") or {})
        response = result.get("response")
        response = dict(response) if isinstance(response, dict) else {}
        response.setdefault("output", result.get("text"))
        result["response"] = response
        yield _output(result, columns, unmapped)


def _of_cell(text: str) -> dict[str, Any]:
    """A cell of the first tables: `[PASS] the output`, `[FAIL] why not` and the output after a rule."""
    if text.startswith("[PASS]"):
        return {"text": text.removeprefix("[PASS]").strip(), "pass": True}
    if text.startswith("[FAIL]"):
        why, rule, output = text.removeprefix("[FAIL]").partition("\n---\n")
        return {"text": (output if rule else why).strip(), "pass": False}
    return {"text": text}
