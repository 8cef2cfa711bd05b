"""Numbers within a tolerance, sets of items, letters of choices: what counts as the same answer."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import MetricError
from workbench.metrics import CellOutputs, load_metric
from workbench.metrics.answers import chosen_letter, quantity


def right(spec, prediction, reference):
    return bool(load_metric(spec).score([prediction], [reference]).values[0])


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("42", "42", ""),
        ("**$1,200.50**", "1200.5", "dollar"),
        ("-$5", "-5", "dollar"),
        ("−3", "-3", ""),
        ("12 dollars", "12", "dollar"),
        ("3/4 Cups.", "0.75", "cup"),
        ("50%", "50", "%"),
        ("5€", "5", "euro"),
        ("1e3", "1000", ""),
        ("５", "5", ""),
        ("20 °C", "20", "°c"),
        (".5", "0.5", ""),
    ],
)
def test_a_quantity_is_read_with_its_unit(text, value, unit):
    assert quantity(text) == (Decimal(value), unit)


@pytest.mark.parametrize(
    "text", ["", "about 5", "5 or 6", "1,00", "1/0", "1 2", "--5", ".", "9" * 1001, "inf"]
)
def test_what_is_no_single_number_is_none(text):
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("settings", "prediction", "reference", "expected"),
    [
        ({}, "1,000.0", "1000", True),
        ({}, "0.30000000000000004", "0.3", False),
        ({}, "123456789012345678901", "123456789012345678902", False),
        ({}, "5", "5 km", True),
        ({}, "5 KM", "5 km", True),
        ({}, "5 miles", "5 km", False),
        ({}, "50", "50%", True),
        ({}, "about five", "5", False),
        ({"tolerance": 0.5}, "5.5", "5", True),
        ({"tolerance": 0.5}, "5.51", "5", False),
        ({"relative": 0.01}, "-99", "-100", True),
        ({"relative": 0.01}, "-98.9", "-100", False),
        ({"relative": 0.01}, "0.001", "0", False),
        ({"tolerance": 0.01, "relative": 0.01}, "0.001", "0", True),
        ({}, "7", ["6", "many", "7"], True),
    ],
)
def test_numbers_are_equal_within_the_tolerance(settings, prediction, reference, expected):
    assert right({"name": "numeric", **settings}, prediction, reference) is expected


THOUSANDTHS = st.integers(-(10**9), 10**9).map(lambda number: Decimal(number) / 1000)


@settings(deadline=None)
@given(THOUSANDTHS, THOUSANDTHS, st.sampled_from([0, 0.5, 1e6]), st.sampled_from([0, 0.01, 0.5]))
def test_the_tolerance_is_that_of_math_isclose_towards_the_reference(answer, reference, tolerance, relative):
    ours = right(
        {"name": "numeric", "tolerance": tolerance, "relative": relative}, f"{answer:,f}", f"{reference:f}"
    )
    off = abs(answer - reference)
    assert ours is (off <= max(Decimal(str(tolerance)), Decimal(str(relative)) * abs(reference)))
    allowed = max(tolerance, relative * abs(float(reference)))
    if abs(float(off) - allowed) > 1e-6:
        assert ours is math.isclose(answer, reference, rel_tol=0, abs_tol=allowed)


def test_a_reference_that_is_no_number_is_unscored_with_the_reason():
    scores = load_metric("numeric").score(["5", "5"], ["a few", "5"])
    assert np.isnan(scores.values).tolist() == [True, False]
    assert scores.reasons == {0: "The reference is no number: a few"}


@pytest.mark.parametrize("value", [-1, "much", True, math.nan, math.inf, None, [1]])
@pytest.mark.parametrize("setting", ["tolerance", "relative"])
def test_a_tolerance_is_a_number_from_0(setting, value):
    with pytest.raises(MetricError, match=f"'numeric': `{setting}` is a number from 0"):
        load_metric({"name": "numeric", setting: value})


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_number_or_none_and_choices_never_fail(text):
    found = quantity(text)
    assert found is None or found[0].is_finite()
    assert chosen_letter(text) is None or chosen_letter(text) in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("settings", "prediction", "reference", "expected"),
    [
        ({}, "blue, Red", "red, blue.", 1),
        ({}, "[red, blue, red]", "red,blue", 1),
        ({}, "red\nblue", "red, blue", 1),
        ({}, "red", "red, blue", 0),
        ({}, "1,000; 2", "2, 1, 000", 0),
        ({"separator": ";"}, "1,000; 2", "2;1000", 1),
        ({}, "Berlin, Paris", ["Paris", "Berlin"], 1),
        ({}, "", "a", 0),
        ({"partial": True}, "red, green", "red, blue", 0.5),
        ({"partial": True}, "red", "red, blue", 2 / 3),
        ({"partial": True}, "", "red", 0),
    ],
)
def test_sets_are_compared_whatever_their_order(settings, prediction, reference, expected):
    metric = load_metric({"name": "set_match", **settings})
    assert metric.score([prediction], [reference]).values[0] == pytest.approx(expected)


def test_whole_sets_get_the_interval_of_a_share_and_parts_of_them_that_of_a_mean():
    assert load_metric("set_match").kind == "proportion"
    assert load_metric({"name": "set_match", "partial": True}).kind == "mean"
    with pytest.raises(MetricError, match="'set_match': `separator` is a text"):
        load_metric({"name": "set_match", "separator": ""})


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(b)", "B"),
        ("**C.**", "C"),
        ("B) Paris", "B"),
        ("**B.** Paris", "B"),
        ("D: because", "D"),
        ("The answer is C.", "C"),
        ("I think the correct answer is **(A)**, not B", "A"),
        ("First option B, but no: option C", "C"),
        ("Answer:D", "D"),
        ("A cat sat", None),
        ("the answer is a dog", None),
        ("A.I. decides", None),
        ("Paris", None),
        ("42", None),
        ("", None),
    ],
)
def test_a_letter_is_read_where_a_choice_is_made(text, letter):
    assert chosen_letter(text) == letter


OPTIONS = ["Rome", "Paris", "Berlin", "A"]


def choices(answers, references, spec=None):
    rows = [{"options": OPTIONS} for _ in answers]
    metric = load_metric({"name": "choice", "options": "options", **(spec or {})})
    return metric.score_outputs(CellOutputs(answers, references, references, ["B"] * len(answers), rows))


def test_options_make_letters_of_texts_and_places():
    answers = ["paris", "B", "B) Paris", "Berlin.", "Madrid", None, "A", "0"]
    assert choices(answers, ["Paris"] * 8).values.tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert choices(["paris"] * 3, [1, "B", ["A", "Rome", "Paris"]]).values.tolist() == [1, 1, 1]
    assert choices(["A"], ["D"]).values.tolist() == [1], "an option's own text comes before its letter"


def test_a_reference_that_is_no_option_is_unscored_with_the_reason():
    scores = choices(["A", "A"], ["Oslo", 9])
    assert np.isnan(scores.values).all()
    assert scores.reasons[0] == "The reference names no choice: Oslo"


def test_options_may_be_a_mapping_and_the_text_may_be_read_instead_of_the_answer():
    rows = [{"o": {"a": "yes", "b": "no"}}, {"o": {"text": ["yes", "no"], "label": ["A", "B"]}}, {"o": None}]
    metric = load_metric({"name": "choice", "options": "o", "of": "text"})
    outputs = CellOutputs([None] * 3, ["no"] * 3, ["no"] * 3, ["No.", "b", "B"], rows)
    scores = metric.score_outputs(outputs)
    assert scores.values[:2].tolist() == [1, 1] and np.isnan(scores.values[2])


def test_a_column_of_options_that_is_not_there_offers_the_nearest():
    with pytest.raises(MetricError, match="Did you mean 'options'"):
        choices(["A"], ["A"], {"options": "optoins"})
