"""Every mistake in an experiment is one clear error before the first call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_openai import BaseUrl
from workbench.core.experiment import Experiment
from workbench.engine import Workspace, create_run, estimate, execute_run, make_plan
from workbench.errors import (
    CyclicEnsemble,
    DatasetError,
    InvalidFile,
    MetricError,
    MissingVariable,
    ModelUnavailable,
    PromptError,
    UnknownName,
    WorkbenchError,
)

Build = Callable[..., Experiment]


def write_prompt(workspace: Workspace, name: str, text: str) -> None:
    (workspace.root / "prompts" / f"{name}.yaml").write_text(f"name: {name}\n{text}")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"prompts": ["dircet"]}, UnknownName, "Did you mean 'direct'"),
        ({"models": ["sever"]}, UnknownName, "Did you mean 'server'"),
        ({"metrics": ["exact_mach"]}, UnknownName, "Did you mean 'exact_match'"),
        ({"dataset": {"name": "sum"}}, UnknownName, "Did you mean 'sums'"),
        ({"dataset": {"name": "sums", "split": "tset"}}, UnknownName, "test"),
        ({"baseline": {"prompt": "careful", "model": "other"}}, WorkbenchError, "none of the cells"),
        ({"dataset": {"name": "sums", "reference": "reply"}}, WorkbenchError, "reply"),
    ],
)
def test_a_wrong_name_is_named_with_the_nearest(
    workspace: Workspace, experiment: Build, changes: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        make_plan(workspace, experiment(**changes))


def test_a_missing_variable_is_named(workspace: Workspace, experiment: Build) -> None:
    write_prompt(workspace, "asks", 'messages: [{role: user, content: "{{ qestion }}"}]')
    with pytest.raises(MissingVariable, match="qestion"):
        make_plan(workspace, experiment(prompts=["asks"], baseline=None))


def test_a_cyclic_ensemble_is_named(workspace: Workspace, experiment: Build) -> None:
    write_prompt(workspace, "a", "members: [{prompt: b}]")
    write_prompt(workspace, "b", "members: [{prompt: a}]")
    with pytest.raises(CyclicEnsemble, match=r"a.*b"):
        make_plan(workspace, experiment(prompts=["a"], baseline=None))


def test_an_empty_dataset_is_named(workspace: Workspace, experiment: Build) -> None:
    (workspace.root / "experiments/datasets/sums/empty.jsonl").write_text("")
    with pytest.raises(DatasetError, match="sums"):
        make_plan(workspace, experiment(dataset={"name": "sums", "split": "empty"}))


def test_a_metric_without_its_reference_is_named(workspace: Workspace, experiment: Build) -> None:
    folder = workspace.root / "experiments/datasets/plain"
    folder.mkdir()
    (folder / "test.jsonl").write_text(json.dumps({"id": "1", "question": "2 + 2"}) + "\n")
    with pytest.raises(MetricError, match=r"exact_match.*reference"):
        make_plan(workspace, experiment(dataset={"name": "plain"}))


def test_examples_never_come_from_the_evaluated_split(workspace: Workspace, experiment: Build) -> None:
    with pytest.raises(PromptError, match="sums#train"):
        make_plan(
            workspace,
            experiment(prompts=["three-shots"], baseline=None, dataset={"name": "sums", "split": "train"}),
        )


def test_a_key_that_is_not_set_is_named_before_any_call(workspace: Workspace, experiment: Build) -> None:
    (workspace.root / "experiments/models.yaml").write_text(
        "models:\n  - {name: server, provider: openai, model: m, key: NO_SUCH_KEY,"
        " base_url: 'https://example.com/v1'}\n"
    )
    with pytest.raises(ModelUnavailable, match="NO_SUCH_KEY"):
        make_plan(workspace, experiment())


def test_a_broken_file_beside_good_ones_breaks_only_itself(workspace: Workspace, experiment: Build) -> None:
    write_prompt(workspace, "broken", "mesages: []")
    (workspace.root / "experiments/bad.yaml").write_text("name: bad\nprompt: [direct]\n")
    assert make_plan(workspace, workspace.experiment("sums")).units == 24
    assert len(workspace.broken()) == 2
    with pytest.raises(InvalidFile, match="line 2"):
        workspace.experiment("bad")


@pytest.mark.parametrize("name", ["../outside", "a/b", ".hidden", "", "x" * 200, "nul\x00"])
def test_names_never_leave_their_folder(workspace: Workspace, experiment: Build, name: str) -> None:
    with pytest.raises((WorkbenchError, ValueError)):
        workspace.save_experiment(experiment().model_copy(update={"name": name}))
    with pytest.raises(WorkbenchError):
        workspace.experiment(name)
    assert not (workspace.root.parent / "outside.yaml").exists()


def test_braces_in_data_are_data(workspace: Workspace, experiment: Build, server: BaseUrl) -> None:
    hostile = "{{ 7 * 7 }} {% for x in y %} ${HOME} {question}"
    folder = workspace.root / "experiments/datasets/braces"
    folder.mkdir()
    row = {"id": "{{ id }}", "question": hostile, "answer": "1"}
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    execute_run(
        workspace,
        create_run(workspace, experiment(dataset={"name": "braces"}, prompts=["direct"], baseline=None)),
    )
    assert [body["messages"][-1]["content"] for body in server.bodies] == [hostile]


def test_few_shot_examples_are_earlier_turns(
    workspace: Workspace, experiment: Build, server: BaseUrl
) -> None:
    only = experiment(prompts=["three-shots"], baseline=None)
    execute_run(workspace, create_run(workspace, only, limit=1))
    (body,) = server.bodies
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant"] * 3 + ["user"]
    assert body["messages"][1]["content"] == "Answer: 1007"


def test_an_estimate_counts_calls_and_what_the_cache_has(workspace: Workspace, experiment: Build) -> None:
    wanted = experiment(prompts=["direct", "vote"], baseline=None, sampling={"seed": 1})
    before = estimate(workspace, make_plan(workspace, wanted))
    assert (before.units, before.calls, before.cached_calls) == (24, 48, 0)
    assert before.cost_usd_max > 0
    execute_run(workspace, create_run(workspace, wanted))
    after = estimate(workspace, make_plan(workspace, wanted))
    assert (after.cached_calls, after.cost_usd_max) == (48, 0.0)


def test_a_saved_experiment_reads_back_the_same(workspace: Workspace, experiment: Build) -> None:
    wanted = experiment(sampling={"temperature": [0.0, 0.7]}, budget={"usd": 2}, margin=0.02)
    path = workspace.save_experiment(wanted)
    assert workspace.experiment("sums") == wanted == workspace.experiment(path)
    text = workspace.delete_experiment("sums")
    assert "sums" not in workspace.experiment_names() and "margin" in text


def test_a_folder_that_is_no_workspace_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="prompts/ and experiments/"):
        Workspace.open(tmp_path)


def test_a_local_model_without_files_leaves_the_run_to_the_others(
    workspace: Workspace, experiment: Build
) -> None:
    models = workspace.root / "experiments/models.yaml"
    models.write_text(models.read_text() + "  - {name: gone, provider: transformers, model: ./gone}\n")
    plan = make_plan(workspace, experiment(models=["server", "gone"]))
    assert {cell.model for cell in plan.cells} == {"server", "gone"}
    with pytest.raises(ModelUnavailable, match=r"no folder '\./gone'"):
        make_plan(workspace, experiment(models=["gone"], baseline=None))
