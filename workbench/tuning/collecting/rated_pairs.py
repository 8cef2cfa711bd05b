"""Better and worse texts as people judged them: pairs that most preferred one way, and corrections."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from workbench.engine.rating.given import given
from workbench.engine.workspace import Workspace
from workbench.tuning.collecting.candidates import Candidate, corrections_of, finished_texts
from workbench.tuning.collecting.picking import Picked
from workbench.tuning.collecting.sources import Source

UNDECIDED = "undecided by raters"


@dataclass(slots=True)
class _Judged:
    """What raters said of one pair: by how much its first is ahead, and who said so."""

    margin: float = 0.0
    raters: set[str] = field(default_factory=set)


def rated_pairs(
    workspace: Workspace, source: Source, left_out: Counter[str]
) -> dict[tuple[str, str, str], list[Picked]]:
    """By row, the pairs of outputs that most raters preferred one way, the clearest first."""
    cells = {cell.index for cell in source.cells}
    judged: dict[tuple[int, int, int, int], _Judged] = defaultdict(_Judged)
    for one in given(workspace, source.run).ratings:
        if one.other is not None and one.value is not None and {one.cell, one.other} <= cells:
            pair = judged[one.position, one.repeat, one.cell, one.other]
            pair.margin += one.value - 0.5
            pair.raters.add(one.rater)
    units = {(cell, position, repeat) for position, repeat, *two in judged for cell in two}
    said = finished_texts(workspace, source, units.__contains__, left_out)
    rows: dict[tuple[str, str, str], list[tuple[float, Picked]]] = defaultdict(list)
    for (position, repeat, cell, other), pair in judged.items():
        first, second = said.get((cell, position, repeat)), said.get((other, position, repeat))
        if first is None or second is None:
            continue
        if not pair.margin:
            left_out[UNDECIDED] += 1
            continue
        better, worse = (first, second) if pair.margin > 0 else (second, first)
        better = replace(better, kind="rating", raters=tuple(sorted(pair.raters)))
        rows[better.place.row_key].append((-abs(pair.margin), Picked(better, worse)))
    return {
        key: [picked for _, picked in sorted(pairs, key=lambda pair: (pair[0], pair[1].better.order))]
        for key, pairs in rows.items()
    }


def corrected_pairs(workspace: Workspace, source: Source) -> Iterator[Picked]:
    """What raters wrote, each against the output that it betters."""
    for one in corrections_of(workspace, source):
        if one.corrects and one.corrects.strip():
            worse = Candidate(one.place, one.cell, one.repeat, one.corrects)
            yield Picked(one, worse)
