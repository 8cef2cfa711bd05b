"""How `--help` reads: commands with their whole first sentence, and values named as a person would name them.

--limit N        At most this many rows.
--metric METRIC  Default: the experiment's first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

NAMES = {int: "N", float: "X", Path: "FILE"}
OWN_NAMES = {
    "base-url": "URL",
    "by": "WHAT",
    "contains": "TEXT",
    "database": "URL",
    "rejected": "TEXT",
    "root": "FOLDER",
    "to": "QUANTIZATION",
}
"""Of options whose name does not say what they take."""


class Commands(TyperGroup):
    """A group of commands whose help cuts no sentence short and shows no types of Python's."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for command in (self, *self.commands.values()):
            for parameter in command.params:
                if isinstance(parameter, TyperOption):
                    _name_value(parameter)
                elif isinstance(parameter, TyperArgument):
                    parameter.metavar = parameter.metavar or str(parameter.name).upper()
                    parameter.display_type_rich = _no_type  # type: ignore[method-assign, assignment]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Every command with its first sentence, over as many lines as it takes."""
        shown = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in shown])


def _name_value(option: TyperOption) -> None:
    kind = option.type_descriptor
    if option.metavar or option.is_flag or kind.is_choice:
        return
    plain = option.opts[-1].lstrip("-")
    option.metavar = OWN_NAMES.get(plain) or NAMES.get(kind.annotation) or plain.upper()


def _no_type(ctx: typer.Context) -> None:
    """An argument's name says enough."""
