"""Opening the database: SQLite in WAL mode or PostgreSQL by URL, migrated to the newest schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from workbench.errors import StorageError

HEAD = "0006"
"""The newest migration; a test holds it against the migrations folder."""


def default_url(state_dir: Path) -> str:
    """The SQLite URL of a workspace's own database."""
    return f"sqlite:///{state_dir / 'workbench.db'}"


class Database:
    """An engine plus transactions whose failures are one clear StorageError."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                _make_folder(Path(str(parsed.database)).parent)
            self.engine: Engine = create_engine(parsed, pool_pre_ping=not url.startswith("sqlite"))
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StorageError(f"The database URL cannot be used: {_first_line(error)}.") from None
        self.name = parsed.render_as_string(hide_password=True)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
        with self._translated():
            self._migrate()

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            current = None
            if inspect(connection).has_table("alembic_version"):
                current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if current == HEAD:
            return
        if current is not None and current > HEAD:
            raise StorageError(
                f"The database {self.name} was written by a newer workbench (schema {current}); "
                "update the workbench or point WORKBENCH_DATABASE elsewhere."
            )
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.begin() as connection:
            _lock_for_migration(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed at the end, rolled back on any error."""
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StorageError(f"{_remedy(str(error.orig), self.name)}") from error
        except SQLAlchemyError as error:
            raise StorageError(f"The database {self.name} failed: {_first_line(error)}.") from error

    def close(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be made ({error.strerror}); make it writable, "
            "or point WORKBENCH_DATABASE elsewhere."
        ) from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _lock_for_migration(connection: Connection) -> None:
    # Two processes may open a new database together: the second waits, then finds nothing to do.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7302011)")


def _remedy(problem: str, name: str) -> str:
    lowered = problem.lower()
    if "disk is full" in lowered or "disk i/o error" in lowered or "no space left" in lowered:
        return f"The disk that holds {name} is full; free some space, then resume: nothing stored was lost."
    if "readonly" in lowered or "read-only" in lowered or "unable to open database" in lowered:
        return f"{name} cannot be written; make its folder writable, or point WORKBENCH_DATABASE elsewhere."
    if "locked" in lowered:
        return f"{name} is locked by another process that does not let go; stop it and try again."
    if "not a database" in lowered or "malformed" in lowered:
        return f"{name} is damaged or not a database; restore a copy, or move it away to begin anew."
    if "connection" in lowered:
        return f"The database {name} cannot be reached: {problem.strip().splitlines()[0]}."
    return f"The database {name} failed: {problem.strip().splitlines()[0]}."


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
