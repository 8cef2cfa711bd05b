"""`workbench rate`: how a run is rated and where, what came of it, and the ratings as files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from workbench.commands.printing import AsJson, counted, print_fields, print_json, write
from workbench.commands.rated import print_against, print_agreement, print_leaderboard, print_leaderboards_by
from workbench.commands.reports import RunName
from workbench.commands.session import say, workspace
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.core.rating import RatingPlan
    from workbench.engine import Workspace

APP = "http://127.0.0.1:8501"
FORMATS = {".csv": "csv", ".jsonl": "jsonl"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("rate")(rate)


def rate(
    context: typer.Context,
    run: RunName = "latest",
    mode: Annotated[
        str | None, typer.Option(help="pairwise, likert or thumbs; likert where --criteria are named.")
    ] = None,
    criteria: Annotated[
        str | None, typer.Option(metavar="A,B", help="What is rated on the Likert scale.")
    ] = None,
    scale: Annotated[int | None, typer.Option(help="Highest grade; default 5.", min=2, max=9)] = None,
    cells: Annotated[
        str | None, typer.Option(metavar="0,3", help="Only outputs of these cells, by their index.")
    ] = None,
    rows: Annotated[int | None, typer.Option(help="At most this many rows, drawn at random.", min=1)] = None,
    overlap: Annotated[
        int | None, typer.Option(help="How many raters see the same item; default 1.", min=1, max=100)
    ] = None,
    random_share: Annotated[
        float | None, typer.Option(help="Share of pairs drawn at random; default 0.2.", min=0, max=1)
    ] = None,
    again_share: Annotated[
        float | None,
        typer.Option(help="Share of items shown to a rater once more; default 0.05.", min=0, max=0.5),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draws rows and orders; default 0.")] = None,
    leaderboard: Annotated[bool, typer.Option("--leaderboard", help="Which cells raters prefer.")] = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="With --leaderboard: for each value of a column, length or tags."
        ),
    ] = None,
    agreement: Annotated[bool, typer.Option("--agreement", help="How far raters agree.")] = False,
    against_people: Annotated[
        bool,
        typer.Option("--against-people", help="Which metrics and judges pick what raters pick."),
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(help="Write the ratings (with --leaderboard: that table) to FILE.csv or FILE.jsonl."),
    ] = None,
    export_preferences: Annotated[
        Path | None, typer.Option(help="Write better and worse answers as JSONL to learn from.")
    ] = None,
    export_corrections: Annotated[
        Path | None, typer.Option(help="Write the better answers that raters wrote, as JSONL.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let people rate a run's outputs: print where, and show or export what they said.

    \b
    Examples:
      workbench rate latest
      workbench rate latest --cells 0,3 --overlap 2
      workbench rate latest --criteria clarity,correctness --rows 50
      workbench rate latest --leaderboard
      workbench rate latest --leaderboard --by length
      workbench rate latest --agreement --json
      workbench rate latest --against-people
      workbench rate latest --export ratings.csv
      workbench rate latest --export-preferences preferences.jsonl
    """
    from workbench.engine import find_run

    settings = _given(
        mode=mode,
        criteria=criteria,
        scale=scale,
        cells=cells,
        rows=rows,
        overlap=overlap,
        random_share=random_share,
        again_share=again_share,
        seed=seed,
    )
    files = [file for file in (export, export_preferences, export_corrections) if file is not None]
    tables = {"--leaderboard": leaderboard, "--agreement": agreement, "--against-people": against_people}
    asked = [name for name, wanted in tables.items() if wanted]
    if settings and (asked or files):
        raise UsageError(
            "How a run is rated is one command, what came of it another: leave out "
            f"--{next(iter(settings)).replace('_', '-')}, or {', '.join(tables)} and --export."
        )
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} are tables of their own: ask for one at a time.")
    if by is not None and (not leaderboard or files):
        raise UsageError("--by goes with --leaderboard, and with no --export.")
    opened = workspace(context)
    run_id = find_run(opened, run)
    if files:
        written = _export(opened, run_id, leaderboard, export, export_preferences, export_corrections)
        if as_json:
            print_json({"run": run_id, "files": written})
    elif leaderboard and by is not None:
        print_leaderboards_by(opened, run_id, by, as_json)
    elif leaderboard:
        print_leaderboard(opened, run_id, as_json)
    elif agreement:
        print_agreement(opened, run_id, as_json)
    elif against_people:
        print_against(opened, run_id, as_json)
    else:
        _start(opened, run_id, settings, as_json)


def _given(**options: Any) -> dict[str, Any]:
    """The settings of a plan among the options. Raises UsageError for lists that are none."""
    settings = {name: value for name, value in options.items() if value is not None}
    if "criteria" in settings:
        names = [name.strip() for name in settings["criteria"].split(",") if name.strip()]
        settings["criteria"] = tuple({"name": name} for name in names)
        settings.setdefault("mode", "likert")
    if "cells" in settings:
        try:
            settings["cells"] = tuple(int(cell) for cell in settings["cells"].split(",") if cell.strip())
        except ValueError:
            raise UsageError(f"--cells {settings['cells']}: give indexes, such as 0,3.") from None
    return settings


def _start(opened: Workspace, run: str, settings: dict[str, Any], as_json: bool) -> None:
    from workbench.engine import default_plan, start_rating

    before = default_plan(opened, run)
    plan = start_rating(opened, run, _plan(before, settings) if settings else before)
    url = f"{APP}/rate?run={quote(run)}"
    rater_of = {one.item: one.rater for one in opened.store.ratings.current(run)}
    raters = Counter(rater_of.values())
    if as_json:
        print_json({"run": run, "url": url, "plan": plan.model_dump(mode="json"), "raters": dict(raters)})
        return
    print_fields(
        [
            ("run", run),
            ("rate at", url),
            ("by", plan.mode),
            ("criteria", ", ".join(criterion.name for criterion in plan.criteria)),
            ("cells", ", ".join(map(str, plan.cells)) or "all"),
            ("rows", plan.rows),
            ("raters an item", plan.overlap),
            ("rated", "\n".join(f"{name}: {counted(count, 'item')}" for name, count in raters.items())),
        ]
    )
    say("\nStart the app with: workbench app\nThen see: workbench rate " + run + " --leaderboard")


def _plan(before: RatingPlan, settings: dict[str, Any]) -> RatingPlan:
    """The plan with these settings; what they do not name stays as it was. Raises UsageError."""
    from pydantic import ValidationError

    from workbench.core.rating import RatingPlan

    kept = before.model_dump(exclude_defaults=True)
    if settings.get("mode", before.mode) != "likert":
        kept = {name: value for name, value in kept.items() if name not in ("criteria", "scale")}
    try:
        return RatingPlan.model_validate(kept | settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:1])
        said = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"--{where.replace('_', '-')}: {said}." if where else f"{said}.") from None


def _export(
    opened: Workspace,
    run: str,
    leaderboard: bool,
    ratings_file: Path | None,
    preferences_file: Path | None,
    corrections_file: Path | None,
) -> list[str]:
    from workbench import engine

    written = []
    if ratings_file is not None:
        kind = FORMATS.get(ratings_file.suffix.lower())
        if kind is None:
            raise UsageError(f"--export {ratings_file}: name a file that ends in .csv or .jsonl.")
        write(
            engine.export_leaderboard(engine.leaderboard(opened, run), kind)
            if leaderboard
            else engine.export_ratings(opened, run, kind),
            ratings_file,
        )
        written.append(str(ratings_file))
    if preferences_file is not None:
        found = engine.export_preferences(opened, run)
        write(found.text.encode(), preferences_file)
        say(
            f"{counted(found.written, 'preference')}, {found.corrections} of them written by raters; "
            f"without: {counted(found.undecided, 'pair')} undecided, "
            f"{counted(found.composed, 'output')} of ensembles"
        )
        written.append(str(preferences_file))
    if corrections_file is not None:
        write(engine.corrections_jsonl(engine.corrections(opened, run)).encode(), corrections_file)
        written.append(str(corrections_file))
    return written
