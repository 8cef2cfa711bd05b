"""Files of examples: what each format maps to what, that nothing is lost, and what is said of bad files."""

from __future__ import annotations

import json
import re
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.collection import Item, Origin
from workbench.errors import CollectionError, DatasetError, InvalidFile, UnknownName, WorkbenchError
from workbench.tuning.formats import (
    example_formats,
    formats_for,
    open_examples,
    read_examples,
    write_examples,
)
from workbench.tuning.formats.reading import example_format_of
from workbench.tuning.formats.registry import registry, task_of

ROOT = Path(__file__).resolve().parents[2]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": {"name": "add"}}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "4"}
LINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openai": ("openai", "completion", {"messages": [user("2 + 2?"), assistant("4")]}),
    "openai with tools": (
        "openai",
        "completion",
        {
            "messages": [
                {"role": "system", "content": "Add."},
                {"role": "user", "content": "2 + 2?", "name": "ann"},
                CALL,
                RESULT,
                {"role": "assistant", "content": "4", "weight": 1},
            ],
            "tools": [{"type": "function", "function": {"name": "add"}}],
            "source": "mine",
        },
    ),
    "openai parts": (
        "openai",
        "completion",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "2?"}]}, assistant("4")]},
    ),
    "openai preference": (
        "openai_preference",
        "preference",
        {
            "input": {"messages": [user("2 + 2?")], "tools": [], "parallel_tool_calls": True},
            "preferred_output": [assistant("4")],
            "non_preferred_output": [assistant("5")],
        },
    ),
    "trl texts": ("trl", "completion", {"prompt": "2 + 2?", "completion": "4", "metadata": {"n": [1.5]}}),
    "trl lists": ("trl", "completion", {"prompt": [user("2 + 2?")], "completion": [assistant("4")]}),
    "trl pair of texts": ("trl", "preference", {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"}),
    "trl pair": (
        "trl",
        "preference",
        {"prompt": [user("2 + 2?")], "chosen": [assistant("4")], "rejected": [assistant("5")]},
    ),
    "kto texts": ("kto", "label", {"prompt": "2 + 2?", "completion": "5", "label": False}),
    "kto": ("kto", "label", {"prompt": [user("2 + 2?")], "completion": [assistant("4")], "label": True}),
    "alpaca": (
        "alpaca",
        "completion",
        {
            "instruction": "Add.",
            "input": "2 and 2",
            "output": "4",
            "system": "You add.",
            "history": [["1 + 1?", "2"]],
            "id": 7,
        },
    ),
    "alpaca pair": (
        "alpaca",
        "preference",
        {"instruction": "2 + 2?", "input": "", "chosen": "4", "rejected": "5"},
    ),
    "sharegpt": (
        "sharegpt",
        "completion",
        {
            "conversations": [
                {"from": "human", "value": "2 + 2?"},
                {"from": "function_call", "value": "{}"},
                {"from": "observation", "value": "4"},
                {"from": "gpt", "value": "It is 4."},
            ],
            "system": "You add.",
            "tools": "[]",
        },
    ),
    "sharegpt pair": (
        "sharegpt",
        "preference",
        {
            "conversations": [{"from": "human", "value": "2 + 2?"}],
            "chosen": {"from": "gpt", "value": "4"},
            "rejected": {"from": "gpt", "value": "5"},
        },
    ),
}

a_line = pytest.mark.parametrize(("name", "task", "line"), LINES.values(), ids=LINES)


def test_a_conversation_with_a_label_is_no_completion_to_learn():
    lines = [
        {"messages": [user("2 + 2?"), assistant("5")], "label": False, "prompt_id": 3},
        {"messages": [user("2 + 2?"), assistant("4")], "label": True},
    ]
    read = read_examples(as_file(*lines))
    assert (read.format, read.task, [one.label for one in read.items]) == ("kto", "label", [False, True])
    assert [one.completion for one in read.items] == ["5", "4"]
    again = read_examples(("again.jsonl", write_examples(read.items, "kto", "label")))
    assert [replace(one, origin=read.items[0].origin) for one in again.items] == [
        replace(one, origin=read.items[0].origin) for one in read.items
    ]
    classes = {"messages": [user("Fine."), assistant("positive")], "label": "positive"}
    assert read_examples(as_file(classes)).format == "openai"


def as_file(*lines: object, name: str = "mine.jsonl") -> tuple[str, bytes]:
    return name, "".join(json.dumps(line) + "\n" for line in lines).encode()


@a_line
def test_a_line_is_known_by_its_content_and_is_written_as_it_was(name: str, task: str, line: dict[str, Any]):
    read = read_examples(as_file(line, line))
    assert (read.format, read.task, len(read.items)) == (name, task, 2)
    written = write_examples(read.items, name, read.task).decode().splitlines()
    assert [json.loads(one) for one in written] == [line, line]


@a_line
def test_a_list_of_objects_is_read_as_its_lines_are(name: str, task: str, line: dict[str, Any]):
    whole = read_examples(("mine.json", json.dumps([line, line], indent=2).encode()))
    by_line = read_examples(as_file(line, line))
    assert [item.to_json() | {"origin": 0} for item in whole.items] == [
        item.to_json() | {"origin": 0} for item in by_line.items
    ]
    assert whole.items[1].origin.file == "mine.json, item 2"
    assert by_line.items[1].origin.file == "mine.jsonl, line 2"
    again = read_examples(("m.json", write_examples(whole.items, name, whole.task, as_list=True)))
    assert [item.key for item in again.items] == [item.key for item in whole.items]


def test_what_a_line_teaches_is_mapped_to_what_the_model_is_shown_and_answers():
    items = {name: read_examples(as_file(line)).items[0] for name, (_, _, line) in LINES.items()}
    assert items["openai with tools"].completion == "4"
    shown = items["openai with tools"].messages
    assert shown[1] == {"role": "user", "content": "2 + 2?", "name": "ann"}
    assert json.loads(shown[2]["content"]) == CALL["tool_calls"], "calls of tools are shown as text"
    assert items["openai parts"].messages == (user("2?"),)
    assert (items["trl pair"].completion, items["trl pair"].rejected) == ("4", "5")
    assert (items["kto texts"].completion, items["kto texts"].label) == ("5", False)
    assert items["alpaca"].messages == (
        {"role": "system", "content": "You add."},
        user("1 + 1?"),
        assistant("2"),
        user("Add.\n\n2 and 2"),
    )
    assert items["alpaca"].extra == {"input": "2 and 2", "id": 7}
    roles = [message["role"] for message in items["sharegpt"].messages]
    assert roles == ["system", "user", "assistant", "tool"]
    assert items["sharegpt"].origin == Origin("import", file="mine.jsonl, line 1")


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12) | (
    st.sampled_from(["{{ x }}", "a\n\nb", "Ünïcödé 🙂", '"quoted"', "\r\n", "\u2028", "[]"])
)
PLAIN_KEYS = st.text("abcdefgh_ ", min_size=1, max_size=5).filter(str.strip)
OWN_KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        "messages prompt completion chosen rejected label instruction input output system history "
        "conversations tools preferred_output extra raw_messages plain_text message_keys",
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(PLAIN_KEYS | OWN_KEYS, inner, max_size=2),
    max_leaves=5,
)
EXTRA = st.dictionaries(PLAIN_KEYS | OWN_KEYS, JSON, max_size=3)
TURNS = st.lists(st.tuples(TEXT, TEXT), max_size=2)


@st.composite
def items_of(draw: st.DrawFn, task: str) -> Item:
    """An item that every format of its task has places for."""
    messages = [{"role": "system", "content": draw(TEXT.filter(bool))}] if draw(st.booleans()) else []
    for asked, said in draw(TURNS):
        messages += [user(asked), assistant(said)]
    messages.append(user(draw(TEXT)))
    if draw(st.booleans()):
        messages[-1]["name"] = draw(TEXT)
    return Item(
        tuple(messages),
        draw(TEXT),
        Origin("output"),
        rejected=draw(TEXT) if task == "preference" else None,
        label=draw(st.booleans()) if task == "label" else None,
        extra=draw(EXTRA),
    )


def learnt(item: Item) -> tuple[Any, ...]:
    return item.messages, item.completion, item.rejected, item.label, item.extra


HOLDING = [(name, task) for task in ("completion", "preference", "label") for name in formats_for(task)]


@pytest.mark.parametrize(("name", "task"), HOLDING)
@given(data=st.data())
def test_nothing_is_lost_from_items_to_a_file_and_back(name: str, task: str, data: st.DataObject):
    items = data.draw(st.lists(items_of(task), min_size=1, max_size=3))
    read = read_examples(("mine.jsonl", write_examples(items, name, task)), name)
    assert [learnt(item) for item in read.items] == [learnt(item) for item in items]
    assert read.task == task


@pytest.mark.parametrize(("name", "task", "line"), LINES.values(), ids=LINES)
def test_nothing_is_lost_on_the_way_through_any_other_format(name: str, task: str, line: dict[str, Any]):
    items = read_examples(as_file(line)).items
    for other in formats_for(task):
        if other == "alpaca" and {message["role"] for message in items[0].messages} & {"tool"}:
            with pytest.raises(CollectionError, match="a place for"):
                write_examples(items, other, task)
            continue
        written = write_examples(items, other, task)
        there = read_examples(("other.jsonl", written), other).items
        assert [learnt(item) for item in there] == [learnt(item) for item in items]
        assert json.loads(write_examples(there, name, task)) == line


def test_an_edited_answer_is_written_in_place_of_what_it_was():
    line = {"messages": [user("q"), {"role": "assistant", "content": "old", "weight": 1}]}
    item = read_examples(as_file(line)).items[0].edited("new")
    assert json.loads(write_examples([item], "openai", "completion"))["messages"][-1] == assistant("new")


def test_texts_and_messages_are_not_mixed_in_a_file():
    items = [read_examples(as_file(LINES[name][2])).items[0] for name in ("trl texts", "trl lists")]
    lines = [json.loads(line) for line in write_examples(items, "trl", "completion").splitlines()]
    assert all(isinstance(line["prompt"], list) for line in lines)
    read = read_examples(as_file(*lines)).items
    assert [learnt(item) for item in read] == [learnt(item) for item in items]


def test_a_preference_whose_conversations_hold_the_prompt_is_split_where_they_part():
    begin = [user("a"), assistant("b"), user("c")]
    line = {"prompt": "c", "chosen": [*begin, assistant("d")], "rejected": [*begin, assistant("e")]}
    item = read_examples(as_file(line)).items[0]
    assert (item.messages, item.completion, item.rejected) == (tuple(begin), "d", "e")
    assert item.extra == {"prompt": "c"}


def test_other_names_of_speakers_are_read_and_written_as_they_were():
    line = {"conversations": [{"from": "user", "value": "q"}, {"from": "bard", "value": "a", "n": 1}]}
    item = read_examples(as_file(line)).items[0]
    assert (item.messages, item.completion) == ((user("q"),), "a")
    assert json.loads(write_examples([item], "sharegpt", "completion")) == line


def test_what_stood_beside_the_examples_can_be_left_out():
    items = read_examples(as_file({"messages": [user("q"), assistant("a")], "source": "web"})).items
    assert json.loads(write_examples(items, "openai", "completion"))["source"] == "web"
    assert json.loads(write_examples(items, "openai", "completion", extra=False)).keys() == {"messages"}


def test_keys_without_a_place_are_counted():
    line = {"messages": [user("q"), assistant("a")], "source": "web", "tools": []}
    assert read_examples(as_file(line, line)).unmapped == ["key 'source' (2 times)"]


@pytest.mark.parametrize(
    ("name", "task", "said"),
    [
        ("openai", "preference", "holds completions, and these are preferences"),
        ("openai_preference", "completion", "holds preferences, and these are completions"),
        ("kto", "completion", "formats for them: alpaca, openai, sharegpt, trl"),
        ("alpaca", "label", "formats for them: kto"),
    ],
)
def test_a_task_that_a_format_cannot_hold_is_refused(name: str, task: Any, said: str):
    with pytest.raises(CollectionError, match=said):
        write_examples([Item((user("q"),), "a", Origin("output"))], name, task)


@pytest.mark.parametrize(
    ("name", "messages", "said"),
    [
        (
            "alpaca",
            (user("a"), user("b")),
            "Item 0 cannot be written as alpaca: .*user, user; openai and trl",
        ),
        ("alpaca", ({"role": "system", "content": ""}, user("b")), "the system message empty"),
        (
            "sharegpt",
            ({"role": "developer", "content": "x"}, user("b")),
            "no speaker for the role 'developer'",
        ),
        ("openai", (user("a\x00"),), "NUL"),
        ("trl", (user("a\ud800"),), "half of a character"),
    ],
)
def test_an_item_that_a_format_has_no_place_for_is_named(name: str, messages: Any, said: str):
    with pytest.raises(CollectionError, match=said):
        write_examples([Item(messages, "a", Origin("output"))], name, "completion")


GOOD = json.dumps({"messages": [user("q"), assistant("a")]})
BAD: dict[str, tuple[bytes, str, int | None]] = {
    "empty": (b"", "the file is empty", None),
    "blank lines": (b"\n \n", "the file is empty", None),
    "half a line": (f'{GOOD}\n{{"messages": [{{"role"'.encode(), "not valid JSON", 2),
    "NUL": (f"{GOOD}\n\x00".encode(), "NUL", 2),
    "NUL in a value": (f'{GOOD}\n{{"messages": "\\u0000"}}'.encode(), "NUL", 2),
    "half a character": (f'{GOOD}\n{{"messages": "\\ud800"}}'.encode(), "half of a character", 2),
    "not UTF-8": (GOOD.encode() + b"\n\xe9", "not UTF-8 at byte", 2),
    "a number": (f"{GOOD}\n7".encode(), "expected an object", 2),
    "a key twice": (b'{"messages": [], "messages": []}', "stands twice", 1),
    "NaN": (f'{GOOD}\n{{"messages": NaN}}'.encode(), "NaN is not JSON", 2),
    "two tasks": (f'{GOOD}\n{{"prompt": "a", "chosen": "b", "rejected": "c"}}'.encode(), "messages", 2),
    "no answer": (json.dumps({"messages": [user("q")]}).encode(), "the last message must be", 1),
    "no question": (json.dumps({"messages": [assistant("q")]}).encode(), "no message before the answer", 1),
    "two answers": (
        json.dumps({"messages": [user("q"), assistant("a"), assistant("b")]}).encode(),
        "two messages of the assistant follow",
        1,
    ),
    "no content": (
        json.dumps({"messages": [{"role": "user"}, assistant("a")]}).encode(),
        "a message of role user has no `content`",
        1,
    ),
    "an image": (
        json.dumps(
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, assistant("a")]}
        ).encode(),
        "'image_url'; only texts",
        1,
    ),
    "a message that is none": (
        json.dumps({"messages": [user("q"), assistant("a")]})
        .replace('"messages": [', '"messages": [7, ')
        .encode(),
        "none of|no known format|a message is",
        None,
    ),
    "label of words": (
        b'{"prompt": "a", "completion": "b", "label": 1}\n{"prompt": "a", "completion": "b", "label": "y"}',
        "`label` is true or false, and here it is text",
        2,
    ),
    "a pair among completions": (
        b'{"prompt": "a", "completion": "b"}\n{"prompt": "a", "chosen": "b", "rejected": "c"}',
        "this is a preference, where those before are a completion",
        2,
    ),
    "conversations that part early": (
        json.dumps({"chosen": [user("a"), assistant("b")], "rejected": [user("c"), assistant("d")]}).encode(),
        "may differ in their last message only",
        1,
    ),
    "history of one": (
        b'{"instruction": "a", "output": "b", "history": [["x"]]}',
        "a turn of `history` is two texts",
        1,
    ),
    "output of a list": (b'{"instruction": "a", "output": ["b"]}', "`output` is a text", 1),
    "an unknown speaker": (
        b'{"conversations": [{"from": "dog", "value": "woof"}, {"from": "gpt", "value": "b"}]}',
        "'dog', and should be one of human, gpt",
        1,
    ),
    "two preferred": (
        json.dumps(
            {
                "input": {"messages": [user("q")]},
                "preferred_output": [assistant("a"), assistant("b")],
                "non_preferred_output": [],
            }
        ).encode(),
        "`preferred_output` holds 2 messages",
        1,
    ),
    "another file": (b'{"question": "1+1", "answer": 2}', "no known format of examples.*alpaca, kto", None),
    "one object over lines": (b'{\n"messages": []\n}', "not valid JSON", 1),
    "a list of numbers": (b"[1, 2]", "no known format", None),
    "a list that ends early": (f"[{GOOD}, ".encode(), "not valid JSON", 1),
    "an empty list": (b"[]", "no known format|empty", None),
    "deep": (b'{"messages": ' + b"[" * 100_000, "nested too deeply|not valid JSON", 1),
}


@pytest.mark.parametrize(("content", "said", "line"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_sentence_with_its_line(content: bytes, said: str, line: int | None):
    with pytest.raises(InvalidFile) as raised:
        read_examples(("bad.jsonl", content))
    sentence = str(raised.value)
    assert re.search(said, sentence), sentence
    assert sentence.startswith("bad.jsonl")
    assert raised.value.line == line
    assert len(sentence) < 400 and "\n" not in sentence


def test_what_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(DatasetError, match="There is no file"):
        read_examples(tmp_path / "none.jsonl")
    with pytest.raises(UnknownName, match="Did you mean 'openai'"):
        read_examples(as_file({}), "opnai")
    with pytest.raises(InvalidFile, match=r"line 1: `messages` is a list of messages, and here it is null"):
        read_examples(as_file({"question": "x"}), "openai")


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps([value]).encode()))
def test_no_file_brings_the_reader_down(content: bytes):
    for name in [None, *example_formats()]:
        with suppress(WorkbenchError):
            read_examples(("any.jsonl", content), name)


def test_only_files_that_cannot_be_rows_to_ask_about_are_taken_for_examples_unasked():
    known = {label: example_format_of(as_file(line)) for label, (_, _, line) in LINES.items()}
    assert {label for label, found in known.items() if found and not found[1]} == {
        "trl texts",
        "kto texts",
        "alpaca",
    }
    assert example_format_of(as_file({"question": "1", "answer": "2"})) is None
    assert example_format_of(("x.jsonl", b"not json")) is None
    generated = {"instruction": "Name a prime.", "output": "7", "generator": "claude-2"}
    assert example_format_of(("out.json", json.dumps([generated]).encode())) is None


def test_large_cells_and_other_encodings_are_read():
    line = {"messages": [user("x" * 10_000_000), assistant("é")]}
    assert len(read_examples(as_file(line)).items[0].messages[0]["content"]) == 10_000_000
    text = json.dumps({"prompt": "é", "completion": "ü"}, ensure_ascii=False)
    assert read_examples(("l.jsonl", text.encode("cp1252")), encoding="cp1252").items[0].completion == "ü"
    assert read_examples(("l.jsonl", text.encode("utf-8-sig"))).items[0].completion == "ü"


def test_a_file_is_read_in_the_memory_of_one_item(tmp_path: Path):
    file = tmp_path / "large.jsonl"
    line = json.dumps({"messages": [user("x" * 20_000), assistant("a")]}) + "\n"
    with file.open("w") as out:
        for _ in range(1_000):
            out.write(line)
    tracemalloc.start()
    count = sum(1 for _ in open_examples(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1_000
    assert peak < file.stat().st_size * 0.7, "20 MB are never held together"


def test_every_format_is_documented_and_says_what_it_holds():
    page = (ROOT / "docs" / "example-files.md").read_text("utf-8")
    for name in example_formats():
        found = registry.get(name)
        assert f"`{name}`" in page
        assert found.description and found.tasks


def test_the_task_of_an_item_is_told_from_what_it_holds():
    plain = Item((user("q"),), "a", Origin("output"))
    assert task_of(plain) == "completion"
    assert write_examples([], "openai", "completion") == b""
    with pytest.raises(CollectionError, match="Item 0 cannot be written as openai: it is none of the"):
        write_examples([Item((user("q"),), "a", Origin("output"), rejected="b")], "openai", "completion")
