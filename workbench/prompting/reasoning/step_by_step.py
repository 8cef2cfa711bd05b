"""Zero-shot chain-of-thought: the model writes its steps before its answer.

Kojima, Gu, Reid, Matsuo, Iwasawa: Large Language Models are Zero-Shot Reasoners, NeurIPS 2022
(arXiv:2205.11916).
"""

from __future__ import annotations

from workbench.prompting.reasoning import reasoning


@reasoning("step_by_step")
def step_by_step() -> str:
    """Asks for the steps."""
    return "Let's think step by step."
