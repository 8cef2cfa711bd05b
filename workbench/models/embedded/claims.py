"""What the embedded models promise, each promise checked against measured columns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from workbench.models.embedded.measures import BATCH_SECONDS, REASONING, Scores
from workbench.statistics.intervals import proportion
from workbench.statistics.paired import PairedComparison, compare_paired

VOTE_CLAIM = "a vote over 7 samples at T = 0.7 beats one sample by 5 points or more ({technique})"

Measured = dict[str, Scores]  # "small fp32" -> columns


@dataclass(frozen=True)
class Claim:
    """A promise, whether it holds, and the difference or share it rests on."""

    claim: str
    model: str
    holds: bool
    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, Any]:
        """For card.json."""
        return asdict(self)


def _gain(claim: str, model: str, baseline: list[float], candidate: list[float], least: float) -> Claim:
    found = compare_paired(baseline, candidate)
    return Claim(claim, model, found.difference >= least and found.low > 0, *_figures(found))


def _figures(found: PairedComparison) -> tuple[float, float, float, int]:
    return found.difference, found.low, found.high, found.n


def _level(claim: str, model: str, column: list[float], least: float, most: float) -> Claim:
    found = proportion(column)
    return Claim(claim, model, least <= found.mean <= most, found.mean, found.low, found.high, found.n)


def pooled_reasoning(scores: Scores) -> list[float]:
    """The columns of all reasoning techniques, one after another."""
    return [value for name in REASONING for value in scores[f"word-problems/{name}"]]


def check(measured: Measured) -> list[Claim]:
    """Every claim that the measured models allow to check."""
    claims: list[Claim] = []
    for model in ("small", "nano"):
        if f"{model} fp32" in measured:
            claims += _technique_claims(model, measured[f"{model} fp32"])
    if {"small fp32", "nano fp32"} <= measured.keys():
        claims += _size_claims(measured["nano fp32"], measured["small fp32"])
    for model in ("small", "nano"):
        if {f"{model} fp32", f"{model} int8"} <= measured.keys():
            claims.append(_precision_claim(model, measured[f"{model} fp32"], measured[f"{model} int8"]))
    return claims


def _technique_claims(model: str, scores: Scores) -> list[Claim]:
    words, labels = "word-problems/", "team-labels/"
    return [
        _gain("step by step beats direct by 30 points or more", model,
              scores[words + "direct"], scores[words + "step_by_step"], 0.30),
        _level("step by step passes 50 %", model, scores[words + "step_by_step"], 0.50, 1.0),
        _gain("4 shots beat zero-shot by 30 points or more on codes only the examples explain", model,
              scores[labels + "0_shots"], scores[labels + "4_shots"], 0.30),
        _gain("4 shots beat 1 shot", model, scores[labels + "1_shots"], scores[labels + "4_shots"], 0.0),
        *[
            _gain(VOTE_CLAIM.format(technique=technique), model,
                  scores[f"{words}{technique}_one_sample"],
                  scores[f"{words}{technique}_vote_of_samples"], 0.05)
            for technique in ("step_by_step", "plan_then_solve")
        ],
        _gain("a vote over four reasoning prompts beats their mean", model,
              scores[words + "mean_of_prompts"], scores[words + "vote_of_prompts"], 0.0),
        _level("the held-back domain leaves 30 points or more to gain (step by step)", model,
               scores["transit/step_by_step"], 0.0, 0.70),
    ]  # fmt: skip


def _size_claims(nano: Scores, small: Scores) -> list[Claim]:
    return [
        _gain("small beats nano at word problems, step by step", "small − nano",
              nano["word-problems/step_by_step"], small["word-problems/step_by_step"], 0.0),
        _gain("small costs more time than nano (seconds for 16 answers of 64 tokens)", "small − nano",
              nano[BATCH_SECONDS], small[BATCH_SECONDS], 0.0),
        _gain("small beats nano at codes from 4 shots", "small − nano",
              nano["team-labels/4_shots"], small["team-labels/4_shots"], 0.0),
    ]  # fmt: skip


def _precision_claim(model: str, full: Scores, quantized: Scores) -> Claim:
    found = compare_paired(pooled_reasoning(full), pooled_reasoning(quantized))
    return Claim(
        "int8 costs a measurable but small loss (0 to 10 points, all reasoning prompts together)",
        model,
        found.high < 0 and found.difference >= -0.10,
        *_figures(found),
    )
