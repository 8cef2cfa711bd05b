"""`workbench collections`, and collections as files: what is printed, changed, taken back and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from workbench.core.collection import CollectionItem, Item, Origin, Task
from workbench.engine import Workspace

SUMS = [(f"What is {n} + {n}?", f"Answer: {2 * n}") for n in range(1, 7)]


def item(question: str, completion: str, **more: object) -> Item:
    origin = Origin(
        "output", run="r1", row_id=question, prompt="direct", model="small", scores={"exact_match": 1}
    )
    return Item(({"role": "user", "content": question},), completion, origin, **more)  # type: ignore[arg-type]


def store(root: Path, name: str, items: list[Item], task: Task = "completion") -> None:
    opened = Workspace.open(root)
    numbered = [CollectionItem(number, one) for number, one in enumerate(items)]
    opened.store.collections.create(f"20261121-120000-{name}", name, task, {}, {"looked_at": 9}, numbered)
    opened.close()


@pytest.fixture
def sums(root: Path) -> Iterator[str]:
    """A collection of six sums, of which the last repeats the first."""
    store(root, "twice", [item(*SUMS[0]), *(item(*one) for one in SUMS[1:]), item(*SUMS[0])])
    return "twice"


def pair(question: str) -> Item:
    return item(question, "4", rejected="5")


def test_collections_are_listed_and_shown(workbench: Command, sums: str):
    (listed,) = workbench("collections", "--json").json["collections"]
    assert (listed["name"], listed["task"], listed["kept"], listed["dropped"]) == (
        "twice",
        "completion",
        7,
        0,
    )
    assert "twice" in workbench("collections", "list").out
    shown = workbench("collections", "show", sums, "--json").json
    assert shown["collection"] == listed
    assert shown["report"] == {"looked_at": 9}
    said = workbench("collections", "show", sums).out
    assert "9 outputs" in said and "7 items" in said
    assert workbench("collections", "show", "20261121-1200").out == said, "the beginning of an id will do"


def test_items_are_shown_in_full_page_by_page(workbench: Command, sums: str):
    said = workbench("collections", "preview", sums, "--limit", 2, "--offset", 1)
    assert "What is 2 + 2?" in said.out and "Answer: 6" in said.out and "exact_match 1" in said.out
    assert "2 of 7 kept items" in said.err
    page = workbench("collections", "preview", sums, "--limit", 1, "--json").json
    assert page["items"][0]["completion"] == "Answer: 2"
    assert page["items"][0]["origin"]["row_id"] == "What is 1 + 1?"


def test_cleaning_is_shown_first_and_can_be_taken_back(workbench: Command, sums: str):
    steps = ("--step", "exact_duplicates", "--step", "{length: {most: 9}}")
    seen = workbench("collections", "clean", sums, *steps, "--json").json
    assert not seen["applied"]
    assert [(one["step"], one["seen"], one["dropped"]) for one in seen["steps"]] == [
        ("exact_duplicates", 7, 1),
        ("length", 6, 2),
    ]
    assert "Nothing was changed yet" in workbench("collections", "clean", sums, *steps).err
    assert workbench("collections", "show", sums, "--json").json["dropped"] == {}
    done = workbench("collections", "clean", sums, *steps, "--apply", "--json").json
    assert done["steps"] == seen["steps"]
    shown = workbench("collections", "show", sums, "--json").json
    assert shown["dropped"] == {"exact_duplicates": 1, "length": 2}
    (repeated,) = workbench("collections", "preview", sums, "--reason", "exact_duplicates", "--json").json[
        "items"
    ]
    assert repeated["number"] == 6 and "item 0" in repeated["detail"]
    assert "exact_duplicates" in workbench("collections", "undo", sums, "--json").json["undone"]
    assert workbench("collections", "show", sums, "--json").json["dropped"] == {}
    assert "Nothing in twice was changed" in workbench("collections", "undo", sums).err


def test_people_reject_accept_and_edit(workbench: Command, sums: str):
    version = workbench("collections", "show", sums, "--json").json["collection"]["version"]
    assert (
        workbench("collections", "reject", sums, 0, 6, "--detail", "too easy", "--json").json["changed"] == 2
    )
    shown = workbench("collections", "show", sums, "--json").json
    assert shown["dropped"] == {"person": 2} and shown["collection"]["version"] != version
    assert "too easy" in workbench("collections", "preview", sums, "--dropped").out
    assert "Accepted 1 item" in workbench("collections", "accept", sums, 0).err
    workbench("collections", "edit", sums, 1, "--text", "It is 4.")
    page = workbench("collections", "preview", sums, "--offset", 1, "--limit", 1, "--json").json["items"]
    assert (page[0]["completion"], page[0]["original"]) == ("It is 4.", "Answer: 4")
    assert "edited item 1" in workbench("collections", "show", sums).out
    for _ in range(3):
        workbench("collections", "undo", sums)
    assert workbench("collections", "show", sums, "--json").json["collection"]["version"] == version


def test_values_are_balanced(workbench: Command, root: Path):
    store(root, "labels", [item(f"q{n}", "yes" if n else "no") for n in range(4)])
    seen = workbench("collections", "balance", "labels", "--by", "answer", "--json").json
    assert {one["value"]: (one["before"], one["after"]) for one in seen["values"]} == {
        "yes": (3, 1),
        "no": (1, 1),
    }
    workbench("collections", "balance", "labels", "--by", "answer", "--apply")
    assert workbench("collections", "show", "labels", "--json").json["collection"]["kept"] == 2
    workbench("collections", "undo", "labels")
    said = workbench("collections", "balance", "labels", "--by", "answer", "--over", "--apply").err
    assert "repeated in training and in exported files" in said and "Take it back" in said
    assert workbench("collections", "show", "labels", "--json").json["collection"]["kept"] == 4
    written = workbench("export", "collection", "labels")
    assert [json.loads(line)["messages"][-1]["content"] for line in written.out.splitlines()] == [
        *("no", "yes", "yes", "yes"),
        *("no", "no"),
    ]
    assert "6 examples of format openai; 2 of them rare ones again" in written.err
    assert len(workbench("export", "collection", "labels", "--once").out.splitlines()) == 4
    workbench("collections", "undo", "labels")
    assert len(workbench("export", "collection", "labels").out.splitlines()) == 4


def test_a_profile_says_what_is_kept(workbench: Command, sums: str):
    profile = workbench("collections", "profile", sums, "--json").json["profile"]
    assert profile["items"] == 7
    assert "items: 7" in workbench("collections", "profile", sums).out


def test_a_deleted_collection_comes_back(workbench: Command, sums: str):
    gone = workbench("collections", "delete", sums, "--json").json["collection"]
    assert workbench("collections", "list", "--json").json["collections"] == []
    assert "There is no collection named 'twice'" in workbench("collections", "show", sums, code=1).err
    workbench("collections", "undelete", gone)
    assert workbench("collections", "show", sums, "--json").json["collection"]["kept"] == 7


def test_a_collection_is_gathered_from_a_run_over_rows_that_may_be_learnt(workbench: Command, root: Path):
    text = (root / "experiments" / "sums.yaml").read_text()
    practice = text.replace(
        "name: sums\ndataset: {name: sums}", "name: practice\ndataset: {name: sums, split: train}"
    )
    (root / "experiments" / "practice.yaml").write_text(practice)
    workbench("run", "practice")
    command = ("collections", "make", "best", "--run", "practice", "--metric", "exact_match", "--at-least", 1)
    made = workbench(*command, "--prompt", "careful", "--json").json
    assert (made["name"], made["task"], made["kept"], made["dropped"]) == ("best", "completion", 12, 0)
    assert made["report"]["looked_at"] == 12
    lines = workbench("export", "collection", "best").out.splitlines()
    assert len(lines) == 12
    first = json.loads(lines[0])
    assert first.keys() == {"messages"} and first["messages"][-1]["content"].startswith("Answer: ")
    short = ("collections", "make", "short", "--run", "practice", "--at-least", 1, "--limit", 5)
    options = ("--teach", "direct", "--reasoning", "drop", "--step", "{length: {most: 12}}")
    assert workbench(*short, *options, "--json").json["kept"] == 5
    pairs = ("collections", "make", "pairs", "--run", "practice", "--task", "preference", "--pairs", "scores")
    assert "no" in workbench(*pairs, "--at-least", 1, code=1).err.lower()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("make", "x"), "Name what to collect from: --run RUN"),
        (("make", "x", "--run", "sums", "--by", "luck"), "--by"),
        (("make", "x", "--run", "sums", "--reasoning", "some"), "--reasoning"),
        (("make", "x", "--run", "sums", "--task", "poem"), "--task"),
        (
            ("make", "x", "--run", "sums", "--step", "{length: "),
            "--step {length: : not valid YAML: did not find",
        ),
        (("make", "x", "--run", "sums", "--step", "7"), "--step 7: write a step's name"),
        (("clean", "twice"), "Name the steps with --step: contains"),
        (("edit", "twice", "1"), "--text"),
    ],
)
def test_wrong_usage_is_one_sentence(
    workbench: Command, sums: str, arguments: tuple[str, ...], sentence: str
):
    said = workbench("collections", *arguments, code=2).err
    assert sentence in said, said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "twise"), "Did you mean 'twice'"),
        (("reject", "twice", "99"), "has no item 99"),
        (("edit", "twice", "99", "--text", "x"), "has no item 99"),
        (("edit", "twice", "1", "--text", " "), "needs a text"),
        (("clean", "twice", "--step", "near_duplicate"), "Did you mean 'near_duplicates'"),
        (("clean", "twice", "--step", "{length: {mots: 3}}"), "Did you mean 'most'"),
        (("balance", "twice", "--by", "colour"), "colour"),
        (("undelete", "nothing"), "There is no collection named 'nothing'"),
        (("make", "x", "--run", "nothing"), "nothing"),
        (("make", "../x", "--file", "mine.jsonl"), "not a usable name"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    workbench: Command, sums: str, arguments: tuple[str, ...], sentence: str
):
    said = workbench("collections", *arguments, code=1).err
    assert sentence in said, said
    assert len(said.strip().splitlines()) == 1


def test_a_collection_goes_to_a_file_and_comes_back(workbench: Command, root: Path, sums: str):
    for format_name, ending in [
        ("openai", "jsonl"),
        ("trl", "json"),
        ("alpaca", "json"),
        ("sharegpt", "jsonl"),
    ]:
        file = f"out/{format_name}.{ending}"
        said = workbench("export", "collection", sums, "--format", format_name, "-o", file).err
        assert f"7 examples of format {format_name}" in said
        command = ("import", file, "--format", format_name, "--name", f"back-{format_name}", "--json")
        made = workbench(*command).json
        assert (made["items"], made["task"], made["unmapped"]) == (7, "completion", [])
        assert made["formats"] == [format_name]
        before = workbench("collections", "show", sums, "--json").json["collection"]["version"]
        after = workbench("collections", "show", f"back-{format_name}", "--json").json["collection"][
            "version"
        ]
        assert before == after, "the same content has the same version"
    text = (root / "out" / "trl.json").read_text()
    assert isinstance(json.loads(text), list)


def test_only_what_is_kept_is_written(workbench: Command, sums: str):
    workbench("collections", "reject", sums, 1, 2, 3, 4, 5, 6)
    assert len(workbench("export", "collection", sums).out.splitlines()) == 1
    workbench("collections", "reject", sums, 0)
    assert "keeps no item" in workbench("export", "collection", sums, code=1).err


def test_an_item_that_cannot_be_written_is_named_by_its_number(workbench: Command, root: Path):
    tool = Item(({"role": "tool", "content": "4"},), "It is 4.", Origin("output"))
    store(root, "calls", [item(*SUMS[0]), tool])
    workbench("collections", "reject", "calls", 0)
    said = workbench("export", "collection", "calls", "--format", "alpaca", code=1).err
    assert "Item 1 cannot be written as alpaca" in said
    store(root, "broken", [item(*SUMS[0]), item("q\0", "a"), item("q", "a\0")])
    said = workbench("export", "collection", "broken", code=1).err
    assert "Item 1 cannot be written as openai: a value holds the NUL character; remove it." in said
    assert "`unicode` does that, with its setting `messages`" in said
    workbench("collections", "clean", "broken", "--step", "{unicode: {messages: true}}", "--apply")
    assert len(workbench("export", "collection", "broken").out.splitlines()) == 3


def test_preferences_have_formats_of_their_own(workbench: Command, root: Path):
    store(root, "pairs", [pair("2 + 2?"), pair("2+2 =")], task="preference")
    said = workbench("export", "collection", "pairs", "--format", "kto", code=1).err
    assert "formats for them: alpaca, openai_preference, sharegpt, trl" in said
    line = json.loads(workbench("export", "collection", "pairs").out.splitlines()[0])
    assert line["preferred_output"] == [{"role": "assistant", "content": "4"}]
    assert "Did you mean 'trl'" in workbench("export", "collection", "pairs", "--format", "tr", code=1).err


def test_examples_are_known_by_their_content_where_that_is_safe(workbench: Command, root: Path):
    chat = [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}], "n": 1}
        for q, a in SUMS
    ]
    (root / "chat.jsonl").write_text("".join(json.dumps(line) + "\n" for line in chat))
    said = workbench("import", "chat.jsonl", "--name", "mine")
    assert "6 items of openai, task completion" in said.out
    assert "key 'n' (6 times)" in said.err
    assert workbench("import", "chat.jsonl", "--format", "dataset", "--json").json["kind"] == "dataset"
    table = [{"instruction": q, "input": "", "output": a} for q, a in SUMS]
    (root / "table.json").write_text(json.dumps(table))
    rows = workbench("import", "table.json", "--json")
    assert rows.json["kind"] == "dataset" and "--format alpaca" in rows.err
    made = workbench("import", "table.json", "--format", "alpaca", "--json").json
    assert (made["kind"], made["name"], made["items"]) == ("collection", "table", 6)
    both = workbench("import", "chat.jsonl", "chat.jsonl", "--name", "both", "--json").json
    assert both["items"] == 12


def test_examples_that_repeat_a_row_kept_for_evaluation_are_dropped_and_told(workbench: Command, root: Path):
    lines = [{"prompt": q, "completion": a} for q, a in [("What is 3 + 7?", "10"), ("What is 3 + 8?", "11")]]
    (root / "mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = workbench("import", "mine.jsonl", "--format", "trl").err
    assert "Dropped, as they repeat rows kept for evaluation: 1 item" in said
    shown = workbench("collections", "show", "mine", "--json").json
    assert shown["dropped"] == {"held_back": 1}
    listed = workbench("collections", "show", "mine", "--overlaps").out
    assert "mine.jsonl, line 1" in listed and "sums#test" in listed and "line 2" not in listed
    pairs = [{"prompt": q, "chosen": "4", "rejected": r} for q, r in [("2 + 2?", "4 "), ("1 + 3?", "5")]]
    (root / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in pairs))
    assert "as chosen and rejected say the same: 1 item" in workbench("import", "pairs.jsonl").err
    assert len(workbench("export", "collection", "pairs").out.splitlines()) == 1
    (dropped,) = workbench("collections", "preview", "mine", "--dropped", "--json").json["items"]
    assert dropped["messages"][0]["content"] == "What is 3 + 7?" and "sums#test" in dropped["detail"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b'{"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]}\n{"mess',
            "line 2",
        ),
        (
            b'{"messages": [{"role": "user", "content": "a"}]}\n',
            "line 1: the last message must be the assistant's",
        ),
        (
            b'{"conversations": [{"from": "human", "value": "a"}, {"from": "dog", "value": "b"}]}',
            "line 1: `from`",
        ),
    ],
)
def test_a_broken_file_leaves_nothing_behind(workbench: Command, root: Path, content: bytes, sentence: str):
    (root / "bad.jsonl").write_bytes(content)
    said = workbench("import", "bad.jsonl", code=1).err
    assert "bad.jsonl" in said and sentence in said and len(said.strip().splitlines()) == 1
    assert workbench("collections", "list", "--json").json["collections"] == []


def test_wrong_usage_of_import_is_one_sentence(workbench: Command, root: Path):
    chat = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    (root / "chat.jsonl").write_text(json.dumps(chat))
    (root / "rows.jsonl").write_text('{"question": "a"}')
    (root / "pairs.jsonl").write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}')
    for arguments, code, sentence in [
        (("chat.jsonl", "--format", "openai", "--split", "dev"), 2, "options of tables"),
        (("chat.jsonl", "rows.jsonl"), 2, "import them apart"),
        (("chat.jsonl", "pairs.jsonl"), 1, "import them as two collections"),
        (("chat.jsonl", "--name", "../x"), 2, "not a usable name"),
        (("chat.jsonl", "--format", "opnai"), 1, "Did you mean 'openai'"),
        (("chat.jsonl", "--format", "alpaca"), 1, "`instruction` is a text"),
        (("none.jsonl",), 1, "There is no file"),
    ]:
        said = workbench("import", *arguments, code=code).err
        assert sentence in said, said
        assert len(said.strip().splitlines()) == 1


def test_large_imports_are_compared_with_held_back_rows_part_by_part(
    workbench: Command, root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workbench.tuning.collecting.held_back.COMPARED_TOGETHER", 40)
    asked = [f"What is {n} + 7?" for n in (100, 3, 200, 300, 4, 5)]
    lines = [{"prompt": question, "completion": "so"} for question in asked]
    (root / "mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert workbench("import", "mine.jsonl", "--format", "trl", "--json").json["held_back"] == 3
    dropped = workbench("collections", "preview", "mine", "--dropped", "--json").json["items"]
    assert [one["number"] for one in dropped] == [1, 4, 5]
