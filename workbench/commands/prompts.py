"""`workbench prompts`: the prompts under prompts/, their checks and their history."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from workbench.commands.printing import (
    AsJson,
    ago,
    one_line,
    print_json,
    print_table,
    printable,
)
from workbench.commands.session import say, workspace

PromptName = Annotated[str, typer.Argument(metavar="PROMPT", help="Name of a prompt or an ensemble.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="The beginning of a version's hash.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="List, check and compare prompts, and bring old versions back.\n\n\b\n"
        "Examples:\n  workbench prompts\n  workbench prompts check step-by-step",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_prompts)
    group.command("show")(show)
    group.command("history")(history)
    group.command("diff")(diff)
    group.command("restore")(restore)
    app.add_typer(group, name="prompts")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_prompts(context, as_json=as_json)


def list_prompts(context: typer.Context, as_json: AsJson = False) -> None:
    """List prompts and ensembles with their versions.

    \b
    Example:
      workbench prompts list --json
    """
    library = workspace(context).prompts
    found = [_summary(library, name) for name in library.names()]
    if as_json:
        print_json({"prompts": found, "broken": [str(problem) for problem in library.broken()]})
        return
    print_table(
        ("prompt", "kind", "version", "what it does"),
        [
            (one["name"], one["kind"], str(one["version"] or "–")[:8], one_line(one["description"], 80))
            for one in found
        ],
    )
    for problem in library.broken():
        say(f"Left out: {problem}")


def show(context: typer.Context, prompt: PromptName, as_json: AsJson = False) -> None:
    """Show a prompt's file.

    \b
    Example:
      workbench prompts show step-by-step
    """
    library = workspace(context).prompts
    if as_json:
        print_json(_summary(library, prompt) | {"text": library.text(prompt)})
    else:
        print(printable(library.text(prompt).rstrip()))


def history(context: typer.Context, prompt: PromptName, as_json: AsJson = False) -> None:
    """List every version of a prompt, newest first.

    \b
    Example:
      workbench prompts history step-by-step
    """
    kept = workspace(context).prompts.history(prompt)
    if as_json:
        print_json(
            {
                "prompt": prompt,
                "versions": [
                    {"version": one.version, "author": one.author, "created_at": one.created_at}
                    for one in kept
                ],
            }
        )
        return
    print_table(
        ("version", "when", "who"),
        [(one.version[:12], ago(one.created_at), one.author or "–") for one in kept],
    )


def diff(
    context: typer.Context,
    prompt: PromptName,
    old: Version,
    new: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="Default: the file as it is now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two versions, word by word.

    \b
    Examples:
      workbench prompts diff step-by-step a1b2
      workbench prompts diff step-by-step a1b2 c3d4
    """
    from workbench.prompting.diff import word_diff

    library = workspace(context).prompts
    kept = library.history(prompt)
    before = _version(prompt, kept, old)
    after = _version(prompt, kept, new).text if new else library.text(prompt)
    parts = word_diff(before.text, after)
    if as_json:
        changes = [{"change": change, "text": text} for change, text in parts]
        print_json({"prompt": prompt, "old": before.version, "new": new, "parts": changes})
        return
    if before.text == after:
        say("No difference.")
    print(_marked(parts).rstrip("\n"))


def restore(context: typer.Context, prompt: PromptName, version: Version, as_json: AsJson = False) -> None:
    """Make an earlier version the current one; what stands now stays in the history.

    \b
    Example:
      workbench prompts restore step-by-step a1b2
    """
    library = workspace(context).prompts
    restored = library.restore(prompt, version)
    if as_json:
        print_json({"prompt": restored.name, "version": library.version(restored.name), "done": "restored"})
    else:
        say(f"{restored.name} is again version {library.version(restored.name)[:12]}.")


def _summary(library: Any, name: str) -> dict[str, Any]:
    from workbench.core.prompt import Ensemble
    from workbench.errors import WorkbenchError

    record = library.get(name)
    try:
        version = library.version(name)
    except WorkbenchError:  # an ensemble whose member is missing can still be listed
        version = None
    kind = "ensemble" if isinstance(record, Ensemble) else "prompt"
    return {"name": name, "kind": kind, "version": version, "description": record.description}


def _version(prompt: str, kept: Any, beginning: str) -> Any:
    from workbench.errors import PromptError, UnknownName

    found = [one for one in kept if one.version.startswith(beginning)]
    if not found:
        raise UnknownName(f"version of prompt '{prompt}'", beginning, {one.version[:12] for one in kept})
    if len({one.version for one in found}) > 1:
        raise PromptError(f"Several versions of '{prompt}' begin with '{beginning}'; give more of it.")
    return found[0]


def _marked(parts: list[tuple[Any, str]]) -> str:
    """[-removed-] and {+added+}, in colour where a person watches."""
    colour = sys.stdout.isatty()
    marks = {"removed": ("[-", "-]", "31"), "added": ("{+", "+}", "32")}
    text = []
    for change, part in parts:
        if change == "same":
            text.append(printable(part))
            continue
        before, after, code = marks[change]
        shown = f"{before}{printable(part)}{after}"
        text.append(f"\x1b[{code}m{shown}\x1b[0m" if colour else shown)
    return "".join(text)
