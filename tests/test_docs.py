"""The docs tell the truth: links lead somewhere, commands parse, files in them validate."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

import workbench
from workbench.cli import app
from workbench.core.document import load, parse, validate
from workbench.core.experiment import Experiment
from workbench.core.model import ModelSpec
from workbench.core.prompt import Ensemble, Prompt
from workbench.core.tuning import Collect, Evaluate, Recipe, Train

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_COMMENT = re.compile(r"# (prompts|experiments)/[\w-]+\.yaml\b")

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands_of(text: str) -> list[list[str]]:
    """Every `workbench …` line of the shell blocks, as arguments."""
    return [
        shlex.split(line, comments=True)[1:]
        for language, block in BLOCK.findall(text)
        if language in ("sh", "bash", "console")
        for line in block.replace("\\\n", " ").splitlines()
        if re.match(r"(\.venv/bin/)?workbench\b", line.strip())
    ]


def arguments_only(words: list[str]) -> list[str]:
    """Without what belongs to the shell: redirections and pipes."""
    for index, word in enumerate(words):
        if word in (">", ">>", "|", "<", "&&", ";"):
            return words[:index]
    return words


def leaf_commands(command, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    if not hasattr(command, "commands"):
        return {path: command}
    return {
        found: leaf
        for name, inner in command.commands.items()
        for found, leaf in leaf_commands(inner, (*path, name)).items()
    }


ROOT_COMMAND = get_command(app)
COMMANDS = leaf_commands(ROOT_COMMAND)


@by_page
def test_every_command_in_the_docs_parses(page: Path):
    for words in commands_of(page.read_text("utf-8")):
        words = arguments_only(words)
        command = ROOT_COMMAND
        context = command.make_context("workbench", list(words) or ["--version"])
        while hasattr(command, "commands") and (rest := [*context._protected_args, *context.args]):
            name, command, rest = command.resolve_command(context, rest)
            assert command is not None, f"no such command: {' '.join(words)}"
            context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_documented_with_an_example(path: tuple[str, ...]):
    examples = commands_of((ROOT / "docs" / "commands.md").read_text("utf-8"))
    assert any(tuple(words[: len(path)]) == path for words in examples)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]):
    text = COMMANDS[path].help or ""
    assert f"workbench {' '.join(path)}" in text
    assert re.search(r"Examples?:", text)


def test_every_page_is_linked_from_the_list():
    listed = set(re.findall(r"\(([\w-]+\.md)\)", (ROOT / "docs" / "README.md").read_text("utf-8")))
    assert {page.name for page in DOCS} - {"README.md"} == listed


@by_page
def test_every_relative_link_leads_somewhere(page: Path):
    text = BLOCK.sub("", page.read_text("utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    missing = [
        target
        for target in targets
        if not re.match(r"[a-z]+:|#", target) and not (page.parent / target.split("#")[0]).exists()
    ]
    assert not missing


@by_page
def test_every_link_to_a_heading_finds_it(page: Path):
    for file, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text("utf-8")):
        target = page.parent / file if file else page
        headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in slugs, f"{page.name} → {target.name}#{anchor}"


@by_page
def test_every_file_shown_in_the_docs_is_valid(page: Path):
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if language == "yaml" and (match := FILE_COMMENT.match(block)):
            name = match[0][2:]
            if name.endswith("/models.yaml"):
                for row in parse(block, name)[0]["models"]:
                    validate(ModelSpec, row, name)
            elif match[1] == "experiments":
                load(Experiment, block, name)
            else:
                load(Ensemble if "\nmembers:" in block else Prompt, block, name)


@pytest.mark.parametrize(
    ("part", "page"),
    [(Recipe, "tuning"), (Train, "tuning"), (Collect, "collections"), (Evaluate, "verdict")],
    ids=["recipe", "train", "collect", "evaluate"],
)
def test_every_key_of_a_recipe_is_documented(part: type[BaseModel], page: str):
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    assert not [key for key in part.model_fields if not re.search(rf"\b{key}\b", text)]


def test_the_recipe_that_the_docs_show_is_the_one_that_ships():
    blocks = [block for _, block in BLOCK.findall((ROOT / "docs/tuning.md").read_text("utf-8"))]
    shipped = yaml.safe_load((ROOT / "experiments/recipes/quickstart.yaml").read_text("utf-8"))
    assert any(yaml.safe_load(block) == shipped for block in blocks if block.startswith("# experiments/"))


def test_every_public_name_is_on_the_page_for_python():
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs/python.md").read_text("utf-8")))
    assert not {*workbench.__all__} - named - {"Workspace"}


def test_the_files_to_begin_reading_with_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = re.findall(r"`([\w/]+\.py)`", text.partition("follow one row")[2].partition("##")[0])
    assert len(named) > 10
    assert not [name for name in named if not (ROOT / "workbench" / name).is_file()]


def test_the_ci_workflow_uses_commands_that_parse():
    workflow = yaml.safe_load((ROOT / "docs/examples/evaluate.yml").read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.strip().startswith("workbench")]
    assert {words[0] for words in commands} == {"run", "report", "compare"}
    for words in commands:
        COMMANDS[words[0],].make_context(words[0], words[1:])


@by_page
def test_fences_are_closed(page: Path):
    assert page.read_text("utf-8").count("\n```") % 2 == 0
