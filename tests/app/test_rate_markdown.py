"""Models' Markdown on the Rate page: drawn, and never anything that loads or leads away."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from workbench.app.widgets.rate_markdown import DEEPEST, rendered

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ALLOWED = {
    *("paragraph", "bullet_list", "ordered_list", "list_item", "blockquote", "table", "thead", "tbody"),
    *("tr", "th", "td", "strong", "em", "s", "inline", "text", "fence", "hr", "code_inline", "softbreak"),
    *("hardbreak",),
}


def parts(text: str) -> set[str]:
    """What a reader of Markdown finds in the text."""
    tokens = READER.parse(text)
    found = [token.type for token in tokens] + [
        child.type for token in tokens for child in token.children or []
    ]
    return {kind.removesuffix("_open").removesuffix("_close") for kind in found}


def words(text: str) -> str:
    """All text and code that a reader of Markdown would see, without spaces."""
    tokens = READER.parse(text)
    leaves = [child for token in tokens for child in token.children or [token]]
    return "".join("".join(leaf.content for leaf in leaves).replace("\u2060", "").split())


def test_headings_lists_code_and_tables_are_drawn() -> None:
    found = rendered(
        "# One\n\n1. a **b**\n2. `c`\n   - d\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| `x\\|y` | 2 |"
    )
    assert {"strong", "ordered_list", "bullet_list", "code_inline", "fence", "table"} <= parts(found)
    assert "heading" not in parts(found)  # the page's own headings stay its outline
    assert READER.parse(found)[-1].type == "table_close"
    assert "x|y" in words(found) and "x=1" in words(found)


@pytest.mark.parametrize(
    "hostile",
    [
        "![x](http://a.example/b.png)",
        "![x][y]\n\n[y]: http://a.example/b.png",
        "[x](http://a.example)",
        "[x](javascript:alert(1))",
        "<http://a.example> http://a.example www.a.example me@a.example",
        "<img src=http://a.example/b.png onerror=alert(1)><script>alert(2)</script>",
        "<div>\n\n**x**\n\n</div>",
        "&lt;script&gt;",
        "> ![x](http://a.example)\n\n- <b>x</b>\n\n| ![x](http://a.example) |\n| --- |\n| <i>x</i> |",
        "`` ` `` ``` ![x](http://a.example)\n\n```\n```` ![x](y)",
        "# ![x](http://a.example) <b>",
        "text\n===\n\n    ![x](http://a.example)",
    ],
)
def test_images_links_and_html_are_shown_as_text(hostile: str) -> None:
    found = rendered(hostile)
    assert parts(found) <= ALLOWED, parts(found)
    assert (
        "http://a" not in found.replace("`", "") or "fence" in parts(found) or "code_inline" in parts(found)
    )


def test_addresses_stay_readable() -> None:
    assert "(http://a.example/x)" in rendered("[x](http://a.example/x)").replace("\\", "").replace(
        "\u2060", ""
    )
    assert "[image: x, http://a.example/y.png]" in rendered("![x](http://a.example/y.png)").replace(
        "\\", ""
    ).replace("\u2060", "")


def test_a_diagram_is_code_and_a_formula_is_text() -> None:
    assert rendered("```mermaid\ngraph TD\n```").startswith("```text\n")
    assert "\\$x" in rendered("$x$ :red[y]")


def test_lines_stay_lines_and_nothing_is_lost_however_deep() -> None:
    assert "hardbreak" in parts(rendered("one\ntwo"))
    deep = "> " * (DEEPEST + 5) + "deep down"
    assert "deep" in words(rendered(deep)) and "down" in words(rendered(deep))


@given(st.text(alphabet="ab1 \n`*_~[]()!<>#-|\\&;:.\"'=\t+", max_size=80))
def test_whatever_is_written_is_harmless(text: str) -> None:
    assert parts(rendered(text)) <= ALLOWED


@given(st.text(alphabet="ab1 \n.,:", max_size=60))
def test_plain_words_are_all_there(text: str) -> None:
    assert words(rendered(text)).replace("\u00a0", "") == words(text)


def test_signs_that_cost_a_parser_much_cost_little() -> None:
    began = time.process_time()
    for sign in (">", "[", "*", "![a](", "`", "_a", "- ", "|a"):
        rendered((sign * 6_000)[:6_000])
    assert time.process_time() - began < 5
