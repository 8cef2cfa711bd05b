"""AlpacaEval: `model_outputs.json`, one cell a generator, and `annotations.json`, a rating each.

    [{"instruction": "Name a prime.", "output": "7", "generator": "claude-2", "dataset": "koala"}]
    [{"instruction": "Name a prime.", "output_1": "7", "generator_1": "text_davinci_003", "output_2": "9",
      "generator_2": "vicuna-7b", "annotator": "gpt4", "preference": 1.0}]

A row is an instruction (and its input), so that files of several generators stand beside each other.
A preference is 1 for the first output, 2 for the second, 1.5 (in old files 0) for a draw; one between
is what a judge's probabilities gave, and counts for the nearer side.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.datasets.json_rows import json_type
from workbench.datasets.source import Notes, Source
from workbench.engine.finished.head import Head
from workbench.engine.finished.json_stream import members
from workbench.engine.finished.records import (
    Finished,
    FinishedOutput,
    FinishedPreference,
    ImportSettings,
    Side,
    Unmapped,
)
from workbench.engine.finished.registry import FinishedFormat, finished_format

PROMPT = "instruction"
ROW_KEYS = ("instruction", "input", "dataset", "datasplit")
OUTPUT_KEYS = {"output", "generator", *ROW_KEYS}
ANNOTATION_KEYS = {
    *("output_1", "output_2", "generator_1", "generator_2", "annotator", "preference"),
    *ROW_KEYS,
}


@finished_format("alpaca_eval", suffixes=(".json",))
class AlpacaEval(FinishedFormat):
    """Outputs and annotations, each a list of objects."""

    description = "AlpacaEval's model_outputs.json and annotations.json."

    def recognises(self, head: Head, settings: ImportSettings) -> bool:
        """By the keys that its objects have."""
        if settings.output is not None:
            return False
        return head.has("[].instruction", "[].output", "[].generator") or head.has(
            "[].instruction", "[].output_1", "[].output_2"
        )

    def read(self, source: Source, settings: ImportSettings, unmapped: Unmapped) -> Iterator[Finished]:
        """One output, or one preference, an object."""
        items = 0
        for number, (path, item) in enumerate(members(source, Notes(), streamed=()), 1):
            if path != "[]" or not isinstance(item, dict):
                raise source.counted_in("item").problem(
                    f"expected an object with `instruction` and `output`, found {json_type(item)}.", number
                )
            items += 1
            yield _finished(item, source.counted_in("item"), number, unmapped)
        if not items:
            raise source.problem("the list is empty; it needs at least one output.")


def _finished(item: dict[str, Any], source: Source, number: int, unmapped: Unmapped) -> Finished:
    row = {key: item[key] for key in ROW_KEYS if item.get(key) is not None}
    instruction = _text(item, "instruction", source, number)
    row_id = hashlib.sha256(f"{instruction}\0{row.get('input', '')}".encode("utf-8", "replace")).hexdigest()[
        :16
    ]
    template = "{{ instruction }}\n\n{{ input }}" if "input" in row else "{{ instruction }}"
    messages = (("user", template),)
    annotated = "output_1" in item
    for key in item.keys() - (ANNOTATION_KEYS if annotated else OUTPUT_KEYS):
        unmapped.add(f"key '{key[:80]}' of {'an annotation' if annotated else 'an output'}")
    if not annotated:
        return FinishedOutput(
            row_id=row_id,
            row=row,
            prompt=PROMPT,
            model=str(item.get("generator") or "unknown"),
            text=_text(item, "output", source, number),
            messages=messages,
        )
    value, note = _preference(item, source, number)
    return FinishedPreference(
        row_id=row_id,
        row=row,
        rater=str(item.get("annotator") or "unknown"),
        first=Side(PROMPT, _generator(item, 1), _text(item, "output_1", source, number), messages),
        second=Side(PROMPT, _generator(item, 2), _text(item, "output_2", source, number), messages),
        value=value,
        note=note,
    )


def _generator(item: Mapping[str, Any], side: int) -> str:
    return str(item.get(f"generator_{side}") or f"generator {side}")


def _preference(item: Mapping[str, Any], source: Source, number: int) -> tuple[float | None, str]:
    """1 where the first is preferred, and what a preference in between was."""
    given = item.get("preference")
    if given is None:
        return None, ""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise source.problem(
            f"`preference` is a number from 1 (the first output) to 2 (the second), not {str(given)[:60]!r}.",
            number,
        )
    if math.isnan(given):
        return None, ""
    if given == 0:
        return 0.5, ""
    if not 1 <= given <= 2:
        raise source.problem(
            f"`preference` is 1 (the first output) to 2 (the second), or 0 for a draw; this is {given:g}.",
            number,
        )
    value = 0.5 if given == 1.5 else float(given < 1.5)
    return value, "" if given in (1, 1.5, 2) else f"preference {given:.6g} of 1 to 2"


def _text(item: Mapping[str, Any], key: str, source: Source, number: int) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise source.problem(f"`{key}` is a text, and here it is {json_type(value)}.", number)
    return value
