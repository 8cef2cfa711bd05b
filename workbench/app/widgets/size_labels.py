"""Where the names of a chart's points go, so that they do not lie on each other.

positions([(100, 50), (130, 52)], ["small@fp32", "small@int8"]) -> ["top left", "top right"]
"""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[float, float, float, float]
LETTER, LINE, GAP = 7.2, 17.0, 9.0
"""Pixels: a letter's width, a line's height, and the space between a dot and its name."""
NEAR = 13.0
"""A name so near to another dot, in pixels, reads as that dot's."""
SIDES = {
    "top right": (0.0, 1.0),
    "bottom right": (0.0, -1.0),
    "top left": (-1.0, 1.0),
    "bottom left": (-1.0, -1.0),
    "middle right": (0.0, 0.0),
    "middle left": (-1.0, 0.0),
    "top center": (-0.5, 1.3),
    "bottom center": (-0.5, -1.3),
}
"""plotly's `textposition` → how many widths and lines the name is moved. The first that is free is taken;
those beside the dot come last, as lines run there."""


def positions(places: Sequence[tuple[float, float]], names: Sequence[str], width: float) -> list[str]:
    """A side for each name.

    Args:
        places: the dots, in pixels from the lower left corner.
        width: of the chart in pixels; no name leaves it.
    """
    dots = [(x - NEAR, y - NEAR, x + NEAR, y + NEAR) for x, y in places]
    taken: list[Box] = []
    found = []
    for number, ((x, y), text) in enumerate(zip(places, names, strict=True)):
        others = [*taken, *dots[:number], *dots[number + 1 :]]
        boxes = {side: box_of(x, y, len(text) * LETTER, side) for side in SIDES}
        inside = {side: box for side, box in boxes.items() if box[0] >= 0 and box[2] <= width} or boxes
        best = min(inside, key=lambda side: sum(overlap(inside[side], other) for other in others))
        taken.append(boxes[best])
        found.append(best)
    return found


def box_of(x: float, y: float, length: float, side: str) -> Box:
    """The space of a name of `length` pixels on that side of the dot."""
    across, up = SIDES[side]
    left = x + across * length + (GAP if across == 0 else -GAP if across == -1 else 0)
    bottom = y + up * LINE - LINE / 2
    return left, bottom, left + length, bottom + LINE


def overlap(one: Box, other: Box) -> float:
    """The area, in pixels, that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0
