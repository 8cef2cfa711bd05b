"""Our metrics as genuine `evaluate.Metric`s, for code that already speaks that package.

    >>> module = as_evaluate("bleu")
    >>> module.compute(predictions=["a b c d"], references=["a b c d"])
    {'bleu': 100.0, 'signature': 'nrefs:1|case:mixed|...'}

They work offline, with `add`, `add_batch` and `evaluate.combine`. Importing `evaluate` itself takes
several seconds (it imports transformers' pipelines), so it happens on the first call only and
nothing else in the workbench needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from workbench.metrics.base import Metric
from workbench.metrics.registry import load_metric


def as_evaluate(spec: str | Mapping[str, Any], **module_settings: Any) -> Any:
    """The metric as an instance of its own subclass of `evaluate.Metric`.

    `compute` returns the score under the metric's name, and `signature` where it has one. Rows are
    kept in memory unless `keep_in_memory=False`; other settings go to `evaluate.Metric`. That class
    takes texts only: write a missing answer as "".
    """
    scorer = load_metric(spec)
    cls: Any = type(scorer)
    return _module_class(cls)(scorer, **{"keep_in_memory": True, **module_settings})


@cache
def _module_class(cls: Any) -> type[Any]:
    import datasets
    import evaluate

    text = datasets.Value("string")
    several = datasets.Sequence(text)
    features = [
        datasets.Features({"predictions": text, "references": references}) for references in (several, text)
    ]

    class Module(evaluate.Metric):  # type: ignore[misc]
        def __init__(self, scorer: Metric, **settings: Any) -> None:
            self.scorer = scorer
            super().__init__(**settings)

        def _info(self) -> Any:
            return evaluate.MetricInfo(
                description=cls.__doc__ or cls.description,
                citation=cls.source,
                inputs_description=(
                    "predictions: a list of texts.\n"
                    "references: a list of texts, or of lists of acceptable texts.\n"
                ),
                features=features,
            )

        def _compute(self, predictions: Any, references: Any) -> dict[str, Any]:
            scores = self.scorer.score(list(predictions), list(references))
            result: dict[str, Any] = {self.scorer.name: self.scorer.value(scores)}
            signature = self.scorer.signature()
            if signature is not None:
                result["signature"] = signature
            return result

    Module.__name__ = Module.__qualname__ = cls.__name__
    Module.__doc__ = cls.__doc__
    return Module
