"""Inspect: logs of evaluations, as `.json` and as the `.eval` archive; one cell a task on a model.

    {"version": 2, "status": "success", "eval": {"task": "popularity", "model": "openai/gpt-4o-mini", …},
     "samples": [{"id": 1, "epoch": 1, "input": "Is …?", "target": "Yes", "messages": […],
                  "output": {"choices": [{"message": {"content": "Yes"}}], "usage": {"input_tokens": 64, …}},
                  "scores": {"match": {"value": "C", "answer": "Yes"}}, "metadata": {}, "total_time": 0.6}]}

An `.eval` archive has the same in `header.json` (or, while it runs, `_journal/start.json`) and one member
a sample. Logs of a task by several models meet on the same rows; epochs are repeats. Of a log that was
cancelled, or cut short, the whole samples are taken, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.datasets.source import Notes, Source
from workbench.engine.finished.head import Head
from workbench.engine.finished.inspect_texts import Attachments, messages_of, reply_of, row_text, template_of
from workbench.engine.finished.json_stream import CutShort, members
from workbench.engine.finished.parts import amount_of, count_of, file_name, fingerprint, score_of, text_of
from workbench.engine.finished.records import Finished, FinishedOutput, ImportSettings, Unmapped
from workbench.engine.finished.registry import FinishedFormat, finished_format
from workbench.engine.finished.zip_members import START, Archive

LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Correct, incorrect, partly, no answer."""

HEADER, JOURNAL = "header.json", "_journal/start.json"
SAMPLE = re.compile(r"samples/(?P<id>.+)_epoch_(?P<epoch>\d+)(\.json|/sample\.json)", re.DOTALL)
LEFT_OUT = {
    "events": "what happened during a sample",
    "store": "a sample's store",
    "files": "a sample's files",
    "setup": "a sample's setup script",
    "error_retries": "errors that were tried again",
}
UNNAMED = "88F74D2C"
"""How logs of the first versions call the score of their one scorer."""


@dataclass(frozen=True, slots=True)
class _Log:
    """What a log says of all of its samples."""

    source: Source
    task: str
    prompt: str
    model: str
    scorer: str
    """What a score without a name is called."""


@finished_format("inspect", suffixes=(".eval", ".json"))
class InspectLogs(FinishedFormat):
    """One log a file."""

    description = "Inspect's logs, .eval and .json: finished, cancelled or cut short."

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """By the archive's mark, or the keys of a log's header."""
        if settings.output is not None:
            return False
        if head.name.lower().endswith(".eval"):
            return head.start.startswith(START)
        return head.has("eval", "eval.task", "eval.model") and (head.has("status") or head.has("samples"))

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """One output a sample and epoch."""
        with_samples = _archived if source.suffix == ".eval" else _written
        found = 0
        for log, sample in with_samples(source, unmapped):
            if not isinstance(sample, dict) or "id" not in sample:
                raise log.source.problem("a sample has no `id`; is this a log of Inspect?")
            found += 1
            yield _output(log, sample, unmapped)
        if not found:
            unmapped.add(f"{file_name(source)}: all of it, as it has no samples")


def _written(source: Source, unmapped: Unmapped) -> Iterator[tuple[_Log, dict[str, Any]]]:
    """The samples of a `.json` log, in memory for one at a time."""
    header: dict[str, Any] = {}
    for path, value in members(replace(source, progress=None), Notes(), ("samples",)):
        if path != "samples.[]":
            header[path] = value
        elif "eval" in header:
            break
    log = _log(source, header, unmapped)
    found = 0
    try:
        for path, value in members(source, Notes(), ("samples",)):
            if path == "samples.[]":
                found += 1
                yield log, value
    except CutShort as error:
        if not found:
            raise
        unmapped.add(f"{file_name(source)}: what stood after its whole samples; it ends in line {error.line}")


def _archived(source: Source, unmapped: Unmapped) -> Iterator[tuple[_Log, dict[str, Any]]]:
    """The samples of an `.eval` archive, unpacked one at a time."""
    with Archive(source) as archive:
        present = set(archive.names)
        name = next((name for name in (HEADER, JOURNAL) if name in present), None)
        if name is None:
            raise source.problem(f"the archive has neither {HEADER} nor {JOURNAL}; is it a log of Inspect?")
        log = _log(source, _document(archive.member(name)), unmapped)
        if archive.cut_short:
            unmapped.add(f"{file_name(source)}: what stood after its whole samples; it ends early")
        for name in sorted(filter(SAMPLE.fullmatch, present), key=_by_number):
            member = archive.member(name)
            sample = _document(member)
            archive.done(name)
            yield replace(log, source=member), sample
        source.at(source.size_bytes)


def _document(source: Source) -> dict[str, Any]:
    """A member without the long list of its events."""
    found = {}
    for path, value in members(source, Notes(), ("events",)):
        if path == "events.[]":
            found["events"] = True
        else:
            found[path] = value
    return found


def _by_number(name: str) -> list[tuple[int, int | str]]:
    """Orders `samples/9_…` before `samples/10_…`."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdigit() and len(part) < 20 else (1, part) for part in parts]


def _log(source: Source, header: Mapping[str, Any], unmapped: Unmapped) -> _Log:
    spec = header.get("eval")
    if not isinstance(spec, dict) or not spec.get("task") or not spec.get("model"):
        raise source.problem("the log does not say its `eval.task` and `eval.model`; is it complete?")
    status = header.get("status") or "started"
    if status != "success":
        why = {"started": "as the log is not finished", "cancelled": "as the evaluation was cancelled"}
        unmapped.add(
            f"{file_name(source)}: samples that were not made, "
            + why.get(status, "as the evaluation ended in an error")
        )
    for key, what in (("results", "metrics over all samples"), ("reductions", "scores reduced over epochs")):
        if header.get(key):
            unmapped.add(f"{what}; they are computed anew")
    task = str(spec["task"]).rpartition("/")[2] or str(spec["task"])
    scorers = [one.get("name") for one in spec.get("scorers") or [] if isinstance(one, dict)]
    return _Log(
        source,
        task,
        _prompt_name(task, spec),
        str(spec["model"]),
        str(scorers[0]) if scorers and scorers[0] else "score",
    )


def _prompt_name(task: str, spec: Mapping[str, Any]) -> str:
    """What makes two logs of a task two prompts: its arguments, and a solver in place of its own."""
    name = task + _arguments(spec.get("task_args_passed", spec.get("task_args")))
    if spec.get("solver"):
        passed = spec.get("solver_args_passed", spec.get("solver_args"))
        name += f" · {spec['solver']}{_arguments(passed)}"
    return name


def _arguments(given: Any) -> str:
    if not isinstance(given, dict) or not given:
        return ""
    return f" ({', '.join(f'{key}={text_of(value)[:40]}' for key, value in given.items())})"


def _output(log: _Log, sample: dict[str, Any], unmapped: Unmapped) -> FinishedOutput:
    attachments = Attachments(sample)
    asked = messages_of(sample.get("input"), attachments, unmapped)
    target, choices = sample.get("target"), sample.get("choices") or None
    row: dict[str, Any] = {"input": row_text(asked)}
    if choices:
        row["choices"] = choices
    for key, value in (sample.get("metadata") or {}).items():
        row[f"metadata {key}" if key in row else key or "metadata"] = value
    output = sample.get("output") or {}
    usage = output.get("usage") or (sample.get("model_usage") or {}).get(log.model) or {}
    scores, answers = _scores(log, sample, unmapped)
    epoch = sample.get("epoch", 1)
    for key, what in LEFT_OUT.items():
        if sample.get(key):
            unmapped.add(what)
    if sample.get("invalidation"):
        unmapped.add("the mark of a sample that it is invalid")
    if sample.get("limit"):
        unmapped.add("the limit that ended a sample")
    same = [row["input"], choices, target]
    return FinishedOutput(
        row_id=f"{log.task}:{sample['id']}:{fingerprint(same)}",
        row=row,
        prompt=log.prompt,
        model=log.model,
        text=reply_of(sample, attachments, unmapped),
        reference=_reference(target),
        repeat=max(epoch - 1, 0) if isinstance(epoch, int) else None,
        answer=answers[0] if answers else None,
        error=_error(sample.get("error")),
        scores=scores,
        prompt_tokens=count_of(usage.get("input_tokens")),
        completion_tokens=count_of(usage.get("output_tokens")),
        latency_s=next(
            (
                seconds
                for seconds in (output.get("time"), sample.get("working_time"), sample.get("total_time"))
                if amount_of(seconds) is not None
            ),
            None,
        ),
        cost_usd=amount_of(usage.get("total_cost")),
        messages=template_of(sample, asked, attachments),
    )


def _reference(target: Any) -> Any:
    """The right answer, or a list of several; None where there is none."""
    if isinstance(target, list):
        return _reference(target[0]) if len(target) == 1 else target or None
    return target if target != "" else None


def _error(error: Any) -> str | None:
    if not error:
        return None
    return text_of(error.get("message") or error) if isinstance(error, dict) else text_of(error)


def _scores(
    log: _Log, sample: Mapping[str, Any], unmapped: Unmapped
) -> tuple[dict[str, float | None], list[str]]:
    """Every score as numbers by name, and the answers that scorers read out of the text."""
    given = sample.get("scores") or ({log.scorer: sample["score"]} if sample.get("score") else {})
    found: dict[str, float | None] = {}
    answers = []
    for name, score in given.items():
        if not isinstance(score, dict):
            score = {"value": score}
        _take(log.scorer if name == UNNAMED else name, score.get("value"), found, unmapped)
        if isinstance(score.get("answer"), str) and score["answer"].strip():
            answers.append(score["answer"])
        for key, what in (("explanation", "explanations"), ("metadata", "metadata"), ("history", "edits")):
            if score.get(key):
                unmapped.add(f"{what} of scores")
    if len(set(answers)) > 1:
        unmapped.add("answers of scorers that differ from the first scorer's")
    return found, answers


def _take(name: str, value: Any, found: dict[str, float | None], unmapped: Unmapped) -> None:
    """A score's value; each part of one that has several, under a name of its own."""
    if isinstance(value, dict):
        for key, part in value.items():
            _take(f"{name}: {key}", part, found, unmapped)
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            _take(f"{name}: {number}", part, found, unmapped)
    elif isinstance(value, str) and value in LETTERS:
        found[name] = LETTERS[value]
    else:
        found[name] = score_of(value, name, unmapped)
