"""Templates may come from strangers: they reach nothing, and their work is bounded."""

from __future__ import annotations

import pytest

from workbench.core.prompt import Message, Prompt
from workbench.errors import PromptError
from workbench.prompting import Renderer

ROW = {"t": "abc" * 100, "n": 7, "d": {"a": 1, "items": "data"}, "xs": ["b", "a"]}


def render(template: str) -> str:
    prompt = Prompt(name="p", messages=(Message(role="user", content=template),))
    return Renderer(prompt).messages(ROW)[0]["content"]


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(10**9) %}x{% endfor %}",
        "{{ 9**9**9 }}",
        "{{ 'a' * 10**10 }}",
        "{{ [0] * 10**9 }}",
        "{% for a in t %}{% for b in t %}{% for c in t %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in t %}" + "y" * 10_000 + "{% endfor %}",
        "{% set a = [t, t] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
        "{% set a = t %}" + "{% set a = a ~ a %}" * 60 + "x",
        "{% set a = t %}" + "{% set a = a + a %}" * 60 + "x",
        "{% set a = 10 %}" + "{% set a = a * a %}" * 60 + "x",
        "{% set b %}{{ t }}{{ t }}{% endset %}" + "{% set b %}{{ b }}{{ b }}{% endset %}" * 60,
        "{{ ('a' * 50000) | replace('a', 'b' * 50000) }}",
        "{{ t | indent(10**9) }}",
        "{{ (xs * 100000) | join(t) }}",
        "{{ 5 | round(-1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ t.ljust(10**9) }}",
        "{{ t | center(10**9) }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% block b %}{{ self.b() }}{{ self.b() }}{% endblock %}",
        "{% for x in xs recursive %}{{ loop(xs) }}{{ loop(xs) }}{% endfor %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_a_template_that_would_run_away_ends_with_an_error(template: str) -> None:
    with pytest.raises(PromptError):
        render(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ t.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ t['__class__'] }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{% include 'prompts/direct.yaml' %}",
        "{% import 'os' as os %}",
        "{% extends 'base' %}",
        "{{ t | attr('__class__') }}",
        "{{ xs.append('c') }}",
        "{{ d.update(a=2) }}",
        "{{ xs | random }}",
    ],
)
def test_a_template_reaches_nothing_but_the_row(template: str) -> None:
    with pytest.raises(PromptError):
        render(template)


def test_an_error_does_not_show_addresses_or_values() -> None:
    with pytest.raises(PromptError) as caught:
        render("{{ t.ljust(9) }}")
    assert "0x" not in str(caught.value)
    assert "'ljust' cannot be called in prompts" in str(caught.value)


def test_a_name_that_jinja_has_elsewhere_is_explained() -> None:
    with pytest.raises(PromptError, match="'range' is not available in prompts"):
        render("{% for i in range(3) %}x{% endfor %}")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{% for x in xs %}{{ loop.index }}. {{ x }}\n{% endfor %}", "1. b\n2. a\n"),
        ("{{ xs | sort | join(', ') }}", "a, b"),
        ("{{ t.upper()[:3] }} {{ t | length }}", "ABC 300"),
        ("{{ (n / 3) | round(2) }} {{ n * 2 + 1 }}", "2.33 15"),
        ("{{ d.items }} {{ d.a }}", "data 1"),
        ("{{ 'x' ~ n ~ xs }}", 'x7["b", "a"]'),
        ("{{ t | replace('abc', '') | default('none', true) }}", "none"),
        ("{% set y = n %}{% if y > 3 and 'a' in xs %}yes{% endif %}", "yes"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}", "a=1"),
        ("{% raw %}{{ literal }}{% endraw %}", "{{ literal }}"),
        ("{{ [1, 2, 3] | sum }} {{ xs | map('upper') | list }}", '6 ["B", "A"]'),
        ("{{ '-' * 3 }} {{ xs | first }} {{ loop is defined }}", "--- b False"),
    ],
)
def test_what_prompts_need_works(template: str, text: str) -> None:
    assert render(template) == text


def test_a_loop_leaves_no_blank_lines() -> None:
    assert render("List:\n{% for x in xs %}\n- {{ x }}\n{% endfor %}\nEnd") == "List:\n- b\n- a\nEnd"
