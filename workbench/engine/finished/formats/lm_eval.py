"""lm-evaluation-harness: the samples that it logs, one file a task and model, one object a row and filter.

    MODEL/samples_gsm8k_2026-11-01T10-00-00.jsonl
    {"doc_id": 0, "doc": {"question": "…", "answer": "… #### 18"}, "target": "18",
     "arguments": {"gen_args_0": {"arg_0": "Question: …\\nAnswer:", "arg_1": {"until": ["Question:"]}}},
     "resps": [["… #### 18"]], "filtered_resps": ["18"], "filter": "strict-match",
     "metrics": ["exact_match"], "exact_match": 1.0, "doc_hash": "…"}

A cell is a task, read by one of its filters, on a model: filters read the same texts in other ways. Of a
question with options (log-likelihoods) the text is the likeliest option. A file that ends in the middle
of a line is taken up to there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.datasets.source import Source
from workbench.engine.finished.head import Head
from workbench.engine.finished.parts import file_name, fingerprint, objects, score_of, text_of
from workbench.engine.finished.records import Finished, FinishedOutput, ImportSettings, Unmapped
from workbench.engine.finished.registry import FinishedFormat, finished_format

NOT_METRICS = {
    *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"),
    *("doc_hash", "prompt_hash", "target_hash"),
}
NAMED = re.compile(r"samples_(?P<task>.+?)(_\d{4}-\d\d-\d\dT[\d.:+-]+)?\.jsonl?", re.DOTALL)


@finished_format("lm_eval", suffixes=(".jsonl", ".json"))
class LmEvalSamples(FinishedFormat):
    """Logged samples of one task."""

    description = "lm-evaluation-harness: logged samples (samples_TASK_….jsonl)."

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """By the keys that every sample has."""
        return settings.output is None and head.has("doc_id", "doc", "resps", "filtered_resps")

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """One output a row, filter and repeat."""
        task = _task(source)
        model = settings.model_name or _model(source, unmapped)
        found = False
        for number, sample in objects(source, unmapped):
            if "doc_id" not in sample or "doc" not in sample:
                raise source.problem(
                    "a sample has no `doc_id` or no `doc`; is this a file of samples?", number
                )
            found = True
            yield from _outputs(sample, task, model, unmapped)
        if not found:
            raise source.problem("the file has no samples.")


def _task(source: Source) -> str:
    named = NAMED.fullmatch(file_name(source))
    return named["task"] if named else file_name(source).rsplit(".", 1)[0]


def _model(source: Source, unmapped: Unmapped) -> str:
    """The model's name from the folder, where the harness writes it with `__` for a slash."""
    if source.path is None:
        unmapped.add(f"{file_name(source)}: the model's name, which only the file's folder tells")
        return "unknown"
    folder = source.path.resolve().parent.name
    organisation, slash, name = folder.partition("__")
    return f"{organisation}/{name}" if slash and organisation and "__" not in name else folder or "unknown"


def _outputs(
    sample: Mapping[str, Any], task: str, model: str, unmapped: Unmapped
) -> Iterator[FinishedOutput]:
    doc = sample["doc"]
    row = {key or "(no name)": value for key, value in doc.items()} if isinstance(doc, dict) else {"doc": doc}
    taken_by = str(sample.get("filter") or "none")
    if sample.get("arguments"):
        unmapped.add("the text that was sent, with its examples")
    target = sample.get("target")
    options = _options(sample)
    answers: list[str | None]
    if options:
        texts = [options[_likeliest(sample, len(options))]]
        answers = [texts[0].strip()]
        target = _right_options(target, options)
        unmapped.add("log-likelihoods of options")
    elif _is_likelihood(sample.get("resps")):
        texts, answers = [""], [None]
        unmapped.add("log-likelihood of a text that was given; there is no output to show")
    else:
        texts = [text_of(text) for text in _responses(sample.get("resps"))] or [""]
        answers = _answers(sample.get("filtered_resps"), len(texts), taken_by)
    for repeat, text in enumerate(texts):
        yield FinishedOutput(
            row_id=f"{task}:{sample['doc_id']}:{fingerprint(doc)}",
            row=row,
            prompt=task if taken_by == "none" else f"{task} {taken_by}",
            model=model,
            text=text,
            reference=target if target != "" else None,
            repeat=repeat,
            answer=answers[repeat],
            scores=_scores(sample, unmapped) if repeat == 0 else {},
        )


def _responses(resps: Any) -> list[Any]:
    """Responses, which stand by request and repeat; a row whose text is generated has one request."""
    return [one for request in resps or [] for one in (request if isinstance(request, list) else [request])]


def _answers(filtered: Any, count: int, taken_by: str) -> list[str | None]:
    """What the filter read out of the texts: one for each repeat, or one for all, which the first keeps."""
    if taken_by == "none":
        return [None] * count
    found = [text_of(one) for one in _responses(filtered)]
    return [*found, *[None] * count][:count]


def _requests(sample: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(what was sent, what follows) of every request; older files have lists in place of objects."""
    given = sample.get("arguments") or []
    pairs = []
    for one in given.values() if isinstance(given, dict) else given:
        sent, following = [*(one.values() if isinstance(one, dict) else one), None, None][:2]
        pairs.append((text_of(sent), text_of(following)))
    return pairs


def _is_likelihood(resps: Any) -> bool:
    """Whether each response is a log-likelihood: a number and whether it is the greedy text."""
    responses = _responses(resps)
    return bool(responses) and all(
        (len(one) == 2 and str(one[1]) in ("True", "False") and _likelihood(one) is not None)
        if isinstance(one, list)
        else isinstance(one, (int, float))
        for one in responses
    )


def _options(sample: Mapping[str, Any]) -> list[str]:
    """The options of a question, in order; [] where the output is a text of its own."""
    requests = _requests(sample)
    if len(requests) < 2 or not _is_likelihood(sample.get("resps")):
        return []
    sent, following = [one for one, _ in requests], [other for _, other in requests]
    half = len(requests) // 2
    if len(requests) % 2 == 0 and half > 1 and following[:half] == following[half:] and len(set(sent)) > 1:
        following = following[:half]  # each option stands once more, without the question
    return sent if len(set(following)) == 1 else following


def _likeliest(sample: Mapping[str, Any], count: int) -> int:
    found = [_likelihood(one) for one in _responses(sample["resps"])[:count]]
    ranked = [float("-inf") if one is None else one for one in found]
    return ranked.index(max(ranked))


def _likelihood(response: Any) -> float | None:
    """Newer files have numbers as texts."""
    try:
        found = float(response[0] if isinstance(response, list) else response)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if found != found else found


def _right_options(target: Any, options: list[str]) -> Any:
    """The right option's text: files tell its number, sometimes its text, or several numbers in a list."""
    numbers = re.findall(r"\d+", str(target)) if re.fullmatch(r"[\[\]\d, ]{1,60}", str(target)) else []
    texts = [options[number].strip() for number in map(int, numbers) if number < len(options)]
    if texts and len(texts) == len(numbers):
        return texts if len(texts) > 1 else texts[0]
    return target.strip() if isinstance(target, str) else target


def _scores(sample: Mapping[str, Any], unmapped: Unmapped) -> dict[str, float | None]:
    named = sample.get("metrics")
    names = named if isinstance(named, list) else [key for key in sample if key not in NOT_METRICS]
    found: dict[str, float | None] = {}
    for name in names:
        value = sample.get(name)
        if isinstance(value, (list, dict)):
            unmapped.add(f"metric '{name}': parts of a score over all rows")
        else:
            found[name] = score_of(value, name, unmapped)
    return found
