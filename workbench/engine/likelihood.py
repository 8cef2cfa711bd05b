"""How likely local models find texts, for the metrics that ask: each text of a model once.

LikelihoodDesk(workspace.models).likelihoods("small", ["3 + 4 = 7", "3 + 4 = 7", "x" * 10**6])
[Likelihood(-9.1, 8), Likelihood(-9.1, 8), "It is too long for model 'small': 1,000,000 characters, …"]
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from workbench.core.model import TextScorer
from workbench.engine.workspace import Workspace
from workbench.errors import MetricError
from workbench.metrics import Likelihood, Metric
from workbench.metrics.compose import Checks
from workbench.metrics.likelihood import LikelihoodMetric
from workbench.models.catalog import Catalog

AT_ONCE = 512
"""Texts between two looks at whether somebody has stopped the run."""
OnTexts = Callable[[str, int, int], None]


class LikelihoodDesk:
    """Asks local models; the last one stays loaded until another is asked, or `close`.

    Args:
        models: where models are found by name.
        on_texts: told now and then which model has read how many texts of how many; what it raises
            stops the asking.
    """

    def __init__(self, models: Catalog, on_texts: OnTexts = lambda model, done, total: None) -> None:
        self._models, self._on_texts = models, on_texts
        self._known: dict[tuple[str, str], Likelihood | str] = {}
        self._open: tuple[str, TextScorer] | None = None

    def likelihoods(self, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
        """Each text under the model, or why it cannot be told.

        Called where no event loop is running. Raises MetricError for a model that gives no likelihoods,
        ModelError for one that cannot be loaded.
        """
        find_scorer(self._models, model)
        missing = list(dict.fromkeys(text for text in texts if (model, text) not in self._known))
        for start in range(0, len(missing), AT_ONCE):
            self._on_texts(model, start, len(missing))
            self._ask(model, missing[start : start + AT_ONCE])
        return [self._known[model, text] for text in texts]

    def close(self) -> None:
        """Frees the model."""
        if self._open is not None:
            model, self._open = self._open[1], None
            asyncio.run(model.close())

    def _ask(self, name: str, texts: list[str]) -> None:
        if self._open is None or self._open[0] != name:
            self.close()
            self._open = name, find_scorer(self._models, name)
        found = asyncio.run(self._open[1].log_likelihoods(texts))
        for text, one in zip(texts, found, strict=True):
            self._known[name, text] = one if isinstance(one, str) else Likelihood(*one)


def text_likelihoods(workspace: Workspace, model: str, texts: Sequence[str]) -> list[Likelihood | str]:
    """Each text under a local model, which is loaded for it and freed. Raises as `LikelihoodDesk` does."""
    desk = LikelihoodDesk(workspace.models)
    try:
        return desk.likelihoods(model, texts)
    finally:
        desk.close()


def find_scorer(models: Catalog, name: str) -> TextScorer:
    """A model that can say how likely a text is, not loaded. Raises MetricError for another, UnknownName."""
    model = models.open(name)
    if isinstance(model, TextScorer):
        return model
    who = "llama.cpp runs it, which" if model.local else "it runs on a server, which"
    raise MetricError(
        f"Model '{name}' cannot say how likely a given text is: {who} only tells of tokens that it writes "
        "itself; name a model that transformers runs here, such as 'small'."
    )


def check_asked_models(workspace: Workspace, metric: Metric) -> None:
    """Raises where a metric, or a check inside it, asks a model for likelihoods that it cannot give."""
    if isinstance(metric, LikelihoodMetric):
        find_scorer(workspace.models, metric.model)
    elif isinstance(metric, Checks):
        for part in metric.parts:
            check_asked_models(workspace, part.metric)
