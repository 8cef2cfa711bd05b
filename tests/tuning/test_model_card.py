"""Promises of the model card: it tells all that is known, hides no risk, and shows hostile text as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.tuning.tuned_nano import learnt, tuned_workspace
from workbench.core.collection import CollectionItem, Item, collection_version
from workbench.core.run import Gap
from workbench.core.tuning import Recipe, Train
from workbench.engine import Workspace
from workbench.errors import TuningError, UnknownName, UsageError
from workbench.tuning import (
    TrainingJob,
    TuningFolder,
    TuningVerdict,
    model_card,
    model_card_html,
    model_card_markdown,
    verdict_json,
    write_model_card,
)
from workbench.tuning.cards.blocks import Line, LineChart
from workbench.tuning.cards.charts import line_chart_svg, ticks
from workbench.tuning.cards.composing import base_license
from workbench.tuning.cards.risks import contaminated, personal, risk_sentences
from workbench.tuning.snapshot import write_items
from workbench.tuning.training.events import EventLog
from workbench.tuning.verdict.memorising import memorisation
from workbench.tuning.verdict.records import (
    ForgettingVerdict,
    Level,
    ModelTakes,
    PerplexityVerdict,
    PromptVerdict,
    RecallVerdict,
    SliceVerdict,
    WinRate,
)

TUNING = "20261121-120000-aaaaaa"
HOSTILE = "<script>alert(1)</script> | `x` [a](javascript:b) & \"quoted\" 'too' ```\n# heading"
ALLOWED = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body main section h1 h2 p ul li div table tr th td pre code figure "
        "figcaption svg line text polyline circle",
    )
)
RECIPE = {
    "name": "quick",
    "description": HOSTILE,
    "base": "nano",
    "collect": {"runs": ["transit-samples"]},
}
PROMPT = PromptVerdict(
    "step-by-step",
    {},
    Level(0.2, 0.15, 0.26, 200),
    Level(0.4, 0.33, 0.47, 200),
    Gap(0.2, 0.13, 0.27, 0.0001, 0.0002, 200, "better"),
)
WORSE = Gap(-0.3, -0.4, -0.2, 0.0001, 0.0002, 100, "worse")


def a_verdict(**changes: object) -> TuningVerdict:
    found = TuningVerdict(
        experiment="transit",
        dataset="transit",
        split="test",
        rows=200,
        metric="exact_match",
        direction="higher",
        confidence=0.95,
        margin=0.0,
        base_model="nano",
        tuned_model="tuned",
        headline=PROMPT,
        prompts=(PROMPT,),
        takes=(
            ModelTakes("nano", 200, 0, 2, 900, 800, 0.0, 0.1, 0.2, 310.0, 4_000_000, 2_000_000),
            ModelTakes("tuned", 200, 0, 2, 900, 850, 0.0, 0.1, 0.2),
        ),
    )
    return replace(found, **changes)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = tuned_workspace(tmp_path_factory.mktemp("card"))
    yield workspace
    workspace.close()


@pytest.fixture
def tuned(opened: Workspace) -> Workspace:
    """A tuning that ran to its end, as its rows and files tell."""
    items = [
        *learnt("20261120-100000-abcdef"),
        Item(({"role": "user", "content": HOSTILE},), HOSTILE, replace(learnt()[0].origin, file=HOSTILE)),
    ]
    report = {
        "left_out": {"below the bar": 31},
        "apart_from": ["transit#test"],
        "overlaps": {"rows": 2, "listed": []},
        "clean": [{"step": "exact_duplicates", "seen": 15, "dropped": 2, "changed": 0}],
    }
    store = opened.store
    if store.collections.get("c1") is None:
        kept = [CollectionItem(number, item) for number, item in enumerate(items)]
        dropped = CollectionItem(len(kept), items[0], "dropped", "exact_duplicates")
        store.collections.create("c1", "quick", "completion", {"runs": ["x"]}, report, [*kept, dropped])
        store.tunings.create(TUNING, "quick", {"recipe": RECIPE, "model": "tuned"})
    values = {"model": "tuned", "collection": "c1", "collection_version": collection_version(items)}
    store.tunings.set(TUNING, status="completed", stage="done", seconds=61.0, **values)
    store.tunings.set(TUNING, result=verdict_json(a_verdict(notes=(HOSTILE,))))
    folder = TuningFolder.of(opened.state_dir, TUNING)
    write_items(folder, items)
    TrainingJob(TUNING, "x", Train(batch=4, learning_rate=0.002, epochs=3)).write(folder.job)
    folder.events.unlink(missing_ok=True)
    log = EventLog(folder.events)
    log.write("start", step=0, steps=20, parameters=1_100_000, trainable=9_000, seconds=1.0, device="cpu")
    for step in range(1, 21):
        log.write("log", step=step, loss=2 / step, seconds=float(step), tokens_per_s=2000.0)
        if step % 5 == 0:
            log.write("look", step=step, validation_loss=0.5 + abs(step - 10) / 10)
    return opened


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.text += text


def test_the_page_is_whole_asks_for_nothing_and_shows_hostile_text_as_text(tuned: Workspace):
    text = model_card_html(model_card(tuned, TUNING))
    page = Page(text)
    assert not page.open
    names = {tag for tag, _ in page.tags}
    assert names <= ALLOWED
    attributes = {name for _, given in page.tags for name in given}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert page.text.count("<script>alert(1)</script>") >= 3
    policy = next(given["content"] for _, given in page.tags if "http-equiv" in given)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http-equiv", "")


def test_markdown_shows_hostile_text_as_text(tuned: Workspace):
    text = model_card_markdown(model_card(tuned, TUNING))
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert "<script" not in shown and "<a " not in shown and "javascript:" in shown
    heads = re.findall(r"<h([12])>(.*?)</h\1>", shown)
    assert ("1", "tuned") in heads and not any(name == "heading" for _, name in heads)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(
        "|" not in re.sub(r"\\.", "", cell) for line in rows for cell in re.split(r" (?<!\\)\| ", line[2:-2])
    )


def test_it_tells_data_recipe_environment_results_and_risks(tuned: Workspace):
    card = model_card(tuned, TUNING)
    titles = [one.title for one in card.sections]
    assert titles == [
        "What it is",
        "Intended use",
        "Results",
        "Speed, memory and cost",
        "Risks and limits",
        "Notes",
        "What it learnt from",
        "Training",
        "Environment",
        "Recipe",
        "Names by content",
    ]
    text = model_card_markdown(card).replace("\\", "").replace("\u2060", "")
    for told in (
        "| base | nano |",
        "| licence of the base | Apache-2.0 |",
        "+0.200 [+0.130, +0.270] | 0.0002 | better",
        "| 20261120-100000-abcdef | transit#train | step-by-step 00000000 | nano | 12 | 12 |",
        "| below the bar | 31 |",
        "| exact_duplicates | 15 | 2 | 0 |",
        "| held apart from | transit#test |",
        "| licence of the data | transit: Apache-2.0 |",
        "| learning rate | 0.002 |",
        "| of them trained | 9,000 |",
        "step 10: best.",
        "base: nano",
    ):
        assert told in text, told


def test_every_part_of_a_verdict_has_its_place(tuned: Workspace):
    sides = {"base": PROMPT.base, "tuned": PROMPT.tuned, "gap": PROMPT.gap}
    unknown = Level(math.nan, math.nan, math.nan, 0)
    nothing = Gap(math.nan, math.nan, math.nan, math.nan, math.nan, 0, "undecided")
    whole = a_verdict(
        prompts=(PROMPT, replace(PROMPT, prompt="hot", sampling={"temperature": 0.7}, gap=WORSE)),
        shortcut=replace(PROMPT, prompt="direct (tuned) against step-by-step (base)"),
        slices=(
            SliceVerdict("steps", HOSTILE, 90, **sides),
            SliceVerdict("steps", "4", 1, unknown, unknown, nothing),
        ),
        win_rate=WinRate(0.6, 0.53, 0.67, 0.004, 90, 50, 60),
        forgetting=(ForgettingVerdict("labels", "team-labels", "test", "shots", "accuracy", "r", **sides),),
        perplexity=PerplexityVerdict("column reasoning of transit#test", **sides),
        memorisation=memorisation([HOSTILE * 3], [(0, "a", HOSTILE * 3), (1, "b", "c")]),
        recall=RecallVerdict(100, "r", **sides),
    )
    tuned.store.tunings.set(TUNING, result=verdict_json(whole))
    card = model_card(tuned, TUNING)
    assert [one.title for one in card.sections][2:8] == [
        "Results",
        "By slice",
        "What was forgotten",
        "Held-out text",
        "Training text in the outputs",
        "Speed, memory and cost",
    ]
    page = Page(model_card_html(card))
    assert not page.open and {tag for tag, _ in page.tags} <= ALLOWED
    drawn = [given["class"] for tag, given in page.tags if tag == "circle"]
    assert drawn.count("effect-dot better") == 3 and drawn.count("effect-dot worse") == 1
    for told in (
        "hot · temperature 0.7",
        "win rate 0.600 [0.530, 0.670]",
        "Asked 100 of the learnt questions",
    ):
        assert told in page.text, told
    assert "nan" not in page.text.replace("nano", "").casefold()


def test_losses_on_scales_of_their_own_are_drawn_apart(tuned: Workspace):
    sides = {"base": PROMPT.base, "tuned": PROMPT.tuned, "gap": WORSE}
    labels = ForgettingVerdict("labels", "team-labels", "test", "shots", "accuracy", "r", **sides)
    far = {"base": Level(90, 80, 95, 100), "tuned": Level(70, 60, 80, 100)}
    text = replace(
        labels, dataset="rewriting", metric="bleu", gap=Gap(-20, -25, -15, 0, 0, 100, "worse"), **far
    )
    tuned.store.tunings.set(TUNING, result=verdict_json(a_verdict(forgetting=(text, labels))))
    page = Page(model_card_html(model_card(tuned, TUNING)))
    drawn = [given["aria-label"] for tag, given in page.tags if tag == "svg"]
    assert [one.split(". ")[0] for one in drawn if one.startswith("Tuned minus base elsewhere")] == [
        "Tuned minus base elsewhere, accuracy",
        "Tuned minus base elsewhere, bleu",
    ]


def test_a_tuning_that_was_not_measured_says_so(tuned: Workspace):
    tuned.store.tunings.set(TUNING, result={"runs": {"verdict": "20260101-000000-000000"}})
    text = model_card_markdown(model_card(tuned, TUNING))
    assert "It was not measured against its base." in text
    assert "nothing is known of what tuning gained or cost" in text


def test_without_a_model_there_is_no_card(tuned: Workspace):
    tuned.store.tunings.set(TUNING, model=None)
    with pytest.raises(TuningError, match="has no model yet"):
        model_card(tuned, TUNING)
    with pytest.raises(UnknownName, match="tuning"):
        model_card(tuned, "20200101-000000-000000")


def test_a_damaged_verdict_is_told(tuned: Workspace):
    tuned.store.tunings.set(TUNING, result={"comparison": {}})
    with pytest.raises(TuningError, match=f"verdict of tuning {TUNING} cannot be read"):
        model_card(tuned, TUNING)


def test_the_file_name_says_the_form(tuned: Workspace, tmp_path: Path):
    assert write_model_card(tuned, TUNING, tmp_path / "card.html").read_text("utf-8").startswith("<!doctype")
    assert write_model_card(tuned, TUNING, tmp_path / "card.md").read_text("utf-8").startswith("# tuned")
    assert write_model_card(tuned, TUNING, tmp_path / "card.txt", "md").exists()
    with pytest.raises(UsageError, match="md or html"):
        write_model_card(tuned, TUNING, tmp_path / "card.pdf")


def risks(items: list[Item], asked: list[dict[str, object]] | None = None, **changes: object) -> str:
    recipe = Recipe.model_validate(RECIPE)
    return "\n".join(risk_sentences(recipe, items, a_verdict(**changes), asked or []))


def test_a_good_verdict_leaves_only_what_always_holds():
    people = [replace(item, origin=replace(item.origin, kind="correction")) for item in learnt(count=60)]
    assert risks(people).count("\n") == 0


def test_losses_small_tests_and_repeats_are_risks():
    lost = ForgettingVerdict(
        "labels", "team-labels", "test", "shots", "accuracy", "r", PROMPT.tuned, PROMPT.base, WORSE
    )
    copied = memorisation(
        ["one two three four five six seven eight"],
        [(row, "other", "one two three four five six seven eight") for row in range(20)],
    )
    found = risks(
        learnt(),
        rows=40,
        headline=replace(PROMPT, gap=replace(PROMPT.gap, verdict="undecided", rows_needed=900)),
        forgetting=(lost, replace(lost, gap=replace(WORSE, verdict="undecided"))),
        memorisation=copied,
        takes=(a_verdict().takes[0], replace(a_verdict().takes[1], unanswered=40)),
        recall=RecallVerdict(100, "r", PROMPT.base, PROMPT.tuned, PROMPT.gap),
    )
    for told in (
        "not shown to be better than its base: exact_match +0.200 [+0.130, +0.270], undecided (about 900",
        "rests on 40 test rows",
        "lost something on team-labels (prompt shots): accuracy -0.300 [-0.400, -0.200]",
        "In 1 of 2 comparisons",
        "100.0% of its outputs hold 8 words in a row",
        "20.0%, 1.0% of its base's",
        "asked 100 of the learnt questions, it gives a learnt completion word for word in 40.0% of them, its "
        "base in 20.0%",
        "12 of 12 items are outputs of models",
        "learnt from 12 items only",
    ):
        assert told in found, told


def test_personal_data_and_test_rows_in_training_are_risks():
    items = learnt()
    row = dict(items[3].row) | {"id": "transit-test-0001"}
    assert contaminated(items, [row, {"id": "b", "question": "Something else, not seen by anybody?"}]) == 1
    assert personal(items) == 0
    secret = replace(items[0], completion="Write to ann@example.org.")
    assert personal([secret, *items[1:]]) == 1
    found = risks([secret, *items[1:]], asked=[row])
    assert "1 of 12 training items hold what looks like personal data" in found
    assert "1 of 1 test rows hold text that was also shown in training" in found


def test_the_licence_of_a_base_is_read_where_it_is_written(opened: Workspace, tmp_path: Path):
    (tmp_path / "README.md").write_text('---\nlicense: "mit"\ntags: []\n---\n# Model\n')
    row = opened.models.spec("tuned").model_copy(update={"name": "other", "model": str(tmp_path)})
    opened.models.add(row)
    assert base_license(opened, "other") == "mit"
    (tmp_path / "README.md").unlink()
    assert base_license(opened, "other") is None
    assert base_license(opened, "nano@int8") == "Apache-2.0"
    assert base_license(opened, "gone") is None


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.2, 3.7), (-0.31, 0.02), (0, 1e-7), (3, 1e6), (5, 5.0001)]
)
def test_ticks_reach_round_both_ends(low: float, high: float):
    found = ticks(low, high)
    assert found[0] <= low + 1e-9 and found[-1] >= high - 1e-9 and 2 <= len(found) <= 8
    steps = {round((after - before) / (found[1] - found[0]), 6) for before, after in pairwise(found)}
    assert steps == {1.0}


@pytest.mark.parametrize("last", [1, 2, 3, 12, 102])
def test_steps_are_counted_in_whole_numbers(last: int):
    chart = LineChart("t", "step", "loss", (Line("a", ((0, 2.5), (last, 1.5))),))
    below = re.findall(r'y="258.0" text-anchor="middle">([^<]*)<', line_chart_svg(chart))
    assert below[0] == "0" and len(below) >= 2 and not any("." in text for text in below)


def test_a_curve_leaves_out_what_is_no_number_and_needs_two_points():
    chart = LineChart("t", "step", "loss", (Line("a<b", ((1, 2.0), (2, math.nan), (3, 1.0))),))
    drawn = line_chart_svg(chart)
    assert drawn.count("<circle") == 2 and "nan" not in drawn and "a&lt;b" in drawn
    assert line_chart_svg(replace(chart, lines=(Line("a", ((1, 2.0),)),))) == ""
