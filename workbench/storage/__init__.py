"""The one database: runs, outputs, completions, scores and prompt versions. The only SQL.

Callers see records and plain values; no SQLAlchemy object leaves this package.
"""

from workbench.storage.database import Database, default_url
from workbench.storage.runs import RunRecord
from workbench.storage.store import Store

__all__ = ["Database", "RunRecord", "Store", "default_url"]
