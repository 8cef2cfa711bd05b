"""`workbench export model`: a model of this machine as an adapter, as whole weights, or as a GGUF file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.commands.printing import AsJson, print_json
from workbench.commands.session import say, stoppable, workspace


class ModelForm(StrEnum):
    """How a model can be written."""

    adapter = "adapter"
    safetensors = "safetensors"
    gguf = "gguf"


def export_model(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="A tuned model, or any other with safetensors.")
    ],
    form: Annotated[
        ModelForm,
        typer.Option("--as", help="What the tuning added; base and adapter as one model; a llama.cpp file."),
    ] = ModelForm.safetensors,
    quantization: Annotated[
        str | None,
        typer.Option(help="safetensors: fp32 (default), bf16; gguf: f16 (default), q8_0, q4_k_m, …"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder or .gguf file; default: models/MODEL-FORM."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a model to a folder or a file: its adapter, whole weights, or GGUF.

    \b
    Examples:
      workbench export model small-quickstart --as adapter -o models/quickstart-lora
      workbench export model small-quickstart --as gguf --quantization q8_0 -o models/quickstart.gguf
    """
    from workbench.tuning.exporting import export_tuned, usual_path

    opened = workspace(context)
    out = output or usual_path(opened, name, form.value)
    with stoppable():
        written = export_tuned(opened, name, out, form.value, quantization, replace=force)
    if as_json:
        print_json(
            {
                "model": written.model,
                "as": written.kind,
                "path": written.path,
                "quantization": written.quantization,
                "bytes": written.bytes,
            }
        )
        return
    held = f", {written.quantization}" if written.quantization else ""
    say(f"Wrote {written.path}: {written.kind}{held}, {written.bytes / 1e6:,.1f} MB.")
