"""The other end of `metrics.parallel`: rows come in on standard input, their scores go out.

{"spec": "ter", "predictions": ["a b"], "references": [["a c"]]}
{"values": [50.0], "sufficient": [[1.0, 2.0]], "reasons": {}}
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

from workbench.metrics.base import Metric
from workbench.metrics.registry import load_metric


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers each line until there are no more. What cannot be scored is answered with its problem."""
    loaded: dict[str, Metric] = {}
    for line in requests:
        try:
            answer = answered(json.loads(line), loaded)
        except Exception as problem:
            answer = {"problem": f"{type(problem).__name__}: {problem}"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def answered(request: dict[str, Any], loaded: dict[str, Metric]) -> dict[str, Any]:
    """The scores of one request's rows; `loaded` keeps metrics by their specification."""
    spec = request["spec"]
    key = json.dumps(spec, sort_keys=True)
    if key not in loaded:
        loaded[key] = load_metric(spec)
    scores = loaded[key].score_texts(request["predictions"], request["references"])
    return {
        "values": scores.values.tolist(),
        "sufficient": None if scores.sufficient is None else scores.sufficient.tolist(),
        "reasons": scores.reasons,
    }


def main() -> None:
    """Serves the parent; what libraries print goes where nobody reads it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
