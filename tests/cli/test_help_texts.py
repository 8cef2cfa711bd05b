"""The help is for people: whole sentences, and values by their names."""

from __future__ import annotations

from typing import Any

from typer.main import get_command

from workbench.cli import app


def helps(command: Any, name: str = "workbench") -> dict[str, str]:
    """The help of a command and of all below it."""
    shown = {name: command.get_help(command.context_class(command, info_name=name))}
    for inner, below in getattr(command, "commands", {}).items():
        shown |= helps(below, f"{name} {inner}")
    return shown


HELPS = helps(get_command(app))


def test_no_help_names_a_type_of_python():
    types = ("<str>", "<int", "<float", "<path>", "list[", " TEXT ...")
    assert not {name: kind for name, text in HELPS.items() for kind in types if kind in text}


def test_no_sentence_of_a_list_of_commands_is_cut_short():
    cut = [name for name, text in HELPS.items() if "..." in text.partition("Commands:")[2]]
    assert not cut


def test_a_value_is_called_what_it_is():
    run = HELPS["workbench run"]
    assert "--limit N" in run
    assert "--fail-under [PROMPT:]METRIC=X" in run
    assert "--quantization QUANTIZATION" in HELPS["workbench models add"]
    assert "EXPERIMENT  Name of an experiment" in run
