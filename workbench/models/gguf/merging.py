"""A model and its LoRA adapter as one folder of safetensors, for as long as it takes to convert it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workbench.models.local.adapters import check_base, merged
from workbench.models.local.libraries import import_libraries

TOKENIZER_FILES = ("tokenizer*", "*.jinja", "special_tokens_map.json", "generation_config.json")


@contextlib.contextmanager
def merged_folder(folder: Path, adapter: Path, model: str) -> Iterator[Path]:
    """A temporary folder with the adapter's changes in the weights, which are in memory as a whole.

    Raises ModelUnavailable for an adapter of another base.
    """
    check_base(adapter, folder, model)
    import_libraries()
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory(prefix="workbench-") as name:
        network = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
        merged(network, adapter, model).save_pretrained(name)
        for file in {found for pattern in TOKENIZER_FILES for found in folder.glob(pattern)}:
            shutil.copy(file, name)
        yield Path(name)
