"""A model card as Markdown, for a repository or a hub: tables in the place of curves, every text escaped."""

from __future__ import annotations

from workbench.core.figures import figure
from workbench.engine.markdown import plain_text
from workbench.tuning.cards.blocks import (
    Block,
    Bullets,
    Code,
    LineChart,
    ModelCard,
    Paragraph,
    Table,
)

MOST_POINTS = 12


def model_card_markdown(card: ModelCard) -> str:
    """The whole card; shows exactly the texts that it holds."""
    parts = [f"# {plain_text(card.model)}", plain_text(card.summary)]
    for one in card.sections:
        parts.append(f"## {plain_text(one.title)}")
        parts += [text for block in one.blocks if (text := _block(block))]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return plain_text(block.text)
    if isinstance(block, Bullets):
        return "\n".join(f"- {plain_text(item)}" for item in block.items)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Code):
        return _code(block)
    if isinstance(block, LineChart):
        return _lines(block)
    return ""  # a chart of effects shows what the table before it tells


def _table(table: Table) -> str:
    rules = ["---:" if place in table.numbers else "---" for place in range(len(table.heads))]
    lines = [table.heads, *table.rows]
    shown = ["| " + " | ".join(plain_text(cell) or " " for cell in line) + " |" for line in lines]
    return "\n".join([shown[0], "| " + " | ".join(rules) + " |", *shown[1:]])


def _code(code: Code) -> str:
    longest = max((len(run) for run in _runs_of_ticks(code.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{code.language}\n{code.text.rstrip()}\n{fence}"


def _runs_of_ticks(text: str) -> list[str]:
    return "".join(sign if sign == "`" else " " for sign in text).split()


def _lines(chart: LineChart) -> str:
    """The points at which most lines have a value, thinned out evenly."""
    by_x: dict[float, dict[str, float]] = {}
    for line in chart.lines:
        for x, y in line.points:
            by_x.setdefault(x, {})[line.name] = y
    fullest = max((len(values) for values in by_x.values()), default=0)
    places = sorted(x for x, values in by_x.items() if len(values) == fullest)
    step = max(1, -(-len(places) // MOST_POINTS))
    chosen = sorted({*places[::step], *places[-1:]})
    names = [line.name for line in chart.lines]
    rows = tuple(
        (f"{x:g}", *(figure(by_x[x][name]) if name in by_x[x] else "" for name in names)) for x in chosen
    )
    table = Table((chart.x, *names), rows, tuple(range(len(names) + 1)))
    marked = f"\n\n{plain_text(f'{chart.x} {chart.mark[0]:g}: {chart.mark[1]}.')}" if chart.mark else ""
    return f"{plain_text(chart.title)}\n\n{_table(table)}{marked}"
