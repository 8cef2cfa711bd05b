"""A run asks what is needed, once, and keeps what it got."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.engine.conftest import adds
from tests.fake_openai import BROKEN, BaseUrl, Stalling, openai_server
from workbench.core.experiment import Experiment
from workbench.core.run import Progress
from workbench.engine import (
    RowQuery,
    Workspace,
    cancel_run,
    compare,
    create_run,
    delete_run,
    execute_run,
    export_outputs,
    find_run,
    latest_outputs,
    progress,
    report,
    resume_run,
    rows,
    runs,
    undelete_run,
    vote_curve,
)
from workbench.errors import RunCancelled, RunError, UnknownName

Build = Callable[..., Experiment]


def run_it(workspace: Workspace, experiment: Experiment, **options: object) -> str:
    run = create_run(workspace, experiment, **options)  # type: ignore[arg-type]
    execute_run(workspace, run)
    return run


def test_a_run_gives_every_cell_every_row_and_a_verdict(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment())
    shown = report(workspace, run)
    assert shown.status == "completed" and shown.errors == 0
    assert [(line.cell.prompt, line.rows) for line in shown.cells] == [("direct", 12), ("careful", 12)]
    assert [line.metrics["exact_match"].mean for line in shown.cells] == [0.5, 1.0]
    (line,) = compare(workspace, run).comparisons
    assert line.difference == 0.5 and line.n == 12
    assert line.verdict == "better" and line.p < 0.05


def test_a_second_run_makes_no_call(workspace: Workspace, experiment: Build, server: BaseUrl) -> None:
    run_it(workspace, experiment())
    asked = len(server.bodies)
    second = report(workspace, run_it(workspace, experiment()))
    assert len(server.bodies) == asked == 24
    assert (second.calls, second.cached, second.cost_usd) == (24, 24, 0.0)


def test_without_the_cache_every_call_is_made_anew(
    workspace: Workspace, experiment: Build, server: BaseUrl
) -> None:
    run_it(workspace, experiment())
    again = report(workspace, run_it(workspace, experiment(), use_cache=False))
    assert len(server.bodies) == 48 and again.cached == 0


def test_repeats_are_calls_of_their_own_and_clustered(workspace: Workspace, experiment: Build) -> None:
    shown = report(workspace, run_it(workspace, experiment(repeats=3)))
    assert shown.calls == 72
    single = report(workspace, run_it(workspace, experiment()))
    for three, one in zip(shown.cells, single.cells, strict=True):
        assert three.metrics["exact_match"].mean == one.metrics["exact_match"].mean
        width3 = three.metrics["exact_match"].high - three.metrics["exact_match"].low
        width1 = one.metrics["exact_match"].high - one.metrics["exact_match"].low
        assert width3 > width1 / 3**0.5 or width1 == 0  # three equal repeats are no new evidence


def test_an_ensemble_reuses_its_members_samples(
    workspace: Workspace, experiment: Build, server: BaseUrl
) -> None:
    both = experiment(prompts=["careful", "vote"], baseline=None, sampling={"seed": 3})
    run = run_it(workspace, both)
    assert len(server.bodies) == 12 + 36
    assert run_it(workspace, experiment(prompts=["vote"], baseline=None, sampling={"seed": 3}))
    assert len(server.bodies) == 48
    seeds = Counter(body["seed"] for body in server.bodies if body["temperature"] == 0.7)
    assert len(seeds) == 36  # five samples are five samples: each has a seed of its own
    view = rows(workspace, run, cells=[1]).rows[0].outputs[1]
    assert [vote.answer for vote in view.votes] == ["7", "7", "7"] and view.answer == "7"
    assert [count for count, _ in vote_curve(workspace, run, 1)] == [1, 2, 3]


def test_a_list_under_sampling_makes_cells(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment(sampling={"temperature": [0.0, 0.5]}))
    found = [line.cell for line in report(workspace, run).cells]
    assert [cell.sampling for cell in found] == [{"temperature": 0.0}, {"temperature": 0.5}] * 2


def test_an_error_is_an_output_and_resume_asks_it_again(tmp_path: object, experiment: Build) -> None:
    from tests.engine.conftest import write_workspace

    broken = threading.Event()
    broken.set()

    def answer(body: dict[str, object]) -> object:
        question = str(body["messages"][-1]["content"])  # type: ignore[index]
        return BROKEN if broken.is_set() and " 5 +" in question else adds(body)  # type: ignore[arg-type]

    with openai_server(answer=answer) as url:  # type: ignore[arg-type]
        workspace = Workspace.open(write_workspace(tmp_path / "errors", url))  # type: ignore[operator]
        run = run_it(workspace, experiment())
        shown = report(workspace, run)
        assert shown.status == "completed" and shown.errors == 2
        assert shown.cells[0].metrics["exact_match"].n == 11
        assert shown.cells[0].metrics["exact_match"].unscored == 1
        assert [row.row_id for row in rows(workspace, run, query=RowQuery(only=("errors",))).rows] == [
            "test-5"
        ]
        asked = len(url.bodies)
        broken.clear()
        resume_run(workspace, run)
        execute_run(workspace, run)
        assert len(url.bodies) == asked + 2
        assert report(workspace, run).errors == 0
        assert report(workspace, run).cells[0].metrics["exact_match"].n == 12
        workspace.close()


def test_a_model_that_answers_nothing_is_wrong_not_an_error(tmp_path: object, experiment: Build) -> None:
    from tests.engine.conftest import write_workspace

    with openai_server(answer=lambda body: "") as url:
        workspace = Workspace.open(write_workspace(tmp_path / "silent", url))  # type: ignore[operator]
        run = run_it(workspace, experiment())
        (first, _) = report(workspace, run).cells
        assert (first.errors, first.unanswered, first.metrics["exact_match"].mean) == (0, 12, 0.0)
        assert rows(workspace, run, query=RowQuery(only=("unanswered",))).total == 12
        workspace.close()


def test_cancel_stops_soon_and_resume_finishes(tmp_path: object, experiment: Build) -> None:
    from tests.engine.conftest import write_workspace

    answer = Stalling(adds, 60)
    with openai_server(answer=answer) as url:
        root = write_workspace(tmp_path / "slow", url, rows=120)  # type: ignore[operator]
        workspace = Workspace.open(root)
        run = create_run(workspace, experiment())
        canceller = Workspace.open(root)

        def cancel_when_some_are_there() -> None:
            while progress(canceller, run).done < 10:
                time.sleep(0.05)
            cancel_run(canceller, run)

        thread = threading.Thread(target=cancel_when_some_are_there)
        thread.start()
        with pytest.raises(RunCancelled):
            execute_run(workspace, run)
        thread.join()
        stopped = progress(workspace, run)
        assert stopped.status == "cancelled" and 10 <= stopped.done <= 60
        answer.go_on()
        stored = len(url.bodies)
        resume_run(workspace, run)
        execute_run(workspace, run)
        questions = Counter(body["messages"][-1]["content"] for body in url.bodies)
        assert len(questions) == 240
        # only calls in flight at the cancel were made twice
        assert sum(questions.values()) - 240 <= stored - stopped.done
        workspace.close()
        canceller.close()


def test_the_budget_stops_a_run_and_a_higher_one_lets_it_finish(
    workspace: Workspace, experiment: Build
) -> None:
    from workbench.engine import raise_budget

    run = create_run(workspace, experiment(), budget_usd=0.05)
    with pytest.raises(RunCancelled, match="budget"):
        execute_run(workspace, run)
    assert 0 < progress(workspace, run).done < 24
    assert 0 < report(workspace, run).cost_usd <= 0.05
    raise_budget(workspace, run, None)
    resume_run(workspace, run)
    assert execute_run(workspace, run).status == "completed"


def test_progress_is_told_while_it_runs(workspace: Workspace, experiment: Build) -> None:
    seen: list[Progress] = []
    run = create_run(workspace, experiment())
    execute_run(workspace, run, seen.append)
    assert seen[-1].done == seen[-1].total == 24
    assert latest_outputs(workspace, run, 3)[0].text.startswith("Answer:")


def test_a_run_is_found_by_id_its_ends_experiment_and_latest(workspace: Workspace, experiment: Build) -> None:
    with pytest.raises(RunError, match="no run yet"):
        find_run(workspace, "latest")
    first = run_it(workspace, experiment())
    second = run_it(workspace, experiment())
    assert find_run(workspace, "latest") == find_run(workspace, "sums") == second
    assert find_run(workspace, first) == find_run(workspace, first[-6:]) == first
    with pytest.raises(RunError, match="several"):
        find_run(workspace, first[:4])
    with pytest.raises(UnknownName):
        find_run(workspace, "%")
    with pytest.raises(UnknownName):
        find_run(workspace, "nothing")


def test_a_deleted_run_is_gone_until_it_is_brought_back(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment())
    delete_run(workspace, run)
    assert runs(workspace) == []
    with pytest.raises(UnknownName):
        report(workspace, run)
    undelete_run(workspace, run)
    assert [summary.id for summary in runs(workspace)] == [run]


def test_rows_are_filtered_by_text_and_by_difference(workspace: Workspace, experiment: Build) -> None:
    run = run_it(workspace, experiment())
    assert rows(workspace, run, query=RowQuery(contains="is 11 +")).total == 1
    assert rows(workspace, run, query=RowQuery(only=("different",))).total == 6
    page = rows(workspace, run, query=RowQuery(only=("wrong",)), offset=2, limit=3)
    assert page.total == 6 and len(page.rows) == 3
    with pytest.raises(RunError, match="no cell 9"):
        rows(workspace, run, cells=[9])


def test_outputs_leave_as_csv_without_live_formulas(tmp_path: object, experiment: Build) -> None:
    from tests.engine.conftest import write_workspace

    with openai_server(answer=lambda body: '=HYPERLINK("http://x")') as url:
        workspace = Workspace.open(write_workspace(tmp_path / "formula", url))  # type: ignore[operator]
        run = run_it(workspace, experiment())
        text = export_outputs(workspace, run, "csv").decode()
        assert "'=HYPERLINK" in text and ',"=HYPERLINK' not in text
        workspace.close()


def test_a_comparison_across_runs_pairs_rows_by_id(workspace: Workspace, experiment: Build) -> None:
    first = run_it(workspace, experiment())
    second = run_it(workspace, experiment(), limit=8)
    found = compare(workspace, second, across=first)
    assert [(line.n, line.difference, line.verdict) for line in found.comparisons] == [
        (8, 0.0, "tied"),
        (8, 0.0, "tied"),
    ]


def test_each_member_is_asked_with_its_own_sampling(
    workspace: Workspace, experiment: Build, server: BaseUrl
) -> None:
    members = ", ".join(f"{{prompt: direct, sampling: {{temperature: 0.{n}}}}}" for n in range(1, 9))
    (workspace.root / "prompts/many.yaml").write_text(f"name: many\nmembers: [{members}]\n")
    run_it(workspace, experiment(prompts=["many"], baseline=None))
    asked = Counter((body["messages"][-1]["content"], body["temperature"]) for body in server.bodies)
    assert len(asked) == 12 * 8 and set(asked.values()) == {1}
