"""Small files in the exact shapes of promptfoo, Inspect and lm-evaluation-harness."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from typing import Any

QUESTIONS = [("1 + 1?", "2"), ("2 + 1?", "3"), ("2 + 2?", "4")]


def sample(number: int, reply: str, value: Any = "C", epoch: int = 1, **more: Any) -> dict[str, Any]:
    """A sample of an Inspect log."""
    question, target = QUESTIONS[(number - 1) % len(QUESTIONS)]
    message = {"content": reply, "source": "generate", "role": "assistant"}
    return {
        "id": number,
        "epoch": epoch,
        "input": question,
        "target": target,
        "messages": [
            {"content": "Only the number.", "role": "system"},
            {"content": f"Q: {question}", "source": "input", "role": "user"},
            message,
        ],
        "output": {
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"message": message, "stop_reason": "stop"}],
            "usage": {"input_tokens": 64, "output_tokens": 2, "total_tokens": 66},
            "time": 0.5,
        },
        "scores": {"match": {"value": value, "answer": reply, "explanation": reply}},
        "metadata": {"level": "easy"},
        "store": {},
        "events": [{"event": "sample_init", "timestamp": "2026-01-01T00:00:00"}],
        "model_usage": {"openai/gpt-4o-mini": {"input_tokens": 320, "output_tokens": 9, "total_tokens": 329}},
        "total_time": 1.5,
        "uuid": f"u{number}",
    } | more


def header(model: str = "openai/gpt-4o-mini", status: str = "success", **spec: Any) -> dict[str, Any]:
    """A log without its samples, in the order that Inspect writes."""
    return {
        "version": 2,
        "status": status,
        "eval": {
            "run_id": "r1",
            "created": "2026-01-01T00:00:00+00:00",
            "task": "sums",
            "task_version": 0,
            "dataset": {"name": "sums", "samples": 3},
            "model": model,
            "config": {"epochs": 1},
        }
        | spec,
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}},
        "results": {"total_samples": 3, "completed_samples": 3, "scores": []},
        "stats": {"started_at": "", "completed_at": "", "model_usage": {}},
    }


def written(samples: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    """A log as one document."""
    return header(**given) | {"samples": samples}


def archived(
    samples: list[dict[str, Any]],
    compression: int = zipfile.ZIP_DEFLATED,
    finished: bool = True,
    **given: Any,
) -> bytes:
    """A log as an `.eval` archive, its members in the order that Inspect writes."""
    start = {key: value for key, value in header(**given).items() if key in ("version", "eval", "plan")}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("_journal/start.json", json.dumps(start))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        archive.writestr("_journal/summaries/1.json", "[]")
        if finished:
            archive.writestr("summaries.json", "[]")
            archive.writestr("reductions.json", "[]")
            archive.writestr("header.json", json.dumps(header(**given)))
    return file.getvalue()


def zstandard(members: dict[str, bytes]) -> bytes:
    """An archive with members that are packed by Zstandard, each in two frames."""
    import pyarrow

    codec, body, directory = pyarrow.Codec("zstd"), b"", b""
    for name, content in members.items():
        half = len(content) // 2
        packed = b"".join(codec.compress(part, asbytes=True) for part in (content[:half], content[half:]))
        values = (0, 93, 0, 33, zlib.crc32(content), len(packed), len(content), len(name), 0)
        directory += struct.pack("<4s2H", b"PK\x01\x02", 63, 63) + struct.pack("<4H3I2H", *values)
        directory += struct.pack("<3H2I", 0, 0, 0, 0, len(body)) + name.encode()
        body += struct.pack("<4sH", b"PK\x03\x04", 63) + struct.pack("<4H3I2H", *values)
        body += name.encode() + packed
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(body), 0
    )
    return body + directory + end


def generated(
    number: int, text: str, taken: str, correct: float, taken_by: str = "strict-match"
) -> dict[str, Any]:
    """A sample of a task whose answers are generated."""
    question, answer = QUESTIONS[number]
    return {
        "doc_id": number,
        "doc": {"question": question, "answer": answer},
        "target": answer,
        "arguments": {"gen_args_0": {"arg_0": f"Question: {question}\nAnswer:", "arg_1": {"until": ["\n"]}}},
        "resps": [[text]],
        "filtered_resps": [taken],
        "filter": taken_by,
        "metrics": ["exact_match"],
        "doc_hash": "d" * 64,
        "prompt_hash": "p" * 64,
        "target_hash": "t" * 64,
        "exact_match": correct,
    }


def chosen(number: int, likelihoods: list[float], right: int, old: bool = False) -> dict[str, Any]:
    """A sample of a question with options; files of before 0.4.3 have lists and numbers."""
    options = [" cold", " warm", " hot"]
    sent = [("The sun is", option) for option in options]
    pairs = [[one, False] if old else [str(one), "False"] for one in likelihoods]
    return {
        "doc_id": number,
        "doc": {"ctx": "The sun is", "endings": options, "number": number},
        "target": right if old else str(right),
        "arguments": [list(one) for one in sent]
        if old
        else {f"gen_args_{i}": {"arg_0": one[0], "arg_1": one[1]} for i, one in enumerate(sent)},
        "resps": [[pair] for pair in pairs],
        "filtered_resps": pairs,
        "acc": float(likelihoods.index(max(likelihoods)) == right),
        "acc_norm": 0.0,
    } | ({} if old else {"filter": "none", "metrics": ["acc", "acc_norm"], "doc_hash": "d" * 64})


def by_line(items: list[Any]) -> str:
    """JSON lines."""
    return "".join(json.dumps(item) + "\n" for item in items)


def tried(test: int, prompt: int, output: Any, passed: bool = True, **more: Any) -> dict[str, Any]:
    """A result of promptfoo, as files of version 3 have it."""
    question, answer = QUESTIONS[test]
    raw = ["Q: {{question}}", "Think. {{question}}"][prompt]
    assertion = {"type": "equals", "value": "{{answer}}", "metric": "right"}
    variables = {"question": question, "answer": answer}
    return {
        "cost": 0.0002,
        "error": None if passed else f"Expected output to equal {answer}",
        "gradingResult": {
            "pass": passed,
            "score": float(passed),
            "reason": "All assertions passed",
            "namedScores": {"right": float(passed)},
            "componentResults": [{"pass": passed, "score": float(passed), "assertion": assertion}],
        },
        "id": f"r{test}{prompt}",
        "latencyMs": 540,
        "namedScores": {"right": float(passed)},
        "prompt": {"raw": raw.replace("{{question}}", question), "label": raw},
        "promptId": f"p{prompt}",
        "promptIdx": prompt,
        "provider": {"id": "openai:gpt-4o", "label": ""},
        "response": {
            "output": output,
            "tokenUsage": {"total": 10, "prompt": 9, "completion": 1},
            "cached": False,
            "cost": 0.0002,
        },
        "score": float(passed),
        "success": passed,
        "failureReason": 0 if passed else 1,
        "testCase": {"vars": variables, "assert": [assertion], "options": {}, "metadata": {}},
        "testIdx": test,
        "vars": variables,
        "metadata": {},
    } | more


def evaluation(results: list[dict[str, Any]], **around: Any) -> dict[str, Any]:
    """A file of version 3."""
    prompts = [
        {"raw": raw, "label": raw, "id": f"p{index}", "provider": "openai:gpt-4o", "metrics": {}}
        for index, raw in enumerate(("Q: {{question}}", "Think. {{question}}"))
    ]
    return {
        "evalId": "eval-abc",
        "results": {
            "version": 3,
            "timestamp": "2026-01-01T00:00:00.000Z",
            "prompts": prompts,
            "results": results,
            "stats": {"successes": 1, "failures": 1, "errors": 0, "tokenUsage": {"total": 20}},
        },
        "config": {"description": "sums", "prompts": [], "providers": [], "tests": []},
        "shareableUrl": None,
    } | around
