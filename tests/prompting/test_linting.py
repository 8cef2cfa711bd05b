"""The linter: each rule speaks where it should, keeps quiet where it should, and is documented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.core.model import ChatMessage
from workbench.core.prompt import Ensemble, Prompt
from workbench.prompting import LintNote, PromptLibrary, lint, rule_names

COLUMNS = ["id", "question", "answer"]
NO = {"type": "label", "labels": ["No"]}
SOUND = {
    "name": "sound",
    "messages": [
        {"role": "system", "content": 'You solve problems. End with "Answer:" and the number.'},
        {"role": "user", "content": "{{ question }}"},
    ],
    "reasoning": "step_by_step",
    "answer": {"after": "Answer:", "type": "number"},
}


def prompt(user: str = "{{ question }}", **changes: Any) -> Prompt:
    messages = [SOUND["messages"][0], {"role": "user", "content": user}]  # type: ignore[index]
    return Prompt.model_validate(SOUND | {"messages": messages} | changes)


def rules(notes: Sequence[LintNote]) -> set[str]:
    return {note.rule for note in notes}


def count_words(messages: Sequence[ChatMessage]) -> int:
    return sum(len(message["content"].split()) for message in messages)


def test_every_rule_is_documented(repository: Path) -> None:
    page = (repository / "docs" / "prompts.md").read_text()
    assert [name for name in rule_names() if f"`{name}`" not in page] == []


def test_a_sound_prompt_has_no_notes() -> None:
    row = {"id": "1", "question": "2 + 2?", "answer": "4"}
    assert lint(prompt(), columns=COLUMNS, count_tokens=count_words, context=500, row=row) == []
    assert lint(prompt()) == []


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("template-error", prompt("{{ question")),
        ("unknown-variable", prompt("{{ questoin }}")),
        ("unused-column", prompt("Say {{ id }}")),
        ("no-variable", prompt("What is it?")),
        ("answer-given-away", prompt("{{ question }} ({{ answer }})")),
        ("single-brace", prompt("{question} {{ question }}")),
        ("single-brace", prompt("{question}} {{ question }}")),
        ("unknown-reasoning", prompt(reasoning="step_by_stp")),
        ("vague-instruction", prompt("{{ question }} Do your best.")),
        ("vague-instruction", prompt("Name colours, shapes etc. {{ question }}")),
        ("secret", prompt("{{ question }} sk-abcdefghijklmnopqrstuvwx1234")),
        ("secret", prompt("{{ question }} password: hunter2hunter2")),
        ("secret", prompt(description="Bearer abcdefghijklmnopqrstuvwxyz0123")),
        ("double-space", prompt("What  is {{ question }}")),
        ("trailing-space", prompt("{{ question }} ")),
        ("answer-never-asked", prompt(answer={"after": "Result:", "type": "number"})),
        ("labels-never-named", prompt(answer={"type": "label", "labels": ["yes", "no"]})),
        ("json-never-asked", prompt(answer={"type": "json", "path": "a"})),
        ("json-never-asked", prompt("JSON: {{ question }}", answer={"type": "json", "path": "a["})),
        ("reasoning-forbidden", prompt("{{ question }}\nGive only the final answer.")),
        ("reasoning-forbidden", prompt("{{ question }} No explanation.")),
        ("short-for-reasoning", prompt(sampling={"max_tokens": 10})),
        ("no-examples", prompt(examples={"rows": []})),
        ("no-examples", prompt(examples={"from": "a#train", "count": 0})),
        ("unused-examples", prompt(examples={"rows": [{"question": "a", "answer": "b"}], "count": 2})),
        ("unused-examples", prompt(examples={"rows": [{"question": "a", "answer": "b"}] * 5})),
        ("unknown-example-column", prompt(examples={"from": "a#train", "by": "topic"})),
    ],
)
def test_a_rule_speaks(rule: str, changed: Prompt) -> None:
    found = [note for note in lint(changed, columns=COLUMNS) if note.rule == rule]
    assert found
    assert all(note.message.endswith((".", "?")) for note in found)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("single-brace", prompt('{{ question }} as {"value": 1} or {other}')),
        ("answer-never-asked", prompt(answer={"after": "step by step"})),
        ("answer-never-asked", prompt(answer={"after": "A:"}, examples={"from": "a#train"})),
        (
            "labels-never-named",
            prompt("yes or no? {{ question }}", answer={"type": "label", "labels": ["No"]}),
        ),
        ("json-never-asked", prompt("Reply in JSON. {{ question }}", answer={"type": "json"})),
        ("reasoning-forbidden", prompt("{{ question }}\nGive only the final answer.", reasoning=None)),
        ("double-space", prompt("Table:\n    a  b\n- x  y\n{{ question }}")),
        ("secret", prompt("{{ question }} the password is asked for; api_key: {{ id }}")),
        ("unknown-variable", prompt("{{ question }} {% for c in candidates %}{{ c }}{% endfor %}")),
        ("short-for-reasoning", prompt(sampling={"max_tokens": 120})),
    ],
)
def test_a_rule_keeps_quiet(rule: str, changed: Prompt) -> None:
    assert rule not in rules(lint(changed, columns=COLUMNS))


def test_an_unknown_variable_offers_the_nearest_column() -> None:
    note = next(n for n in lint(prompt("{{ questoin }}"), columns=COLUMNS) if n.rule == "unknown-variable")
    assert (note.level, note.where) == ("error", "message 2 (user)")
    assert "Did you mean 'question'" in note.message


def test_a_secret_is_never_repeated_whole() -> None:
    key = "sk-abcdefghijklmnopqrstuvwx1234"
    assert not any(key in note.message for note in lint(prompt(f"{{{{ question }}}} {key}")))


def test_errors_come_first() -> None:
    levels = [note.level for note in lint(prompt("{{ nope }}  {{ question }} "), columns=COLUMNS)]
    assert levels == sorted(levels, key=["error", "warning", "hint"].index)
    assert levels[0] == "error"


def test_an_empty_value_of_the_row_is_named() -> None:
    notes = lint(prompt(), row={"id": "1", "question": None})
    assert [(note.rule, note.where) for note in notes] == [("empty-value", "message 2 (user)")]


def test_messages_that_do_not_fit_the_context_are_counted() -> None:
    row = {"id": "1", "question": "word " * 100, "answer": "4"}
    notes = lint(prompt(), row=row, count_tokens=count_words, context=300)
    assert rules(notes) == {"too-long"}
    assert "256" in notes[0].message


def test_examples_that_do_not_fit_are_told_from_a_prompt_that_does_not() -> None:
    row = {"id": "1", "question": "short", "answer": "4"}
    shown = [{"question": "word " * 100, "answer": "4"}]
    few = prompt(examples={"from": "sums#train"})
    notes = lint(few, columns=COLUMNS, row=row, examples=shown, count_tokens=count_words, context=300)
    assert [(note.rule, note.where) for note in notes] == [("too-long", "examples")]


@pytest.fixture
def library(tmp_path: Path) -> PromptLibrary:
    library = PromptLibrary(tmp_path)
    library.save(prompt(name="steps"))
    library.save(prompt(name="warm", sampling={"temperature": 0.9}))
    library.save(ensemble([{"prompt": "steps"}, {"prompt": "warm"}], name="inner", ties="none"))
    return library


def ensemble(members: list[dict[str, Any]], **options: Any) -> Ensemble:
    return Ensemble.model_validate({"name": "vote", "members": members, **options})


@pytest.mark.parametrize(
    ("rule", "one"),
    [
        ("same-samples", ensemble([{"prompt": "steps", "samples": 5}])),
        ("same-samples", ensemble([{"prompt": "warm", "samples": 5, "sampling": {"temperature": 0}}])),
        ("lone-member", ensemble([{"prompt": "steps"}])),
        ("even-vote", ensemble([{"prompt": "steps"}, {"prompt": "warm"}])),
        ("weights-unused", ensemble([{"prompt": "steps", "weight": 2}, {"prompt": "warm"}])),
        ("unknown-member", ensemble([{"prompt": "stepz"}, {"prompt": "warm"}])),
        ("cyclic-ensemble", ensemble([{"prompt": "vote"}, {"prompt": "warm"}])),
        ("cyclic-ensemble", ensemble([{"prompt": "inner"}], name="steps")),
    ],
)
def test_a_rule_about_ensembles_speaks(rule: str, one: Ensemble, library: PromptLibrary) -> None:
    assert rule in rules(lint(one, library=library))


def test_a_sound_ensemble_has_no_notes(library: PromptLibrary) -> None:
    five = ensemble([{"prompt": "steps", "samples": 5, "sampling": {"temperature": 0.7}}])
    assert lint(five, library=library) == []
    assert lint(ensemble([{"prompt": "warm", "samples": 3}]), library=library) == []
    weighted = ensemble([{"prompt": "steps", "weight": 2}, {"prompt": "warm"}], combine="weighted")
    assert lint(weighted, library=library) == []
