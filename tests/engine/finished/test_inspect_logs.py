"""Inspect's logs become runs: finished, cancelled, cut short, hostile; logs of several models meet."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.finished.conftest import stored
from tests.engine.finished.samples import archived, header, sample, written, zstandard
from workbench.engine import Workspace, add_metrics, report, rows
from workbench.engine.finished import zip_members
from workbench.engine.finished.importing import import_finished
from workbench.errors import DatasetError, InvalidFile, WorkbenchError

Write = Callable[[str, Any], Path]

SAMPLES = [sample(1, "2"), sample(2, "4", "I"), sample(3, "4")]


def outputs(workspace: Workspace, run: str) -> list[Any]:
    cells = workspace.store.outputs.counts(run)
    return [one for cell in sorted(cells) for one in workspace.store.outputs.of_cell(run, cell)]


@pytest.mark.parametrize("kind", ["json", "deflated", "stored", "running", "zstandard"])
def test_a_log_is_the_same_run_however_it_is_written(workspace: Workspace, write: Write, kind: str):
    if kind == "json":
        file = write("log.json", written(SAMPLES))
    elif kind == "zstandard":
        content = {f"samples/{one['id']}_epoch_1.json": json.dumps(one).encode() for one in SAMPLES}
        file = write("log.eval", zstandard(content | {"header.json": json.dumps(header()).encode()}))
    else:
        packed = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
        file = write("log.eval", archived(SAMPLES, packed, finished=kind != "running"))
    made = import_finished(workspace, [file])
    assert (made.rows, made.cells, made.outputs, made.scores) == (3, 1, 3, ("imported:match",))
    cell = report(workspace, made.run).cells[0]
    assert (cell.cell.prompt, cell.cell.model) == ("sums", "openai/gpt-4o-mini")
    assert cell.metrics["imported:match"].mean == pytest.approx(2 / 3)
    assert (cell.prompt_tokens, cell.completion_tokens, cell.latency_p50_s) == (192, 6, 0.5)
    first = rows(workspace, made.run).rows[0].row
    assert (first["input"], first["reference"], first["level"]) == ("1 + 1?", "2", "easy")
    assert any("not finished" in said for said in made.unmapped) == (kind == "running")


def test_logs_of_several_models_meet_on_the_same_rows(workspace: Workspace, write: Write):
    one = write("gpt.json", written(SAMPLES))
    other = write("claude.eval", archived(list(reversed(SAMPLES)), model="anthropic/claude"))
    made = import_finished(workspace, [one, other])
    assert (made.rows, made.cells, made.outputs) == (3, 2, 6)
    add_metrics(workspace, made.run, ["exact_match"])
    means = [cell.metrics["exact_match"].mean for cell in report(workspace, made.run).cells]
    assert means == [pytest.approx(2 / 3)] * 2


def test_other_arguments_or_another_solver_make_another_prompt(workspace: Workspace, write: Write):
    made = import_finished(
        workspace,
        [
            write("a.json", written(SAMPLES)),
            write("b.json", written(SAMPLES, task_args={"shots": 5})),
            write("c.json", written(SAMPLES, solver="chain_of_thought", task="inspect_evals/sums")),
        ],
    )
    cells = [cell.cell.prompt for cell in report(workspace, made.run).cells]
    assert (made.rows, cells) == (3, ["sums", "sums-shots-5", "sums-chain_of_thought"])


def test_the_same_log_twice_is_refused_and_not_counted_twice(workspace: Workspace, write: Write):
    file = write("a.json", written(SAMPLES))
    before = stored(workspace)
    with pytest.raises(DatasetError, match="two outputs of sums"):
        import_finished(workspace, [file, file])
    assert stored(workspace) == before


def test_the_same_id_over_another_question_is_another_row(workspace: Workspace, write: Write):
    other = write("b.json", written([sample(1, "7", input="5 + 2?")], model="m2"))
    assert import_finished(workspace, [write("a.json", written(SAMPLES)), other]).rows == 4


def test_epochs_are_repeats(workspace: Workspace, write: Write):
    samples = [
        sample(1, reply, value, epoch) for epoch, (reply, value) in enumerate([("2", "C"), ("3", "I")], 1)
    ]
    made = import_finished(workspace, [write("log.eval", archived(samples))])
    found = sorted((one.repeat, one.text) for one in outputs(workspace, made.run))
    assert (made.rows, found) == (1, [(0, "2"), (1, "3")])
    assert report(workspace, made.run).cells[0].metrics["imported:match"].mean == 0.5


def test_values_of_scores_are_numbers_where_they_can_be(workspace: Workspace, write: Write):
    values = ["C", "I", "P", "N", True, 0.25, "0.75", "yes", float("nan"), None, "well"]
    samples = [sample(index, "x", value) for index, value in enumerate(values, 1)]
    made = import_finished(workspace, [write("log.json", written(samples))])
    metric = report(workspace, made.run).cells[0].metrics["imported:match"]
    assert (metric.n, metric.mean) == (8, pytest.approx((1 + 0 + 0.5 + 0 + 1 + 0.25 + 0.75 + 1) / 8))
    assert "score 'match' that is text, not a number" in made.unmapped


def test_each_part_of_a_score_is_a_score(workspace: Workspace, write: Write):
    value = {"tone": 1, "facts": float("nan"), "parts": ["C", "I"]}
    made = import_finished(workspace, [write("log.json", written([sample(1, "x", value)]))])
    assert made.scores == ("imported:match: tone", "imported:match: parts: 1", "imported:match: parts: 2")


@pytest.mark.parametrize(
    ("status", "said"), [("cancelled", "cancelled"), ("error", "error"), ("started", "not finished")]
)
def test_a_log_that_did_not_succeed_gives_what_is_in_it_and_says_so(
    workspace: Workspace, write: Write, status: str, said: str
):
    failed = sample(
        2, "", scores=None, error={"message": "Rate limited", "traceback": "…"}, output={"choices": []}
    )
    made = import_finished(workspace, [write("log.json", written([sample(1, "2"), failed], status=status))])
    assert any(said in sentence for sentence in made.unmapped)
    assert [(one.error, one.text) for one in outputs(workspace, made.run)] == [
        (None, "2"),
        ("Rate limited", ""),
    ]


def test_a_log_without_samples_is_one_sentence(workspace: Workspace, write: Write):
    for file in (
        write("log.json", header(status="cancelled")),
        write("none.json", header() | {"samples": None}),
        write("log.eval", archived([])),
    ):
        with pytest.raises(DatasetError, match="no outputs"):
            import_finished(workspace, [file])
    made = import_finished(workspace, [write("log.json", header()), write("b.json", written(SAMPLES))])
    assert "log.json: all of it, as it has no samples" in made.unmapped


def test_texts_come_from_parts_attachments_and_older_keys(workspace: Workspace, write: Write):
    picture = [{"type": "text", "text": "What is it?"}, {"type": "image", "image": "data:…"}]
    parts = [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "A"},
        {"type": "text", "text": "B"},
    ]
    answered = {"choices": [{"message": {"role": "assistant", "content": parts}}]}
    made = import_finished(
        workspace,
        [
            write(
                "log.json",
                written(
                    [
                        sample(
                            1, "x", input=[{"role": "user", "content": picture}], output=answered, scores={}
                        ),
                        sample(2, "attachment://ff", attachments={"ff": "a long text"}, scores=None),
                        sample(3, "", output={"completion": "4"}, scores={}, target=["4", "four"]),
                        sample(4, "y", output=None, scores={}, target="", input=""),
                        sample(5, "z", scores=None, score={"value": "C"}),
                    ],
                ),
            )
        ],
    )
    assert [one.text for one in outputs(workspace, made.run)] == ["A\nB", "a long text", "4", "y", "z"]
    found = rows(workspace, made.run).rows
    assert found[0].row["input"] == "What is it?"
    assert [one.row.get("reference") for one in found] == ["2", "3", ["4", "four"], None, "3"]
    assert made.scores == ("imported:score",)
    assert {
        "part of a message that is no text (image)",
        "part of a message that is no text (reasoning)",
    } <= set(made.unmapped)


def test_the_prompt_is_told_where_it_is_the_same_for_all_rows(workspace: Workspace, write: Write):
    made = import_finished(workspace, [write("log.json", written(SAMPLES))])
    messages = workspace.store.runs.get(made.run).definition["prompts"]["sums"]["messages"]
    assert [one["content"] for one in messages] == ["Only the number.", "Q: {{ input }}"]
    choices = import_finished(workspace, [write("mc.json", written([sample(1, "A", choices=["2", "3"])]))])
    messages = workspace.store.runs.get(choices.run).definition["prompts"]["sums"]["messages"]
    assert "does not tell" in messages[0]["content"]


def test_reading_an_archive_tells_how_far_it_is(workspace: Workspace, write: Write):
    file = write("log.eval", archived([sample(number, "x" * number) for number in range(1, 13)]))
    told: list[tuple[str, int, int]] = []
    import_finished(workspace, [file], on_reading=lambda *one: told.append(one))
    done = [done_bytes for _, done_bytes, _ in told]
    assert done == sorted(done)
    assert len(set(done)) > 12
    assert told[-1] == ("log.eval", file.stat().st_size, file.stat().st_size)


def test_a_huge_text_comes_whole(workspace: Workspace, write: Write):
    text = "<script>alert(1)</script>" * 80_000
    made = import_finished(workspace, [write("log.eval", archived([sample(1, text, "I")]))])
    assert outputs(workspace, made.run)[0].text == text


HOSTILE: dict[str, tuple[Any, str]] = {
    "no.eval": (b"PK\x03\x04" + b"x" * 60, "not a zip archive|neither"),
    "text.eval": ("hello", "does not begin like"),
    "empty.eval": (b"", "does not begin like"),
    "unnamed.json": (written(SAMPLES) | {"eval": {"task": "", "model": "m"}}, "eval.task"),
    "list.json": (written([["a"]]), "no `id`"),  # type: ignore[list-item]
    "idless.json": (written([{"input": "x"}]), "no `id`"),
    "odd.json": (written([sample(1, "x", output=7)]), "format inspect"),
    "nul.json": (written([sample(1, "a\0b")]), "NUL"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_log_is_one_sentence_and_changes_nothing(workspace: Workspace, write: Write, name: str):
    content, sentence = HOSTILE[name]
    before = stored(workspace)
    with pytest.raises(WorkbenchError, match=sentence) as raised:
        import_finished(workspace, [write("good.json", written(SAMPLES)), write(name, content)])
    assert "\n" not in str(raised.value)
    assert stored(workspace) == before


def test_an_archive_that_is_made_to_do_harm_is_refused(
    workspace: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch
):
    def packed(members: dict[str, bytes]) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", json.dumps(header()))
            for name, content in members.items():
                archive.writestr(name, content)
        return file.getvalue()

    def refused(content: bytes, sentence: str) -> None:
        before = stored(workspace)
        with pytest.raises(InvalidFile, match=sentence):
            import_finished(workspace, [write("log.eval", content)])
        assert stored(workspace) == before

    one = json.dumps(SAMPLES[0]).encode()
    refused(packed({"../../evil.json": b"{}"}), "outside of itself")
    refused(packed({"/etc/passwd": b"{}"}), "outside of itself")
    refused(packed({"samples\\..\\..\\x": b"{}"}), "outside of itself")
    refused(packed({"samples/1_epoch_1.json": b"[1]"}), "no `id`")
    refused(packed({"samples/1_epoch_1.json": b"\xff\xfe"}), "samples/1_epoch_1.json")
    whole = packed({"samples/1_epoch_1.json": one})
    at = whole.index(b"samples/1_epoch_1.json") + 40
    refused(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :], "is damaged")
    encrypted = whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    refused(encrypted, "is encrypted")
    unknown = whole.replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x08", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63"
    )
    refused(unknown, "packed in a way")
    monkeypatch.setattr(zip_members, "MOST_MEMBER_BYTES", 100_000)
    refused(packed({"samples/1_epoch_1.json": b" " * 200_000 + one}), "unpacks to more than")
    monkeypatch.setattr(zip_members, "MOST_BYTES", 50_000)
    big = b" " * 30_000 + one
    refused(packed({f"samples/{n}_epoch_1.json": big for n in range(3)}), "unpacks to more than")


def test_of_members_with_one_name_the_later_counts(workspace: Workspace, write: Write):
    file = io.BytesIO(archived([sample(1, "old")]))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("samples/1_epoch_1.json", json.dumps(sample(1, "new")))
    made = import_finished(workspace, [write("log.eval", file.getvalue())])
    assert [one.text for one in outputs(workspace, made.run)] == ["new"]
