"""Finding metrics: by name, with settings, from other packages; cheap imports; documented names."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from workbench.errors import MetricError, UnknownName
from workbench.metrics import Metric, describe_metrics, load_metric, metric_names, registry, score_table

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


class Shout(Metric):
    """A metric of another package."""

    name = "shout"
    description = "Share of outputs in capitals."
    kind = "proportion"
    needs_reference = False

    def score_one(self, prediction, references):
        return float(prediction.isupper())


@pytest.fixture
def _outside(monkeypatch):
    points = {
        "shout": EntryPoint("shout", f"{__name__}:Shout", registry.ENTRY_POINTS),
        "broken": EntryPoint("broken", "no_such_package:Metric", registry.ENTRY_POINTS),
    }
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules[Shout.__module__])
    monkeypatch.setattr(registry, "_outside", lambda: points)


def test_the_documented_metrics_are_there():
    expected = {"accuracy", "bleu", "chrf", "contains", "exact_match", "f1", "rouge_l", "ter"}
    assert expected <= set(metric_names())


@pytest.mark.parametrize("name", metric_names())
def test_every_metric_has_its_section_in_the_docs(name):
    assert f"### `{name}`" in PAGE.read_text(encoding="utf-8"), f"docs/metrics.md says nothing of {name}"


def test_the_metric_that_the_docs_show_how_to_write_works(monkeypatch):
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    example = (
        PAGE.read_text(encoding="utf-8").split("## Adding one")[1].split("```python\n")[1].split("```")[0]
    )
    exec(example, {"__name__": "example"})  # noqa: S102
    assert load_metric("short").score(["brief", "word " * 21]).values.tolist() == [1, 0]


def test_an_unknown_metric_offers_the_nearest_one():
    with pytest.raises(UnknownName, match="Did you mean 'exact_match'"):
        load_metric("exact_mach")


def test_an_unknown_setting_offers_the_nearest_one():
    with pytest.raises(MetricError, match=r"no setting 'tokenise'. Did you mean 'tokenize'"):
        load_metric({"name": "bleu", "tokenise": "zh"})
    with pytest.raises(MetricError, match="has no settings"):
        load_metric({"name": "f1", "beta": 2})


def test_a_mapping_without_a_name_is_refused():
    with pytest.raises(MetricError, match="needs a `name`"):
        load_metric({"tokenize": "zh"})


def test_settings_that_sacrebleu_does_not_take_are_one_sentence():
    with pytest.raises(UnknownName, match="Did you mean '13a'"):
        load_metric({"name": "bleu", "tokenize": "v13a"})
    with pytest.raises(MetricError, match="'bleu' cannot be set up"):
        load_metric({"name": "bleu", "max_ngram_order": "four"})


@pytest.mark.usefixtures("_outside")
def test_a_package_outside_adds_a_metric_by_entry_point():
    assert "shout" in metric_names()
    metric = load_metric("shout")
    assert metric.score(["YES", "no", None]).values.tolist() == [1, 0, 0]


@pytest.mark.usefixtures("_outside")
def test_a_broken_package_outside_is_listed_with_its_problem_and_stops_nothing_else():
    facts = {fact["name"]: fact for fact in describe_metrics()}
    assert "no_such_package" in facts["broken"]["problem"]
    assert facts["exact_match"]["kind"] == "proportion"
    with pytest.raises(MetricError, match="cannot be loaded"):
        load_metric("broken")


def test_descriptions_carry_what_a_menu_needs():
    facts = {fact["name"]: fact for fact in describe_metrics()}
    assert facts["bleu"]["settings"] == {"tokenize": None, "lowercase": False, "max_ngram_order": 4}
    assert facts["ter"]["direction"] == "lower"
    assert facts["f1"]["settings"] == {}


def test_importing_and_listing_metrics_imports_nothing_heavy():
    code = (
        "import sys; from workbench.metrics import metric_names; metric_names();"
        "print([m for m in ('sacrebleu', 'evaluate', 'pandas', 'datasets', 'rapidfuzz', 'scipy',"
        " 'sympy', 'nltk', 'jsonschema', 'regex') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_table_of_rows_is_scored_with_intervals_and_signatures():
    rows = [{"output": f"It is {i}", "target": i % 3} for i in range(9)]
    report = score_table(
        rows, "output", "target", ["exact_match", "bleu"], read=lambda text: text.split()[-1]
    )
    assert report["rows"] == 9
    exact = report["metrics"]["exact_match"]
    assert exact["value"] == pytest.approx(3 / 9) and exact["n"] == 9
    assert exact["low"] < exact["value"] < exact["high"] and "signature" not in exact
    assert report["metrics"]["bleu"]["signature"].startswith("nrefs:1|")


def test_one_metric_stands_twice_in_a_table_under_two_names():
    rows = [{"output": "a b c d e", "target": "a b c d f"}]
    both = ["bleu", {"name": "bleu", "tokenize": "char", "as": "bleu_char"}]
    assert set(score_table(rows, "output", "target", both)["metrics"]) == {"bleu", "bleu_char"}
    with pytest.raises(MetricError, match="listed twice"):
        score_table(rows, "output", "target", ["bleu", {"name": "bleu", "tokenize": "char"}])


def test_a_table_with_nothing_to_score_has_nulls():
    report = score_table([{"output": "a", "target": None}], "output", "target", ["f1"])
    assert report["metrics"]["f1"] == {
        "value": None, "low": None, "high": None, "n": 0, "unscored": 1, "reasons": []
    }  # fmt: skip


def test_a_missing_column_offers_the_nearest_one():
    with pytest.raises(MetricError, match=r"no column 'outptu'. Did you mean 'output'"):
        score_table([{"output": "a", "target": "a"}], "outptu", "target", ["f1"])
