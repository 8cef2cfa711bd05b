"""A model's Markdown, drawn as such and harmless: headings, lists, code and tables, but nothing that loads.

rendered("# Hi\n\n![x](http://a/b.png)")  ->  "**Hi**\n\n\\[image\\: x\\, http\\:⁠//a\\/b\\.png\\]"

The text is parsed here and written anew from its parts, each of them escaped. What is not on the list
of parts below (HTML, images, links, diagrams, formulas) comes out as the text that it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from workbench.app.widgets.text import escaped, escaped_lines

MARKS = {"strong_open": "**", "strong_close": "**", "em_open": "*", "em_close": "*"}
MARKS |= {"s_open": "~~", "s_close": "~~"}
DEEPEST = 20  # lists in lists, quotes in quotes
BLANK = "\u00a0"


def rendered(text: str) -> str:
    """Markdown that shows what this Markdown means, with no image, link or HTML in it."""
    tokens = _parser().parse(text)
    if any(token.level >= DEEPEST - 1 for token in tokens):
        return escaped_lines(text)  # the parser leaves out what is nested deeper
    return "\n".join(_blocks(_tree(tokens))).strip("\n") or BLANK


@lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt

    settings = {"html": False, "linkify": False, "typographer": False, "maxNesting": DEEPEST}
    parser = MarkdownIt("commonmark", settings).enable(["table", "strikethrough"])
    # with the rules off, HTML and definitions of links stay in the text where a reader sees them
    return parser.disable(["html_block", "html_inline", "reference", "autolink"])


class _Node:
    """A block with what stands inside it; `token` is the one that opens it."""

    def __init__(self, token: Any) -> None:
        self.token = token
        self.inside: list[_Node] = []


def _tree(tokens: Sequence[Any]) -> list[_Node]:
    root = _Node(None)
    open_nodes = [root]
    for token in tokens:
        if token.nesting < 0:
            open_nodes.pop()
            continue
        node = _Node(token)
        open_nodes[-1].inside.append(node)
        if token.nesting > 0:
            open_nodes.append(node)
    return root.inside


def _blocks(nodes: Sequence[_Node], tight: bool = False) -> Iterator[str]:
    """The lines of these blocks, each followed by an empty one, unless they are those of a tight list."""
    for node in nodes:
        yield from _block(node)
        if not tight:
            yield ""


def _block(node: _Node) -> Iterator[str]:
    kind = node.token.type
    if kind == "paragraph_open":
        yield from _inline(node).split("\n")
    elif kind == "heading_open":
        # bold and no heading: the page's own headings stay its outline
        said = _inline(node, inside_bold=True).replace("\n", " ").strip()
        yield f"**{said}**" if said else BLANK
    elif kind in ("fence", "code_block"):
        yield from _code(node.token.content)
    elif kind == "hr":
        yield "---"
    elif kind == "blockquote_open":
        yield from (f"> {line}".rstrip() for line in _blocks(node.inside))
    elif kind in ("bullet_list_open", "ordered_list_open"):
        yield from _items(node)
    elif kind == "table_open":
        yield from _table(node)
    elif kind == "inline":
        yield from _spans(node.token.children or []).split("\n")
    else:
        yield from escaped_lines(node.token.content).split("\n")


def _items(node: _Node) -> Iterator[str]:
    start = int(node.token.attrGet("start") or 1) if node.token.type == "ordered_list_open" else None
    for place, item in enumerate(node.inside):
        mark = "- " if start is None else f"{start + place}. "
        tight = all(inner.token.hidden for inner in item.inside if inner.token.type == "paragraph_open")
        lines = list(_blocks(item.inside, tight)) or [BLANK]
        yield mark + lines[0]
        yield from (" " * len(mark) + line if line else "" for line in lines[1:])


def _table(node: _Node) -> Iterator[str]:
    rows = [row for part in node.inside for row in part.inside]
    for place, row in enumerate(rows):
        cells = [_cell(cell) for cell in row.inside]
        yield "| " + " | ".join(cells) + " |"
        if place == 0:
            yield "|" + " --- |" * len(cells)


def _cell(node: _Node) -> str:
    for inner in node.inside:
        for child in inner.token.children or []:
            if child.type == "code_inline":  # a bar ends a cell even inside code
                child.content = child.content.replace("|", "\\|")
    return _inline(node).replace("\n", " ") or " "


def _code(content: str) -> Iterator[str]:
    longest = max((len(run) for run in re.findall("`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    # without its language: `mermaid` would be drawn as a diagram, and colours are hard to read in places
    yield f"{fence}text"
    yield from content.rstrip("\n").split("\n")
    yield fence


def _inline(node: _Node, inside_bold: bool = False) -> str:
    children = [child for inner in node.inside for child in inner.token.children or []]
    if inside_bold:
        children = [child for child in children if child.type not in ("strong_open", "strong_close")]
    return _spans(children)


def _spans(children: Sequence[Any]) -> str:
    parts: list[str] = []
    address = ""
    for child in children:
        if child.type == "text":
            parts.append(escaped(child.content))
        elif child.type == "code_inline":
            parts.append(_code_span(child.content))
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("  \n")  # a model's lines are meant as lines
        elif child.type in MARKS:
            parts.append(MARKS[child.type])
        elif child.type == "image":
            parts.append(escaped(f"[image: {child.content}, {child.attrGet('src') or 'no address'}]"))
        elif child.type == "link_open":
            address = str(child.attrGet("href") or "")
        elif child.type == "link_close":
            parts.append(escaped(f" ({address})"))
        else:
            parts.append(escaped(child.content))
    # without indents, which would make code of a line
    return "\n".join(line.lstrip(" \t") for line in "".join(parts).split("\n"))


def _code_span(content: str) -> str:
    if not content.strip():
        return escaped(content)
    longest = max((len(run) for run in re.findall("`+", content)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{fence}{pad}{content.replace(chr(10), ' ')}{pad}{fence}"
