"""`workbench models`: the models that experiments can name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.commands.model_anatomy import print_anatomy
from workbench.commands.model_bench import bench
from workbench.commands.model_files import convert
from workbench.commands.model_hub import download
from workbench.commands.model_lineage import lineage, remove_tuned, undelete
from workbench.commands.printing import AsJson, one_line, print_fields, print_json, print_table
from workbench.commands.session import redacted, say, stoppable, workspace

GPU_SIGNS = ("/proc/driver/nvidia", "/dev/kfd")
"""What the drivers of NVIDIA and AMD put there."""
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="NAME, or NAME@QUANTIZATION.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="List, check and add models.\n\n\b\n"
        "Examples:\n  workbench models\n  workbench models check small@int8",
        invoke_without_command=True,
    )
    group.callback()(default)
    group.command("list")(list_models)
    group.command("show")(show)
    group.command("check")(check)
    group.command("bench")(bench)
    group.command("download")(download)
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("lineage")(lineage)
    group.command("undelete")(undelete)
    group.command("convert")(convert)
    app.add_typer(group, name="models")


def default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a subcommand: the list."""
    if context.invoked_subcommand is None:
        list_models(context, as_json=as_json)


def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List models and whether each can be used now.

    \b
    Example:
      workbench models list --json
    """
    catalog = workspace(context).models
    specs = catalog.specs()
    checks = {spec.name: catalog.check(spec.name) for spec in specs}
    if as_json:
        found = [_document(spec) | {"ok": checks[spec.name].ok} for spec in specs]
        print_json({"models": found, "broken": [str(problem) for problem in catalog.broken()]})
        return
    print_table(
        ("model", "provider", "usable", "what it is"),
        [
            (
                spec.name,
                spec.provider,
                "yes" if checks[spec.name].ok else "no",
                one_line(
                    spec.description or spec.model if checks[spec.name].ok else checks[spec.name].sentence
                ),
            )
            for spec in specs
        ],
    )
    for problem in catalog.broken():
        say(f"Left out: {problem}")


def show(context: typer.Context, model: ModelName, as_json: AsJson = False) -> None:
    """Show a model's row, whether it can be used now, and what it is made of. Loads nothing.

    \b
    Example:
      workbench models show small
    """
    from workbench.engine.inspecting import inspect_model, inspection_json

    ws = workspace(context)
    seen, state = inspect_model(ws, model), ws.models.check(model)
    spec = seen.spec
    if as_json:
        print_json(_document(spec) | {"ok": state.ok, "check": state.sentence} | inspection_json(seen))
        return
    fields = _document(spec)
    if seen.local:
        fields["device"] = _device(spec)
    print_fields([*fields.items(), ("usable", f"{'yes' if state.ok else 'no'}: {state.sentence}")])
    print_anatomy(seen)


def check(
    context: typer.Context,
    model: ModelName,
    call: Annotated[bool, typer.Option("--call", help="Also ask it for one short answer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that a model can be used: its key is set, its folder is there. Nothing is called unless --call.

    \b
    Examples:
      workbench models check small@int8
      workbench models check gpt --call
    """
    catalog = workspace(context).models
    state = catalog.check(model)
    ok, sentence = state.ok, state.sentence
    if ok and call:
        import asyncio

        with stoppable():
            text, latency_s = asyncio.run(_ask(catalog.open(model)))
        sentence = f"answered in {latency_s:.2f} s: {one_line(text, 60)!r}"
    if as_json:
        print_json({"model": model, "ok": ok, "check": sentence})
    else:
        print(f"{model}: {sentence}")
    if not ok:
        raise typer.Exit(1)


async def _ask(model: Any) -> tuple[str, float]:
    from workbench.core.model import Request
    from workbench.core.prompt import DEFAULT_SAMPLING, Sampling

    sampling = Sampling(max_tokens=16).over(DEFAULT_SAMPLING)
    try:
        done = await model.complete(Request(({"role": "user", "content": "Say hello."},), sampling))
    finally:
        await model.close()
    return done.text, done.latency_s


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What experiments will call it.")],
    provider: Annotated[str, typer.Option(help="openai, transformers, …")],
    model: Annotated[str, typer.Option(help="The server's name for it, a folder, or a hub name.")],
    base_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")] = None,
    key: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="NAME of the environment variable with the key.")
    ] = None,
    quantization: Annotated[
        str | None, typer.Option(help="How local weights are held, such as int8.")
    ] = None,
    context_tokens: Annotated[
        int | None, typer.Option("--context", help="Context window in tokens.", min=16)
    ] = None,
    prompt_price: Annotated[float, typer.Option(help="USD per million prompt tokens.", min=0)] = 0.0,
    completion_price: Annotated[float, typer.Option(help="USD per million completion tokens.", min=0)] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Add a row to experiments/models.yaml, or replace the one with its name.

    \b
    Examples:
      workbench models add qwen --provider openai --model qwen2.5:7b --base-url http://127.0.0.1:11434/v1
      workbench models add gpt --provider openai --model gpt-5-mini --key OPENAI_API_KEY
      workbench models add mine --provider transformers --model ./models/mine --quantization int8
    """
    from workbench.core.document import validate
    from workbench.core.model import ModelSpec

    row = {
        "name": name,
        "provider": provider,
        "model": model,
        "base_url": base_url,
        "key": key,
        "quantization": quantization,
        "context": context_tokens,
        "price": {"prompt": prompt_price, "completion": completion_price},
    }
    spec = validate(ModelSpec, {field: value for field, value in row.items() if value is not None})
    catalog = workspace(context).models
    catalog.add(spec)
    if as_json:
        print_json(_document(spec))
    else:
        say(f"Added {name}. Try it with: workbench models check {name} --call")


def remove(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A row of experiments/models.yaml, or a tuned model.")],
    as_json: AsJson = False,
) -> None:
    """Take a row out of experiments/models.yaml, or delete a tuned model, which `undelete` brings back.

    \b
    Examples:
      workbench models remove qwen
      workbench models remove small-transit
    """
    opened = workspace(context)
    used_in = remove_tuned(opened, name)
    if used_in is None:
        opened.models.remove(name)
    if as_json:
        print_json({"model": name, "done": "removed", "used_in": used_in or []})
        return
    say(f"Removed {name}.")
    if used_in:
        say(f"These experiments name it: {', '.join(used_in)}.")
    if used_in is not None:
        say(f"Bring it back with: workbench models undelete {name}")


def _device(spec: Any) -> str:
    """Where a local model is going to run, as far as that can be told without torch."""
    if spec.device is not None:
        return str(spec.device)
    if named := os.environ.get("WORKBENCH_DEVICE"):
        return f"{named} (from WORKBENCH_DEVICE)"
    if sys.platform == "linux" and not any(Path(sign).exists() for sign in GPU_SIGNS):
        return "cpu (chosen: no GPU was found)"
    return "the best that runs it (chosen when it is loaded)"


def _document(spec: Any) -> dict[str, Any]:
    """A row as JSON. `key` is a variable's name, never its value; an address may hold a password."""
    fields: dict[str, Any] = spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    if "base_url" in fields:
        fields["base_url"] = redacted(fields["base_url"])
    return fields
