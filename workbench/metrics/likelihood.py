"""How likely a local model finds the outputs, or the references: perplexity and mean log-probability.

metrics: [{name: perplexity, model: small}, {name: perplexity, model: small, target: reference}]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.errors import MetricError
from workbench.metrics.base import Metric
from workbench.metrics.cell_outputs import CellOutputs, Likelihood
from workbench.metrics.registry import metric
from workbench.metrics.scores import FloatArray, Scores
from workbench.metrics.settings import check_choice
from workbench.metrics.text import reference_texts, text_of

TARGETS = ("output", "reference")
NO_ANSWER = "No answer was found in the output."
TOO_SHORT = "It has fewer than two tokens."


class LikelihoodMetric(Metric):
    """What the metrics of this file share: which texts, and the sums that a model gives for them.

    Args:
        model: a local model, run by transformers; it need not be one that answers.
        target: whose texts: "output" or "reference" (of several references the likeliest).
    """

    kind = "corpus"
    reads = "text"
    asks_models = True
    needs_reference = False
    source = "Jelinek et al., JASA 62, 1977; equal to exp of transformers' own loss on the same tokens."

    def __init__(self, model: str | None = None, target: str = "output") -> None:
        if not isinstance(model, str) or not model:
            raise MetricError(
                f"Metric '{self.name}' needs a local `model` to ask: {{name: {self.name}, model: small}}."
            )
        self.model = model
        self.target = check_choice(self.name, "target", target, TARGETS)
        self.needs_reference = target == "reference"

    def signature(self) -> str:
        """Whose probabilities these are: two models' perplexities cannot be compared."""
        return f"model:{self.model}|target:{self.target}"

    def score_outputs(self, outputs: CellOutputs) -> Scores:
        """Asks the model about every text. Raises MetricError where no calls are allowed."""
        if outputs.models is None:
            raise MetricError(self._refusal())
        texts, reasons = self._texts(outputs)
        places = [row for row, several in enumerate(texts) for _ in several]
        told = outputs.models.likelihoods(self.model, [text for several in texts for text in several])
        sums = np.full((len(texts), 2), np.nan)
        for row, found in zip(places, told, strict=True):
            if isinstance(found, Likelihood) and found.tokens:
                better = np.isnan(sums[row, 0]) or found.logprob / found.tokens > sums[row, 0] / sums[row, 1]
                if better:
                    sums[row] = found.logprob, found.tokens
            else:
                reasons.setdefault(row, found if isinstance(found, str) else TOO_SHORT)
        scored = ~np.isnan(sums[:, 0])
        values = np.full(len(texts), np.nan)
        values[scored] = self.aggregate(sums[scored])
        return Scores(values, sums, reasons={row: why for row, why in reasons.items() if not scored[row]})

    def score(self, predictions: Sequence[str | None], references: Sequence[Any] | None = None) -> Scores:
        """Never: texts alone come without a model to ask."""
        raise MetricError(self._refusal())

    def _texts(self, outputs: CellOutputs) -> tuple[list[list[str]], dict[int, str]]:
        """The texts of each row, and why a row has none where that is no missing reference."""
        predictions, references = self.columns(outputs)
        if self.target == "reference":
            return [reference_texts(reference) for reference in references], {}
        texts = [text_of(prediction) for prediction in predictions]
        reasons = {row: NO_ANSWER for row, text in enumerate(texts) if text is None}
        return [[] if text is None else [text] for text in texts], reasons

    def _refusal(self) -> str:
        asks = f"Metric '{self.name}' asks model '{self.model}'"
        return f"{asks}, and no model can be asked here; use it in a run."


@metric
class Perplexity(LikelihoodMetric):
    """exp(- sum of log p(token | tokens before) / tokens), over all texts together; lower is better.

    The first token of each text is read and not counted. Texts are taken as they stand, without a chat
    template. A text of fewer than two tokens, or one that is longer than the model's context, is unscored.
    Perplexities of models with different tokenizers cannot be compared. Range 1 upwards.
    """

    name = "perplexity"
    description = "How surprising a local model finds the text, per token; lower is more fluent to it."
    direction = "lower"
    range = (1.0, float("inf"))

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """Perplexity from [sum of log-probabilities in nats, tokens]."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(-_per_token(sums)))


@metric
class MeanLogprob(LikelihoodMetric):
    """Sum of log p(token | tokens before) / tokens, in nats, over all texts together: -log of perplexity.

    The same texts and tokens as `perplexity`. Range up to 0.
    """

    name = "mean_logprob"
    description = "Mean log-probability (nats) of the text's tokens under a local model."
    range = (float("-inf"), 0.0)

    def aggregate(self, sums: FloatArray) -> FloatArray:
        """Nats per token from [sum of log-probabilities in nats, tokens]."""
        return _per_token(sums)


def _per_token(sums: FloatArray) -> FloatArray:
    total, tokens = sums[..., 0], sums[..., 1]
    return np.divide(total, tokens, out=np.full_like(total, np.nan), where=tokens > 0)
