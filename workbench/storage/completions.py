"""The cache of model calls: a completion by the content key of its request."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from workbench.core.model import Completion
from workbench.storage.database import Database
from workbench.storage.tables import completions

FIELDS = (
    completions.c.text,
    completions.c.prompt_tokens,
    completions.c.completion_tokens,
    completions.c.cached_tokens,
    completions.c.latency_s,
    completions.c.finish_reason,
    completions.c.logprob,
    completions.c.first_token_s,
    completions.c.top_logprobs,
)
CHUNK = 900  # below SQLite's historical limit of 999 variables a statement


@dataclass(frozen=True, slots=True)
class StoredCompletion:
    """A completion on its way into the cache."""

    key: str
    model: str
    completion: Completion
    cost_usd: float


class Completions:
    """Reads and writes the cache of calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_many(self, keys: Iterable[str]) -> dict[str, Completion]:
        """The completions that exist, by key."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Completion] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                part = wanted[start : start + CHUNK]
                query = select(completions.c.key, *FIELDS).where(completions.c.key.in_(part))
                for key, *values, top in connection.execute(query):
                    completion = Completion(*values)
                    found[key] = (
                        replace(completion, top_logprobs=tuple(json.loads(top))) if top else completion
                    )
        return found


def insert_completions(connection: object, dialect: str, stored: Sequence[StoredCompletion]) -> None:
    """Adds completions inside the caller's transaction; a key that is already there stays as it is."""
    if not stored:
        return
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    now = datetime.datetime.now(datetime.UTC)
    values = [
        {
            "key": item.key,
            "model": item.model,
            "text": item.completion.text,
            "prompt_tokens": item.completion.prompt_tokens,
            "completion_tokens": item.completion.completion_tokens,
            "cached_tokens": item.completion.cached_tokens,
            "latency_s": item.completion.latency_s,
            "cost_usd": item.cost_usd,
            "finish_reason": item.completion.finish_reason,
            "logprob": item.completion.logprob,
            "first_token_s": item.completion.first_token_s,
            "top_logprobs": _json(item.completion.top_logprobs),
            "created_at": now,
        }
        for item in stored
    ]
    statement = insert(completions).on_conflict_do_nothing(index_elements=["key"])
    connection.execute(statement, values)  # type: ignore[attr-defined]


def _json(top_logprobs: Sequence[Mapping[str, float]] | None) -> str | None:
    return None if top_logprobs is None else json.dumps(list(top_logprobs), ensure_ascii=False)
