"""The direction of imports, kept by reading them; also what may not be imported or called at all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.imports import Import, find_cycle, loaded_with, read_imports

ROOT = Path(__file__).resolve().parents[1] / "workbench"
GRAPH = read_imports(ROOT)

# errors, statistics ← core ← {prompting, datasets, metrics, models, storage} ← engine ← tuning ← {cli, app}
LAYERS: list[set[str]] = [
    {"errors", "statistics"},
    {"core"},
    {"prompting", "datasets", "metrics", "models", "storage"},
    {"engine"},
    {"tuning"},
    {"cli", "commands", "app", "worker"},
]
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
SAME_PART = {frozenset({"cli", "commands"})}
STARTS = {("workbench.commands.apps", "workbench.app.launch")}  # the one door between siblings

HEAVY = {
    "accelerate",
    "datasets",
    "datasketch",
    "evaluate",
    "langchain",
    "langchain_core",
    "langchain_openai",
    "openai",
    "openpyxl",
    "pandas",
    "peft",
    "plotly",
    "py3langid",
    "pyarrow",
    "sacrebleu",
    "scipy",
    "sklearn",
    "streamlit",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
}


def part_of(module: str) -> str | None:
    pieces = module.split(".")
    return pieces[1] if pieces[0] == "workbench" and len(pieces) > 1 else None


def breach(source: str, target: str) -> str | None:
    """Why `source` may not import `target`, or None where it may."""
    if (source, target) in STARTS:
        return None
    here, there = part_of(source), part_of(target)
    if here is None or there is None or here == there or frozenset({here, there}) in SAME_PART:
        return None
    if RANK[there] > RANK[here]:
        return f"{there} lies to the right of {here}"
    if RANK[there] == RANK[here]:
        return f"{there} and {here} are siblings"
    return None


def test_every_part_of_the_package_has_its_layer():
    parts = {part for module in GRAPH if (part := part_of(module))}
    assert parts <= RANK.keys(), "a new top-level module needs its place in DESIGN section 4 and here"


def test_nothing_imports_to_its_right():
    breaches = [
        f"{source}:{step.line} imports {step.target}: {why}"
        for source, steps in GRAPH.items()
        for step in steps
        if (why := breach(source, step.target))
    ]
    assert not breaches, "\n".join(breaches)


def test_statistics_imports_nothing_of_ours():
    of_ours = [
        f"{source}:{step.line} imports {step.target}"
        for source, steps in GRAPH.items()
        if part_of(source) == "statistics"
        for step in steps
        if step.target.startswith("workbench") and part_of(step.target) != "statistics"
    ]
    assert not of_ours, "\n".join(of_ours)


def test_no_modules_import_each_other_in_a_circle():
    cycle = find_cycle(GRAPH)
    assert cycle is None, " → ".join(cycle or [])


def test_streamlit_is_imported_only_by_the_app():
    elsewhere = [
        f"{source}:{step.line}"
        for source, steps in GRAPH.items()
        if part_of(source) != "app"
        for step in steps
        if step.target.split(".")[0] == "streamlit"
    ]
    assert not elsewhere, "\n".join(elsewhere)


FRONT_DOORS = sorted(
    module
    for module in GRAPH
    if part_of(module) not in {"app"}
    and (module.count(".") <= 1 or part_of(module) in {"core", "commands", "statistics"})
)


@pytest.mark.parametrize("door", FRONT_DOORS)
def test_heavy_packages_are_not_loaded_before_they_are_used(door: str):
    loads = [
        f"{module}:{step.line} imports {step.target} as soon as {door} is imported"
        for module in sorted(loaded_with(GRAPH, door))
        for step in GRAPH[module]
        if step.place == "module" and step.target.split(".")[0] in HEAVY
    ]
    assert not loads, "\n".join(loads)


UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "os.system", "yaml.unsafe_load", "yaml.full_load"}
UNSAFE_WORDS = {"trust_remote_code": True, "allow_dangerous_deserialization": True, "shell": True}


def test_nothing_reads_pickles():
    found = [
        f"{source}:{step.line} imports {step.target}"
        for source, steps in GRAPH.items()
        for step in steps
        if step.target.split(".")[0] in UNSAFE_MODULES
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_code_is_run_that_came_as_data(file: Path):
    found = [
        f"{file.name}:{call.lineno}: {why}"
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and (why := unsafe(call))
    ]
    assert not found, "\n".join(found)


def unsafe(call: ast.Call) -> str | None:
    """Why this call could run what a file or a model says, or None."""
    name = ast.unparse(call.func)
    if name in UNSAFE_CALLS:
        return name
    if name == "yaml.load":
        loaders = [ast.unparse(part) for part in [*call.args[1:], *(k.value for k in call.keywords)]]
        if not any("Safe" in loader or loader == "Loader" for loader in loaders):
            return "yaml.load without a safe loader"
    if name == "torch.load" and not any(
        word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords
    ):
        return "torch.load without weights_only=True"
    for word in call.keywords:
        expected = UNSAFE_WORDS.get(word.arg or "")
        if expected is not None and isinstance(word.value, ast.Constant) and word.value.value == expected:
            return f"{word.arg}={expected}"
    return None


def test_the_safe_loader_is_a_safe_loader():
    import yaml

    from workbench.core import document

    assert issubclass(document.Loader, yaml.SafeLoader | yaml.CSafeLoader)


def test_a_breach_would_be_seen(tmp_path: Path):
    package = tmp_path / "workbench"
    for module, text in {
        "__init__": "",
        "core/__init__": "",
        "core/prompt": "def late():\n    from workbench.engine import plan\n",
        "engine/__init__": "",
        "engine/plan": "import workbench.core.prompt\n",
    }.items():
        file = package / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    graph = read_imports(package)
    assert graph["workbench.core.prompt"] == [Import("workbench.engine.plan", 2, "function")]
    assert breach("workbench.core.prompt", "workbench.engine.plan")
    assert find_cycle(graph) == ["workbench.core.prompt", "workbench.engine.plan", "workbench.core.prompt"]
