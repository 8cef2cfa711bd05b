"""What is found of a tuned model beside its base, as records that are kept as JSON and read back.

exact_match over 150 rows of transit: base 0.36 [0.29, 0.44], tuned 0.61 [0.53, 0.69]
+0.25 [+0.17, +0.33], p 0.0001: better
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from workbench.core.run import Verdict


@dataclass(frozen=True, slots=True)
class Level:
    """What was measured of one model: a mean with its interval over `n` values. NaN: nothing to measure."""

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, estimate: Any) -> Level:
        """From any estimate of the workbench."""
        return cls(float(estimate.mean), float(estimate.low), float(estimate.high), int(estimate.n))


@dataclass(frozen=True, slots=True)
class Gap:
    """Tuned minus base on the same rows, in the metric's unit.

    Attributes:
        p: two-sided, of this comparison alone.
        p_adjusted: by Holm over the comparisons that are shown together; the verdict follows from it.
        rows_needed: of an undecided one, about how many rows would show the gap, were it the true one.
    """

    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    n: int
    verdict: Verdict
    rows_needed: int | None = None


@dataclass(frozen=True, slots=True)
class PromptVerdict:
    """One prompt (and sampling, where that varies) on both models."""

    prompt: str
    sampling: Mapping[str, Any]
    base: Level
    tuned: Level
    gap: Gap


@dataclass(frozen=True, slots=True)
class SliceVerdict:
    """The headline prompt on the rows that have one value in common. `by`: the column."""

    by: str
    value: str
    rows: int
    base: Level
    tuned: Level
    gap: Gap


@dataclass(frozen=True, slots=True)
class ModelTakes:
    """What one model took for the headline prompt. None: not known.

    Attributes:
        tokens_per_s: completion tokens over the time in which the model was at work.
        memory_bytes: the most that it held.
    """

    model: str
    outputs: int
    errors: int
    unanswered: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    latency_p50_s: float
    latency_p95_s: float
    tokens_per_s: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often the tuned model's output scored better than the base's on the same row; draws count half."""

    rate: float
    low: float
    high: float
    p: float
    better: int
    worse: int
    equal: int


@dataclass(frozen=True, slots=True)
class ForgettingVerdict:
    """One prompt of another experiment on both models: has the tuned one lost what the base could do?"""

    experiment: str
    dataset: str
    split: str
    prompt: str
    metric: str
    run: str
    base: Level
    tuned: Level
    gap: Gap


@dataclass(frozen=True, slots=True)
class PerplexityVerdict:
    """How surprising both models find text that was not trained on; lower is better. `texts`: which text."""

    texts: str
    base: Level
    tuned: Level
    gap: Gap


@dataclass(frozen=True, slots=True)
class Repeats:
    """What one model's outputs repeat of the training text.

    Attributes:
        share: of the outputs that hold a run of words out of some training completion.
        exact: outputs that are a training completion, word for word.
        longest: words of the longest run in common; 0 where none is as long as what counts.
        example: that run.
    """

    share: Level
    exact: int
    longest: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class MemorisationVerdict:
    """Training text in the outputs for rows that were not trained on; the base's share is what chance gives.

    Attributes:
        words: how many words in a row count as a repeat.
        completions: distinct training completions that were looked for.
    """

    words: int
    completions: int
    outputs: int
    base: Repeats
    tuned: Repeats
    gap: Gap


@dataclass(frozen=True, slots=True)
class RecallVerdict:
    """How many learnt questions each model answers with a learnt completion, case and spacing aside."""

    questions: int
    run: str
    base: Level
    tuned: Level
    gap: Gap


@dataclass(frozen=True, slots=True)
class TuningVerdict:
    """The tuned model against its base.

    Attributes:
        headline: the prompt that was trained; also among `prompts`.
        direction: whether a higher or a lower metric is better.
        shortcut: where a costly prompt's outputs taught a plain one, the base with that costly prompt
            against the tuned model with the plain one.
        runs: by what they are for (`verdict`, `forgetting: NAME`), the runs behind it.
        notes: what a reader has to know beside, one sentence each.
    """

    experiment: str
    dataset: str
    split: str
    rows: int
    metric: str
    direction: str
    confidence: float
    margin: float
    base_model: str
    tuned_model: str
    headline: PromptVerdict
    prompts: tuple[PromptVerdict, ...]
    takes: tuple[ModelTakes, ...] = ()
    slices: tuple[SliceVerdict, ...] = ()
    shortcut: PromptVerdict | None = None
    win_rate: WinRate | None = None
    forgetting: tuple[ForgettingVerdict, ...] = ()
    perplexity: PerplexityVerdict | None = None
    memorisation: MemorisationVerdict | None = None
    recall: RecallVerdict | None = None
    runs: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> TuningVerdict:
        """What `verdict_json` gave; keys beside it are left alone."""
        headline = kept["headline"]
        return cls(
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


NAMES = ("experiment", "dataset", "split", "prompt", "metric", "run")


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
