"""The grid that an experiment spans."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from workbench.core.experiment import Experiment


def experiment(**changes) -> Experiment:
    plain = {"name": "e", "dataset": {"name": "d"}, "prompts": ["p"], "models": ["m"]}
    return Experiment.model_validate(plain | changes)


def test_a_list_under_sampling_is_an_axis():
    grid = experiment(sampling={"temperature": [0, 0.7], "seed": [1, 2], "max_tokens": 9}).sampling_grid()
    assert len(grid) == 4
    assert {(point["temperature"], point["seed"], point["max_tokens"]) for point in grid} == {
        (0, 1, 9),
        (0, 2, 9),
        (0.7, 1, 9),
        (0.7, 2, 9),
    }


def test_stop_words_are_one_setting_unless_they_are_lists():
    assert len(experiment(sampling={"stop": ["a", "b"]}).sampling_grid()) == 1
    assert len(experiment(sampling={"stop": [["a"], ["b"]]}).sampling_grid()) == 2


def test_quantization_is_an_axis_of_the_models():
    assert experiment(models=["a", "b"], quantization=["fp32", "int8"]).model_names() == [
        "a@fp32",
        "a@int8",
        "b@fp32",
        "b@int8",
    ]
    assert experiment().model_names() == ["m"]


def test_one_name_may_stand_without_a_list():
    single = experiment(prompts="p", models="m", metrics="f1", quantization="int8")
    assert (single.prompts, single.models, single.metrics) == (("p",), ("m",), ("f1",))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampling": {"temprature": 1}}, "unknown sampling setting 'temprature'"),
        ({"sampling": {"temperature": [0, -1]}}, "temperature"),
        ({"prompts": ["p", "p"]}, "stands twice"),
        ({"prompts": []}, "at least 1"),
        ({"repeats": 0}, "greater than or equal to 1"),
        ({"budget": {"usd": -1}}, "greater than or equal to 0"),
        ({"dataset": {"name": "d", "limit": 0}}, "greater than or equal to 1"),
    ],
)
def test_mistakes_are_found_before_anything_runs(changes: dict, words: str):
    with pytest.raises(ValidationError, match=words):
        experiment(**changes)


def test_the_hash_follows_what_decides_the_run():
    assert experiment(name="other", description="why").hash == experiment().hash
    assert experiment(repeats=2).hash != experiment().hash
