"""The error tree: one class above all, one sentence each, and the docstring that draws it is true."""

from __future__ import annotations

import re

import pytest

from workbench import errors
from workbench.errors import InvalidFile, MissingVariable, ModelError, UnknownName, WorkbenchError

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, WorkbenchError)
}


def drawn() -> dict[str, str | None]:
    """Class → the class above it, as the module's docstring draws the tree."""
    above: dict[str, str | None] = {}
    levels: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│ ]*(?:[├└]── )?)([A-Z]\w+)", line)
        if match:
            depth, name = len(match[1]), match[2]
            levels = [level for level in levels if level[0] < depth]
            above[name] = levels[-1][1] if levels else None
            levels.append((depth, name))
    return above


def test_the_tree_is_drawn_as_it_is():
    real = {
        name: None if kind is WorkbenchError else kind.__bases__[0].__name__ for name, kind in CLASSES.items()
    }
    assert drawn() == real


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES.keys())
def test_every_error_says_when_it_is_raised(kind: type[WorkbenchError]):
    assert kind.__doc__
    assert kind.exit_code in (1, 2)


def test_an_invalid_file_names_file_line_and_key():
    error = InvalidFile("unknown key.", "prompts/direct.yaml", 2, "mesages")
    assert str(error) == "prompts/direct.yaml, line 2, key `mesages`: unknown key."
    assert str(InvalidFile("nothing in it.")) == "nothing in it."


def test_an_unknown_name_offers_the_nearest():
    assert str(UnknownName("prompt", "dirct", ["direct", "step-by-step"])) == (
        "There is no prompt named 'dirct'. Did you mean 'direct'?"
    )


def test_an_unknown_name_lists_a_few_but_not_many():
    assert "Known: nano, small." in str(UnknownName("model", "gpt", ["small", "nano"]))
    assert "Known" not in str(UnknownName("model", "gpt", [f"m{number:03}" for number in range(50)]))


def test_a_missing_variable_names_the_columns():
    text = str(MissingVariable("question", "direct", ["text", "label"]))
    assert "{{ question }}" in text
    assert "label, text" in text


def test_a_model_error_carries_who_failed_and_why():
    cause = TimeoutError("slow")
    error = ModelError("did not answer.", model="gpt", provider="openai", original=cause)
    assert (error.model, error.provider, error.original) == ("gpt", "openai", cause)
    assert str(error) == "Model 'gpt': did not answer."
