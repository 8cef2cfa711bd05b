"""The one database: runs, outputs, completions, scores, prompt versions and what models took. The only SQL.

Callers see records and plain values; no SQLAlchemy object leaves this package.
"""

from workbench.storage.benchmarks import BenchmarkRecord
from workbench.storage.database import Database, default_url
from workbench.storage.runs import RunRecord
from workbench.storage.store import Store

__all__ = ["BenchmarkRecord", "Database", "RunRecord", "Store", "default_url"]
