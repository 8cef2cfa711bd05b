"""`workbench models convert`: a model's folder written as one GGUF file, and a row for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.printing import AsJson, counted, print_json
from workbench.commands.session import say, stoppable, workspace
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.core.model import ModelSpec


def convert(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model whose folder holds safetensors.")],
    to: Annotated[str, typer.Option(help="How the file holds the weights: f16, q8_0, q4_k_m, …")] = "q8_0",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; default: models/MODEL-q8_0.gguf.")
    ] = None,
    new_name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="The new row's name; default: MODEL-q8_0.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file or a row that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Convert a model to a GGUF file for llama.cpp, and add its row to experiments/models.yaml.

    \b
    Examples:
      workbench models convert small --to q8_0
      workbench models convert mine --to q4_k_m --output models/mine-q4.gguf --as mine-q4
    """
    from workbench.models.gguf.convert import known_quantization
    from workbench.models.gguf.files import write_gguf

    ws = workspace(context)
    spec, held = ws.models.spec(name), known_quantization(to)
    row_name = new_name or f"{name}-{held.name}".replace("/", "-")
    file = output or ws.root / "models" / f"{row_name}.gguf"
    if file.suffix.lower() != ".gguf":
        raise UsageError(f"'{file}' does not end in .gguf; name the file that is to be written.")
    if not force and file.exists():
        raise UsageError(f"{file} is there already; write another with --output, or replace it with --force.")
    if not force and row_name in ws.models.names():
        raise UsageError(
            f"There is a model named '{row_name}' already; name the new one with --as, or replace it "
            "with --force."
        )
    row = _row(spec, row_name, file, held.name)
    with stoppable():
        written = write_gguf(spec, file, held.name)
    ws.models.add(row)
    if as_json:
        print_json(
            {
                "model": row_name,
                "file": file,
                "quantization": held.name,
                "parameters": written.parameters,
                "source_bytes": written.source_bytes,
                "bytes": written.bytes,
            }
        )
        return
    say(f"Wrote {file}: {_megabytes(written.bytes)} for {_megabytes(written.source_bytes)} of safetensors")
    say(f"({counted(written.parameters, 'parameter')}). Added {row_name}; try it with:")
    say(f"  workbench models check {row_name} --call")


def _row(spec: ModelSpec, name: str, file: Path, quantization: str) -> ModelSpec:
    """The row of the file, with what people said about the model that it is made of."""
    from workbench.core.document import validate
    from workbench.core.model import ModelSpec

    here = file.resolve()
    inside = here.is_relative_to(Path.cwd())
    kept = spec.model_dump(
        mode="json",
        exclude_none=True,
        exclude_defaults=True,
        include={"price", "context", "concurrency", "sampling", "device", "chat_template"},
    )
    return validate(
        ModelSpec,
        kept
        | {
            "name": name,
            "provider": "llama_cpp",
            "model": f"./{here.relative_to(Path.cwd()).as_posix()}" if inside else str(here),
            "description": f"{spec.name} as GGUF, {quantization}.",
        },
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
