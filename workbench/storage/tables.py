"""The tables, as SQLAlchemy Core metadata. A change here needs a migration beside it.

One run's results are `outputs` rows (cell × position × repeat), with scores kept per cell and
metric as arrays over those units, so that a report over 40,000 outputs reads a handful of rows.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData()

prompt_versions = Table(
    "prompt_versions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("name", String(100), nullable=False),
    Column("version", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("author", String(200), nullable=False, default=""),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_prompt_versions_name", "name", "id"),
)

row_sets = Table(
    "row_sets",
    metadata,
    Column("hash", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("row", Text, nullable=False),  # JSON text: parsed only for the rows that are looked at
    PrimaryKeyConstraint("hash", "position"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("experiment", String(100), nullable=False),
    Column("definition", JSON, nullable=False),  # experiment, cells and prompts as they were
    Column("dataset", String(100), nullable=False),
    Column("row_set", String(64), nullable=False),
    Column("owner", String(20), nullable=False, default="worker"),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("use_cache", Boolean, nullable=False, default=True),
    Column("budget_usd", Float),
    Column("total", Integer, nullable=False, default=0),
    Column("done", Integer, nullable=False, default=0),
    Column("errors", Integer, nullable=False, default=0),
    Column("calls", Integer, nullable=False, default=0),
    Column("cached", Integer, nullable=False, default=0),
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("per_second", Float, nullable=False, default=0.0),
    Column("race", JSON),  # where cells that are beaten stop: its settings, and how it went so far
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Index("ix_runs_created_at", "created_at"),
    Index("ix_runs_status", "status"),
)

completions = Table(
    "completions",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("model", String(120), nullable=False),
    Column("text", Text, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("latency_s", Float, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("finish_reason", String(20), nullable=False),
    Column("logprob", Float),
    Column("first_token_s", Float),
    Column("top_logprobs", Text),  # JSON, a list of {token: log-probability}, where they were asked for
    Column("created_at", DateTime(timezone=True), nullable=False),
)

outputs = Table(
    "outputs",
    metadata,
    Column("run", String(60), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("cell", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", Text),
    Column("error", Text),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("latency_s", Float, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("cached_calls", Integer, nullable=False),
    Column("finish_reason", String(20), nullable=False),
    Column("first_token_s", Float),
    Column("votes", Text),  # JSON, ensembles only
    Column("stored_at", Float, nullable=False),  # UNIX seconds
    PrimaryKeyConstraint("run", "cell", "position", "repeat"),
    Index("ix_outputs_run_stored_at", "run", "stored_at"),
)

scores = Table(
    "scores",
    metadata,
    Column("run", String(60), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("cell", Integer, nullable=False),
    Column("metric", String(200), nullable=False),
    Column("outputs", Integer, nullable=False),  # how many outputs were scored: more mean a rescore
    Column("values", LargeBinary, nullable=False),  # float64 over units, NaN where unscored
    Column("sufficient", LargeBinary),  # float64 (units, k), corpus metrics only
    Column("width", Integer, nullable=False, default=0),
    Column("blocks", Text),  # JSON list, metrics whose sufficient columns depend on the texts
    Column("reasons", Text),  # JSON object by unit: why it is unscored, or what a judge said
    Column("estimate", JSON, nullable=False),
    PrimaryKeyConstraint("run", "cell", "metric"),
)

row_tags = Table(
    "row_tags",
    metadata,
    Column("dataset", String(100), nullable=False),
    Column("row_id", Text, nullable=False),
    Column("tag", String(60), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("dataset", "row_id", "tag"),
)

rating_plans = Table(
    "rating_plans",
    metadata,
    Column("run", String(60), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("plan", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

rating_items = Table(
    "rating_items",
    metadata,
    Column("item", String(40), primary_key=True),
    Column("run", String(60), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("rater", String(60), nullable=False),
    Column("number", Integer, nullable=False),  # of the rater's items in this run, from 1
    Column("mode", String(20), nullable=False),
    Column("position", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("other", Integer),
    Column("first", Integer),
    Column("chosen", String(20), nullable=False),
    Column("state", String(20), nullable=False),  # shown, rated, skipped
    Column("shown_at", Float, nullable=False),  # UNIX seconds: what is shown too long is given to others
    Column("draft", JSON),  # a note and a better answer that are written and not sent yet
    Index("ix_rating_items_run", "run", "rater", "number", unique=True),
    Index("ix_rating_items_state", "run", "state"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run", String(60), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("item", String(40), nullable=False),
    Column("rater", String(60), nullable=False),
    Column("mode", String(20), nullable=False),
    Column("position", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("other", Integer),
    Column("criterion", String(60), nullable=False, default=""),
    Column("value", Float),
    Column("scale", Integer),
    Column("both_bad", Boolean, nullable=False, default=False),
    Column("first", Integer),
    Column("chosen", String(20), nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("correction", Text),
    Column("corrects", Integer),  # of a pair: the cell whose output the correction betters
    Column("seconds", Float),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_ratings_run", "run", "id"),
    Index("ix_ratings_item", "item", "id"),
)

model_uses = Table(
    "model_uses",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run", String(60), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("model", String(120), nullable=False),
    Column("identity", String(64), nullable=False),
    Column("machine", String(200), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("busy_s", Float, nullable=False),
    Column("footprint", Text),  # JSON, local models only
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_model_uses_run", "run"),
    Index("ix_model_uses_identity", "identity", "machine", "id"),
)

benchmarks = Table(
    "benchmarks",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("model", String(120), nullable=False),
    Column("identity", String(64), nullable=False),
    Column("machine", String(200), nullable=False),
    Column("device", String(100), nullable=False),
    Column("result", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_benchmarks_identity", "identity", "id"),
)

collections = Table(
    "collections",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("name", String(100), nullable=False),  # the newest of a name counts; older ones are its history
    Column("task", String(20), nullable=False),
    Column("settings", JSON, nullable=False),  # how it was collected
    Column("report", JSON, nullable=False),  # what was found, and what was dropped why
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    Index("ix_collections_name", "name", "created_at"),
)

collection_items = Table(
    "collection_items",
    metadata,
    Column("collection", String(60), ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", String(60), nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Column("key", String(64), nullable=False),  # content hash of what is learnt
    Column("item", Text, nullable=False),  # JSON text: parsed only for the items that are looked at
    PrimaryKeyConstraint("collection", "number"),
    Index("ix_collection_items_state", "collection", "state"),
)

collection_changes = Table(
    "collection_changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("collection", String(60), ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("what", Text, nullable=False),
    Column("before", Text, nullable=False),  # JSON: items, or a setting, as they were
    Column("author", String(60), nullable=False, default=""),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_collection_changes_collection", "collection", "id"),
)

tunings = Table(
    "tunings",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("recipe", String(100), nullable=False),
    Column("definition", JSON, nullable=False),  # recipe, base and runs as they were
    Column("owner", String(20), nullable=False, default="worker"),
    Column("status", String(20), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("step", Integer, nullable=False, default=0),
    Column("steps", Integer, nullable=False, default=0),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("seconds_left", Float),
    Column("collection", String(60)),
    Column("collection_version", String(64)),
    Column("model", String(120)),  # the tuned model's name, once it is there
    Column("result", JSON),  # base, tuned, comparison, forgetting …, once they are measured
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Index("ix_tunings_created_at", "created_at"),
    Index("ix_tunings_status", "status"),
)
