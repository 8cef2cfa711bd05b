"""Two very small language models that travel inside the package, and everything that made them.

from workbench.models.embedded import embedded_path
AutoModelForCausalLM.from_pretrained(embedded_path("small"))
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.errors import UnknownName

EMBEDDED = ("nano", "small")

_FOLDER = Path(__file__).parent


def embedded_path(name: str) -> Path:
    """The folder with the weights, tokenizer and configuration of an embedded model."""
    folder = _FOLDER / "weights" / name
    if name not in EMBEDDED or not (folder / "model.safetensors").exists():
        raise UnknownName("embedded model", name, EMBEDDED)
    return folder


def card() -> dict[str, Any]:
    """The model card as data: sizes, training curves, measurements and which claims hold."""
    return json.loads((_FOLDER / "card.json").read_text(encoding="utf-8"))
