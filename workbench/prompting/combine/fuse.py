"""A model reads the members' outputs and writes the answer itself.

    combine: fuse
    fuse: merge-candidates   # sees {{ candidates }} and {{ candidate_answers }}, two lists side by side

Jiang, Ren, Lin: LLM-Blender, ACL 2023 (arXiv:2306.02561) is the paper on fusing.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.run import Vote
from workbench.prompting.combine import register
from workbench.prompting.combine.base import CombineContext, Combined, answered


@register("fuse")
async def fuse(votes: Sequence[Vote], context: CombineContext) -> Combined:
    """Asks the merging prompt once; votes without an answer are shown only where none has one."""
    shown = [votes[place] for place in answered(votes)]
    merged = await context.ask(
        str(context.ensemble.fuse),
        {
            "candidates": [vote.text for vote in shown],
            "candidate_answers": [vote.answer or "" for vote in shown],
        },
    )
    return Combined(merged.answer, merged.text)
