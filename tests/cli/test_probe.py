"""`workbench probe`: a change is asked, reported and printed once more later."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from tests.fake_openai import BaseUrl


def test_a_probe_runs_and_reports(workbench: Command):
    workbench("run", "sums")
    found = workbench("probe", "latest", "--case", "upper", "--json").json
    assert (found["kind"], found["rows"], found["of_rows"]) == ("case", 12, 12)
    assert [cell["changed"]["mean"] for cell in found["cells"]] == [0.0, 0.0]
    printed = workbench("probe", found["run"], "--report")
    assert "case probe of run" in printed.out and "0 % [0, 24]" in printed.out
    assert workbench("probe", found["run"], "--report", "--json").json == found
    assert workbench("report", "latest", "--json").json["run"] == found["of"]


def test_terms_are_swapped_as_they_are_written(workbench: Command, server: BaseUrl):
    workbench("run", "sums")
    calls = len(server.bodies)
    workbench("probe", "--swap", "What=How much, is=was")
    asked = [body["messages"][-1]["content"] for body in server.bodies[calls:]]
    assert asked and all(text.startswith("How much was ") for text in asked)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name one of the two"),
        (("--swap", "he"), 2, "write pairs as A=B"),
        (("--terms", "pronouns"), 2, "None of the 12 rows"),
        (("--terms", "nobody"), 1, "pronouns"),
        (("--case", "loud"), 1, "upper"),
        (("--examples",), 2, "two examples or more"),
        (("--transform", "[1"), 2, "--transform"),
        (("--transform", "[1]"), 2, "write a name or a mapping"),
        (("--report",), 2, "is no probe"),
        (("--report", "--typos", "0.1"), 2, "leave out"),
    ],
)
def test_a_probe_that_cannot_be_made_is_one_sentence(
    workbench: Command, server: BaseUrl, arguments: tuple[str, ...], code: int, said: str
):
    workbench("run", "sums")
    calls = len(server.bodies)
    assert said in workbench("probe", "latest", *arguments, code=code).err
    assert len(server.bodies) == calls
