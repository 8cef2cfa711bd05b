"""A race: a run whose rows come in random blocks, and whose cells stop once they are beaten.

{"metric": "exact_match", "confidence": 0.95, "block": 20, "seed": 0, "of_rows": 400, "rows": 120,
 "stopped": {"2": {"rows": 60, "by": 0}}, "winner": null}
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RaceSettings:
    """How a race is run.

    The best cell is kept with a probability of at least `confidence`; `block` rows are asked between
    two looks at the scores; `seed` decides the order of the rows.
    """

    metric: str
    confidence: float = 0.95
    block: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """When a cell was stopped, and which cell there was the most evidence for being better."""

    rows: int
    by: int


@dataclass(frozen=True, slots=True)
class Race:
    """How a race stands. Cells are named by their index."""

    settings: RaceSettings
    of_rows: int
    """Rows of the dataset: as many are asked of a cell that is never stopped."""
    rows: int = 0
    """Rows after which the scores were looked at last."""
    stopped: Mapping[int, Stop] = field(default_factory=dict)
    winner: int | None = None
    """The one that was left; None while there are several, and where the rows ended before."""

    def order(self) -> list[int]:
        """Every row's position, in the order in which rows are asked."""
        positions = list(range(self.of_rows))
        random.Random(self.settings.seed).shuffle(positions)
        return positions

    def rows_of(self, cell: int) -> int:
        """How many rows are asked of a cell, as far as is known now."""
        if cell in self.stopped:
            return self.stopped[cell].rows
        return self.of_rows if self.winner is None else self.rows

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the run."""
        return {
            **asdict(self.settings),
            "of_rows": self.of_rows,
            "rows": self.rows,
            "stopped": {str(cell): asdict(stop) for cell, stop in self.stopped.items()},
            "winner": self.winner,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Race:
        """What `to_json` gave."""
        return cls(
            RaceSettings(kept["metric"], kept["confidence"], kept["block"], kept["seed"]),
            kept["of_rows"],
            kept["rows"],
            {int(cell): Stop(**stop) for cell, stop in kept["stopped"].items()},
            kept["winner"],
        )
