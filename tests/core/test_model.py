"""Prices, identities and the key under which an answer is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.core.model import Completion, ModelSpec, Price, Request, cost_usd, request_key
from workbench.core.prompt import Sampling

GPT = {"name": "gpt", "provider": "openai", "model": "gpt-5-mini"}


def request(text: str = "hi", **sampling) -> Request:
    return Request(({"role": "user", "content": text},), Sampling(**sampling))


@given(st.text(max_size=20), st.integers(0, 3), st.text(max_size=20), st.integers(0, 3))
def test_a_key_is_shared_by_the_same_call_and_by_no_other(
    text: str, sample: int, other: str, other_sample: int
):
    same = (text, sample) == (other, other_sample)
    assert (request_key("m", request(text), sample) == request_key("m", request(other), other_sample)) is same


def test_five_samples_are_five_samples():
    assert len({request_key("m", request(), sample) for sample in range(5)}) == 5


@pytest.mark.parametrize("changes", [{"temperature": 0.1}, {"max_tokens": 5}, {"seed": 1}, {"stop": ("a",)}])
def test_a_key_follows_the_sampling(changes: dict):
    assert request_key("m", request(**changes), 0) != request_key("m", request(), 0)


def test_a_key_follows_the_model_and_whether_probabilities_are_asked():
    plain = request()
    assert request_key("m", plain, 0) != request_key("n", plain, 0)
    assert request_key("m", plain, 0) != request_key("m", Request(plain.messages, plain.sampling, True), 0)


def test_roles_and_contents_cannot_be_mixed_up():
    one = Request(({"role": "user", "content": "a"}, {"role": "user", "content": "b"}), Sampling())
    two = Request(({"role": "user", "content": "a b"},), Sampling())
    assert request_key("m", one, 0) != request_key("m", two, 0)


def test_what_a_call_costs():
    price = Price(prompt=1.0, completion=10.0, cached=0.1)
    spent = Completion("x", prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=500_000)
    assert cost_usd(price, spent) == pytest.approx(0.5 + 0.05 + 1.0)
    assert cost_usd(Price(prompt=1.0), spent) == pytest.approx(1.0), "no price for cached: the prompt's"
    assert cost_usd(Price(), spent) == 0


def test_a_models_identity_ignores_keys_prices_and_limits():
    spec = ModelSpec.model_validate(GPT)
    other = ModelSpec.model_validate(
        GPT | {"name": "x", "key": "A_KEY", "price": {"prompt": 3}, "retries": 0}
    )
    assert spec.identity() == other.identity()
    assert spec.identity() != ModelSpec.model_validate(GPT | {"quantization": "int8"}).identity()


@pytest.mark.parametrize("key", ["sk-abc123", "my_key", "A KEY", ""])
def test_a_row_holds_the_name_of_a_key_and_never_a_key(key: str):
    with pytest.raises(ValidationError):
        ModelSpec.model_validate(GPT | {"key": key})
