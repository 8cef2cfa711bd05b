"""Steps run one after the other, say what they do before it is done, and a wrong step is one sentence."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from tests.tuning.items import item
from workbench.core.collection import Item
from workbench.errors import CollectionError, UnknownName
from workbench.tuning import clean, cleaning_preview
from workbench.tuning.cleaning import Dropped, DropStep, Step, TextStep, build_step, registry, step_names
from workbench.tuning.cleaning.applying import LONGEST_SHOWN, MOST_EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {
    "language": {"language": "en"},
    "low_score": {"low_score": {"exact_match": 1}},
    "contains": {"contains": "tram"},
    "regex": {"regex": "tram"},
}


def spec_of(name: str):
    return NEEDED.get(name, name)


@pytest.mark.parametrize("name", step_names())
def test_every_step_says_what_it_does_and_is_documented(name: str):
    built = build_step(spec_of(name))
    assert built.description.endswith(".")
    assert built.shorthand in type(built).model_fields
    page = (ROOT / "docs" / "cleaning.md").read_text("utf-8")
    assert f"| `{name}` |" in page
    undocumented = [
        setting
        for setting in type(built).model_fields
        if f"`{setting}`" not in page and setting != "messages"
    ]
    assert not undocumented
    for field in type(built).model_fields.values():
        assert field.description or field.annotation is bool


@pytest.mark.parametrize("name", step_names())
def test_an_empty_collection_stays_empty(name: str):
    done = clean([], [spec_of(name)])
    assert (done.outcomes, done.kept, done.reports[0].seen) == ((), [], 0)


@pytest.mark.parametrize("name", step_names())
def test_a_step_gives_one_outcome_for_each_item_and_alters_none_that_it_was_given(name: str):
    items = [
        item(f"  Question {n} ?", "The tram  has ﬁve. MAIL a@b.org", scores={"exact_match": 0})
        for n in range(5)
    ]
    before = [one.to_json() for one in items]
    done = clean(items, [spec_of(name)])
    assert len(done.outcomes) == 5
    assert [one.to_json() for one in items] == before
    report = done.reports[0]
    assert report.dropped == 5 - len(done.kept)
    assert report.changed == sum(a is not b for a, b in zip(done.kept, items)) * (report.dropped == 0)


def test_a_step_sees_what_those_before_it_kept_and_made_of_it():
    items = [item("a", "Yes "), item("a", "yes"), item("b", "no"), item("a", "YES")]
    done = clean(items, ["white_space", {"contains": "no"}, "lower_case", "exact_duplicates"])
    assert [(one.reason, one.detail) for one in done.outcomes] == [
        ("", ""),
        ("exact_duplicates", "repeats item 0"),
        ("contains", "holds 'no'"),
        ("exact_duplicates", "repeats item 0"),
    ]
    assert [(one.step, one.seen, one.dropped, one.changed) for one in done.reports] == [
        ("white_space", 4, 0, 1),
        ("contains", 4, 1, 0),
        ("lower_case", 3, 0, 2),
        ("exact_duplicates", 3, 2, 0),
    ]
    assert [one.completion for one in done.kept] == ["yes"]
    assert (done.dropped, done.changed) == (3, 3)


def test_details_name_items_as_the_caller_does():
    done = clean(
        [item("a"), item("b"), item("a")], [{"contains": "zz"}, "exact_duplicates"], numbers=[10, 20, 30]
    )
    assert done.outcomes[2].detail == "repeats item 10"
    assert done.reports[1].examples[0].number == 30


def test_the_preview_counts_and_shows_some_before_and_after():
    items = [item("a", f"number  {n}") for n in range(50)]
    (report,) = cleaning_preview(items, ["white_space"])
    assert (report.step, report.seen, report.dropped, report.changed) == ("white_space", 50, 0, 50)
    assert len(report.examples) == MOST_EXAMPLES
    first = report.examples[0]
    assert (first.number, first.text, first.before, first.after) == (0, "completion", "number  0", "number 0")
    assert items[0].completion == "number  0"
    assert report.to_json()["examples"][1]["after"] == "number 1"


def test_the_preview_shows_a_long_text_where_it_changes():
    (report,) = cleaning_preview([item("a", "x" * 5_000 + "  end")], ["white_space"])
    assert report.examples[0].before.endswith("  end") and report.examples[0].after.endswith("x end")
    assert len(report.examples[0].before) < LONGEST_SHOWN


def test_the_preview_of_a_changed_message_shows_the_message():
    (report,) = cleaning_preview([item("two  blanks")], [{"white_space": {"messages": True}}])
    assert (report.examples[0].text, report.examples[0].after) == ("message 1", "two blanks")


def test_a_text_of_which_nothing_is_left_and_a_pair_that_becomes_one_are_dropped():
    items = [
        item("a", " \n "),
        item("a", "\u200b\u200b"),
        item("a", "Good", rejected="good"),
        item("a", "same", rejected="same"),
    ]
    assert [one.detail for one in clean(items, ["unicode", "white_space", "lower_case"]).outcomes] == [
        "",
        "nothing of the completion was left",
        "completion and rejected became the same",
        "",
    ]


def test_progress_is_told_for_each_step():
    told: list[tuple[str, int, int]] = []
    clean(
        [item(str(n)) for n in range(1_200)],
        ["refusals", "lower_case"],
        on_progress=lambda *at: told.append(at),
    )
    assert told[:3] == [("refusals", 500, 1200), ("refusals", 1000, 1200), ("refusals", 1200, 1200)]
    assert told[-1] == ("lower_case", 1200, 1200)


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        ("near_duplicate", UnknownName, "Did you mean 'near_duplicates'"),
        (
            {"length": {"mst": 3}},
            CollectionError,
            "Cleaning step 'length': key `mst`: unknown key. Did you mean 'most'",
        ),
        ({"length": {"least": 9, "most": 3}}, CollectionError, "`least` (9) is more than `most` (3)"),
        ({"length": "long"}, CollectionError, "Cleaning step 'length': key `most`"),
        ({"near_duplicates": 2}, CollectionError, "less than or equal to 1"),
        ({"language": "english"}, CollectionError, "'english' is no language code here; known: "),
        ("language", CollectionError, "key `keep`: this key is needed"),
        ("low_score", CollectionError, "name a metric and its least score"),
        ({"low_score": {"f1": float("nan")}}, CollectionError, "a bar is a finite number"),
        ({"contains": ["tram", " "]}, CollectionError, "a phrase is empty"),
        ({"contains": []}, CollectionError, "key `phrases`"),
        ({"regex": "(unclosed"}, CollectionError, "not a regular expression: missing )"),
        ({"pii": {"kinds": ["name"]}}, CollectionError, "key `kinds"),
        ({"unicode": "NFD"}, CollectionError, "'NFC' or 'NFKC'"),
        ({}, CollectionError, "A cleaning step is one name with its settings"),
        ({"length": 3, "pii": "drop"}, CollectionError, "A cleaning step is one name with its settings"),
        (7, CollectionError, "A cleaning step is one name with its settings"),
    ],
)
def test_a_wrong_step_is_one_sentence_that_says_what_to_do(spec, error: type[Exception], said: str):
    with pytest.raises(error) as caught:
        clean([item("a")], [spec])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_shorthand_is_the_setting_that_matters_most():
    assert build_step({"length": 40}) == build_step({"length": {"most": 40}})
    assert build_step({"near_duplicates": 0.9}) == build_step({"near_duplicates": {"threshold": 0.9}})
    assert build_step({"low_score": {"f1": 0.5}}) == build_step({"low_score": {"least": {"f1": 0.5}}})
    assert build_step({"low_score": {"most": {"ter": 9}, "missing": "drop"}}).most == {"ter": 9}
    assert build_step({"language": "de"}).keep == ("de",)


def test_a_package_outside_adds_a_step(monkeypatch: pytest.MonkeyPatch):
    class Shout(TextStep):
        description = "Write everything in upper case."

        def text(self, text: str) -> str:
            return text.upper()

    entry = importlib.metadata.EntryPoint("shout", "elsewhere:Shout", registry.group)
    monkeypatch.setattr(importlib.metadata.EntryPoint, "load", lambda self: Shout)
    monkeypatch.setattr(registry, "_outside", {"shout": entry})
    monkeypatch.setattr(registry, "_found", dict(registry._found))
    assert "shout" in step_names()
    assert clean([item("a", "yes")], ["shout"]).kept[0].completion == "YES"


def test_a_step_without_its_method_says_so():
    for kind in (Step, TextStep, DropStep):
        with pytest.raises(NotImplementedError, match=kind.__name__):
            list(kind().outcomes([item("a")]))


def test_dropping_keeps_what_steps_before_changed():
    """A person who takes the item back gets it masked."""
    done = clean([item("a", "mail me: ann@example.org")], ["pii", {"contains": "mail"}])
    assert done.outcomes[0].reason == "contains"
    assert done.outcomes[0].item.completion == "mail me: [EMAIL]"
    assert isinstance(done.outcomes[0].item, Item) and not isinstance(done.outcomes[0].item, Dropped)
