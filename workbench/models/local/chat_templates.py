"""Chat templates for models that bring none: known ones by name, or a person's own .jinja file.

- {name: base, provider: transformers, model: ./models/base, chat_template: chatml}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ModelUnavailable

FOLDER = Path(__file__).parent / "templates"
LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A template that ships with the workbench."""

    name: str
    made_for: str
    end: str | None = None
    """What ends a turn; where it is one token of the model's vocabulary, answers end with it."""


_KNOWN = (
    KnownTemplate("chatml", "Qwen, SmolLM, Yi and many others", "<|im_end|>"),
    KnownTemplate("llama3", "Llama 3 and later", "<|eot_id|>"),
    KnownTemplate("mistral", "Mistral and Mixtral"),
    KnownTemplate("gemma", "Gemma", "<end_of_turn>"),
    KnownTemplate("phi3", "Phi-3", "<|end|>"),
    KnownTemplate("zephyr", "Zephyr, TinyLlama"),
    KnownTemplate("alpaca", "instruction tuning in the manner of Alpaca"),
    KnownTemplate("plain", "base models: the messages' texts, a line each"),
)
CHAT_TEMPLATES: dict[str, KnownTemplate] = {one.name: one for one in _KNOWN}


def template_text(chosen: str, model: str) -> str:
    """The template of that name, or in that .jinja file. Raises ModelUnavailable."""
    if chosen in CHAT_TEMPLATES:
        return (FOLDER / f"{chosen}.jinja").read_text("utf-8").rstrip("\n")
    if not chosen.endswith(".jinja"):
        raise _unusable(f"there is no chat template '{chosen}'", model)
    file = Path(chosen).expanduser()
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise _unusable(f"the chat template '{chosen}' is larger than {LARGEST_BYTES:,} bytes", model)
        return file.read_text("utf-8")
    except OSError as problem:
        raise _unusable(f"the chat template '{chosen}' cannot be read ({problem.strerror})", model) from None
    except UnicodeDecodeError:
        raise _unusable(f"the chat template '{chosen}' is not UTF-8 text", model) from None


def choices() -> str:
    """The names to choose from, for a sentence."""
    return ", ".join(CHAT_TEMPLATES)


def _unusable(problem: str, model: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{problem}; `chat_template` is {choices()}, or the path of a .jinja file.", model, "transformers"
    )
