"""The two models that local speeds are measured on, each a folder that every contender can read.

    small          the embedded `small`
    random-100m    a Llama of 101 million random weights, with the embedded models' tokenizer

Both are changed in one place: the row of the output matrix that belongs to the end-of-answer token is zero,
so that its logit is 0 and never the largest. Every contender thus writes the same number of tokens without
being told to ignore the end, which not all of them can be.

    python -m bench.models          writes both and says where they are
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.models.embedded import embedded_path

CACHE = Path(os.environ.get("BENCH_MODELS", Path(__file__).parent / "results" / "models"))
LARGE_BYTES = 100e6
RANDOM_SIZES = {
    "hidden_size": 768,
    "intermediate_size": 2560,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "num_key_value_heads": 12,
    "max_position_embeddings": 1024,
    # large enough for the likeliest token to stand out: texts vary, and rounding seldom decides between two
    "initializer_range": 0.06,
}


def folder(name: str) -> Path:
    """The model's folder, written at the first call. Raises KeyError for a name that is not in `WRITERS`."""
    found = CACHE / name
    if not found.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
            written = Path(unfinished) / name
            WRITERS[name](written)
            written.rename(found)
    return found


def is_large(name: str) -> bool:
    """Whether measurements should ask fewer rows of it."""
    return (folder(name) / "model.safetensors").stat().st_size > LARGE_BYTES


def gguf_file(name: str, quantization: str) -> Path:
    """The model as a GGUF file, converted at the first call."""
    found = CACHE / f"{name}-{quantization}.gguf"
    if not found.exists():
        from workbench.models.gguf.convert import convert

        convert(folder(name), found, quantization, name)
    return found


def _embedded_small(target: Path) -> None:
    from transformers import LlamaForCausalLM

    source = embedded_path("small")
    _write_endless(LlamaForCausalLM.from_pretrained(source), source, target)


def _random_llama(target: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    source = embedded_path("small")
    stated = LlamaConfig.from_pretrained(source)
    kept = {
        key: getattr(stated, key) for key in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")
    }
    torch.manual_seed(7)
    network = LlamaForCausalLM(LlamaConfig(**kept, **RANDOM_SIZES, tie_word_embeddings=False))
    _write_endless(network, source, target)


def _write_endless(network: Any, tokenizer: Path, target: Path) -> None:
    import torch

    output = network.lm_head.weight.detach().clone()
    output[network.config.eos_token_id] = 0.0
    network.config.tie_word_embeddings = False
    network.lm_head.weight = torch.nn.Parameter(output)
    network.save_pretrained(target)
    for file in tokenizer.glob("tokenizer*"):
        shutil.copy(file, target)


WRITERS: dict[str, Callable[[Path], None]] = {"small": _embedded_small, "random-100m": _random_llama}


def main() -> None:
    """Writes what is missing."""
    for name in WRITERS:
        weights = folder(name) / "model.safetensors"
        print(f"{name}: {weights.stat().st_size / 1e6:.0f} MB in {weights.parent}")


if __name__ == "__main__":
    main()
