"""How a GGUF file can hold a model's weights, and what each way is good for.

small@q8_0      the row `small`, converted to GGUF with 8-bit weights and run by llama.cpp
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GgufQuantization:
    """One way of holding the weights.

    `bits` is what one weight takes, scales included; `matrices` is the stored type of most matrices and
    `output` that of the last one, which costs little and decides much. A row of weights that a type's
    `block` does not divide is stored as the type in `FALLBACK`.
    """

    name: str
    bits: float
    good_for: str
    matrices: str
    output: str
    block: int = 1
    file_type: int = 0
    """The number that the format has for files of this kind."""
    by_llama_cpp: bool = False
    """Whether llama.cpp itself has to quantize; the others are computed with numpy."""


BLOCKS = {"F32": 1, "F16": 1, "BF16": 1, "Q8_0": 32, "Q5_0": 32, "Q4_1": 32, "Q4_0": 32}
BLOCKS |= {"Q4_K": 256, "Q5_K": 256, "Q6_K": 256}

FALLBACK = {"Q4_K": "Q5_0", "Q5_K": "Q5_0", "Q6_K": "Q8_0"}
"""What takes a type's place where its block does not divide a row; else F16."""

GGUF_QUANTIZATIONS: dict[str, GgufQuantization] = {
    one.name: one
    for one in (
        GgufQuantization("f32", 32, "Exact: the reference among GGUF files.", "F32", "F32", 1, 0),
        GgufQuantization("f16", 16, "Half the memory, the same texts nearly always.", "F16", "F16", 1, 1),
        GgufQuantization(
            "bf16", 16, "Half the memory, as trained where the model was.", "BF16", "BF16", 1, 32
        ),
        GgufQuantization(
            "q8_0", 8.5, "A quarter of the memory, faster, hardly any loss.", "Q8_0", "Q8_0", 32, 7
        ),
        GgufQuantization(
            "q6_k", 6.56, "A fifth of the memory, little loss.", "Q6_K", "Q6_K", 256, 18, by_llama_cpp=True
        ),
        GgufQuantization(
            "q5_k_m", 5.7, "A sixth of the memory, some loss.", "Q5_K", "Q6_K", 256, 17, by_llama_cpp=True
        ),
        GgufQuantization("q5_0", 5.5, "A sixth of the memory, some loss.", "Q5_0", "Q8_0", 32, 8),
        GgufQuantization("q4_1", 5.0, "Between q4_0 and q5_0.", "Q4_1", "Q8_0", 32, 3),
        GgufQuantization(
            "q4_k_m",
            4.85,
            "The usual 4 bits: smallest that most use.",
            "Q4_K",
            "Q6_K",
            256,
            15,
            by_llama_cpp=True,
        ),
        GgufQuantization("q4_0", 4.5, "Smallest and fastest, the largest loss.", "Q4_0", "Q8_0", 32, 2),
    )
}


def stored_type(held: GgufQuantization, columns: int, is_output: bool) -> str:
    """The format's name for the type in which a matrix with rows of `columns` weights is stored."""
    wanted = held.output if is_output else held.matrices
    while columns % BLOCKS[wanted]:
        wanted = FALLBACK.get(wanted, "F16")
    return wanted
