"""A model card as one HTML file: no script, nothing from outside, light or dark as the reader's system is."""

from __future__ import annotations

from html import escape

from workbench.tuning.cards.blocks import (
    Block,
    Bullets,
    Code,
    LineChart,
    ModelCard,
    Paragraph,
    Table,
)
from workbench.tuning.cards.charts import effect_chart_svg, line_chart_svg

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may fetch or run for the page: nothing, whatever a text in it might ask for."""
STYLE = """
:root { color-scheme: light dark; --page: #fff; --text: #1c2128; --muted: #57606a; --rule: #d0d7de;
  --panel: #f6f8fa; --one: #57606a; --two: #0b5cad; --good: #1a7037; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --muted: #9aa4af;
  --rule: #3d444d; --panel: #161b22; --one: #9aa4af; --two: #58a6ff; --good: #56d364; --bad: #ff8078; } }
body { background: var(--page); color: var(--text); font: 16px/1.55 system-ui, sans-serif; margin: 0; }
main { max-width: 58rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { margin-bottom: .25rem; overflow-wrap: anywhere; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--rule); padding-bottom: .2rem; }
.summary { color: var(--muted); font-size: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--rule);
  overflow-wrap: break-word; max-width: 20rem; vertical-align: top; }
.facts th { width: 14rem; } .facts td { overflow-wrap: anywhere; max-width: none; }
.number { text-align: right; font-variant-numeric: tabular-nums; } td.number { white-space: nowrap; }
.wide { margin: 1rem 0; }
pre { background: var(--panel); padding: .8rem; overflow-x: auto; border-radius: 6px; font-size: .88rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--text); font-size: 12px; }
line.grid { stroke: var(--rule); stroke-width: .5; } line.axis { stroke: var(--muted); }
line.zero { stroke: var(--muted); stroke-dasharray: 4 3; } polyline { fill: none; }
.line-0 { stroke: var(--one); stroke-width: 1.5; } .line-1 { stroke: var(--two); stroke-width: 2.5; }
.dot-0 { fill: var(--one); } .dot-1 { fill: var(--two); }
line.effect { stroke: var(--muted); stroke-width: 3; } .effect-dot { fill: var(--muted); }
line.better { stroke: var(--good); } .effect-dot.better { fill: var(--good); }
line.worse { stroke: var(--bad); } .effect-dot.worse { fill: var(--bad); }
figure { margin: 1rem 0; } figcaption { color: var(--muted); font-size: .92rem; }
"""


def model_card_html(card: ModelCard) -> str:
    """The whole card as a file of its own; every text in it is escaped."""
    body = [f"<h1>{escape(card.model)}</h1>", f'<p class="summary">{escape(card.summary)}</p>']
    for one in card.sections:
        body.append(f"<section>\n<h2>{escape(one.title)}</h2>")
        body += [_block(block) for block in one.blocks]
        body.append("</section>")
    head = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(card.model)}: model card</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
    ]
    return "\n".join([*head, *body, "</main>", "</body>", "</html>", ""])


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Code):
        return f"<pre><code>{escape(block.text.rstrip())}</code></pre>"
    drawn = line_chart_svg(block) if isinstance(block, LineChart) else effect_chart_svg(block)
    return f"<figure>\n{drawn}\n<figcaption>{escape(block.title)}</figcaption>\n</figure>" if drawn else ""


def _table(table: Table) -> str:
    kinds = [' class="number"' if place in table.numbers else "" for place in range(len(table.heads))]
    rows = []
    if any(table.heads):
        heads = zip(kinds, table.heads, strict=True)
        rows.append("<tr>" + "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in heads) + "</tr>")
    for row in table.rows:
        cells = list(zip(kinds, row, strict=True))
        opened = [
            "th scope='row'" if not any(table.heads) and not place else "td" for place in range(len(row))
        ]
        rows.append(
            "<tr>"
            + "".join(
                f"<{tag}{kind}>{escape(text)}</{tag.split()[0]}>"
                for tag, (kind, text) in zip(opened, cells, strict=True)
            )
            + "</tr>"
        )
    kind = "" if any(table.heads) else ' class="facts"'
    return f'<div class="wide"><table{kind}>\n' + "\n".join(rows) + "\n</table></div>"
