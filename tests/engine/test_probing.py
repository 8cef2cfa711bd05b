"""A probe finds what it looks for, and nothing where there is nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import write_workspace
from tests.fake_openai import BaseUrl, openai_server
from workbench.core.experiment import Experiment
from workbench.engine import (
    Workspace,
    create_probe,
    create_run,
    execute_run,
    find_run,
    preview_probe,
    previous_run,
    probe_json,
    probe_report,
    probes_of,
)
from workbench.errors import DatasetError, RunError, UnknownName, UsageError

Build = Callable[..., Experiment]
PRONOUNS: list[Any] = [{"swap": {"pairs": [["he", "she"]]}}]


def judges_by_person(body: dict[str, Any]) -> str:
    """Adds rightly for him, one too many for her; counts the letters' case where it is shouted at."""
    question = body["messages"][-1]["content"]
    total = sum(int(number) for number in re.findall(r"\d+", question))
    return f"Answer: {total + 1 if re.search('(?i)she', question) else total}"


@pytest.fixture
def server() -> Iterator[BaseUrl]:
    """A server that adds rightly for one half of mankind."""
    with openai_server(answer=judges_by_person) as base_url:
        yield base_url


@pytest.fixture
def workspace(tmp_path: Path, server: BaseUrl) -> Iterator[Workspace]:
    """Forty rows: half about him, a quarter about her, a quarter about nobody."""
    root = write_workspace(tmp_path / "root", server)
    people = ["he", "he", "she", "it"]
    lines = [
        {
            "id": f"t{n}",
            "question": f"What does {people[n % 4]} get from {n} + 7?",
            "answer": str(n + 7),
            "kind": "he and she",
        }
        for n in range(40)
    ]
    (root / "experiments/datasets/sums/test.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines)
    )
    opened = Workspace.open(root)
    yield opened
    opened.close()


@pytest.fixture
def run(workspace: Workspace, experiment: Build) -> str:
    created = create_run(workspace, experiment())
    execute_run(workspace, created)
    return created


def probed(workspace: Workspace, run: str, *transforms: Any, **settings: Any) -> str:
    probe = create_probe(workspace, run, list(transforms), owner="command", **settings)
    execute_run(workspace, probe)
    return probe


def test_a_bias_is_found_with_its_direction(workspace: Workspace, run: str) -> None:
    found = probe_report(workspace, probed(workspace, run, *PRONOUNS))
    assert (found.rows, found.of_rows, found.kind, found.metric) == (30, 40, "swap", "exact_match")
    for line in found.lines:
        assert (line.changed.mean, line.changed.n) == (1.0, 30)
        assert line.sides is not None
        assert line.sides.difference == -1.0 and line.sides.high < -0.7
        assert line.difference == pytest.approx(10 / 30 - 20 / 30)
        assert len(line.flips) == 5
    flip = found.lines[0].flips[0]
    assert " he " in flip.before_row["question"] and " she " in flip.after_row["question"]
    assert list(flip.before_row) == ["question"], "columns that no prompt shows stay as they are"
    assert (flip.before, flip.after) == ("7", "8")


def test_no_bias_is_found_where_the_change_means_nothing(workspace: Workspace, run: str) -> None:
    found = probe_report(workspace, probed(workspace, run, {"spacing": None}))
    assert found.rows == 40
    for line in found.lines:
        assert (line.changed.mean, line.difference, line.verdict) == (0.0, 0.0, "tied")
        assert line.sides is None and line.flips == ()
        assert line.changed.high < 0.1


def test_only_changed_rows_are_asked_and_each_once(workspace: Workspace, run: str, server: BaseUrl) -> None:
    calls = len(server.bodies)
    probe = probed(workspace, run, *PRONOUNS)
    assert len(server.bodies) - calls == 2 * 30
    assert probe_json(probe_report(workspace, probe))["cells"][0]["changed"]["n"] == 30
    json.dumps(probe_json(probe_report(workspace, probe)), allow_nan=False)


def test_the_order_of_examples_is_probed_in_the_prompts_that_have_some(
    workspace: Workspace, experiment: Build, server: BaseUrl
) -> None:
    created = create_run(workspace, experiment(prompts=["direct", "three-shots"]))
    execute_run(workspace, created)
    before = [body["messages"] for body in server.bodies]
    probe = probed(workspace, created, examples_seed=3)
    found = probe_report(workspace, probe)
    assert [line.cell.prompt for line in found.lines] == ["three-shots"]
    assert found.lines[0].changed.mean == 0.0
    new = [body["messages"] for body in server.bodies[len(before) :]]
    assert len(new) > 20 and all(messages not in before for messages in new)
    assert sorted(map(len, new)) == sorted(len(m) for m in before if len(m) > 2)[-len(new) :]


def test_a_probe_uses_the_prompts_of_the_run_and_not_of_today(workspace: Workspace, run: str) -> None:
    (workspace.root / "prompts" / "direct.yaml").unlink()
    assert len(probe_report(workspace, probed(workspace, run, *PRONOUNS)).lines) == 2


def test_repeats_tell_how_much_changes_by_itself(workspace: Workspace, experiment: Build) -> None:
    created = create_run(workspace, experiment(repeats=3))
    execute_run(workspace, created)
    line = probe_report(workspace, probed(workspace, created, *PRONOUNS)).lines[0]
    assert line.noise is not None and (line.noise.mean, line.noise.n) == (0.0, 90)
    assert line.changed.n == 90 and line.changed.low < 0.95, "repeats of a row are not rows"


def test_a_probe_is_nobody_s_latest_run(workspace: Workspace, run: str, experiment: Build) -> None:
    probe = probed(workspace, run, *PRONOUNS)
    assert find_run(workspace, "latest") == find_run(workspace, "sums") == run
    assert find_run(workspace, probe) == probe
    assert [summary.id for summary in probes_of(workspace, run)] == [probe]
    again = create_run(workspace, experiment())
    assert previous_run(workspace, again) == run


def test_a_preview_shows_one_row_before_and_after(workspace: Workspace, run: str) -> None:
    found = preview_probe(workspace, run, PRONOUNS)
    assert (found.rows, found.changed) == (40, 30)
    assert found.before == {"question": "What does he get from 0 + 7?"}
    assert found.after == {"question": "What does she get from 0 + 7?"}


@pytest.mark.parametrize(
    ("transforms", "seed", "error", "said"),
    [
        ([{"swap": {"pairs": [["king", "queen"]]}}], None, UsageError, "None of the 40 rows"),
        ([], None, UsageError, "name one of the two"),
        (["typos"], 1, UsageError, "name one of the two"),
        ([], 1, UsageError, "two examples or more"),
        (["typo"], None, UnknownName, "typos"),
        ([{"typos": {"rate": 7}}], None, DatasetError, "rate"),
    ],
)
def test_a_probe_that_asks_nothing_is_refused_before_any_call(
    workspace: Workspace,
    run: str,
    server: BaseUrl,
    transforms: list[Any],
    seed: int | None,
    error: type[Exception],
    said: str,
) -> None:
    calls = len(server.bodies)
    with pytest.raises(error, match=said):
        create_probe(workspace, run, transforms, seed)
    assert len(server.bodies) == calls


def test_what_is_no_probe_or_still_going_is_said(workspace: Workspace, run: str, experiment: Build) -> None:
    with pytest.raises(UsageError, match="is no probe"):
        probe_report(workspace, run)
    with pytest.raises(RunError, match="still going"):
        create_probe(workspace, create_run(workspace, experiment()), PRONOUNS)
    with pytest.raises(UsageError, match="itself a probe"):
        create_probe(workspace, probed(workspace, run, *PRONOUNS), PRONOUNS)


def test_an_experiment_may_change_its_rows_itself(workspace: Workspace, experiment: Build) -> None:
    changed = experiment(dataset={"name": "sums", "transform": [{"case": "upper"}, {"swap": "pronouns"}]})
    created = create_run(workspace, changed)
    execute_run(workspace, created)
    record = workspace.store.runs.get(created)
    assert record is not None
    rows = workspace.store.runs.rows(record.row_set)
    assert rows[0]["question"] == "WHAT DOES SHE GET FROM 0 + 7?"
    assert rows[0]["answer"] == "7" and rows[0]["kind"] == "he and she"
