"""A run: one execution of an experiment, as cells, outputs, answers, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.race import Race

if TYPE_CHECKING:
    from workbench.statistics import PairedComparison

LIVE: frozenset[str] = frozenset({"queued", "running"})
Verdict = Literal["better", "worse", "tied", "undecided", "stopped"]
"""What may be said of a cell against another; "stopped": a race ended it before it had all rows."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One prompt on one model with one sampling: a column of the result table."""

    index: int
    prompt: str
    version: str
    model: str
    sampling: dict[str, Any] = field(default_factory=dict)
    """Only the settings that vary between cells."""

    @property
    def label(self) -> str:
        """How people see the cell: `step-by-step · small@int8 · temperature 0.7`."""
        varied = [f"{key} {value}" for key, value in self.sampling.items()]
        return " · ".join([self.prompt, self.model, *varied])


@dataclass(frozen=True, slots=True)
class Vote:
    """What one member's sample contributed to an ensemble's answer."""

    prompt: str
    sample: int
    text: str
    answer: str | None
    weight: float = 1.0
    key: str = ""
    logprob: float | None = None
    """Mean log-probability of the output's tokens, where it was asked for and given."""


@dataclass(slots=True)
class Output:
    """What one cell gave for one row (and repeat): text, answer and what it took.

    `answer` None with `error` None means that no answer was found in the text, which is not the
    same as a wrong one. Tokens, cost and latency of an ensemble are the sums over its calls.
    """

    cell: int
    row_id: str
    position: int = 0
    """The row's place in the run's rows, from 0."""
    repeat: int = 0
    text: str = ""
    answer: str | None = None
    error: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    latency_s: float = 0.0
    cost_usd: float = 0.0
    calls: int = 1
    cached_calls: int = 0
    finish_reason: str = "stop"
    votes: tuple[Vote, ...] = ()
    first_token_s: float | None = None
    """Seconds to the first token of the output's one call; None for an ensemble of several calls."""


@dataclass(frozen=True, slots=True)
class MetricEstimate:
    """A cell's metric with its interval; `n` outputs were scored, `unscored` could not be.

    `failed` outputs are those about which a call to the model that the metric asks ended in an error.
    """

    mean: float
    low: float
    high: float
    n: int
    unscored: int = 0
    signature: str | None = None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class CellReport:
    """One line of the result table."""

    cell: Cell
    rows: int
    """Rows with at least one output."""
    outputs: int
    """Outputs: rows times repeats, once the run is complete."""
    errors: int
    unanswered: int
    metrics: dict[str, MetricEstimate]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float
    latency_p50_s: float
    latency_p95_s: float
    stopped: int | None = None
    """Rows after which a race stopped the cell; None where it was not stopped."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result table of a run, and how it went."""

    run: str
    experiment: str
    status: str
    """queued, running, completed, cancelled, failed, or interrupted (running, but nobody is at it)."""
    calls: int
    cached: int
    errors: int
    seconds: float
    cost_usd: float
    cells: tuple[CellReport, ...]
    race: Race | None = None
    """How the race went, where the run was one."""
    calls_saved: int = 0
    """About how many calls the race did without: rows not asked, times the calls of a cell's row."""

    @property
    def unheard(self) -> int:
        """Outputs about which a metric's model was asked and only an error came back, over all metrics."""
        return sum(found.failed for line in self.cells for found in line.metrics.values())


@dataclass(frozen=True, slots=True)
class Gap:
    """How far one is from another on the same rows, in the metric's unit, and what may be said of it.

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

    @classmethod
    def of(
        cls, compared: PairedComparison, p_adjusted: float, verdict: Verdict, rows_needed: int | None = None
    ) -> Gap:
        """What a paired test found, with what follows from it."""
        figures = compared.difference, compared.low, compared.high, compared.p
        return cls(*figures, p_adjusted, compared.n, verdict, rows_needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison(Gap):
    """One cell against the baseline over the rows that both have.

    Of a cell that a race stopped there is no p, and its interval is one that holds at any time.
    """

    cell: Cell
    stopped: int | None = None
    """Rows after which a race stopped this cell, or what it is compared with; None in a full comparison."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every cell against the baseline by one metric; p-values are Holm-adjusted over the family."""

    run: str
    metric: str
    baseline: Cell
    comparisons: tuple[CellComparison, ...]
    margin: float = 0.0
    across: str | None = None
    """The other run, where each cell is compared with its twin there instead of the baseline."""
    confidence: float = 0.95
    """Of the intervals and verdicts: the experiment's own."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `units` are (cell, row, repeat) triples."""

    run: str
    status: str
    done: int
    total: int
    errors: int
    calls: int
    cached: int
    seconds: float
    per_second: float
    seconds_left: float | None
    cost_usd: float
    message: str = ""
