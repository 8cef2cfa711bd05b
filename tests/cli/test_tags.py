"""`workbench runs tag`: what the Compare page's tags are on the command line."""

from __future__ import annotations

from tests.cli.conftest import Command


def test_a_tag_is_put_on_a_row_and_taken_off(workbench: Command):
    workbench("run", "sums")
    assert (
        "has the tags: wrong reference"
        in workbench("runs", "tag", "latest", "test-3", " wrong  reference").err
    )
    found = workbench("runs", "tag", "sums", "test-3", "odd", "--json").json
    assert found["row"] == "test-3" and found["tags"] == ["wrong reference", "odd"]
    workbench("runs", "tag", "latest", "test-3", "odd", "--remove")
    assert "has no tag." in workbench("runs", "tag", "latest", "test-3", "wrong reference", "--remove").err


def test_a_tag_or_row_that_cannot_be_is_one_sentence(workbench: Command):
    workbench("run", "sums")
    assert "1 to 60 printable" in workbench("runs", "tag", "latest", "test-3", " ", code=2).err
    assert "no row 'nobody'" in workbench("runs", "tag", "latest", "nobody", "odd", code=1).err
    assert "has no tag 'odd'" in workbench("runs", "tag", "latest", "test-3", "odd", "--remove", code=1).err
    assert "Traceback" not in workbench("runs", "tag", "none", "test-3", "odd", code=1).err
