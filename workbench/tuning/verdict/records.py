"""What is found of a tuned model beside its base: levels of both, and the gap between them.

exact_match over 150 rows of transit: base 0.36 [0.29, 0.44], tuned 0.61 [0.53, 0.69]
+0.25 [+0.17, +0.33], p 0.0001: better
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.core.run import Gap


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
