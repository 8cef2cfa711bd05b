"""Everything that completes chat messages: the catalog of models, one module a provider kind, and the
models that ship inside the package.
"""

from workbench.models.catalog import Catalog
from workbench.models.registry import ModelCheck, provider, provider_names

__all__ = ["Catalog", "ModelCheck", "provider", "provider_names"]
