"""Models, runs and the doctor from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command
from tests.fake_openai import BaseUrl


def test_models_are_listed_with_whether_they_can_be_used(workbench: Command):
    listed = {one["name"]: one for one in workbench("models", "--json").json["models"]}
    assert listed["server"]["ok"] is True
    assert {"nano", "small"} <= listed.keys(), "the embedded models are always there"
    assert "server" in workbench("models", "list").out


def test_a_model_is_added_checked_shown_and_removed(
    workbench: Command, root: Path, server: BaseUrl, monkeypatch
):
    workbench(
        *("models", "add", "second", "--provider", "openai", "--model", "x", "--base-url", server),
        *("--key", "SECOND_API_KEY", "--prompt-price", 1.5),
    )
    monkeypatch.setenv("SECOND_API_KEY", "sk-second")
    assert workbench("models", "check", "second", "--json").json["ok"] is True
    assert server.bodies == [], "a check calls nothing"
    assert "answered" in workbench("models", "check", "second", "--call").out
    assert len(server.bodies) == 1
    shown = workbench("models", "show", "second")
    assert "SECOND_API_KEY" in shown.out
    assert "sk-second" not in shown.out + shown.err
    workbench("models", "remove", "second")
    assert "Known" in workbench("models", "show", "second", code=1).err


def test_a_hosted_model_without_its_key_says_which_variable_to_set(workbench: Command):
    workbench("models", "add", "gpt", "--provider", "openai", "--model", "x", "--key", "SECOND_API_KEY")
    ended = workbench("models", "check", "gpt", "--json", code=1).json
    assert ended["ok"] is False
    assert "SECOND_API_KEY" in ended["check"]
    assert "no" in workbench("models").out


def test_a_model_cannot_be_added_with_a_key_in_place_of_its_name(workbench: Command, root: Path):
    before = (root / "experiments" / "models.yaml").read_text()
    ended = workbench(
        "models", "add", "bad", "--provider", "openai", "--model", "x", "--key", "sk-abc123def", code=1
    )
    assert "key" in ended.err
    assert (root / "experiments" / "models.yaml").read_text() == before


def test_runs_are_listed_shown_deleted_and_brought_back(workbench: Command):
    assert workbench("runs", "--json").json == {"runs": []}
    run = workbench("run", "sums", "--limit", 2, "--json").json["run"]
    (listed,) = workbench("runs", "list", "--experiment", "sums", "--json").json["runs"]
    assert (listed["id"], listed["status"], listed["done"]) == (run, "completed", 4)
    assert listed["created_at"].endswith("+00:00")
    assert workbench("runs", "show", run[:-2], "--json").json["status"] == "completed"
    assert "completed" in workbench("runs").out
    assert "nothing to cancel" in workbench("runs", "cancel", run, code=1).err
    workbench("runs", "delete", run)
    assert workbench("runs", "--json").json == {"runs": []}
    workbench("runs", "undelete", run)
    assert workbench("report", run, "--json").json["run"] == run


def test_the_doctor_looks_at_everything_and_shows_no_secret(workbench: Command, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-doctor-must-not-tell")
    workbench(
        "models", "add", "gpt", "--provider", "openai", "--model", "gpt-5-mini", "--key", "OPENAI_API_KEY"
    )
    looked = workbench("doctor", "--json", code=_any_code(workbench)).json
    about = {found["about"]: found for found in looked["findings"]}
    assert about["database"]["ok"] is True
    assert about["files"]["ok"] is True
    assert about["model server"]["ok"] is True
    assert "key OPENAI_API_KEY: set" in about["model gpt"]["sentence"]
    assert "sk-doctor" not in str(looked)


def test_the_doctor_names_broken_files(workbench: Command, root: Path):
    (root / "prompts" / "broken.yaml").write_text("name: [\n")
    ended = workbench("doctor", code=1)
    assert "FAIL  file: prompts/broken.yaml, line" in ended.out


def test_a_password_in_the_databases_address_is_not_shown(workbench: Command):
    ended = workbench("doctor", "--database", "postgresql+psycopg://me:hidden-word@127.0.0.1:1/none", code=1)
    assert "hidden-word" not in ended.out + ended.err


def _any_code(workbench: Command) -> int:
    """The doctor's verdict on this machine, which is not what is tested here."""
    for code in (0, 1):
        try:
            workbench("doctor", code=code)
        except AssertionError:
            continue
        return code
    raise AssertionError("the doctor ends with 0 or 1")
