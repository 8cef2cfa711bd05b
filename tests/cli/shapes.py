"""The JSON of DESIGN section 6 as shapes, and what a document lacks of its shape.

    problems({"run": 7}, {"run": str})  →  ["run: 7 is no str"]

A shape is a type, a tuple of types, a list of one shape, or a dict of shapes; more keys are allowed.
"""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)
MAYBE_NUMBER = (int, float, type(None))
HASH = str

METRIC = {"mean": MAYBE_NUMBER, "low": MAYBE_NUMBER, "high": MAYBE_NUMBER, "n": int}
CELL = {
    "prompt": str,
    "version": HASH,
    "model": str,
    "sampling": dict,
    "rows": int,
    "errors": int,
    "metrics": dict,
    "tokens": {"prompt": int, "completion": int, "cached": int},
    "cost_usd": NUMBER,
    "latency_s": {"p50": NUMBER, "p95": NUMBER},
}
RUN = {
    "run": str,
    "experiment": str,
    "status": str,
    "calls": int,
    "cached": int,
    "errors": int,
    "seconds": NUMBER,
    "cost_usd": NUMBER,
    "cells": [CELL],
}
COMPARE = {
    "run": str,
    "metric": str,
    "baseline": {"prompt": str, "model": str},
    "comparisons": [
        {
            "prompt": str,
            "model": str,
            "difference": MAYBE_NUMBER,
            "low": MAYBE_NUMBER,
            "high": MAYBE_NUMBER,
            "p": MAYBE_NUMBER,
            "p_adjusted": MAYBE_NUMBER,
            "n": int,
            "verdict": str,
            "rows_needed": (int, type(None)),
        }
    ],
}
SCORE = {"rows": int, "metrics": dict}
SCORED = {"value": MAYBE_NUMBER, "low": MAYBE_NUMBER, "high": MAYBE_NUMBER}


def problems(document: Any, shape: Any, where: str = "") -> list[str]:
    """Every place where the document does not have the shape."""
    if isinstance(shape, dict):
        if not isinstance(document, dict):
            return [f"{where}: {document!r} is no object"]
        return [
            problem
            for key, inner in shape.items()
            for problem in (
                problems(document[key], inner, f"{where}.{key}".lstrip("."))
                if key in document
                else [f"{where}.{key} is missing".lstrip(".")]
            )
        ]
    if isinstance(shape, list):
        if not isinstance(document, list):
            return [f"{where}: {document!r} is no list"]
        return [
            found
            for index, item in enumerate(document)
            for found in problems(item, shape[0], f"{where}[{index}]")
        ]
    if isinstance(document, bool) and shape is not bool:
        return [f"{where}: {document!r} is a boolean"]
    names = shape if isinstance(shape, tuple) else (shape,)
    return (
        []
        if isinstance(document, names)
        else [f"{where}: {document!r} is no {'/'.join(t.__name__ for t in names)}"]
    )
