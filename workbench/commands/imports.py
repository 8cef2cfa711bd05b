"""`workbench import`: prompts, experiments, datasets, examples, finished outputs; the file tells which."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.examples import NOT_FOR_EXAMPLES, are_examples, checked_format, import_examples
from workbench.commands.finished import (
    Answer,
    FinishedOptions,
    FormatName,
    LowerScores,
    ModelColumn,
    ModelName,
    OutputColumn,
    PromptColumn,
    RowColumn,
    ScoreColumns,
    are_finished,
    import_outputs,
)
from workbench.commands.printing import AsJson, print_json, printable
from workbench.commands.session import say, workspace
from workbench.errors import InvalidFile, UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.engine import Workspace

Split = Annotated[str, typer.Option(help="The split that the rows become.")]
Fractions = Annotated[
    str | None,
    typer.Option("--splits", metavar="SHARES", help="Cut into splits, such as train=0.8,dev=0.1,test=0.1."),
]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="NEW=OLD", help="Rename a column on the way in; may be repeated."),
]
Reference = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the right answer.")]
ReferenceAfter = Annotated[
    str | None, typer.Option(metavar="MARKER", help="The right answer is what follows this, such as ####.")
]
Encoding = Annotated[str | None, typer.Option(help="Default: UTF-8, or what a byte order mark says.")]
Sheet = Annotated[str | None, typer.Option(help="Of a workbook, by title or number.")]
AsReplacement = Annotated[bool, typer.Option("--replace", help="In place of what has this name.")]

YAML_ENDINGS = (".yaml", ".yml")
SPLIT = "test"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("import")(import_file)


def import_file(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Prompt or experiment YAML, a table, examples, or finished outputs."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Default: the name it has.")] = None,
    split: Split = SPLIT,
    fractions: Fractions = None,
    mapping: Mapping = None,
    reference: Reference = None,
    reference_after: ReferenceAfter = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    replace: AsReplacement = False,
    output: OutputColumn = None,
    model: ModelColumn = None,
    model_name: ModelName = None,
    prompt: PromptColumn = None,
    row: RowColumn = None,
    score: ScoreColumns = None,
    lower: LowerScores = None,
    answer: Answer = None,
    format_name: FormatName = None,
    as_json: AsJson = False,
) -> None:
    """Import a prompt, an experiment, a dataset, examples, or outputs made elsewhere.

    YAML with `messages` is a prompt, with `members` an ensemble, with `prompts` and `models` an
    experiment; CSV, TSV, JSONL, JSON, Parquet and Excel are datasets. Finished outputs become a run: files
    of other tools are known by what stands in them, a table by --output. Examples to learn from become a
    collection: chats and preferences are known by what stands in them, tables of examples by --format.

    \b
    Examples:
      workbench import best.yaml
      workbench import questions.csv --reference answer
      workbench import gsm8k_test.jsonl --name gsm8k --reference answer --reference-after "####"
      workbench import claude-2.json vicuna-7b.json --name alpaca
      workbench import replies.csv --output reply --model model --reference answer --score score
      workbench import chats.jsonl --name mine
      workbench import alpaca_data.json --format alpaca
    """
    opened = workspace(context)
    file = files[0]
    options = FinishedOptions(
        output, model, model_name, prompt, row, tuple(score or ()), tuple(lower or ()), answer
    )
    is_yaml = file.suffix.lower() in YAML_ENDINGS
    checked_format(format_name)
    for_tables = bool(mapping or fractions or reference or reference_after or sheet or replace)
    for_others = for_tables or split != SPLIT or bool(options.given())
    if not is_yaml and are_examples(files, format_name, encoding, for_others):
        if for_others:
            raise UsageError(f"{file}: {NOT_FOR_EXAMPLES}")
        import_examples(opened, files, name, format_name, encoding, as_json)
        return
    if (format_name or not is_yaml or len(files) > 1) and are_finished(
        files, format_name, options, reference
    ):
        if mapping or fractions or reference_after or sheet or replace or split != SPLIT:
            raise UsageError(
                f"{file}: these are finished outputs; --map, --split, --splits, --reference-after, --sheet "
                "and --replace have a meaning for datasets only (--format dataset imports it as one)."
            )
        import_outputs(
            opened,
            files,
            name=name,
            format_name=format_name,
            options=options,
            reference=reference,
            encoding=encoding,
            as_json=as_json,
        )
        return
    if is_yaml:
        if options.given():
            raise UsageError(f"{file}: {options.given()[0]} has a meaning for finished outputs only.")
        if mapping or fractions or reference or reference_after or encoding or sheet:
            raise UsageError(f"{file}: columns and splits have a meaning for tables only.")
        _import_yaml(opened, file, name, replace, as_json)
        return
    import_table(
        opened,
        file,
        name=name,
        split=split,
        fractions=fractions,
        mapping=mapping,
        reference=reference,
        reference_after=reference_after,
        encoding=encoding,
        sheet=sheet,
        replace=replace,
        as_json=as_json,
    )


def import_table(
    opened: Workspace,
    file: Path,
    *,
    name: str | None,
    split: str,
    fractions: str | None,
    mapping: list[str] | None,
    reference: str | None,
    reference_after: str | None,
    encoding: str | None,
    sheet: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Imports a table as a dataset and says what came of it."""
    from workbench.datasets.importing import import_dataset

    made = import_dataset(
        opened.datasets,
        file,
        name or name_from(file),
        split=split,
        fractions=_shares(fractions) if fractions else None,
        mapping=_pairs(mapping or []),
        reference=reference,
        reference_after=reference_after,
        encoding=encoding,
        sheet=int(sheet) if sheet and sheet.isdigit() else sheet,
        on_exists="replace" if replace else _add_or_error(opened, name or name_from(file), split, fractions),
    )
    if as_json:
        print_json(
            {
                "kind": "dataset",
                "name": made.name,
                "rows": made.rows,
                "splits": dict(made.rows_by_split),
                "columns": made.columns,
                "reference": made.reference,
                "unmapped": made.unmapped,
                "notes": made.notes,
            }
        )
        return
    parts = ", ".join(f"{part} {count:,}" for part, count in made.rows_by_split)
    print(f"Dataset {made.name}: {made.rows:,} rows ({parts})")
    print(printable(f"Columns: {', '.join(made.columns)}; reference: {made.reference or 'none'}"))
    if made.unmapped:
        print(printable(f"Kept under their own name: {', '.join(made.unmapped)}"))
    for note in made.notes:
        say(printable(note))


def _add_or_error(opened: Workspace, name: str, split: str, fractions: str | None) -> Any:
    """A split that is not there yet joins its dataset; anything else that exists is an error."""
    there = name in opened.datasets.names()
    return "add_split" if there and not fractions and split not in opened.datasets.splits(name) else "error"


def _import_yaml(opened: Workspace, file: Path, name: str | None, replace: bool, as_json: bool) -> None:
    from workbench.core.document import load, parse
    from workbench.core.experiment import Experiment
    from workbench.prompting.library import read_prompt

    text = _text(file)
    content, _ = parse(text, str(file))
    keys = set(content) if isinstance(content, dict) else set()
    if keys & {"messages", "members"}:
        kind = "ensemble" if "members" in keys else "prompt"
        prompt = read_prompt(text, str(file))
        if name:
            prompt = prompt.model_copy(update={"name": name})
        _refuse_existing("prompt", prompt.name, opened.prompts.names(), replace)
        opened.prompts.save(prompt, text=None if name else text)
        _said(kind, prompt.name, as_json, {"version": opened.prompts.version(prompt.name)})
    elif {"prompts", "models"} <= keys:
        experiment = load(Experiment, text, str(file))
        if name:
            experiment = experiment.model_copy(update={"name": name})
        _refuse_existing("experiment", experiment.name, opened.experiment_names(), replace)
        opened.save_experiment(experiment)
        _said("experiment", experiment.name, as_json, {})
    else:
        raise InvalidFile(
            "this is neither a prompt (`messages`), an ensemble (`members`) "
            "nor an experiment (`prompts` and `models`).",
            str(file),
        )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFile(f"not UTF-8 at byte {error.start}; save it as UTF-8.", str(file)) from None
    except OSError as error:
        raise WorkbenchError(f"{file} cannot be read: {error.strerror}.") from None


def _refuse_existing(kind: str, name: str, known: list[str], replace: bool) -> None:
    if name in known and not replace:
        raise WorkbenchError(
            f"There is already {'an' if kind[0] in 'aeiou' else 'a'} {kind} '{name}'; "
            "give another --name, or --replace it."
        )


def _said(kind: str, name: str, as_json: bool, more: dict[str, Any]) -> None:
    if as_json:
        print_json({"kind": kind, "name": name, **more, "unmapped": []})
    else:
        print(f"{kind.capitalize()} {name}: imported, everything in it mapped.")


def name_from(file: Path) -> str:
    """A usable name from a file's: `GSM8K test (1).jsonl` → `GSM8K-test-1`."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._")
    if not name:
        raise UsageError(f"{file}: no usable name can be made of it; give one with --name.")
    return name[:100]


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        new, equals, old = text.partition("=")
        if not equals or not new.strip() or not old.strip():
            raise UsageError(f"--map {text}: write it as NEW=OLD, such as question=prompt.")
        pairs[new.strip()] = old.strip()
    return pairs


def _shares(text: str) -> dict[str, float]:
    try:
        return {
            split.strip(): float(share)
            for split, _, share in (part.partition("=") for part in text.split(","))
        }
    except ValueError:
        raise UsageError(f"--splits {text}: write it as train=0.8,dev=0.1,test=0.1.") from None
