"""Self-check: the model goes over its own work before it commits to an answer.

Weng, Zhu, Xia, Li, He, Liu, Sun, Liu, Zhao: Large Language Models are Better Reasoners with
Self-Verification, Findings of EMNLP 2023 (arXiv:2212.09561); Madaan and others: Self-Refine, NeurIPS
2023 (arXiv:2303.17651).
"""

from __future__ import annotations

from workbench.prompting.reasoning import reasoning


@reasoning("self_check")
def self_check() -> str:
    """Asks for the steps and a check of them."""
    return "Solve it step by step, then check your work before the final answer."
