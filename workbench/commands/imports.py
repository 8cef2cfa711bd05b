"""`workbench import`: prompts, experiments, datasets, examples, finished outputs; the file tells which."""

from __future__ import annotations

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
from workbench.commands.printing import AsJson, print_json
from workbench.commands.session import workspace
from workbench.commands.tables import (
    SPLIT,
    AsReplacement,
    Encoding,
    Fractions,
    Mapping,
    Reference,
    ReferenceAfter,
    Sheet,
    Split,
    TableOptions,
    import_table,
)
from workbench.errors import InvalidFile, UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.engine import Workspace

YAML_ENDINGS = (".yaml", ".yml")


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
    table = TableOptions(split, fractions, mapping, reference, reference_after, encoding, sheet, replace)
    finished = FinishedOptions(
        output, model, model_name, prompt, row, tuple(score or ()), tuple(lower or ()), answer
    )
    is_yaml = file.suffix.lower() in YAML_ENDINGS
    checked_format(format_name)
    for_others = table.for_datasets or bool(reference or finished.given())
    if not is_yaml and are_examples(files, format_name, encoding, for_others):
        if for_others:
            raise UsageError(f"{file}: {NOT_FOR_EXAMPLES}")
        import_examples(opened, files, name, format_name, encoding, as_json)
    elif (format_name or not is_yaml or len(files) > 1) and are_finished(
        files, format_name, finished, reference
    ):
        if table.for_datasets:
            raise UsageError(
                f"{file}: these are finished outputs; --map, --split, --splits, --reference-after, --sheet "
                "and --replace have a meaning for datasets only (--format dataset imports it as one)."
            )
        import_outputs(
            opened,
            files,
            name=name,
            format_name=format_name,
            options=finished,
            reference=reference,
            encoding=encoding,
            as_json=as_json,
        )
    elif is_yaml:
        if finished.given():
            raise UsageError(f"{file}: {finished.given()[0]} has a meaning for finished outputs only.")
        if table.for_columns:
            raise UsageError(f"{file}: columns and splits have a meaning for tables only.")
        _import_yaml(opened, file, name, replace, as_json)
    else:
        import_table(opened, file, name, table, as_json)


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
