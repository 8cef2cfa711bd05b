"""Where a tuning's files lie. The process that trains reads and writes here alone, and no database.

ROOT/.workbench/tunings/20261121-120000-3f9c1a/
  items.jsonl          the collection as it was, with where each item came from
  train.jsonl          what is learnt: {"messages": […], "completion": "…", "rejected": …, "label": …}
  validation.jsonl     held back, same shape; not there without validation
  job.json             a TrainingJob: all that training needs to know
  events.jsonl         what training says of itself, one JSON object a line
  checkpoints/         states to go on from; checkpoint-40/ after 40 steps
  model/               the tuned weights: an adapter, or a whole model
  training.log         what the libraries print
  cancel               there once a person asked to stop
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TuningFolder:
    """The paths inside one tuning's folder."""

    path: Path

    @classmethod
    def of(cls, state_dir: Path, tuning: str) -> TuningFolder:
        """The folder of a tuning, under the workspace's state folder."""
        return cls(state_dir / "tunings" / tuning)

    @property
    def items(self) -> Path:
        """The collection's kept items, as `Item.to_json` writes them."""
        return self.path / "items.jsonl"

    @property
    def train(self) -> Path:
        """What is learnt."""
        return self.path / "train.jsonl"

    @property
    def validation(self) -> Path:
        """What is held back to see overfitting."""
        return self.path / "validation.jsonl"

    @property
    def job(self) -> Path:
        """The `TrainingJob`."""
        return self.path / "job.json"

    @property
    def events(self) -> Path:
        """What training says of itself."""
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        """States to go on from."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The tuned weights."""
        return self.path / "model"

    @property
    def log(self) -> Path:
        """What the libraries print while training."""
        return self.path / "training.log"

    @property
    def cancel(self) -> Path:
        """There once a person asked to stop."""
        return self.path / "cancel"
