"""`workbench report --labels`: labels and mistakes, as tables and as one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.engine.conftest import write_workspace
from tests.engine.moods import add_moods, feels
from tests.fake_openai import openai_server


@pytest.fixture
def moods(tmp_path: Path, workbench_in: Callable[[Path], Command]) -> Iterator[Command]:
    """The command line in a workspace with a finished classification."""
    with openai_server(answer=feels) as url:
        root = write_workspace(tmp_path / "moods", url)
        add_moods(root)
        command = workbench_in(root)
        command("run", "moods")
        yield command


def test_labels_are_printed_with_their_mistakes(moods: Command):
    shown = moods("report", "--labels").out
    assert "mood · server" in shown and "precision" in shown
    assert "2 outputs: mixed taken for bad" in shown
    assert "1 output: good taken for no answer" in shown


def test_labels_are_one_document(moods: Command):
    document = moods("report", "latest", "--labels", "--json").json
    assert list(document) == ["run", "cells"]
    assert document["cells"][0]["confusion"]["actual"] == ["bad", "good", "mixed"]
    assert moods("report", "--labels", "--format", "json").json == document


def test_another_format_is_wrong_usage(moods: Command):
    assert "--labels prints tables" in moods("report", "--labels", "--format", "junit", code=2).err


def test_a_run_that_is_no_classification_says_so(moods: Command):
    moods("run", "sums")
    ended = moods("report", "--labels", code=1)
    assert ended.out == "" and "A confusion matrix is for classification." in ended.err
