"""A judge on the Prompts page: its rubric is edited, and it is tried on a text of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import Visit, press, texts
from tests.app.test_prompts_page import field
from tests.engine.conftest import adds, write_workspace
from tests.fake_openai import Answer, BaseUrl, error, openai_server
from workbench.core.document import load
from workbench.core.model import ModelSpec
from workbench.core.prompt import Prompt
from workbench.engine import Workspace, create_run, execute_run
from workbench.models.catalog import Catalog


@pytest.fixture
def judge_model(root: Path) -> Iterator[BaseUrl]:
    """A model that gives every text a 2, and tells why."""
    with openai_server(answer=lambda body: "It does not show **how**.\nScore: 2") as url:
        spec = ModelSpec(name="magistrate", provider="openai", model="fake", base_url=str(url), retries=0)
        Catalog(root / "experiments" / "models.yaml").add(spec)
        yield url


def test_the_rubric_is_edited_as_yaml_and_kept(visit: Visit, root: Path, judge_model: BaseUrl) -> None:
    test = visit("prompts", prompt="judge-score", model="magistrate")
    assert "levels:" in field(test, "Rubric").value
    field(test, "Rubric").set_value("kind: score\nscale: [0, 3]\nlevels:\n  0: None of it.\n").run()
    assert not test.error, [error.value for error in test.error]
    assert "A score from 0 to 3:\n0: None of it." in texts(test)
    press(test, "Save")
    saved = load(Prompt, (root / "prompts" / "judge-score.yaml").read_text()).rubric
    assert saved is not None and saved.range == (0, 3) and saved.levels == {0: "None of it."}


def test_a_rubric_that_is_none_is_explained_and_nothing_is_lost(
    visit: Visit, root: Path, judge_model: BaseUrl
) -> None:
    test = visit("prompts", prompt="judge-score", model="magistrate")
    field(test, "Rubric").set_value("kind: [score").run()
    assert any("not valid YAML" in error.value for error in test.error)
    field(test, "Rubric").set_value("kind: ranking").run()
    assert any("checklist" in error.value for error in test.error)
    assert "kind: score" in (root / "prompts" / "judge-score.yaml").read_text()


def test_a_judge_is_tried_on_a_text_and_its_verdict_is_read(visit: Visit, judge_model: BaseUrl) -> None:
    test = visit("prompts", prompt="judge-score", model="magistrate")
    assert not test.error, [error.value for error in test.error]
    field(test, "The text to judge").set_value("I would say {{ 7 }}.").run()
    press(test, "Try on this row")
    said = texts(test)
    assert "score 2" in said and "on 1 to 5" in said and "It does not show **how**." in said
    assert "I would say {{ 7 }}." in judge_model.bodies[-1]["messages"][-1]["content"]
    field(test, "The text to judge").set_value("Score: 2").run()
    press(test, "Try on this row")
    assert "no verdict" in texts(test)


def test_a_pairwise_judge_is_shown_two_texts(visit: Visit, judge_model: BaseUrl) -> None:
    test = visit("prompts", prompt="judge-pairwise", model="magistrate")
    field(test, "Text B").set_value("Something else entirely.").run()
    assert "Something else entirely." in texts(test) and "text B" in texts(test)


def test_a_run_whose_judge_failed_says_so_and_asks_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visit: Visit
) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        judged = body["messages"][-1]["content"].startswith("Judge")
        return error(400, "out of office") if judged else adds(body)

    with openai_server(answer=answer) as url:
        root = write_workspace(tmp_path / "root", url, rows=4)
        (root / "prompts" / "judge-sum.yaml").write_text(
            'name: judge-sum\nmessages: [{role: user, content: "Judge: {{ output }} {{ rubric }}"}]\n'
            "rubric: {kind: score}\n"
        )
        monkeypatch.setenv("WORKBENCH_ROOT", str(root))
        ws = Workspace.open(root)
        judged = {"metrics": ("exact_match", {"judge": "judge-sum", "model": "server", "as": "quality"})}
        run = create_run(ws, ws.experiment("sums").model_copy(update=judged), owner="command")
        execute_run(ws, run)
        ws.close()
    test = visit("run", run=run)
    (told,) = (one.value for one in test.warning)
    assert "Judges ended in errors about 8 outputs" in told and "out of office" in told
    assert "Retry the errors" in [button.label for button in test.button]
    table = visit("compare", run=run, metric="quality").table[0].value
    assert list(table["Unscored"]) == ["4", "4"]
    assert list(table.columns)[:3] == ["Prompt", "Model", "Verdict"]  # in sight in narrow windows too
    assert "Unscored" not in visit("compare", run=run, metric="exact_match").table[0].value.columns
