"""The judges of an experiment: found, checked and frozen into its plan before the first call.

with_judges(workspace, plan)     # plan.prompts has the judge prompts too, each spec knows its rubric
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.core.model import ModelSpec
from workbench.core.prompt import DEFAULT_SAMPLING, AnyPrompt, Prompt, Sampling
from workbench.engine.workspace import Workspace
from workbench.errors import MetricError, ModelUnavailable, PromptError
from workbench.metrics import load_metric
from workbench.metrics.judge import Judge
from workbench.prompting import closure

if TYPE_CHECKING:
    from workbench.core.experiment import Experiment
    from workbench.engine.plan import Plan


@dataclass(frozen=True, slots=True)
class JudgeUse:
    """A judge as an experiment's metric uses it."""

    prompt: Prompt
    metric: Judge

    def calls(self, outputs: int) -> int:
        """Calls that judging so many outputs takes at most: a pairwise judge is asked in both orders."""
        both = 2 if self.prompt.rubric is not None and self.prompt.rubric.kind == "pairwise" else 1
        return outputs * self.metric.samples * both


def with_judges(workspace: Workspace, plan: Plan) -> Plan:
    """The plan with its judges' prompts and rubrics frozen into it.

    Raises WorkbenchError for a judge that cannot be used: an unknown prompt, one without a rubric, an
    ensemble, an unknown model or one whose key is not set, several samples that would all be the same.
    """
    _refuse_judges_as_prompts(plan)
    prompts = dict(plan.prompts)
    metrics: list[str | dict[str, Any]] = []
    for spec in plan.experiment.metrics:
        for metric in _judges_in(spec):
            judge = _judge_prompt(workspace, prompts, metric)
            prompts[judge.name] = judge
            _check_asking(workspace, judge, metric)
        metrics.append(_frozen(spec, prompts))
    experiment = plan.experiment.model_copy(update={"metrics": tuple(metrics)})
    return replace(plan, experiment=experiment, prompts=prompts)


def judges_of(experiment: Experiment, prompts: Mapping[str, AnyPrompt]) -> list[JudgeUse]:
    """The judges that a plan's metrics ask, with their prompts."""
    found = []
    for spec in experiment.metrics:
        for metric in _judges_in(spec):
            prompt = prompts[metric.judge]
            if isinstance(prompt, Prompt):
                found.append(JudgeUse(prompt, metric))
    return found


def judge_sampling(judge: Prompt, spec: ModelSpec, stated: Sampling) -> Sampling:
    """How a judge is asked: as its metric says, else its prompt, else its model."""
    return stated.over(judge.sampling.over(spec.sampling.over(DEFAULT_SAMPLING)))


def _judges_in(spec: Any) -> Iterator[Judge]:
    """The judges in a metric's spec: itself, or parts of a composed one. Raises MetricError."""
    if isinstance(spec, Mapping):
        if "judge" in spec:
            metric = load_metric(spec)
            if isinstance(metric, Judge):
                yield metric
            return
        spec = list(spec.values())
    if isinstance(spec, (list, tuple)):
        for part in spec:
            yield from _judges_in(part)


def _frozen(spec: Any, prompts: Mapping[str, AnyPrompt]) -> Any:
    """The same spec, each judge with the rubric that its score's range follows from."""
    if isinstance(spec, Mapping):
        if "judge" in spec:
            judge = prompts[spec["judge"]]
            return {**spec, "rubric": judge.model_dump(mode="json", exclude_defaults=True)["rubric"]}
        return {key: _frozen(part, prompts) for key, part in spec.items()}
    if isinstance(spec, (list, tuple)):
        return [_frozen(part, prompts) for part in spec]
    return spec


def _judge_prompt(workspace: Workspace, known: Mapping[str, AnyPrompt], metric: Judge) -> Prompt:
    name = metric.judge
    prompt = known.get(name) or workspace.prompts.get(name)
    if not isinstance(prompt, Prompt):
        raise MetricError(f"'{name}' is an ensemble; a judge is one prompt with a `rubric`.")
    if prompt.rubric is None:
        raise MetricError(
            f"Prompt '{name}' has no `rubric`, so it is no judge; add one, such as "
            "`rubric: {kind: score, scale: [1, 5]}`, and see docs/judges.md."
        )
    return prompt


def _check_asking(workspace: Workspace, judge: Prompt, metric: Judge) -> None:
    check = workspace.models.check(metric.model)
    if not check.ok:
        raise ModelUnavailable(check.sentence, metric.model)
    asked = judge_sampling(judge, workspace.models.spec(metric.model), metric.sampling)
    if metric.samples > 1 and not asked.temperature:
        raise MetricError(
            f"Judge '{judge.name}': {metric.samples} samples at temperature 0 are all the same; "
            "add `sampling: {temperature: 0.7}` to the metric."
        )


def _refuse_judges_as_prompts(plan: Plan) -> None:
    for name in plan.experiment.prompts:
        for prompt in closure(plan.prompts[name], plan.prompts.__getitem__).values():
            if isinstance(prompt, Prompt) and prompt.rubric is not None:
                raise PromptError(
                    f"Prompt '{prompt.name}' is a judge: it is not run over rows but judges outputs; name it "
                    f"under `metrics`, as `{{judge: {prompt.name}, model: MODEL}}`."
                )
