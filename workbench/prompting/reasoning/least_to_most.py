"""Least-to-most: the model splits the problem and answers the smaller questions in order.

Here in one call: the paper's two stages (split, then solve one by one) become one instruction.

Zhou, Schärli, Hou, Wei, Scales, Wang, Schuurmans, Cui, Bousquet, Le, Chi: Least-to-Most Prompting
Enables Complex Reasoning in Large Language Models, ICLR 2023 (arXiv:2205.10625).
"""

from __future__ import annotations

from workbench.prompting.reasoning import reasoning


@reasoning("least_to_most")
def least_to_most() -> str:
    """Asks for smaller questions, answered in order."""
    return "Break the problem into smaller questions and answer them in order."
