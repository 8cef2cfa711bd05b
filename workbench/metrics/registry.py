"""Metrics by name: every file of this folder, every installed package that registers one, the hub.

load_metric("exact_match")
load_metric({"name": "bleu", "tokenize": "zh"})
load_metric({"evaluate": "bertscore", "lang": "en"})    # any metric of the Hugging Face hub
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast, get_args

from workbench.errors import MetricError, UnknownName, suggestion
from workbench.metrics.base import Metric, Reads

ENTRY_POINTS = "workbench.metrics"

_classes: dict[str, type[Metric]] = {}
M = TypeVar("M", bound=type[Metric])


def metric(cls: M) -> M:
    """Class decorator: makes a metric available under its `name`."""
    taken = _classes.get(cls.name)
    if taken is not None and taken.__qualname__ != cls.__qualname__:
        raise MetricError(f"Two metrics are named '{cls.name}': {taken} and {cls}.")
    _classes[cls.name] = cls
    return cls


def metric_names() -> list[str]:
    """Every metric that can be loaded by name, sorted; packages outside are listed unloaded."""
    _discover()
    return sorted({*_classes, *_outside()})


def load_metric(spec: str | Mapping[str, Any]) -> Metric:
    """The metric that a name or a mapping describes, as experiments write it.

    A mapping has `name` and the metric's own settings, or `evaluate` (a metric of the Hugging Face
    hub) and its settings. `as` renames the result, so that one metric can stand twice in a table;
    `of` is what it reads (answer or text), `reference` another column with the right answers.
    Unknown names and settings raise an error that offers the nearest one.
    """
    settings = {"name": spec} if isinstance(spec, str) else dict(spec)
    shown_as = settings.pop("as", None)
    reads, column = settings.pop("of", None), settings.pop("reference", None)
    loaded = _load(settings)
    if reads is not None:
        if reads not in get_args(Reads):
            raise MetricError(f"Metric '{loaded.name}': `of` is answer or text, not '{reads}'.")
        loaded.reads = cast(Reads, reads)
    if column is not None:
        loaded.reference_column = str(column)
    if shown_as is not None:
        loaded.name = str(shown_as)
    loaded.spec = spec
    return loaded


def metric_class(name: str) -> type[Metric]:
    """The class behind a name; UnknownName with the nearest name when there is none."""
    _discover()
    if name in _classes:
        return _classes[name]
    outside = _outside()
    if name not in outside:
        raise UnknownName("metric", name, metric_names())
    return _load_outside(outside[name])


def describe_metrics() -> list[dict[str, Any]]:
    """Every metric's facts for menus and docs; one that cannot be loaded says why in `problem`."""
    facts: list[dict[str, Any]] = []
    for name in metric_names():
        try:
            cls = metric_class(name)
        except MetricError as problem:
            facts.append({"name": name, "description": "", "problem": str(problem)})
            continue
        facts.append(
            {
                "name": name,
                "description": cls.description,
                "kind": cls.kind,
                "direction": cls.direction,
                "range": cls.range,
                "source": cls.source,
                "needs_reference": cls.needs_reference,
                "settings": _settings_of(cls),
            }
        )
    return facts


def _load(settings: dict[str, Any]) -> Metric:
    if "evaluate" in settings:
        from workbench.metrics.hub import HubMetric

        return HubMetric(settings.pop("evaluate"), **settings)
    if "imported" in settings:
        from workbench.metrics.imported import Imported

        settings["score"] = settings.pop("imported")
        _check_settings(Imported, settings)
        return Imported(**settings)
    if "judge" in settings:
        from workbench.metrics.judge import Judge

        _check_settings(Judge, settings)
        return Judge(**settings)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise MetricError(f"A metric needs a `name` (or `evaluate` or `judge`); this has only {settings}.")
    cls = metric_class(name)
    _check_settings(cls, settings)
    try:
        return cls(**settings)
    except (TypeError, ValueError) as problem:
        raise MetricError(f"Metric '{name}' cannot be set up with {settings}: {problem}") from problem


@cache
def _discover() -> None:
    import workbench.metrics

    for module in pkgutil.iter_modules(workbench.metrics.__path__, "workbench.metrics."):
        importlib.import_module(module.name)


@cache
def _outside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _load_outside(point: EntryPoint) -> type[Metric]:
    try:
        cls = point.load()
    except Exception as problem:
        raise MetricError(
            f"Metric '{point.name}' from '{point.value}' cannot be loaded: {problem}"
        ) from problem
    if not (isinstance(cls, type) and issubclass(cls, Metric)):
        raise MetricError(f"Metric '{point.name}': '{point.value}' is not a subclass of Metric.")
    return cls


def _settings_of(cls: type[Metric]) -> dict[str, Any]:
    if cls.__init__ is object.__init__:
        return {}
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    named = (p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return {p.name: None if p.default is p.empty else p.default for p in named}


def _check_settings(cls: type[Metric], settings: Mapping[str, Any]) -> None:
    known = _settings_of(cls)
    for key in settings:
        if key not in known:
            hint = suggestion(key, known) if known else " It has no settings."
            raise MetricError(f"Metric '{cls.name}' has no setting '{key}'.{hint}")
