"""How a training went, or goes: losses, what else was seen at each step, and what the model says."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.beside import two_beside
from workbench.app.widgets.model_facts import size
from workbench.app.widgets.numbers import count, many, score, seconds
from workbench.app.widgets.text import escaped
from workbench.app.widgets.tune_charts import loss_chart, small_chart
from workbench.app.widgets.tune_samples import samples_panel
from workbench.core.tuning import TuningPoint
from workbench.engine import Workspace
from workbench.tuning import TrainingJob, TrainingState, TuningFolder, read_points, read_state

MEGA = 1e6


def training_panel(ws: Workspace, tuning: str, live: bool = False) -> None:
    """Charts and samples; nothing where no step was made yet."""
    folder = TuningFolder.of(ws.state_dir, tuning)
    points, state = read_points(folder), read_state(folder)
    if not points:
        if not live:
            st.caption("Nothing was trained yet.")
        return
    _numbers(points, state)
    _turned(state, folder, live)
    _no_better(points, state)
    loss_chart(points, state, key="loss")
    rate, norm = two_beside()
    with rate:
        small_chart(points, "Learning rate", lambda one: one.learning_rate, key="rate")
    with norm:
        small_chart(points, "Gradient norm", lambda one: one.grad_norm, key="norm")
    speed, memory = two_beside()
    with speed:
        small_chart(points, "Tokens a second", lambda one: one.tokens_per_s, key="speed")
    with memory:
        small_chart(
            points,
            "Memory, MB",
            lambda one: None if one.memory_bytes is None else one.memory_bytes / MEGA,
            key="memory",
        )
    _more(points)
    samples_panel(folder, points, state)
    _started_with(state)


def _numbers(points: list[TuningPoint], state: TrainingState) -> None:
    """Where it stands, in five figures."""
    loss = next((one.loss for one in reversed(points) if one.loss is not None), None)
    held = next((one.validation_loss for one in reversed(points) if one.validation_loss is not None), None)
    speed = [one.tokens_per_s for one in points if one.tokens_per_s is not None][-5:]
    memory = state.peak_memory_bytes or max((one.memory_bytes or 0 for one in points), default=0)
    figures = {
        "Step": f"{count(state.step)} of {count(state.steps)}" if state.steps else "–",
        "Loss": score(loss),
        "Validation loss": score(held),
        "Tokens a second": count(round(sum(speed) / len(speed))) if speed else "–",
        "Memory": size(memory) if memory else "–",
    }
    with st.container(horizontal=True, gap="medium"):
        for label, value in figures.items():
            st.metric(label, value, width="content")


def _turned(state: TrainingState, folder: TuningFolder, live: bool) -> None:
    found = state.overfitting
    if found is None:
        return
    kept = f"The weights of step {found.best_step} are the ones that are kept{' so far' if live else ''}."
    if _keeps_last(folder):
        kept = "The last weights are kept all the same, as the recipe says (`keep: last`)."
    st.warning(
        escaped(
            f"Overfitting: the validation loss was best at step {found.best_step} "
            f"({score(found.best_loss)}) and is worse since step {found.since} "
            f"({score(found.validation_loss)}). {kept}"
        ),
        icon=":material/trending_up:",
    )


def _keeps_last(folder: TuningFolder) -> bool:
    try:
        return TrainingJob.read(folder.job).train.keep == "last"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _no_better(points: list[TuningPoint], state: TrainingState) -> None:
    """The base itself may have told the held-back rows better than any state since."""
    before = next((one.validation_loss for one in points if one.step == 0), None)
    best = state.validation_loss
    if before is not None and best is not None and best > before and state.overfitting is not None:
        st.caption(
            escaped(
                f"Before training the validation loss was lower, {score(before)}: the base itself was surer "
                "of the held-back rows. The verdict tells whether answers got better all the same."
            )
        )


def _more(points: list[TuningPoint]) -> None:
    """What the objective tells beside, such as reward margins."""
    names = list(dict.fromkeys(name for one in points for name in one.more))
    if not names:
        return
    with st.expander(f"What the objective tells beside ({len(names)})"):
        for start in range(0, len(names), 2):
            for column, name in zip(two_beside(), names[start : start + 2], strict=False):
                with column:
                    small_chart(
                        points,
                        name.replace("_", " ").capitalize(),
                        lambda one, name=name: one.more.get(name),  # type: ignore[misc]
                        key=f"more {name}",
                    )


def _started_with(state: TrainingState) -> None:
    start = state.start
    if not start:
        return
    weights = count(int(start.get("parameters", 0)))
    told = [
        many(int(start.get("examples", 0)), "example") + " learnt",
        f"{count(int(start.get('validation_examples', 0)))} held back",
        f"{count(int(start.get('trainable', 0)))} of {weights} numbers trained",
        f"on {start.get('device', '?')}, {many(int(start.get('processes', 1)), 'process', 'processes')}",
    ]
    if start.get("left_out"):
        told.insert(2, f"{count(int(start['left_out']))} left out as too long")
    spent = ", ".join(f"{name} {seconds(took)}" for name, took in state.parts.items())
    if spent:
        told.append(f"time spent: {spent}")
    if state.resumed_from is not None:
        told.append(f"went on from step {state.resumed_from}")
    st.caption(escaped(" · ".join(told)))
    for step, why in state.left_checkpoints:
        st.caption(escaped(f"The state after step {step} was left out: {why}"))
