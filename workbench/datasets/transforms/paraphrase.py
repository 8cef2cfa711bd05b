"""The same request in other words around it, from templates that the user states."""

from __future__ import annotations

import random
from typing import Any

from pydantic import field_validator

from workbench.datasets.transforms import transform
from workbench.datasets.transforms.base import Transform

SLOT = "{text}"


@transform("paraphrase")
class Paraphrase(Transform):
    """The text is put in the place of `{text}` in one of the templates, drawn for each row.

    It is plain replacement: braces in the data, and all else in the template, stay as they are.
    """

    description = "Put the text into other words, such as “Please help me with this: {text}”."
    shorthand = "templates"

    templates: tuple[str, ...] = (
        "Please help me with this: {text}",
        "{text} Thank you.",
        "I have a question. {text}",
    )

    @field_validator("templates", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("templates")
    @classmethod
    def _each_has_a_place(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("there is no template")
        for template in value:
            if SLOT not in template:
                raise ValueError(f"the template '{template}' has no place for the text; write {SLOT} in it")
        return value

    def text(self, text: str, draw: random.Random) -> str:
        """The text inside a template."""
        return draw.choice(self.templates).replace(SLOT, text)
