"""What training needs to know, as a file beside its data: written by who asks for it, read by who trains."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.core.files import write_text
from workbench.core.model import ChatMessage
from workbench.core.tuning import Train


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training.

    Attributes:
        tuning: its id, for messages.
        base: folder of the base's weights (safetensors).
        adapter: folder of an adapter that is merged into the base first.
        chat_template: for a base that has none, as in its row of models.yaml.
        train: complete settings: whatever a recipe leaves out has been chosen.
        samples: the fixed prompts that the model answers at each look.
        sample_tokens: the most tokens of such an answer.
        device: cpu, cuda or mps; None: the best there is.
    """

    tuning: str
    base: str
    train: Train
    adapter: str | None = None
    chat_template: str | None = None
    samples: tuple[tuple[ChatMessage, ...], ...] = ()
    sample_tokens: int = 96
    device: str | None = None

    def write(self, file: Path) -> None:
        """Writes the job in one step."""
        body = asdict(self) | {"train": self.train.model_dump(mode="json")}
        write_text(file, json.dumps(body, ensure_ascii=False, indent=1))

    @classmethod
    def read(cls, file: Path) -> TrainingJob:
        """What `write` wrote."""
        body = json.loads(file.read_text("utf-8"))
        body["train"] = Train.model_validate(body["train"])
        body["samples"] = tuple(tuple(messages) for messages in body["samples"])
        return cls(**body)
