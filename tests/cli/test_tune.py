"""`workbench tune`, `tunings` and `models lineage`: one document, clear sentences, a way on from anywhere."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import Command, start
from tests.require import require
from tests.tuning.conftest import MEASURED, RECIPE, SAMPLES
from tests.tuning.test_tuned_models import trained
from tests.tuning.tuned_nano import tuned_workspace
from workbench.engine import Workspace
from workbench.tuning import get_tuning, tuning_progress, tunings
from workbench.tuning.turns import turn

EXACTLY = ["tuning", "model", "status", "seconds", "base", "tuned", "comparison", "forgetting"]


@pytest.fixture(autouse=True)
def _its_own_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests train at the same time."""
    require(find_spec("trl"), "the packages to train with: pip install 'workbench[tuning]'")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def rides(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a tuning whose training is done."""
    opened = tuned_workspace(tmp_path / "rides")
    opened.models.remove("tuned")
    yield opened
    opened.close()


@pytest.fixture
def sums(root: Path) -> Path:
    """The workspace of sums with a recipe; its base cannot be trained without being loaded."""
    for name, text in (("samples", SAMPLES), ("measured", MEASURED)):
        (root / f"experiments/{name}.yaml").write_text(text.replace("tiny", "nano"))
    (root / "experiments/recipes").mkdir()
    (root / "experiments/recipes/sums-lora.yaml").write_text(RECIPE.replace("tiny", "nano"))
    return root


def test_a_tuning_ends_as_one_json_document_and_as_tables(
    rides: Workspace, workbench_in: Callable[[Path], Command]
) -> None:
    workbench = workbench_in(rides.root)
    tuning = trained(rides)
    document = workbench("tune", "--resume", tuning, "--json").json
    assert list(document)[: len(EXACTLY)] == EXACTLY
    assert (document["tuning"], document["model"], document["status"]) == (tuning, "nano-rides", "completed")
    assert {"mean", "low", "high", "n"} <= document["tuned"].keys()
    assert {"difference", "low", "high", "p", "verdict"} <= document["comparison"].keys()
    assert document["forgetting"][0]["experiment"] == "labels"

    shown = workbench("tunings", "show", "nano-rides")
    assert "labels" in shown.out and document["comparison"]["verdict"] in shown.out
    assert workbench("tunings", "show", "latest", "--json").json["comparison"] == document["comparison"]
    assert "nano-rides" in workbench("tunings").out
    assert "nano-rides" in workbench("models", "list").out
    assert "# nano-rides" in workbench("tunings", "card", tuning).out
    card = rides.root / "card.html"
    workbench("tunings", "card", tuning, "--format", "html", "-o", card)
    assert card.read_text().startswith("<!doctype html") or "<html" in card.read_text()

    line = workbench("models", "lineage", "nano-rides", "--items", "--json").json
    assert line["tuning"] == tuning and line["made_by"][0]["items"] == 12 == len(line["origins"])
    assert "transit-train-0001" in workbench("models", "lineage", "nano-rides", "--items").out
    assert "was not tuned here" in workbench("models", "lineage", "nano", code=1).err

    file = rides.experiments_dir / "labels.yaml"
    file.write_text(file.read_text().replace("models: [nano]", "models: [nano-rides]"))
    removed = workbench("models", "remove", "nano-rides")
    assert "labels" in removed.err and "workbench models undelete nano-rides" in removed.err
    assert "undelete nano-rides" in workbench("run", "labels", code=1).err
    workbench("models", "undelete", "nano-rides")
    assert workbench("models", "check", "nano-rides", "--json").json["ok"]
    assert "nothing to resume" in workbench("tune", "--resume", tuning, code=1).err


def test_the_list_shows_what_cannot_be_read(sums: Path, workbench: Command) -> None:
    (sums / "experiments/recipes/broken.yaml").write_text("name: broken\nbas: nano\n")
    empty = workbench("tunings")
    assert "No tunings yet" in empty.err and "Did you mean 'base'" in empty.err
    assert workbench("tunings", "list", "--json").json["tunings"] == []


def test_cancel_delete_and_bring_back(sums: Path, workbench: Command) -> None:
    from workbench.tuning import create_tuning, load_recipe

    opened = Workspace.open(sums)
    tuning = create_tuning(opened, load_recipe(opened, "sums-lora"), owner="command")
    assert "cancel it first" in workbench("tunings", "delete", "latest", code=1).err
    assert f"--resume {tuning}" in workbench("tunings", "cancel", "sums-lora").err
    assert workbench("tunings", "delete", tuning, "--json").json == {"tuning": tuning, "done": "deleted"}
    assert f"undelete {tuning}" in workbench("tunings", "show", tuning, code=1).err
    workbench("tunings", "undelete", tuning)
    assert workbench("tunings", "list", "--json").json["tunings"][0]["status"] == "cancelled"
    assert "no model yet" in workbench("tunings", "continue", tuning, code=1).err
    assert "no model yet" in workbench("tunings", "card", tuning, code=1).err
    opened.close()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "Name either a recipe"),
        (["sums-lora", "--resume", "latest"], 2, "Name either a recipe"),
        (["sums-lora", "--as-it-is"], 2, "goes with --resume"),
        (["sums-lora", "--limit", "0"], 2, "at least 1"),
        (["--resume", "latest", "--limit", "3"], 2, "leave out --limit"),
        (["--resume", "latest"], 1, "no tuning yet"),
        (["sums-loro"], 1, "Did you mean 'sums-lora'"),
        (["experiments/recipes/nowhere.yaml"], 1, "recipe file"),
        (["sums-lora", "--name", "nano"], 1, "'nano' already"),
        (["sums-lora", "--name", "../x"], 1, "cannot be a tuned model's name"),
    ],
)
def test_wrong_usage_is_one_sentence(
    sums: Path, workbench: Command, arguments: list[str], code: int, words: str
) -> None:
    ended = workbench("tune", *arguments, code=code)
    assert words in ended.err and ended.out == ""


def test_what_cannot_be_collected_says_how_to_go_on(sums: Path, workbench: Command) -> None:
    recipe = sums / "experiments/recipes/sums-lora.yaml"
    recipe.write_text(recipe.read_text().replace("at_least: 1", "at_least: 2"))
    ended = workbench("tune", "sums-lora", "--limit", "4", "--json", code=1)
    opened = Workspace.open(sums)
    (tuning,) = tunings(opened)
    assert ended.out == "" and f"workbench tune --resume {tuning.id}" in ended.err
    assert get_tuning(opened, tuning.id).owner == "command"
    opened.close()


@pytest.mark.timeout(120)
def test_ctrl_c_leaves_it_resumable_and_says_how(sums: Path) -> None:
    opened = Workspace.open(sums)
    with turn(opened, "20261121-other", "quickstart"):
        process = start(sums, "tune", "sums-lora")
        said = ""
        while "Waits for tuning 20261121-other" not in said:
            assert process.stderr is not None and process.poll() is None
            said += process.stderr.readline()
        found = tunings(opened)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""
    assert f"workbench tune --resume {found[0].id}" in err and "Traceback" not in err
    assert tuning_progress(opened, found[0].id).status == "interrupted"
    opened.close()
