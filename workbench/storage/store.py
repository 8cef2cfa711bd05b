"""The store: every table's reader and writer over one database."""

from __future__ import annotations

from workbench.storage.benchmarks import Benchmarks
from workbench.storage.collections import Collections
from workbench.storage.completions import Completions
from workbench.storage.database import Database
from workbench.storage.imported_runs import ImportedRuns
from workbench.storage.model_uses import ModelUses
from workbench.storage.outputs import Outputs
from workbench.storage.prompt_versions import PromptVersions
from workbench.storage.rating_items import RatingItems
from workbench.storage.ratings import Ratings
from workbench.storage.row_facts import RowFacts
from workbench.storage.row_tags import RowTags
from workbench.storage.runs import Runs
from workbench.storage.scores import CellScoresTable
from workbench.storage.tunings import Tunings


class Store:
    """`Store(url)` opens (and, when needed, migrates) the database. Raises StorageError."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.runs = Runs(self.database)
        self.outputs = Outputs(self.database)
        self.completions = Completions(self.database)
        self.scores = CellScoresTable(self.database)
        self.prompt_versions = PromptVersions(self.database)
        self.model_uses = ModelUses(self.database)
        self.benchmarks = Benchmarks(self.database)
        self.row_facts = RowFacts(self.database)
        self.row_tags = RowTags(self.database)
        self.ratings = Ratings(self.database)
        self.rating_items = RatingItems(self.database)
        self.imported_runs = ImportedRuns(self.database)
        self.collections = Collections(self.database)
        self.tunings = Tunings(self.database)

    def close(self) -> None:
        """Closes every connection."""
        self.database.close()
