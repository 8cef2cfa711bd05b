"""A judge on the Prompts page: its rubric is edited, and it is tried on a text of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Visit, press, texts
from tests.app.test_prompts_page import field
from tests.fake_openai import BaseUrl, openai_server
from workbench.core.document import load
from workbench.core.model import ModelSpec
from workbench.core.prompt import Prompt
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
