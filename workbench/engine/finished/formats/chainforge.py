r"""ChainForge: the responses that a `.cforge` flow keeps of its prompt nodes, and its evaluators' scores.

    {"flow": {"nodes": [{"id": "prompt-1", "type": "prompt", "data": {"prompt": "Answer: {question}"}}, …]},
     "cache": {"prompt-1.json": {"responses_last_run": [{"vars": {"question": "2 + 2?"}, "llm": "GPT4",
                                 "metavars": {"Expected": "4"}, "responses": ["4", "4."], "uid": "…"}]},
               "eval-1.json": [{"uid": "…", "responses": ["4"], "eval_res": {"items": [true]}}]}}

A cell is a template on a model, a row what the variables were, several responses are repeats. The file
is read twice, first for templates and scores, so that only one node's responses are held at a time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.datasets.source import Notes, Source
from workbench.engine.finished.head import Head
from workbench.engine.finished.json_stream import members
from workbench.engine.finished.prompt_stand_ins import as_literal
from workbench.engine.finished.records import Finished, FinishedOutput, ImportSettings, Template, Unmapped
from workbench.engine.finished.registry import FinishedFormat, finished_format

STRINGS = "__s"
"""The cache's table of texts; a number where a text belongs is a place in it."""

OUR_OWN = re.compile(r"__|LLM_\d+$")
"""Metavariables that the tool itself adds: no columns."""

NODE_CACHE = re.compile(r"(?P<node>.+?)(?P<part>_\d+)?\.json")
GRADES = re.compile(r"r\.(?P<uid>.+)\.(?P<what>grade|note)")
WITHOUT_OUTPUTS = frozenset({"comment", "csv", "inspect", "table", "textfields", "vis"})


@dataclass
class _Flow:
    """What the first reading finds."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    strings: list[str] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    """Nodes that keep the responses of their last run."""
    templates: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    scores: dict[str, dict[str, list[tuple[str, Any]]]] = field(default_factory=dict)
    """Evaluator node → response's uid → (text, score) in order."""
    grades: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def text(self, value: Any) -> str:
        """A text, or the text that a number stands for."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(self.strings):
            return self.strings[value]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def texts(self, value: Any) -> dict[str, str]:
        """A response's variables."""
        return {key: self.text(one) for key, one in value.items()} if isinstance(value, dict) else {}


@finished_format("chainforge", suffixes=(".cforge", ".json"))
class ChainForge(FinishedFormat):
    """A flow with its cache."""

    description = "ChainForge's .cforge flows with stored responses and scores."

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """By the flow's nodes."""
        return head.has("flow", "flow.nodes") or (head.has("cache") and head.name.endswith(".cforge"))

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """One output a response."""
        flow = _first_reading(source)
        names = _evaluator_names(flow)
        _note_the_rest(flow, unmapped)
        found = 0
        for path, value in _cache(source):
            place = NODE_CACHE.fullmatch(path)
            if place is None or not isinstance(value, dict):
                continue
            if place["part"] is None:
                responses: Iterable[Any] = value.get("responses_last_run") or ()
            elif place["node"] in flow.ran:
                unmapped.add(f"cache of node '{place['node']}': raw responses and earlier runs")
                continue
            else:
                responses = _flat(value.values())
            for response in responses:
                for output in _outputs(response, place["node"], flow, names, unmapped):
                    found += 1
                    yield output
        if not found:
            raise source.problem(
                "the flow keeps no responses; run it in ChainForge, let it save, and export it again."
            )


def _first_reading(source: Source) -> _Flow:
    flow = _Flow()
    for path, value in members(replace(source, progress=None), Notes(), ("flow.nodes", "cache")):
        key = path.removeprefix("cache.")
        if path == "flow.nodes.[]":
            data = {name: part for name, part in (value.get("data") or {}).items() if name != "fields"}
            flow.nodes[str(value["id"])] = data | {"type": str(value.get("type"))}
        elif not path.startswith("cache."):
            continue
        elif key == STRINGS:
            flow.strings = [str(text) for text in value]
        elif isinstance(value, list):
            _take_scores(flow, key.removesuffix(".json"), value)
        elif (grade := GRADES.fullmatch(key)) is not None:
            if grade["what"] == "grade":
                flow.grades[grade["uid"]] = value
        elif isinstance(value, dict) and (place := NODE_CACHE.fullmatch(key)) is not None:
            responses = value.get("responses_last_run") if place["part"] is None else _flat(value.values())
            for response in responses or ():
                if place["part"] is None:
                    flow.ran.add(place["node"])
                template = (response.get("metavars") or {}).get("__pt")
                if template is not None and template not in flow.templates[place["node"]]:
                    flow.templates[place["node"]].append(template)
    return flow


def _cache(source: Source) -> Iterator[tuple[str, Any]]:
    for path, value in members(source, Notes(), ("cache",)):
        if path.startswith("cache."):
            yield path.removeprefix("cache."), value


def _flat(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Responses, which stand by prompt, singly or in lists."""
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "responses" in one:
                yield one


def _take_scores(flow: _Flow, node: str, responses: list[Any]) -> None:
    by_uid: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for response in responses:
        if isinstance(response, dict) and isinstance(response.get("eval_res"), dict):
            items = response["eval_res"].get("items") or []
            for text, item in zip(response.get("responses") or [], items, strict=False):
                by_uid[str(response.get("uid"))].append((text, item))
    if by_uid:
        flow.scores[node] = by_uid


def _evaluator_names(flow: _Flow) -> dict[str, str]:
    """Evaluator node → what its score is called: its title, else what it does; each name once."""
    names: dict[str, str] = {}
    for node in flow.scores:
        data = flow.nodes.get(node, {})
        name = plain = str(data.get("title") or data.get("operation") or data.get("type") or node)
        number = 1
        while name in names.values():
            number += 1
            name = f"{plain} {number}"
        names[node] = name
    return names


def _note_the_rest(flow: _Flow, unmapped: Unmapped) -> None:
    for node, data in flow.nodes.items():
        title = str(data.get("title") or node)[:80]
        if data["type"] == "evaluator":
            unmapped.add(f"code of evaluator '{title}' (its scores were imported)")
        elif data["type"] not in WITHOUT_OUTPUTS and node not in flow.ran | flow.scores.keys():
            unmapped.add(f"node '{title}' of type {data['type'][:40]}")
        for llm in data.get("llms") or ():
            if isinstance(llm, dict) and llm.get("settings"):
                unmapped.add(f"settings of model '{str(llm.get('name'))[:80]}'")


def _outputs(
    response: Mapping[str, Any], node: str, flow: _Flow, names: Mapping[str, str], unmapped: Unmapped
) -> Iterator[FinishedOutput]:
    variables = flow.texts(response.get("vars", response.get("info")))
    carried = flow.texts(response.get("metavars"))
    row = variables | {key: value for key, value in carried.items() if not OUR_OWN.match(key)}
    llm = response.get("llm")
    model = str(llm.get("name") or llm.get("model")) if isinstance(llm, dict) else flow.text(llm)
    written = (response.get("metavars") or {}).get("__pt", flow.nodes.get(node, {}).get("prompt"))
    template = flow.text(written) if isinstance(written, (str, int)) else flow.text(response.get("prompt"))
    uid = str(response.get("uid"))
    texts = response["responses"]
    tokens = response.get("tokens") or {}
    for number, given in enumerate(texts):
        if isinstance(given, dict):
            if given.get("t") == "img":
                unmapped.add("image among the responses")
                continue
            given = given.get("d", "")
        scores = {
            name: value
            for evaluator, title in names.items()
            for name, value in _score(_item(flow, evaluator, uid, given), title, unmapped)
        }
        if (grade := flow.grades.get(uid, {}).get(str(number))) is not None:
            scores["grade"] = float(bool(grade))
        yield FinishedOutput(
            row_id=_row_id(row),
            row=row,
            prompt=_label(node, template, flow),
            model=model,
            text=flow.text(given),
            reference=_reference(row, flow),
            scores=scores,
            prompt_tokens=tokens.get("prompt_tokens") if len(texts) == 1 else None,
            completion_tokens=tokens.get("completion_tokens") if len(texts) == 1 else None,
            messages=_messages(template, row),
        )


def _item(flow: _Flow, evaluator: str, uid: str, text: Any) -> Any:
    """The score of this text, taken away so that the same text again gets the next one."""
    left = flow.scores[evaluator].get(uid, [])
    for place, (scored, item) in enumerate(left):
        if flow.text(scored) == flow.text(text):
            del left[place]
            return item
    return None


def _score(item: Any, name: str, unmapped: Unmapped) -> Iterator[tuple[str, float]]:
    if isinstance(item, dict):
        for key, value in item.items():
            yield from _score(value, f"{name}: {key}", unmapped)
    elif isinstance(item, (bool, int, float)):
        yield name, float(item)
    elif isinstance(item, str) and item.strip().lower() in ("true", "false"):
        yield name, float(item.strip().lower() == "true")
    elif item is not None:
        unmapped.add(f"score '{name[:80]}' that is no number, such as {str(item)[:40]!r}")


def _reference(row: Mapping[str, str], flow: _Flow) -> str | None:
    """The variable that a simple evaluator holds responses against."""
    for data in flow.nodes.values():
        if data["type"] == "simpleval" and data.get("varSelected") and data.get("varValue") in row:
            return row[data["varValue"]]
    return None


def _label(node: str, template: str, flow: _Flow) -> str:
    """A prompt's title; with its template, or its node's id, where the title alone does not tell."""
    titles = {one: str(flow.nodes.get(one, {}).get("title") or "prompt") for one in {*flow.templates, node}}
    if len(flow.templates.get(node, ())) > 1:
        return f"{titles[node]} {template}"
    shared = list(titles.values()).count(titles[node]) > 1
    return f"{titles[node]} {node}" if shared else titles[node]


def _messages(template: str, row: Mapping[str, str]) -> Template:
    r"""`{name}` becomes a variable where it is a column of the row; `\{` is a brace."""
    parts = re.split(r"(\\[{}]|\{[^{}\n]+\})", template)
    text = ""
    for part in parts:
        if part.startswith("\\") and len(part) == 2:
            text += as_literal(part[1])
        elif part.startswith("{") and part[1:-1].lstrip("=#") in row:
            name = part[1:-1].lstrip("=#")
            text += f"{{{{ {name} }}}}" if name.isidentifier() else f"{{{{ row[{json.dumps(name)}] }}}}"
        else:
            text += as_literal(part)
    return (("user", text),)


def _row_id(row: Mapping[str, str]) -> str:
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]
