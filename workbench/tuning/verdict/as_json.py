"""A verdict as JSON, and back: what commands print and the database keeps.

{"base": {"model": "small", "mean": 0.36, …}, "tuned": {…}, "comparison": {"difference": 0.25, …},
 "forgetting": [{"experiment": "word-problems", "base": {…}, "tuned": {…}, "difference": -0.01, …}], …}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from workbench.core.run import Gap, Verdict
from workbench.errors import TuningError
from workbench.storage.tunings import TuningRecord
from workbench.tuning.verdict.records import (
    ForgettingVerdict,
    Level,
    MemorisationVerdict,
    ModelTakes,
    PerplexityVerdict,
    PromptVerdict,
    RecallVerdict,
    Repeats,
    SliceVerdict,
    TuningVerdict,
    WinRate,
)

NAMES = ("experiment", "dataset", "split", "prompt", "metric", "run")


def verdict_json(verdict: TuningVerdict) -> dict[str, Any]:
    """Plain values: the headline under `base`, `tuned` and `comparison`, the rest beside it."""
    headline = verdict.headline
    return {
        "experiment": verdict.experiment,
        "dataset": verdict.dataset,
        "split": verdict.split,
        "rows": verdict.rows,
        "metric": verdict.metric,
        "direction": verdict.direction,
        "confidence": verdict.confidence,
        "margin": verdict.margin,
        "headline": {"prompt": headline.prompt, "sampling": dict(headline.sampling)},
        "base": {"model": verdict.base_model, **_plain(headline.base)},
        "tuned": {"model": verdict.tuned_model, **_plain(headline.tuned)},
        "comparison": _plain(headline.gap),
        "forgetting": [_forgetting_json(one) for one in verdict.forgetting],
        "prompts": [_prompt_json(one) for one in verdict.prompts],
        "shortcut": _prompt_json(verdict.shortcut) if verdict.shortcut else None,
        "slices": [
            {"by": one.by, "value": one.value, "rows": one.rows, **_sides(one)} for one in verdict.slices
        ],
        "speed": [_plain(one) for one in verdict.takes],
        "win_rate": _plain(verdict.win_rate) if verdict.win_rate else None,
        "perplexity": {"texts": verdict.perplexity.texts, **_sides(verdict.perplexity)}
        if verdict.perplexity
        else None,
        "memorisation": _memorisation_json(verdict.memorisation),
        "recall": _recall_json(verdict.recall),
        "runs": dict(verdict.runs),
        "notes": list(verdict.notes),
    }


def verdict_from_json(kept: Mapping[str, Any]) -> TuningVerdict:
    """What `verdict_json` gave; keys beside it are left alone."""
    headline = kept["headline"]
    return TuningVerdict(
        experiment=kept["experiment"],
        dataset=kept["dataset"],
        split=kept["split"],
        rows=kept["rows"],
        metric=kept["metric"],
        direction=kept["direction"],
        confidence=kept["confidence"],
        margin=kept["margin"],
        base_model=kept["base"]["model"],
        tuned_model=kept["tuned"]["model"],
        headline=_prompt(headline | {name: kept[name] for name in ("base", "tuned", "comparison")}),
        prompts=tuple(_prompt(one) for one in kept["prompts"]),
        takes=tuple(ModelTakes(**one) for one in kept["speed"]),
        slices=tuple(SliceVerdict(**_named(one, ("by", "value", "rows"))) for one in kept["slices"]),
        shortcut=_prompt(kept["shortcut"]) if kept["shortcut"] else None,
        win_rate=WinRate(**_numbers(kept["win_rate"])) if kept["win_rate"] else None,
        forgetting=tuple(_forgetting(one) for one in kept["forgetting"]),
        perplexity=_perplexity(kept["perplexity"]),
        memorisation=_memorisation(kept["memorisation"]),
        recall=RecallVerdict(**_named(kept["recall"], ("questions", "run"))) if kept["recall"] else None,
        runs=dict(kept["runs"]),
        notes=tuple(kept["notes"]),
    )


def stored_verdict(record: TuningRecord) -> TuningVerdict | None:
    """What was found of a tuning; None where it was not measured to its end."""
    kept = record.result
    if not kept or "comparison" not in kept:
        return None
    try:
        return verdict_from_json(kept)
    except (KeyError, TypeError) as problem:
        raise TuningError(f"The verdict of tuning {record.id} cannot be read ({problem!r}).") from None


def _plain(record: Any) -> dict[str, Any]:
    """A flat record; JSON has no NaN, null says so."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(record).items()
    }


def _sides(one: Any) -> dict[str, Any]:
    return {"base": _plain(one.base), "tuned": _plain(one.tuned), "comparison": _plain(one.gap)}


def _prompt_json(one: PromptVerdict) -> dict[str, Any]:
    return {"prompt": one.prompt, "sampling": dict(one.sampling), **_sides(one)}


def _forgetting_json(one: ForgettingVerdict) -> dict[str, Any]:
    named = {name: getattr(one, name) for name in NAMES}
    return {**named, "base": _plain(one.base), "tuned": _plain(one.tuned), **_plain(one.gap)}


def _memorisation_json(one: MemorisationVerdict | None) -> dict[str, Any] | None:
    if one is None:
        return None
    sides = {
        name: {**asdict(side), "share": _plain(side.share)}
        for name, side in (("base", one.base), ("tuned", one.tuned))
    }
    counts = {"words": one.words, "completions": one.completions, "outputs": one.outputs}
    return {**counts, **sides, "comparison": _plain(one.gap)}


def _recall_json(one: RecallVerdict | None) -> dict[str, Any] | None:
    return None if one is None else {"questions": one.questions, "run": one.run, **_sides(one)}


def _numbers(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in kept.items()}


def _level(kept: Mapping[str, Any]) -> Level:
    return Level(**_numbers({name: kept[name] for name in ("mean", "low", "high", "n")}))


def _gap(kept: Mapping[str, Any]) -> Gap:
    numbers = _numbers({name: kept[name] for name in ("difference", "low", "high", "p", "p_adjusted")})
    found = cast(Verdict, kept["verdict"])
    return Gap(**numbers, n=kept["n"], verdict=found, rows_needed=kept["rows_needed"])


def _named(kept: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    sides = {"base": _level(kept["base"]), "tuned": _level(kept["tuned"]), "gap": _gap(kept["comparison"])}
    return {name: kept[name] for name in names} | sides


def _prompt(kept: Mapping[str, Any]) -> PromptVerdict:
    return PromptVerdict(**_named(kept, ("prompt", "sampling")))


def _forgetting(kept: Mapping[str, Any]) -> ForgettingVerdict:
    named = {name: kept[name] for name in NAMES}
    return ForgettingVerdict(**named, base=_level(kept["base"]), tuned=_level(kept["tuned"]), gap=_gap(kept))


def _perplexity(kept: Mapping[str, Any] | None) -> PerplexityVerdict | None:
    return PerplexityVerdict(**_named(kept, ("texts",))) if kept else None


def _memorisation(kept: Mapping[str, Any] | None) -> MemorisationVerdict | None:
    if not kept:
        return None
    base, tuned = (
        Repeats(**{**kept[name], "share": _level(kept[name]["share"])}) for name in ("base", "tuned")
    )
    words, completions, outputs = (int(kept[name]) for name in ("words", "completions", "outputs"))
    return MemorisationVerdict(words, completions, outputs, base, tuned, _gap(kept["comparison"]))
