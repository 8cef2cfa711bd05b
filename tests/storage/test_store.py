"""The store keeps what it was given, in one transaction, and says clearly when it cannot."""

from __future__ import annotations

import os
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.core.model import Completion, Footprint
from workbench.core.run import Output, Vote
from workbench.core.sizing import ModelUse
from workbench.errors import StorageError
from workbench.storage import Store
from workbench.storage.completions import StoredCompletion
from workbench.storage.database import HEAD
from workbench.storage.scores import CellScores

ROWS = [{"id": "a", "question": "1 + 1?"}, {"id": "b", "question": "{{ 2 }}"}]

FIRST_SCHEMA_ROWS = (
    "INSERT INTO runs (id, experiment, definition, dataset, row_set, owner, status, message, use_cache,"
    " total, done, errors, calls, cached, cost_usd, seconds, per_second, cancel_requested, created_at) VALUES"
    " ('r1', 'sums', '{}', 'sums', 'h', 'worker', 'completed', '', TRUE, 1, 1, 0, 1, 0, 0, 1, 1, FALSE,"
    " '2026-01-01 00:00:00')",
    "INSERT INTO outputs (run, cell, position, repeat, row_id, text, prompt_tokens, completion_tokens,"
    " cached_tokens, latency_s, cost_usd, calls, cached_calls, finish_reason, stored_at)"
    " VALUES ('r1', 0, 0, 0, 'a', 'kept', 1, 2, 0, 0.5, 0, 1, 0, 'stop', 1)",
    "INSERT INTO completions (key, model, text, prompt_tokens, completion_tokens, cached_tokens, latency_s,"
    " cost_usd, finish_reason, created_at) VALUES ('k', 'm', 'kept', 1, 2, 0, 0.5, 0, 'stop',"
    " '2026-01-01 00:00:00')",
)
"""One run with one output and its completion, as the first schema held them."""


def make_run(store: Store, run: str = "r1") -> None:
    store.runs.create(run, "sums", {"cells": []}, "sums", "hash", ROWS, total=2)


def test_a_new_database_has_the_newest_schema_and_opens_again(store_url: str) -> None:
    for _ in range(2):
        store = Store(store_url)
        assert store.runs.newest() == []
        store.close()
    newest = max(path.name for path in (Path("workbench/storage/migrations/versions")).glob("0*.py"))
    assert newest.startswith(HEAD)


def test_migrations_make_exactly_the_tables_that_the_code_uses(store_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from workbench.storage.tables import metadata

    store = Store(store_url)
    with store.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    store.close()


def test_two_processes_may_open_a_new_database_together(store_url: str) -> None:
    problems: list[BaseException] = []

    def open_it() -> None:
        try:
            Store(store_url).close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_an_output_comes_back_as_it_was_stored(store: Store) -> None:
    make_run(store)
    output = Output(
        0,
        "a",
        position=0,
        text="Ünïcode {{ braces }}\n" * 3,
        answer="2",
        first_token_s=0.125,
        votes=(Vote("direct", 0, "Answer: 2", "2", 2.0, "key", -0.5),),
    )
    store.outputs.add("r1", [output], done=1)
    assert store.outputs.of_cell("r1", 0) == [output]
    assert store.outputs.done("r1") == {(0, 0, 0)}
    found = store.runs.get("r1")
    assert found is not None and found.done == 1


def test_outputs_and_their_completions_are_stored_together_or_not_at_all(store: Store) -> None:
    make_run(store)
    output = Output(0, "a", position=0, text="x")
    store.outputs.add("r1", [output])
    completion = StoredCompletion("k" * 64, "small", Completion("x"), 0.0)
    with pytest.raises(StorageError):
        store.outputs.add("r1", [output], [completion])  # the output is there already
    assert store.completions.get_many(["k" * 64]) == {}


def test_the_first_completion_of_a_key_stays(store: Store) -> None:
    for text in ("first", "second"):
        completion = Completion(text, 3, 4, 1, 0.5, first_token_s=0.1)
        store.outputs.add("", [], [StoredCompletion("k", "m", completion, 0.1)])
    found = store.completions.get_many(["k", "unknown"])
    assert found == {"k": Completion("first", 3, 4, 1, 0.5, first_token_s=0.1)}


def test_thousands_of_keys_are_looked_up_at_once(store: Store) -> None:
    stored = [StoredCompletion(f"key{n}", "m", Completion(str(n)), 0.0) for n in range(2500)]
    store.outputs.add("", [], stored)
    found = store.completions.get_many(f"key{n}" for n in range(3000))
    assert len(found) == 2500 and found["key2499"].text == "2499"


def test_rows_are_kept_once_however_many_runs_are_about_them(store: Store) -> None:
    make_run(store, "r1")
    make_run(store, "r2")
    assert store.runs.rows("hash") == dict(enumerate(ROWS))
    assert store.runs.count_rows("hash") == 2


def test_resuming_drops_errors_and_counts_what_is_left(store: Store) -> None:
    make_run(store)
    outputs = [Output(0, "a", position=0, text="x"), Output(0, "b", position=1, error="no answer")]
    store.outputs.add("r1", outputs)
    store.runs.requeue("r1", drop_errors=True, owner="worker")
    found = store.runs.get("r1")
    assert found is not None
    assert (found.status, found.done, found.errors) == ("queued", 1, 0)


def test_scores_come_back_with_nan_and_sufficient_statistics(store: Store) -> None:
    make_run(store)
    matrix = np.array([[1.0, 2.0], [np.nan, np.nan]])
    scores = CellScores(0, "bleu", 2, np.array([0.5, np.nan]), matrix, {"mean": 0.5})
    for _ in range(2):  # a rescore takes the place of the first
        store.scores.put("r1", scores)
    found = store.scores.of_run("r1")[0, "bleu"]
    np.testing.assert_array_equal(found.values, scores.values)
    np.testing.assert_array_equal(found.sufficient, matrix)


def test_history_keeps_every_content_but_not_the_same_one_twice_running(store: Store) -> None:
    for version, text in (("v1", "one"), ("v1", "one"), ("v2", "two"), ("v1", "one")):
        store.prompt_versions.record("direct", version, text, "ann")
    assert [found.version for found in store.prompt_versions.versions("direct")] == ["v1", "v2", "v1"]
    assert store.prompt_versions.versions("other") == []


def test_search_treats_percent_and_underscore_as_text(store: Store) -> None:
    make_run(store)
    store.outputs.add(
        "r1",
        [Output(0, "a", position=0, text="100 % sure"), Output(0, "b", position=1, text="100 sure")],
    )
    assert store.outputs.positions_with("r1", "0 %") == {0}


def test_a_password_in_the_url_is_in_no_error() -> None:
    with pytest.raises(StorageError) as raised:
        Store("postgresql+psycopg://user:sesame@127.0.0.1:1/none")
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://x"])
def test_a_url_that_cannot_be_used_is_one_sentence(url: str) -> None:
    with pytest.raises(StorageError, match="database URL"):
        Store(url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("not a database at all, only a text that is long enough to be looked at" * 10)
    with pytest.raises(StorageError, match="not a database"):
        Store(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        Store(f"sqlite:///{tmp_path}/file/below/workbench.db")


def test_a_full_disk_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/workbench.db")
    make_run(store)
    store.outputs.add("r1", [Output(0, "a", position=0, text="kept")])
    with store.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def shrink(raw: sqlite3.Connection, _record: object) -> None:
        raw.execute(f"PRAGMA max_page_count={pages}")

    from sqlalchemy import event

    store.close()
    event.listen(store.database.engine, "connect", shrink)
    with pytest.raises(StorageError, match="full"):
        store.outputs.add("r1", [Output(0, "b", position=1, text="x" * 1_000_000)])
    assert [output.text for output in store.outputs.of_cell("r1", 0)] == ["kept"]
    store.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes read-only files")
def test_a_read_only_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "workbench.db"
    Store(f"sqlite:///{path}").close()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            make_run(Store(f"sqlite:///{path}"))
    finally:
        tmp_path.chmod(0o755)


def test_what_a_model_took_comes_back_as_it_was_stored(store: Store) -> None:
    make_run(store)
    make_run(store, "r2")
    taken = Footprint("cpu", disk_bytes=10, memory_bytes=3_000_000_000, parameters=7, load_s=0.5)
    local = ModelUse("small@int8", "same", "here", 3, 30, 20, 5, 1.5, taken)
    later = ModelUse("small@int8", "same", "here", 1, 9, 8, 0, 0.5)
    for run, use in (("r1", local), ("r1", ModelUse("gpt", "other", "here", 1, 1, 1, 0, 0.1)), ("r2", later)):
        store.model_uses.add(run, use)
    assert store.model_uses.of_run("r1")[0] == local
    store.model_uses.add("r2", replace(later, calls=0))  # all from the cache: it tells no speed
    assert store.model_uses.newest("same", "here") == later
    assert store.model_uses.newest("same", "elsewhere") is None


def test_a_use_belongs_to_a_run(store: Store) -> None:
    with pytest.raises(StorageError):
        store.model_uses.add("no such run", ModelUse("m", "i", "here", 1, 1, 1, 0, 0.1))


def test_benchmarks_are_kept_beside_each_other(store: Store) -> None:
    for machine, speed in (("here", 100.0), ("elsewhere", 300.0), ("here", 120.0)):
        store.benchmarks.add("small@int8", "same", machine, "cpu", {"decode": {"1": speed}})
    store.benchmarks.add("nano", "other", "here", "cpu", {})
    newest = store.benchmarks.newest("same", "here")
    assert newest is not None and newest.result == {"decode": {"1": 120.0}}
    assert newest.created_at.tzinfo is not None
    assert [found.machine for found in store.benchmarks.of_model("same")] == ["here", "elsewhere", "here"]
    assert store.benchmarks.newest("other", "elsewhere") is None


def test_a_database_of_the_first_schema_is_brought_up_to_date_with_what_it_holds(store_url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, text

    config = Config()
    config.set_main_option("script_location", "workbench/storage/migrations")
    if store_url.startswith("sqlite"):
        Path(store_url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    engine = create_engine(store_url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_SCHEMA_ROWS:
            connection.execute(text(statement))
    engine.dispose()
    store = Store(store_url)
    (kept,) = store.outputs.of_cell("r1", 0)
    assert (kept.text, kept.first_token_s) == ("kept", None)
    assert store.completions.get_many(["k"]) == {"k": Completion("kept", 1, 2, 0, 0.5)}
    store.outputs.add("r1", [Output(0, "b", position=1, text="new", first_token_s=0.25)])
    assert store.outputs.of_cell("r1", 0)[1].first_token_s == 0.25
    store.close()
