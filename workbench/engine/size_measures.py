"""What a model takes, out of a run and the uses of its models: speed, memory, disk and USD.

    small@int8  310 tokens/s  2.9 rows/s  first token 0.08 s  410 MB  0.048 USD for 1,000 rows (machine)

Speed is per model: completion tokens over the wall time in which it was at work. A cell's rows a
second follow from how many tokens its rows take, whether they came out of the cache or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from workbench.core.model import Completion, ModelSpec, cost_usd
from workbench.core.run import Cell
from workbench.core.sizing import BreakEven, CostBasis, ModelUse, SizePoint
from workbench.engine.workspace import Workspace
from workbench.errors import WorkbenchError

HOURS_A_MONTH = 730
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class ModelMeasures:
    """One model of a run: its row, whether it is local, and its use, of this run or an earlier one."""

    spec: ModelSpec | None
    """None where the row has gone from models.yaml since."""
    local: bool
    use: ModelUse | None
    earlier: bool = False
    """Whether `use` is of another run with the same weights on the same machine."""


@dataclass(frozen=True, slots=True)
class CellMeasures:
    """What one cell takes. None: not known."""

    tokens_per_s: float | None
    first_token_s: float | None
    rows_per_s: float | None
    usd_per_1000_rows: float | None
    cost_basis: CostBasis | None
    usd_per_hour: float | None
    """Price of an hour of the machine, where the cost follows from that."""


def measure_models(workspace: Workspace, run: str, names: Sequence[str]) -> dict[str, ModelMeasures]:
    """Each model's row and use by its name. No model is loaded and no weights are read."""
    uses = workspace.store.model_uses.of_run(run)
    found = {}
    for name in names:
        mine = [use for use in uses if use.model == name]
        use, earlier = _summed(mine), False
        if use is None and mine:
            use = workspace.store.model_uses.newest(mine[-1].identity, mine[-1].machine)
            earlier = use is not None
        local = any(one.footprint is not None for one in mine)
        try:
            spec = workspace.models.spec(name)
            local = workspace.models.open(name).local
        except WorkbenchError:
            spec = None
        found[name] = ModelMeasures(spec, local, use, earlier)
    return found


def measure_cell(
    cell: Cell,
    model: ModelMeasures,
    total: Mapping[str, Any],
    first_tokens: Sequence[float],
    machine_usd_per_hour: float | None,
) -> CellMeasures:
    """What one cell takes, from its totals of outputs and tokens and its model's use.

    Args:
        total: the cell's line of `store.outputs.totals`.
        machine_usd_per_hour: takes the place of local models' own `price: {hour: …}`.
    """
    answered = int(total.get("outputs") or 0) - int(total.get("errors") or 0)
    tokens = int(total.get("completion_tokens") or 0)
    per_second = tokens_per_s(model.use)
    rows_per_s = per_second * answered / tokens if per_second and answered and tokens else None
    price = model.spec.price if model.spec is not None else None
    basis: CostBasis | None = None
    usd = hour = None
    if price is not None and not model.local and (price.prompt or price.completion):
        spent = Completion(
            "", int(total.get("prompt_tokens") or 0), tokens, int(total.get("cached_tokens") or 0)
        )
        if answered:
            basis, usd = "api", 1000 * cost_usd(price, spent) / answered
    else:
        hour = price.hour if price is not None else None
        if model.local and machine_usd_per_hour is not None:
            hour = machine_usd_per_hour
        if hour is not None and rows_per_s:
            basis, usd = "machine", 1000 * hour / SECONDS_AN_HOUR / rows_per_s
    return CellMeasures(
        tokens_per_s=per_second,
        first_token_s=median(first_tokens) if first_tokens else None,
        rows_per_s=rows_per_s,
        usd_per_1000_rows=usd,
        cost_basis=basis,
        usd_per_hour=hour,
    )


def tokens_per_s(use: ModelUse | None) -> float | None:
    """Completion tokens a second of work, over all requests in flight; None where nothing was timed."""
    if use is None or use.busy_s <= 0 or not use.completion_tokens:
        return None
    return use.completion_tokens / use.busy_s


def break_evens(
    points: Sequence[SizePoint], usd_per_hour: Mapping[int, float | None]
) -> tuple[BreakEven, ...]:
    """Each local point against each hosted one: from how many rows a month its machine costs less.

    The machine is paid for all 730 hours of a month; it pays where hour price × 730 is under the
    hosted price of the rows, if it can work them off at all.

    Args:
        usd_per_hour: by cell index, the price of an hour of a local model's machine.
    """
    found = []
    for local in (point for point in points if point.local):
        hour = usd_per_hour.get(local.cell.index)
        if hour is None or not local.rows_per_s:
            continue
        most = local.rows_per_s * SECONDS_AN_HOUR * HOURS_A_MONTH
        for hosted in points:
            if hosted.local or hosted.cost_basis != "api" or not hosted.usd_per_1000_rows:
                continue
            rows = hour * HOURS_A_MONTH / (hosted.usd_per_1000_rows / 1000)
            found.append(BreakEven(local.cell.model, hosted.cell.model, rows if rows <= most else None, most))
    return tuple(found)


def _summed(uses: Sequence[ModelUse]) -> ModelUse | None:
    """The sessions with calls as one, those of the newest machine and weights; None without calls."""
    called = [use for use in uses if use.calls]
    if not called:
        return None
    newest = called[-1]
    same = [use for use in called if (use.machine, use.identity) == (newest.machine, newest.identity)]
    prints = [use.footprint for use in same if use.footprint is not None]
    return replace(
        newest,
        calls=sum(use.calls for use in same),
        prompt_tokens=sum(use.prompt_tokens for use in same),
        completion_tokens=sum(use.completion_tokens for use in same),
        cached_tokens=sum(use.cached_tokens for use in same),
        busy_s=sum(use.busy_s for use in same),
        footprint=max(prints, key=lambda taken: taken.memory_bytes) if prints else None,
    )
