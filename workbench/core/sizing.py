"""The question of size: which is the smallest model that is good enough, and what each one costs.

small@fp32   0.80 [0.73, 0.85]   310 tokens/s   420 MB   on the front
small@nf4    0.79 [0.72, 0.84]   180 tokens/s   300 MB   not worse than the best by more than 0.05
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.core.model import Footprint
from workbench.core.run import Cell, MetricEstimate

CostBasis = Literal["api", "machine"]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one model did and took in one session of a run."""

    model: str
    """As the experiment names it, such as `small@int8`."""
    identity: str
    machine: str
    """Which machine: figures of different ones are not compared."""
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    busy_s: float
    """Wall time in which at least one of its calls was under way, loading left out."""
    footprint: Footprint | None = None


@dataclass(frozen=True, slots=True)
class SizePoint:
    """One model, at one quantization, with one prompt: its quality beside what it takes. None: not known."""

    cell: Cell
    base: str
    """The model's name without its quantization."""
    quantization: str | None
    quality: MetricEstimate
    local: bool
    parameters: int | None
    tokens_per_s: float | None
    """Completion tokens a second over all requests in flight."""
    first_token_s: float | None
    """Median over the outputs."""
    memory_bytes: int | None
    disk_bytes: int | None
    rows_per_s: float | None
    usd_per_1000_rows: float | None
    cost_basis: CostBasis | None
    on_front: bool
    """No other point is at least as good in quality and in the chosen cost, and better in one."""
    shortfall: float
    """How much lower its quality is than the best point's, paired over rows; the best has 0."""
    shortfall_high: float
    """Upper end of the one-sided interval of the shortfall."""
    good_enough: bool
    """Whether `shortfall_high` stays under the margin (non-inferiority)."""
    rows_needed: int | None = None
    """About how many rows in all would show it to be good enough, were these typical; None where it
    is already, or where its shortfall reaches the margin."""


@dataclass(frozen=True, slots=True)
class DoublingGain:
    """What quality gains when a model's size doubles, over the sizes from `smaller` to `larger`."""

    quantization: str | None
    smaller: str
    larger: str
    doublings: float
    """log2 of the ratio of their parameters."""
    gain: float
    """Quality gained per doubling, with its interval over rows."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From how many rows a month on a local model costs less than a hosted one."""

    local: str
    hosted: str
    rows_per_month: float | None
    """None where the local machine cannot work off the rows at which it would pay."""
    most_rows_per_month: float
    """What the local machine works off in a month."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The answer for one run, metric and prompt."""

    run: str
    metric: str
    prompt: str
    margin: float
    confidence: float
    points: tuple[SizePoint, ...]
    best: SizePoint | None
    smallest_good_enough: SizePoint | None
    gains: tuple[DoublingGain, ...]
    break_evens: tuple[BreakEven, ...]
    notes: tuple[str, ...] = ()
    """What could not be told and why, a sentence each."""
