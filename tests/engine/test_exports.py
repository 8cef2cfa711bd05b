"""What leaves the workbench says where it comes from, and comes back as it was."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.fake_openai import BaseUrl
from workbench.core.document import load
from workbench.core.experiment import Experiment
from workbench.core.prompt import Ensemble, Prompt
from workbench.engine import (
    Workspace,
    compare,
    compare_json,
    create_run,
    execute_run,
    export_outputs,
    export_report,
    export_winner,
    report,
    report_json,
    tag_rows,
    winner,
)
from workbench.errors import RunError, UsageError

Build = Callable[..., Experiment]


@pytest.fixture
def run(workspace: Workspace, experiment: Build) -> str:
    created = create_run(workspace, experiment())
    execute_run(workspace, created)
    return created


def test_the_winner_loads_back_to_the_same_version(workspace: Workspace, run: str) -> None:
    name, text = export_winner(workspace, run)
    prompt = load(Prompt, text, name)
    assert prompt.version == workspace.prompts.version("careful") == winner(workspace, run).cell.version
    evidence = prompt.provenance
    assert evidence is not None
    assert evidence["run"] == run and evidence["model"] == "server"
    assert evidence["metric"]["mean"] == 1.0 and evidence["verdict"]["verdict"] == "better"
    (workspace.root / "prompts/direct.yaml").unlink()
    (workspace.root / "prompts" / name).write_text(text)
    assert workspace.prompts.version("careful") == prompt.version


def test_a_winning_ensemble_names_its_members_versions(workspace: Workspace, experiment: Build) -> None:
    created = create_run(workspace, experiment(prompts=["direct", "vote"]))
    execute_run(workspace, created)
    name, text = export_winner(workspace, created)
    ensemble = load(Ensemble, text, name)
    version = workspace.prompts.version("careful")
    assert ensemble.version({"careful": version}) == workspace.prompts.version("vote")
    assert ensemble.provenance is not None and ensemble.provenance["members"] == {"careful": version}


def test_any_cell_can_be_exported(workspace: Workspace, run: str) -> None:
    assert export_winner(workspace, run, cell=0)[0] == "direct.yaml"
    with pytest.raises(RunError, match="no cell 7"):
        export_winner(workspace, run, cell=7)


def test_there_is_no_winner_before_the_first_output(workspace: Workspace, experiment: Build) -> None:
    with pytest.raises(RunError, match="no winner"):
        winner(workspace, create_run(workspace, experiment()))


def test_report_json_is_the_command_contract(workspace: Workspace, run: str) -> None:
    found = json.loads(json.dumps(report_json(report(workspace, run)), allow_nan=False))
    assert {
        "run",
        "experiment",
        "status",
        "calls",
        "cached",
        "errors",
        "seconds",
        "cost_usd",
        "cells",
    } <= set(found)
    cell = found["cells"][1]
    assert (cell["prompt"], cell["model"], cell["sampling"], cell["rows"]) == ("careful", "server", {}, 12)
    assert {"mean", "low", "high", "n"} <= set(cell["metrics"]["exact_match"])
    assert set(cell["tokens"]) == {"prompt", "completion", "cached"} and set(cell["latency_s"]) == {
        "p50",
        "p95",
    }


def test_compare_json_is_the_command_contract(workspace: Workspace, run: str) -> None:
    found = json.loads(json.dumps(compare_json(compare(workspace, run)), allow_nan=False))
    assert found["baseline"]["prompt"] == "direct"
    (line,) = found["comparisons"]
    wanted = {
        "prompt",
        "model",
        "difference",
        "low",
        "high",
        "p",
        "p_adjusted",
        "n",
        "verdict",
        "rows_needed",
    }
    assert wanted <= set(line)


def test_outputs_leave_in_three_formats_with_the_same_rows(workspace: Workspace, run: str) -> None:
    import pandas

    csv = pandas.read_csv(io.BytesIO(export_outputs(workspace, run, "csv")))
    lines = [json.loads(line) for line in export_outputs(workspace, run, "jsonl").splitlines()]
    parquet = pandas.read_parquet(io.BytesIO(export_outputs(workspace, run, "parquet")))
    assert len(csv) == len(lines) == len(parquet) == 24
    assert list(csv.columns) == list(lines[0]) == list(parquet.columns)
    with pytest.raises(UsageError):
        export_outputs(workspace, run, "xlsx")


def test_outputs_carry_the_tags_of_their_rows_and_the_reasons_of_their_scores(
    workspace: Workspace, run: str
) -> None:
    tag_rows(workspace, run, ["test-1"], "odd")
    tag_rows(workspace, run, ["test-1"], "wrong reference")
    lines = [json.loads(line) for line in export_outputs(workspace, run, "jsonl").splitlines()]
    assert {line["row"]: line["tags"] for line in lines if line["tags"]} == {"test-1": "odd, wrong reference"}
    assert {line["reasons"] for line in lines} == {""}


def test_the_report_leaves_in_every_format(workspace: Workspace, run: str) -> None:
    assert "better (+0.500)" in export_report(workspace, run, "table")
    assert export_report(workspace, run, "md").startswith("| prompt")
    assert export_report(workspace, run, "csv").startswith("prompt,model,exact_match,exact_match low")
    assert json.loads(export_report(workspace, run, "json"))["run"] == run
    assert "<table>" in export_report(workspace, run, "html")
    suites = ElementTree.fromstring(export_report(workspace, run, "junit"))
    assert [suite.get("failures") for suite in suites] == ["6", "0"]


def test_hostile_text_is_harmless_in_html_and_xml(
    workspace: Workspace, experiment: Build, server: BaseUrl
) -> None:
    folder = workspace.root / "experiments/datasets/evil"
    folder.mkdir()
    row = {"id": "<script>\x1b", "question": "<script>alert(1)</script>\x08 1 + 2", "answer": "3"}
    (folder / "test.jsonl").write_text(json.dumps(row) + "\n")
    wanted = experiment(dataset={"name": "evil"}, description="<script>")
    created = create_run(workspace, wanted)
    execute_run(workspace, created)
    assert ElementTree.fromstring(export_report(workspace, created, "junit"))
    assert "<script>" not in export_report(workspace, created, "html")
