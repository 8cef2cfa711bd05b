"""`workbench prompts`: the prompts under prompts/, their checks and their history."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.printing import (
    AsJson,
    ago,
    counted,
    one_line,
    print_json,
    print_table,
    printable,
)
from workbench.commands.session import say, workspace

if TYPE_CHECKING:
    from workbench.engine import Workspace
    from workbench.prompting.linting import LintNote

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
    group.command("check")(check)
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


def check(
    context: typer.Context,
    prompt: Annotated[str | None, typer.Argument(help="Default: every prompt.", show_default=False)] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Check variables against this dataset's columns and a row of it.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Check lengths against this model's context.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lint prompts: variables, examples, answer rules, wording, lengths, secrets.

    \b
    Examples:
      workbench prompts check
      workbench prompts check step-by-step --dataset word-problems --model small
    """
    opened = workspace(context)
    library = opened.prompts
    problems = [] if prompt else [str(problem) for problem in library.broken()]
    notes = {name: _notes(opened, name, dataset, model) for name in ([prompt] if prompt else library.names())}
    wrong = len(problems) + sum(note.level == "error" for found in notes.values() for note in found)
    if as_json:
        print_json({"ok": not wrong, "notes": notes, "broken": problems})
    else:
        for sentence in problems:
            print(printable(sentence))
        for name, found in notes.items():
            for note in found:
                place = f", {note.where}" if note.where else ""
                print(printable(f"{note.level}: {name}{place}: {note.message} ({note.rule})"))
        said = counted(sum(map(len, notes.values())), "note")
        say(f"{counted(len(notes), 'prompt')} checked, {said}, {counted(wrong, 'error')}.")
    if wrong:
        raise typer.Exit(1)


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
        str | None, typer.Argument(metavar="OTHER", help="Default: the file as it is now.")
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


def _notes(opened: Workspace, name: str, dataset: str | None, model: str | None) -> list[LintNote]:
    from workbench.core.prompt import Prompt
    from workbench.prompting.linting import lint

    prompt = opened.prompts.get(name)
    columns, row, examples = None, None, ()
    if dataset is not None:
        loaded = opened.datasets.load(dataset, split=opened.datasets.splits(dataset)[-1], limit=1)
        columns, row = loaded.columns, loaded.rows[0]
    if isinstance(prompt, Prompt) and prompt.examples is not None and prompt.examples.from_:
        source, _, split = prompt.examples.from_.partition("#")
        wanted = max(prompt.examples.count, 1)
        examples = opened.datasets.load(source, split=split, limit=wanted).rows[: prompt.examples.count]
    context, count = None, None
    if model is not None:
        from workbench.engine import count_tokens, model_context

        context = model_context(opened, model)
        count = partial(count_tokens, opened, model)
    return lint(
        prompt,
        columns=columns,
        library=opened.prompts,
        count_tokens=count,
        context=context,
        row=row,
        examples=examples,
    )


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
