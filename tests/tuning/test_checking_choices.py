"""What a recipe leaves out is chosen from the data, with a reason; what it states stays."""

from __future__ import annotations

from typing import get_args

import pytest

from workbench.core.collection import Task
from workbench.core.tuning import Method, Objective, Train
from workbench.tuning.checking.choosing import (
    choices,
    chosen,
    total_steps,
    training_examples,
)
from workbench.tuning.checking.facts import DataFacts, Lengths
from workbench.tuning.checking.fields import CHOSEN, fields

SMALL, LARGE = 1_500_000, 7_000_000_000


def facts(examples: int = 266, length: int = 160, task: Task = "completion") -> DataFacts:
    lengths = (length,) * examples
    return DataFacts(task, examples, Lengths.of([length // 2] * examples), Lengths.of([]), lengths, 1024)


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("objective", get_args(Objective))
@pytest.mark.parametrize("examples", [1, 30, 266, 50_000])
def test_nothing_that_a_training_needs_is_left_open(method: Method, objective: Objective, examples: int):
    task: Task = "preference" if objective in ("dpo", "orpo") else "completion"
    made = chosen(Train(method=method, objective=objective), facts(examples, task=task), SMALL)
    unused = {"beta"} if objective == "supervised" else set()
    unused |= set() if method in ("lora", "dora", "qlora") else {"alpha"}
    assert {name for name in CHOSEN if getattr(made, name) is None} == unused
    assert Train.model_validate(made.model_dump()) == made, "every choice is within the field's range"


def test_what_is_stated_stays():
    stated = Train(epochs=2, batch=3, learning_rate=0.01, max_tokens=99, evaluate_every=7, alpha=5)
    assert chosen(stated, facts(), SMALL) == stated
    assert choices(stated, facts(), SMALL) == []


def test_every_choice_says_why():
    made = choices(Train(objective="dpo"), facts(task="preference"), SMALL)
    assert {one.field for one in made} == CHOSEN
    assert all(one.reason.endswith(".") and len(one.reason) > 8 for one in made)


def test_the_defaults_for_some_hundred_examples_on_the_embedded_model_are_those_that_gained_most():
    made = chosen(Train(), facts(266), SMALL)
    assert (made.epochs, made.batch, made.learning_rate, made.alpha) == (8, 16, 5e-3, 32)


def test_more_examples_are_gone_through_less_often():
    times = [chosen(Train(), facts(count), SMALL).epochs for count in (100, 1_000, 5_000, 50_000, 200_000)]
    assert times == sorted(times, reverse=True)
    assert times[0] > times[-1] == 1


def test_larger_bases_learn_in_smaller_steps():
    for method in get_args(Method):
        rates = [chosen(Train(method=method), facts(), size).learning_rate for size in (SMALL, 10**8, LARGE)]
        assert rates[0] > rates[1] > rates[2], method


def test_preferences_are_learnt_in_smaller_steps_than_texts():
    rate = {
        objective: chosen(Train(objective=objective), facts(), SMALL).learning_rate
        for objective in get_args(Objective)
    }
    assert all(rate[other] < rate["supervised"] for other in ("dpo", "kto", "orpo"))


def test_few_examples_still_make_some_steps_an_epoch():
    made = chosen(Train(), facts(20), SMALL)
    assert made.batch is not None
    assert total_steps(made, facts(20)) >= 8 * 8


def test_long_examples_make_small_batches():
    made = chosen(Train(), facts(1_000, length=1_000), LARGE)
    assert made.batch == 4


def test_kto_compares_at_least_two_examples():
    assert (chosen(Train(objective="kto"), facts(3, task="label"), SMALL).batch or 0) >= 2


def test_there_are_about_ten_looks():
    made = chosen(Train(), facts(3_000), SMALL)
    assert made.evaluate_every is not None
    assert 9 <= total_steps(made, facts(3_000)) // made.evaluate_every <= 11


def test_what_is_held_back_or_left_out_is_not_learnt():
    mixed = DataFacts("completion", 100, Lengths.of([]), Lengths.of([]), (50,) * 80 + (500,) * 20, 1024)
    assert training_examples(Train(validation=0.1, max_tokens=100), mixed) == 72
    assert training_examples(Train(validation=0, max_tokens=None), mixed) == 100


def test_every_field_has_a_help_text_and_numbers_have_a_range():
    for field in fields():
        assert len(field.help) > 5, field.name
        if field.kind in ("whole", "number") and field.name != "seed":
            assert field.low is not None, field.name


def test_the_help_is_that_of_the_recipe():
    known = {field.name: field for field in fields()}
    assert list(known) == list(Train.model_fields)
    assert known["rank"].help == "rank of the matrices"
    assert (known["rank"].low, known["rank"].high, known["rank"].kind) == (1, 1024, "whole")
    assert known["rank"].methods == ("lora", "dora", "qlora")
    assert known["beta"].objectives == ("dpo", "kto", "orpo")
    assert known["learning_rate"].above and known["learning_rate"].low == 0
    assert known["schedule"].options == ("linear", "cosine", "constant", "constant_with_warmup")
    assert known["merge"].kind == "yes"
    assert known["virtual_tokens"].applies_to(Train(method="prefix"))
    assert not known["virtual_tokens"].applies_to(Train(method="lora"))


def test_fields_that_are_chosen_are_those_that_may_be_left_out():
    open_ones = {name for name, field in Train.model_fields.items() if field.default is None}
    assert open_ones - {"max_steps", "neftune"} == CHOSEN
