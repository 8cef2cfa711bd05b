"""Importing torch and transformers, once, whichever thread comes first.

transformers fills its modules lazily: two threads that import it together can find it half made.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading

# they report at import, of their own or by transformers, which kernels for other machines they lack
TALKATIVE = ("torchao", "bitsandbytes", "torch.utils._pytree")

_importing = threading.Lock()
_taken_bytes: list[int] = []
_kept: list[bool] = []


def import_libraries() -> None:
    """Imports what local models need (some seconds the first time). Waits for a thread that is at it."""
    with _importing:
        from workbench.models.local.process_memory import resident_bytes

        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)
        fresh = not _taken_bytes and "torch" not in sys.modules
        import torch  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
        from transformers.cache_utils import Cache  # noqa: F401
        from transformers.modeling_utils import PreTrainedModel  # noqa: F401  # most of what loading needs

        if fresh:  # all of the process: a model in one of its own would need the rest of it too
            _taken_bytes.append(resident_bytes())
        if not _kept:
            # what libraries made stays for good: letting a model go collects garbage, and looking through a
            # million of their objects would cost more than the rest of it
            gc.freeze()
            _kept.append(True)


def library_bytes() -> int:
    """Bytes that this process held once the libraries were there, as far as that was seen."""
    from workbench.models.local.memory import LIBRARIES_BYTES

    return _taken_bytes[0] if _taken_bytes else LIBRARIES_BYTES
