"""Mathematical answers: equal however they are written, different where they differ, and never run."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.metrics import load_metric
from workbench.metrics.math_equal import equal
from workbench.metrics.math_reading import read
from workbench.metrics.math_tokens import TooHard, Unreadable

SAME = [
    ("1/2", r"\frac{1}{2}"),
    (r"\frac12", ".5"),
    ("1 1/2", r"1\frac{1}{2}"),
    ("2½", "2.5"),
    ("1,234,567", "1234567"),
    (r"10\,000", "10000"),
    ("x+1", "1+x"),
    ("2(x+1)", "2x + 2"),
    ("x^2 - 1", "(x-1)(x+1)"),
    (r"\frac{x^2-1}{x-1}", "x+1"),
    ("a^2+2ab+b^2", "(a+b)^2"),
    ("(x+1)^50", "(1+x)^{50}"),
    ("-x^2", "-(x^2)"),
    ("1/2x", "x/2"),
    (r"\sqrt{8}", r"2\sqrt2"),
    (r"\sqrt[3]{27}", "3"),
    (r"$\dfrac{\sqrt{3}}{2}$", "sqrt(3)/2"),
    ("sqrt(2+sqrt(3))", "(sqrt(6)+sqrt(2))/2"),
    ("2**10", "1024"),
    ("|−3|", "3"),
    ("3!", "6"),
    ("sin^2 x + cos^2 x", "1"),
    (r"\sin(2x)", "2 sin x cos x"),
    (r"\tan^{-1}(1)", r"\pi/4"),
    (r"\log_2 8", "3"),
    ("ln(e^2)", "2"),
    (r"e^{i\pi}", "-1"),
    ("x_1 + x_2", "x_{2} + x_{1}"),
    (r"\{1,2\}", "{2, 1}"),
    ("1, 2 and 3", "3,2,1"),
    (r"1 \text{ or } 2", "{1, 2}"),
    (r"\left[1,2\right)", "[1, 4/2)"),
    (r"(-\infty, 3]", "(-inf,3]"),
    (r"(-\infty,1)\cup(2,\infty)", "(2,inf) ∪ (-inf,1)"),
    ("x = 5", "5"),
    ("5 = x", "x = 5"),
    ("y=2x+1", "2x - y + 1 = 0"),
    ("2x < 10", "5 > x"),
    ("-3<x<2", "2>x>-3"),
    (r"\boxed{90^\circ}", "90"),
    (r"50\%", "50"),
    (r"5\pi \text{ cm}^2", "5π"),
    (r"\emptyset", "{}"),
]  # fmt: skip
DIFFERENT = [
    ("1/2", "0.51"),
    ("0.333", "1/3"),
    ("x + 10^{-100}", "x"),
    ("10^{-50}", "0"),
    ("x+1", "x+2"),
    ("x", "y"),
    (r"\sqrt{x^2}", "x"),
    ("[1,2]", "(1,2)"),
    ("(1,2)", "(2,1)"),
    ("1,2", "(1,2)"),
    ("{1,2}", "{1,3}"),
    ("{1,2}", "1"),
    ("x<5", "x>5"),
    ("x<5", "x<=5"),
    ("-x<5", "x<5"),
    ("y=3x", "y=2x"),
    ("inf", "-inf"),
    ("1/0", "5"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_equal_however_written(first, second):
    assert load_metric("math").score([first, second], [second, first]).values.tolist() == [1, 1]


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_different_where_they_differ(first, second):
    assert load_metric("math").score([first], [second]).values.tolist() == [0]


@pytest.mark.parametrize(
    "answer",
    ["", "yes", "paris", "1 2", "5)", "(5", "()", "=", "x==5", "__import__('os').system('true')", "a.b", "5;",
     "\\input{x}", "lambda: 5", "٣", "\x00"],
)  # fmt: skip
def test_what_is_no_mathematics_is_a_wrong_answer(answer):
    scores = load_metric("math").score([answer], ["7"])
    assert scores.values.tolist() == [0] and not scores.reasons


@pytest.mark.parametrize(
    "answer",
    ["9**9**9", "9^{9^{9}}", "2^-9**9", "x^x^x^x^x^x", "exp(exp(exp(exp(10))))", "1000!!!", "1e999999",
     "sin(10^300)", "(" * 900 + "1" + ")" * 900, "sin " * 300 + "x", "1" + "/7" * 900, "a," * 500, "|" * 400,
     "{" * 300, "x" * 1_000_000, "9" * 1_000_000, "(" * 1_000_000],
    ids=lambda answer: answer[:12],
)  # fmt: skip
def test_what_would_take_long_is_unscored_at_once_with_the_reason(answer):
    started = time.process_time()
    scores = load_metric("math").score([answer, "6/2"], ["x+7", "3"])
    assert time.process_time() - started < 2
    assert np.isnan(scores.values[0]) and scores.values[1] == 1
    assert scores.reasons[0].startswith("The answer cannot be decided: ")


@pytest.mark.parametrize(
    "text", ["1+" * 900 + "1", "(x+y)^{50}", "9" * 1900, "(x+1)" * 50, "−" * 1900 + "1",
             "1/(x+1/(x+1/(x+1/x)))", "sqrt(" * 15 + "2" + ")" * 15],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_large_expressions_within_the_bounds_are_decided_within_seconds(text):
    started = time.process_time()
    scores = load_metric("math").score([text, text], [f"{text}+1", f"0+{text}"])
    assert time.process_time() - started < 4
    assert scores.values.tolist() == [0, 1]


@pytest.mark.parametrize("text", ["(x+y+z+w)^{500}", "((((x+1)^9)^9)^9)^9", "(x+y+z+1)" * 140])
def test_what_agrees_but_is_too_large_to_be_written_out_is_unscored(text):
    scores = load_metric("math").score([text, text], [f"0+{text}", text])
    assert np.isnan(scores.values[0]) and scores.values[1] == 1
    assert scores.reasons[0] == "The answer cannot be decided: it is too large to be written out."


def test_a_reference_that_cannot_be_read_is_unscored_even_where_the_answer_is_the_same_text():
    matrix = r"\begin{pmatrix} 1 \end{pmatrix}"
    scores = load_metric("math").score([matrix, "5"], [matrix, ["five", "5"]])
    assert np.isnan(scores.values[0]) and scores.values[1] == 1
    assert scores.reasons[0] == "The reference cannot be read as mathematics: '\\begin' cannot be read."


def random_polynomial(rng, depth):
    """A text and the same in sympy, which never sees the text."""
    if depth == 0:
        name = rng.choice("xyz")
        whole = rng.randint(0, 9)
        return (name, sympy.Symbol(name)) if rng.random() < 0.6 else (str(whole), sympy.Integer(whole))
    (one, first), (other, second) = random_polynomial(rng, depth - 1), random_polynomial(rng, depth - 1)
    if rng.random() < 0.2:
        power = rng.randint(0, 2)
        return f"({one})^{{{power}}}", first**power
    sign = rng.choice("+-*")
    return f"({one}){sign}({other})", {"+": first + second, "-": first - second, "*": first * second}[sign]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_polynomials_are_equal_exactly_where_sympy_says_so(seed):
    rng = random.Random(seed)
    (text, ours), (other, theirs) = random_polynomial(rng, 3), random_polynomial(rng, 3)
    written = str(sympy.expand(ours))
    assert equal(read(text), read(written))
    assert equal(read(text), read(other)) is (sympy.expand(ours - theirs) == 0)
    assert not equal(read(text), read(f"{written} + 1/10^60"))


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("0123456789.,+-*/^_=<>()[]{}|!\\ xyesincoqrtfalp$%∞√²½"), max_size=40))
def test_any_text_is_read_or_refused_and_equals_itself(text):
    try:
        tree = read(text)
    except (Unreadable, TooHard):
        return
    try:
        assert equal(tree, tree)
    except TooHard:
        return
