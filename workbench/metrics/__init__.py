"""Metrics: named measures of an answer against its reference, each in a small file of this folder.

A metric is found by name (`load_metric`), scores rows, and gives its score an interval and its
comparisons a p-value. Nothing heavy is imported until a metric that needs it is used.
"""

from workbench.metrics.as_evaluate import as_evaluate
from workbench.metrics.base import Metric
from workbench.metrics.cell_outputs import CellOutputs, Judgement, Likelihood, ModelServices
from workbench.metrics.registry import describe_metrics, load_metric, metric, metric_class, metric_names
from workbench.metrics.scores import Scores
from workbench.metrics.table import score_table

__all__ = [
    "CellOutputs",
    "Judgement",
    "Likelihood",
    "Metric",
    "ModelServices",
    "Scores",
    "as_evaluate",
    "describe_metrics",
    "load_metric",
    "metric",
    "metric_class",
    "metric_names",
    "score_table",
]
