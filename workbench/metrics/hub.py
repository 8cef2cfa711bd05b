"""Any metric of the Hugging Face hub by name, through the `evaluate` package.

    {evaluate: bertscore, lang: en, key: f1}

The hub's metrics are Python programs that are downloaded and run here. Only the hub's own
collection (`evaluate-metric/…`) can be named, never a user's repository or a local path.
"""

from __future__ import annotations

import os
import re
from typing import Any, Literal

import numpy as np

from workbench.errors import MetricError
from workbench.metrics.base import UNBOUNDED, Metric
from workbench.metrics.scores import Scores

_NAME = re.compile(r"[a-z0-9_]+")


class HubMetric(Metric):
    """A hub metric as a mean of row scores.

    A metric that returns one number a row is asked once for all rows; any other is asked row by row,
    which is slow, and whose mean is not its corpus score.

    Args:
        evaluate: the metric's name on the hub, such as "bertscore".
        key: which of its results to take; by itself the one named like the metric, else the first.
        direction: whether "higher" or "lower" is better.
        settings: handed to the metric's `compute`.
    """

    description = "A metric of the Hugging Face hub."
    range = UNBOUNDED
    source = "The hub's metric card."
    no_answer = None

    def __init__(
        self,
        evaluate: str,
        key: str | None = None,
        direction: Literal["higher", "lower"] = "higher",
        **settings: Any,
    ) -> None:
        self.name = evaluate
        self.key, self.direction, self.settings = key, direction, settings
        self._module = _load(evaluate)

    def score_rows(self, predictions: list[str], references: list[list[str]]) -> Scores:
        """The hub metric's value for each row; several references go in as a list."""
        if not predictions:
            return Scores(np.empty(0))
        single = all(len(texts) == 1 for texts in references)
        accepted: list[Any] = [texts[0] for texts in references] if single else references
        whole = self._ask(predictions, accepted)
        if len(whole) == len(predictions) and len(predictions) > 1:
            return Scores(whole)
        rows = [self._ask([p], [r]) for p, r in zip(predictions, accepted, strict=True)]
        return Scores(np.array([row[0] for row in rows], dtype=np.float64))

    def _ask(self, predictions: list[str], references: list[Any]) -> np.ndarray[Any, Any]:
        try:
            result = self._module.compute(predictions=predictions, references=references, **self.settings)
        except Exception as problem:
            raise MetricError(f"Hub metric '{self.name}' failed: {problem}") from problem
        key = self.key or (self.name if self.name in result else next(iter(result)))
        if key not in result:
            raise MetricError(f"Hub metric '{self.name}' gives {', '.join(result)}; there is no '{key}'.")
        return np.asarray(result[key], dtype=np.float64).reshape(-1)


def _load(name: str) -> Any:
    if not _NAME.fullmatch(name):
        raise MetricError(
            f"'{name}' is not a metric of the hub's own collection: write its plain name, such as bertscore."
        )
    os.environ.setdefault("HF_UPDATE_DOWNLOAD_COUNTS", "0")  # or each load is reported
    import evaluate

    try:
        return evaluate.load(f"evaluate-metric/{name}", keep_in_memory=True)
    except ImportError as problem:
        raise MetricError(f"Hub metric '{name}' needs a package that is missing: {problem}") from problem
    except Exception as problem:
        raise MetricError(
            f"Hub metric '{name}' is not on this machine, and the hub cannot be reached or has none "
            f"of that name ({type(problem).__name__})."
        ) from problem
