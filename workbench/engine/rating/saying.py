"""What a rater said, checked and turned from the order in which they saw it into cells, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workbench.core.rating import Rating, RatingPlan
from workbench.errors import RunError, UsageError, suggestion
from workbench.storage.rating_items import RatingItem

LONGEST_NOTE = 10_000
LONGEST_CORRECTION = 200_000
PAIR_VALUES = (0.0, 0.5, 1.0)


def turned(item: RatingItem, value: float) -> float:
    """A pair's value in the order of its cells from that in the shown order, or the other way."""
    return value if item.other is None or item.first == item.cell else 1 - value


def shown_cells(item: RatingItem) -> tuple[int, ...]:
    """The cells of an item in the order in which they stand."""
    if item.other is None:
        return (item.cell,)
    return (item.cell, item.other) if item.first == item.cell else (item.other, item.cell)


def checked(
    plan: RatingPlan, item: RatingItem, value: float | Mapping[str, float], both_bad: bool
) -> dict[str, float]:
    """By criterion what was said, in the order of the cells. Raises UsageError for what has no meaning."""
    if both_bad and (item.other is None or value != 0.5):
        raise UsageError("'Both bad' is said of a tie between two outputs: give 0.5 with it.")
    if item.mode != "likert":
        allowed = (0.0, 1.0) if item.mode == "thumbs" else PAIR_VALUES
        if isinstance(value, Mapping) or value not in allowed:
            raise UsageError(f"A rating by {item.mode} is one of {_listed(allowed)}, not {value!r}.")
        return {"": turned(item, float(value))}
    names = [criterion.name for criterion in plan.criteria]
    if not names:
        raise RunError("This run is not rated on criteria any more; go on with the next item.")
    if not isinstance(value, Mapping):
        if len(names) > 1:
            raise UsageError(f"Say for which criterion {value!r} is: {', '.join(names)}.")
        value = {names[0]: value}
    for name, score in value.items():
        if name not in names:
            raise UsageError(f"There is no criterion '{name}'.{suggestion(name, names)}")
        if score not in range(1, plan.scale + 1):
            raise UsageError(f"'{name}' is rated with a whole number from 1 to {plan.scale}, not {score!r}.")
    return {name: float(score) for name, score in value.items()}


def new_ratings(
    item: RatingItem,
    before: Mapping[str, Rating],
    values: Mapping[str, float],
    *,
    scale: int | None,
    both_bad: bool,
    note: str | None,
    correction: str | None,
    corrects: int,
    seconds: float | None,
) -> list[Rating]:
    """The ratings to append: none where the same was said before.

    A note and a correction belong to the whole item: where one changes, what was said of the other
    criteria is said once more with it. None leaves them as they are; "" takes them away.
    """
    check_length(note, correction)
    last = list(before.values())[-1] if before else None
    kept_note = last.note if last else ""
    kept = (last.correction, last.corrects) if last else (None, None)
    now_note = kept_note if note is None else note.strip()
    now_kept = kept if correction is None else (correction, corrects) if correction.strip() else (None, None)
    earlier = {name: rating.value for name, rating in before.items() if rating.value is not None}
    said = earlier | dict(values)
    reworded = (now_note, now_kept) != (kept_note, kept)
    return [
        Rating(
            item.run,
            item.item,
            item.rater,
            item.mode,
            item.position,
            item.repeat,
            item.cell,
            item.other,
            criterion,
            value,
            scale,
            both_bad,
            item.first,
            item.chosen,
            now_note,
            *now_kept,
            seconds,
        )
        for criterion, value in said.items()
        if reworded or earlier.get(criterion) != value or (last is not None and last.both_bad != both_bad)
    ]


def withdrawn(before: Mapping[str, Rating], only_last: bool = False) -> list[Rating]:
    """Ratings that take back what was said of an item: all of it, or the last criterion's."""
    standing = [rating for rating in before.values() if rating.value is not None]
    return [
        replace(rating, value=None, both_bad=False, seconds=None, created_at=None)
        for rating in (standing[-1:] if only_last else standing)
    ]


def nothing_said(item: RatingItem) -> Rating:
    """The rating of an item that was skipped before anything was said of it."""
    return Rating(
        item.run,
        item.item,
        item.rater,
        item.mode,
        item.position,
        item.repeat,
        item.cell,
        item.other,
        first=item.first,
        chosen=item.chosen,
    )


def check_length(note: str | None, correction: str | None) -> None:
    """Raises UsageError for a text that is too long to be kept."""
    for what, text, most in (
        ("note", note, LONGEST_NOTE),
        ("better answer", correction, LONGEST_CORRECTION),
    ):
        if text is not None and len(text) > most:
            raise UsageError(f"The {what} has {len(text):,} characters; at most {most:,} are kept.")


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
