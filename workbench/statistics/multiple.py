"""Several comparisons at once: p-values adjusted so that the whole table keeps its error rate."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given: the family-wise error rate is kept.

    Sorted p(1) <= … <= p(m) become max over j <= i of min(1, (m - j + 1) p(j)). A NaN (nothing to
    compare) stays NaN and does not count towards m.
    Source: Holm, Scandinavian Journal of Statistics 6, 1979; the same as statsmodels'
    `multipletests(method="holm")`.
    """
    order = sorted((i for i, p in enumerate(p_values) if not isnan(p)), key=lambda i: p_values[i])
    adjusted = [float("nan")] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted
