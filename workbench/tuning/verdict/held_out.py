"""Perplexity on held-out text: how surprising base and tuned find what neither was tuned on.

column reasoning of transit#test: base 9.1 [8.6, 9.6], tuned 3.2 [3.0, 3.4], per token
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.dataset import ID_COLUMN
from workbench.core.run import Gap
from workbench.engine.likelihood import LikelihoodDesk, find_scorer
from workbench.engine.plan import columns_shown, stored_prompts
from workbench.engine.records import get_run
from workbench.engine.workspace import Workspace
from workbench.metrics import Likelihood, Scores, load_metric
from workbench.statistics import verdict
from workbench.tuning.folders import TuningFolder
from workbench.tuning.verdict.records import Level, PerplexityVerdict
from workbench.tuning.verdict.running import VerdictRuns

FEWEST_WORDS = 4
"""Mean words from which a column holds text: the likelihood of a bare number or label tells nothing."""
MOST_TEXTS = 300


def held_out_perplexity(
    workspace: Workspace,
    runs: VerdictRuns,
    run: str,
    folder: TuningFolder,
    base: str,
    tuned: str,
    confidence: float,
) -> PerplexityVerdict | None:
    """Both models' perplexity over the same held-out texts, paired text by text; None where there are none.

    Texts are the column of the run's rows that holds the most words and that no prompt shows, else the
    completions that were held back from training. Raises MetricError for a model that gives no
    likelihoods, ModelError for one that cannot be loaded, TuningCancelled.
    """
    what, texts = held_out_texts(workspace, run, folder)
    if len(texts) < 2:
        return None
    for name in (base, tuned):
        find_scorer(workspace.models, name)
    desk = LikelihoodDesk(
        workspace.models, lambda model, done, total: runs.say(f"Perplexity of {what} under {model}")
    )
    try:
        first, second = (_sums(desk.likelihoods(name, texts)) for name in (base, tuned))
    finally:
        desk.close()
    metric = load_metric({"name": "perplexity", "model": base})
    both = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    if both.sum() < 2:
        return None
    sides = [Scores(metric.aggregate(sums[both]), sums[both]) for sums in (first, second)]
    levels = [Level.of(metric.estimate(side, confidence=confidence)) for side in sides]
    compared = metric.compare(sides[0], sides[1], confidence=confidence)
    said = verdict(compared, compared.p, 0.0, confidence, "lower")
    return PerplexityVerdict(what, levels[0], levels[1], Gap.of(compared, compared.p, said))


def held_out_texts(workspace: Workspace, run: str, folder: TuningFolder) -> tuple[str, list[str]]:
    """What the texts are, in words, and distinct texts, at most 300."""
    record = get_run(workspace, run)
    rows = list(workspace.store.runs.rows(record.row_set).values())
    reference: str | None = record.definition["reference"]
    shown = columns_shown(stored_prompts(record), reference) | {ID_COLUMN}
    words = {
        column: float(np.mean([len(str(row.get(column) or "").split()) for row in rows]))
        for column in dict.fromkeys(key for row in rows for key in row)
        if column not in shown and all(isinstance(row.get(column), str) for row in rows)
    }
    wordy = [column for column, mean in words.items() if mean >= FEWEST_WORDS]
    if wordy:
        column = max(wordy, key=lambda name: words[name])
        split = record.definition["experiment"]["dataset"].get("split", "test")
        return f"column {column} of {record.dataset}#{split}", _distinct(row[column] for row in rows)
    if folder.validation.is_file():
        lines = folder.validation.read_text("utf-8").splitlines()
        return "the completions held back from training", _distinct(
            json.loads(line)["completion"] for line in lines if line.strip()
        )
    return "", []


def _distinct(texts: Any) -> list[str]:
    return list(dict.fromkeys(text for text in texts if isinstance(text, str) and text.strip()))[:MOST_TEXTS]


def _sums(found: Sequence[Likelihood | str]) -> np.ndarray:
    """[log-probability, tokens] of each text, NaN where it could not be told."""
    return np.array(
        [
            (one.logprob, one.tokens) if isinstance(one, Likelihood) and one.tokens else (np.nan, np.nan)
            for one in found
        ],
        dtype=np.float64,
    ).reshape(-1, 2)
