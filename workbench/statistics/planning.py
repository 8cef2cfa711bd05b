"""Before a run: how large a difference must be for a number of rows to show it.

>>> detectable_difference(200, discordance=0.2)
0.088...
"""

from __future__ import annotations

from math import sqrt

from workbench.statistics.quantiles import normal_quantile, two_sided_z

USUAL_DISCORDANCE = 0.2
"""Share of rows on which two prompts are taken to disagree where nothing is known: one in five."""
LARGEST_DISCORDANCE = 0.5
"""What two systems that are right on half of the rows, independently of each other, come to."""


def detectable_difference(
    rows: int,
    confidence: float = 0.95,
    power: float = 0.8,
    *,
    discordance: float | None = None,
    deviation: float | None = None,
) -> float | None:
    """The smallest true difference of two cells that a paired test finds with this power.

    Args:
        rows: distinct rows that both cells answer; repeats of a row are one row.
        confidence: of the two-sided test. For one of k comparisons, 1 - (1 - confidence) / k.
        discordance: for right-or-wrong scores, the share of rows on which the cells differ, in (0, 1].
        deviation: for other scores, the standard deviation of a row's difference, at least 0.

    It is the δ that solves n δ² = (z_a sqrt(E d²) + z_b sqrt(E d² - δ²))², the formula of
    `rows_needed` read the other way, with E d² = discordance, or deviation² + δ². With neither, the
    discordance is 0.2. None where no difference is large enough: δ cannot exceed the discordance.
    Raises ValueError for a number outside its range, or both discordance and deviation.
    Source: Connor, Biometrics 43, 1987.
    """
    z_a, z_b = two_sided_z(confidence), _power_quantile(power)
    if discordance is not None and deviation is not None:
        raise ValueError("give either discordance (right or wrong) or deviation (other scores), not both")
    if deviation is not None:
        if deviation < 0:
            raise ValueError(f"deviation is a number of at least 0, not {deviation}")
        room = rows - z_a**2
        if room <= 0:
            return None
        # z_a sqrt(s² + δ²) + z_b s = sqrt(n) δ, a quadratic in δ
        root = z_a * sqrt(room + z_b**2)
        return deviation * (sqrt(rows) * z_b + root) / room
    share = USUAL_DISCORDANCE if discordance is None else discordance
    if not 0 < share <= 1:
        raise ValueError(f"discordance is a share above 0 and up to 1, not {share}")

    def found_too_seldom(delta: float) -> bool:
        return z_a * sqrt(share) + z_b * sqrt(share - delta**2) > sqrt(rows) * delta

    if found_too_seldom(share):
        return None
    low, high = 0.0, share
    for _ in range(60):
        delta = (low + high) / 2
        if found_too_seldom(delta):
            low = delta
        else:
            high = delta
    return high


def _power_quantile(power: float) -> float:
    if not 0.5 <= power < 1:
        raise ValueError(f"power is a number from 0.5 to below 1, not {power}")
    return normal_quantile(power)
