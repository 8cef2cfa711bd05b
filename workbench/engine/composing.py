"""Composing: a prompt and a row become chat messages, few-shot examples included."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from workbench.core.dataset import Dataset, guess_reference
from workbench.core.model import ChatMessage
from workbench.core.prompt import Prompt
from workbench.datasets import DatasetStore
from workbench.prompting.render import Renderer
from workbench.prompting.select import build_selector

SENT_TO_NO_ONE: Mapping[str, Any] = {}


class Composer:
    """Builds each prompt's renderer and example selector once, then serves every row."""

    def __init__(self, datasets: DatasetStore, dataset: Dataset | None) -> None:
        self._datasets = datasets
        self._dataset = dataset
        self._prepared: dict[str, tuple[Renderer, Any]] = {}

    def messages(
        self, prompt: Prompt, row: Mapping[str, Any], extra: Mapping[str, Any] = SENT_TO_NO_ONE
    ) -> tuple[ChatMessage, ...]:
        """The messages for one row. `extra` are variables beside the row's columns, such as candidates."""
        renderer, selector = self._prepare(prompt)
        examples = selector.select(row) if selector is not None else ()
        if prompt.examples is not None and prompt.examples.shuffle is not None:
            examples = list(examples)
            random.Random(f"{prompt.examples.shuffle} {row.get('id')}").shuffle(examples)
        return tuple(renderer.messages({**extra, **row} if extra else row, examples))

    def _prepare(self, prompt: Prompt) -> tuple[Renderer, Any]:
        # by version, not by name: a page tries unsaved edits of one name
        key = prompt.version
        if key not in self._prepared:
            self._prepared[key] = self._build(prompt)
        return self._prepared[key]

    def _build(self, prompt: Prompt) -> tuple[Renderer, Any]:
        reference = self._dataset.reference if self._dataset else None
        examples = prompt.examples
        if examples is None or examples.count == 0:
            return Renderer(prompt, reference), None
        if examples.from_ is not None:
            name, _, split = examples.from_.partition("#")
            source = self._datasets.load(name, split=split)
            pool, reference = list(source.rows), source.reference
        else:
            pool = [dict(row) for row in examples.rows or ()]
            reference = reference or guess_reference(list(pool[0]) if pool else [])
        renderer = Renderer(prompt, reference)

        def text_of(row: Mapping[str, Any]) -> str:
            if examples.by is not None and examples.select != "balanced":
                return str(row.get(examples.by, ""))
            used = [str(row[name]) for name in sorted(renderer.variables) if name in row]
            return " ".join(used) or " ".join(str(value) for value in row.values())

        return renderer, build_selector(examples, pool, text_of, reference)
