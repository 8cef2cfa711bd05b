"""Importing torch and transformers, once, whichever thread comes first.

transformers fills its modules lazily: two threads that import it together can find it half made.
"""

from __future__ import annotations

import threading

_importing = threading.Lock()


def import_libraries() -> None:
    """Imports what local models need (some seconds the first time). Waits for a thread that is at it."""
    with _importing:
        import torch  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
        from transformers.cache_utils import Cache  # noqa: F401
