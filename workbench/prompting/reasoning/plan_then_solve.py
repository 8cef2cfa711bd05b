"""Plan-and-solve: the model says what it will do before it does it.

Wang, Xu, Lan, Hu, Lan, Lee, Lim: Plan-and-Solve Prompting, ACL 2023 (arXiv:2305.04091).
"""

from __future__ import annotations

from workbench.prompting.reasoning import reasoning


@reasoning("plan_then_solve")
def plan_then_solve() -> str:
    """Asks for a plan, then for its execution."""
    return "First make a plan, then carry it out step by step."
