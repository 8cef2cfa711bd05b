"""Items of a few words for tests of collections."""

from __future__ import annotations

from typing import Any

from workbench.core.collection import Item, Origin

OF_ORIGIN = Origin.__dataclass_fields__.keys() - {"rejected"}


def item(question: str, completion: str = "yes", **more: Any) -> Item:
    """An item of one question; scores, prompt, model and the like go to its origin."""
    known = {key: more.pop(key) for key in list(more) if key in OF_ORIGIN}
    return Item(
        messages=({"role": "user", "content": question},),
        completion=completion,
        origin=Origin(known.pop("kind", "output"), **known),
        **more,
    )
