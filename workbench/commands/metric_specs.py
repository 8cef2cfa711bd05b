"""Metrics as commands take them: names separated by commas, or one with settings as YAML.

--metrics exact_match,f1 --metric '{name: bleu, tokenize: zh}'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from workbench.errors import InvalidFile, UsageError

MetricNames = Annotated[
    str | None, typer.Option("--metrics", metavar="A,B", help="Metrics by name, separated by commas.")
]
MetricSettings = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="YAML", help="A metric with settings, as experiments write it."),
]


def metric_specs(names: str | None, settings: Iterable[str] | None) -> list[str | dict[str, Any]]:
    """The metrics of both options, in that order. Raises UsageError for YAML that is no metric."""
    from workbench.core.document import parse

    specs: list[str | dict[str, Any]] = [name.strip() for name in (names or "").split(",") if name.strip()]
    for text in settings or ():
        try:
            spec, _ = parse(text, "--metric")
        except InvalidFile as problem:
            raise UsageError(str(problem)) from None
        if not isinstance(spec, (str, dict)) or not spec:
            raise UsageError(
                f"--metric {text}: write a name or a mapping, such as '{{name: bleu, tokenize: zh}}'."
            )
        specs.append(spec)
    return specs
