"""`workbench probe`: the same cells asked the same rows, slightly changed; do the answers change?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.printing import AsJson, counted, one_line, print_json, print_table
from workbench.commands.reports import RunName
from workbench.commands.session import say, workspace
from workbench.commands.working import worked
from workbench.core.figures import figure, signed_with_interval
from workbench.errors import InvalidFile, UsageError

if TYPE_CHECKING:
    from workbench.engine import ProbeReport

SOME_CALLS_FAILED = 3


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("probe")(probe)


def probe(
    context: typer.Context,
    run: RunName = "latest",
    swap: Annotated[
        list[str] | None,
        typer.Option(metavar="A=B,C=D", help="Swap these terms for each other, as whole words."),
    ] = None,
    terms: Annotated[
        list[str] | None,
        typer.Option(metavar="LIST", help="Swap a shipped list: pronouns, gendered_nouns and others."),
    ] = None,
    typos: Annotated[
        float | None, typer.Option(metavar="RATE", help="Mistype this share of letters.")
    ] = None,
    case: Annotated[str | None, typer.Option(help="Write everything in upper, lower or title case.")] = None,
    paraphrase: Annotated[
        list[str] | None,
        typer.Option(metavar="TEMPLATE", help="Put the text in the place of {text}; may be repeated."),
    ] = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(metavar="YAML", help="Any transform, as experiments write it; may be repeated."),
    ] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="Show few-shot examples in another order.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    metric: Annotated[str | None, typer.Option(help="Default: the experiment's first.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="RUN is a finished probe: print what it found.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a run's rows again, slightly changed, and report how answers change.

    \b
    Examples:
      workbench probe latest --swap he=she,his=her
      workbench probe latest --terms pronouns --terms gendered_names
      workbench probe quickstart --typos 0.05
      workbench probe latest --paraphrase "Please help: {text}"
      workbench probe latest --transform '{punctuation: {columns: [question]}}'
      workbench probe latest --examples --seed 3
      workbench probe 20261121-1015 --report --json
    """
    from workbench.engine import create_probe, find_run, probe_json, probe_report

    changes = _transforms(swap, terms, typos, case, paraphrase, transform, seed)
    opened = workspace(context)
    run_id = find_run(opened, run)
    if report and (changes or examples):
        raise UsageError("--report prints a finished probe; leave out what is to be changed.")
    if not report:
        run_id = create_probe(opened, run_id, changes, seed if examples else None, owner="command")
        done = worked(opened, run_id)
    found = probe_report(opened, run_id, metric)
    if as_json:
        print_json(probe_json(found))
    else:
        _print(found)
    if not report and done.errors:
        say(
            f"{counted(done.errors, 'output')} ended in errors; "
            f"ask again with: workbench run --resume {run_id}"
        )
        raise typer.Exit(SOME_CALLS_FAILED)


def _transforms(
    swap: list[str] | None,
    terms: list[str] | None,
    typos: float | None,
    case: str | None,
    paraphrase: list[str] | None,
    transform: list[str] | None,
    seed: int,
) -> list[Any]:
    from workbench.core.document import parse

    found: list[Any] = []
    if swap or terms:
        found.append({"swap": {"pairs": _pairs(swap or []), "terms": terms or []}})
    if typos is not None:
        found.append({"typos": {"rate": typos, "seed": seed}})
    if case is not None:
        found.append({"case": case})
    if paraphrase:
        found.append({"paraphrase": {"templates": paraphrase, "seed": seed}})
    for text in transform or ():
        try:
            found.append(parse(text, "--transform")[0])
        except InvalidFile as problem:
            raise UsageError(str(problem)) from None
        if not isinstance(found[-1], (str, dict)):
            raise UsageError(
                f"--transform {text}: write a name or a mapping, such as {{typos: {{rate: 0.1}}}}."
            )
    return found


def _pairs(texts: list[str]) -> list[list[str]]:
    pairs = []
    for part in (part for text in texts for part in text.split(",")):
        first, equals, second = (side.strip() for side in part.partition("="))
        if not (first and equals and second):
            raise UsageError(
                f"--swap {part.strip()}: write pairs as A=B, separated by commas, such as he=she."
            )
        pairs.append([first, second])
    return pairs


def _print(found: ProbeReport) -> None:
    print(f"{found.kind} probe of run {found.of}: {found.rows:,} of {found.of_rows:,} rows changed\n")
    sided = any(line.sides is not None and line.sides.n for line in found.lines)
    noisy = any(line.noise is not None for line in found.lines)
    print_table(
        (
            "cell",
            "answers changed",
            *(["by themselves"] if noisy else []),
            f"{found.metric} before",
            "after",
            "difference",
            "verdict",
            *(["second − first terms"] if sided else []),
        ),
        [
            (
                line.cell.label,
                _share(line.changed.mean, line.changed.low, line.changed.high),
                *([_share(line.noise.mean, line.noise.low, line.noise.high) if line.noise else "–"] * noisy),
                figure(line.before),
                figure(line.after),
                signed_with_interval(line.difference, line.low, line.high),
                line.verdict,
                *(
                    [signed_with_interval(line.sides.difference, line.sides.low, line.sides.high)]
                    if sided and line.sides
                    else []
                ),
            )
            for line in found.lines
        ],
    )
    for line in found.lines[:1]:
        for flip in line.flips[:3]:
            text = next(iter(flip.after_row.values()), "")
            say(f"\n{flip.row_id} · {line.cell.label}: {flip.before} → {flip.after}\n  {one_line(text)}")
    for note in found.notes:
        say(f"\n{note}")


def _share(mean: float, low: float, high: float) -> str:
    return "–" if math.isnan(mean) else f"{100 * mean:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
