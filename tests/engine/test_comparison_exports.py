"""A comparison leaves for a pull request, a CI service or a script, whatever its names contain."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from workbench.core.run import Cell, CellComparison, CellReport, Comparison, MetricEstimate, Report
from workbench.engine.junit import Case, comparison_junit, junit
from workbench.engine.markdown import comparison_markdown

HOSTILE = "x|y `code` @octocat #12 <img src=a> [a](http://b.c) www.d.e\n| \x1b\x00"
BASE = Cell(0, "direct", "a" * 64, "small")
OTHER = Cell(1, "step-by-step", "b" * 64, "small")


def a_report(*cells: Cell) -> Report:
    lines = tuple(
        CellReport(
            cell,
            rows=80,
            outputs=80,
            errors=0,
            unanswered=0,
            metrics={"exact_match": MetricEstimate(0.5, 0.4, 0.6, 80)},
            prompt_tokens=1,
            completion_tokens=1,
            cached_tokens=0,
            cost_usd=0.0,
            latency_p50_s=0.1,
            latency_p95_s=0.2,
        )
        for cell in cells
    )
    return Report("r1", "quickstart", "completed", 160, 0, 0, 1.0, 0.0, lines)


def a_comparison(cell: Cell = OTHER, verdict: str = "worse", **changes: object) -> Comparison:
    found = CellComparison(-0.2, -0.3, -0.1, 0.001, 0.002, 80, verdict, cell=cell)  # type: ignore[arg-type]
    return Comparison("r1", "exact_match", BASE, (replace(found, **changes),))  # type: ignore[arg-type]


def test_a_comment_says_the_result_first_and_the_baseline_in_the_table() -> None:
    text = comparison_markdown(a_report(BASE, OTHER), a_comparison())
    assert text.startswith("<!-- workbench quickstart-exact_match -->\n### 1 cell compared: ▼ 1 worse\n")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert "◆" in rows[1] and "baseline" in rows[1]
    assert "-0.200 [-0.300, -0.100]" in rows[2].replace("\\", "")


def test_two_comments_of_one_experiment_carry_the_same_marker() -> None:
    first = comparison_markdown(a_report(BASE, OTHER), a_comparison()).splitlines()[0]
    second = comparison_markdown(a_report(BASE, OTHER), a_comparison(verdict="better")).splitlines()[0]
    assert first == second


def test_names_can_make_no_cell_tag_link_or_mention_of_a_comment() -> None:
    cell = replace(OTHER, prompt=HOSTILE)
    text = comparison_markdown(replace(a_report(BASE, cell), experiment=HOSTILE), a_comparison(cell))
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert not re.search(r"(?<!\\)<img", text)
    assert not re.search(r"(?<!\\)[\[`]code|@octocat|#12|http://|www\.d", text)
    assert text.splitlines()[0].count("<!--") == 1 and text.splitlines()[0].endswith("-->")


def test_a_cell_without_a_common_row_has_dashes() -> None:
    nothing = a_comparison(
        verdict="undecided", difference=math.nan, low=math.nan, high=math.nan, p_adjusted=math.nan, n=0
    )
    assert "nan" not in comparison_markdown(a_report(BASE, OTHER), nothing)


@pytest.mark.parametrize(("verdict", "failures"), [("worse", "1"), ("undecided", "0")])
def test_a_worse_cell_fails_its_case(verdict: str, failures: str) -> None:
    (suite,) = ElementTree.fromstring(comparison_junit(a_comparison(verdict=verdict)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", failures, "0")
    assert suite.find("properties/property[@name='run']").get("value") == "r1"  # type: ignore[union-attr]


def test_what_fails_is_the_caller_s_choice() -> None:
    (suite,) = ElementTree.fromstring(comparison_junit(a_comparison(verdict="tied"), ("tied",)))
    assert suite.get("failures") == "1"


def test_junit_is_xml_whatever_the_names_contain() -> None:
    cases = [
        Case(HOSTILE, 0.5, failure=HOSTILE, details=HOSTILE),
        Case("b", error="\ud800"),
        Case("c", skipped=""),
    ]
    text = junit(HOSTILE, [(HOSTILE, cases)], {HOSTILE: HOSTILE})
    (suite,) = ElementTree.fromstring(text.encode("utf-8"))
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["3", "1", "1", "1"]
    assert suite.find("testcase").get("time") == "0.500"  # type: ignore[union-attr]
