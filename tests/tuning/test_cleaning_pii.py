"""What looks like personal data or a secret is found; what a problem of sums is made of is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.items import item
from workbench.tuning import clean
from workbench.tuning.cleaning.pii_patterns import KINDS, found_kinds, masked
from workbench.tuning.formats import read_examples, write_examples


# put together here, so that no scanner takes a test for a leak
def key(start: str, *rest: str) -> str:
    return start + "".join(rest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to ann.lee+x@mail.example.org.", "Write to [EMAIL]."),
        ("müller@straße.example, <b@c.de>", "[EMAIL], <[EMAIL]>"),
        ("call +44 20 7946 0958 now", "call [PHONE] now"),
        ("+1 (555) 010-9999, 0049 171 2345678", "[PHONE], [PHONE]"),
        ("(555) 010-9999 or 555-010-9999", "[PHONE] or [PHONE]"),
        ("Tel. 030 1234567, 0171/2345678, 01 23 45 67 89", "Tel. [PHONE], [PHONE], [PHONE]"),
        ("card 4111 1111 1111 1111, 378282246310005", "card [CARD], [CARD]"),
        ("5500-0055-5555-5559", "[CARD]"),
        ("IBAN GB82 WEST 1234 5698 7654 32!", "IBAN [IBAN]!"),
        ("DE89370400440532013000", "[IBAN]"),
        (key("sk-", "proj-", "a1B2" * 10), "[KEY]"),
        (key("use gh", "p_", "a1B2" * 9, " here"), "use [KEY] here"),
        (key("AK", "IA", "ABCDEFGH12345678"), "[KEY]"),
        (key("eyJ", "hbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTY3ODkwIn0", ".dozjgNryP4J3jVmNHl0w5N"), "[KEY]"),
        (key("api_key = '", "Zx81abcdefgh4567'"), "[KEY]'"),
        (
            key(
                "-----BEGIN RSA ",
                "PRIVATE KEY-----\nProc-Type: 4\nMIIEow==\n-----END RSA ",
                "PRIVATE KEY-----\nok",
            ),
            "[KEY]\nok",
        ),
    ],
)
def test_it_is_masked(text: str, expected: str):
    assert masked(text, KINDS) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The tram has 18. It gets 5, so 18 + 5 = 23. Answer: 23",
        "12345678 + 23456789 = 35802467",
        "1,234,567,890 divided by 1000 is 1234567.89",
        "On 2024-01-15 and 15.01.2024 at 10:30:00",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "0.123456789012 and -3.14159265358979",
        "192.168.100.200",
        "f(x) = (12345) * (678)",
        "order 4111111111111112",  # its check digit is wrong
        "GB82 WEST 1234 5698 7654 33",
        "import re  # see @decorator",
        "a @ b.c, x@y",
        "version 1.2.3-4567",
        "the secret: patience and water",
        "2000-2010-2020 in tens",
        "https://example.org/path/0301234567/item",
    ],
)
def test_numbers_dates_and_words_stay(text: str):
    assert masked(text, KINDS) == text


def test_only_the_kinds_asked_for_and_where_asked_for():
    one = item("I am ann@example.org", "call +44 20 7946 0958 or ann@example.org", rejected="b@c.de")
    (kept,) = clean([one], [{"pii": {"kinds": "email", "messages": False}}]).kept
    assert (kept.question, kept.completion, kept.rejected) == (
        "I am ann@example.org",
        "call +44 20 7946 0958 or [EMAIL]",
        "[EMAIL]",
    )
    (kept,) = clean([one], ["pii"]).kept
    assert (kept.question, kept.completion) == ("I am [EMAIL]", "call [PHONE] or [EMAIL]")


def test_dropping_tells_the_kind_and_never_the_text():
    items = [item("q", "ann@example.org +44 20 7946 0958"), item("mail b@c.de"), item("q", "none")]
    done = clean(items, [{"pii": "drop"}])
    assert [one.detail for one in done.outcomes] == ["email, phone", "email", ""]


def test_what_an_imported_line_held_beside_is_masked_before_it_is_written_again():
    line = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "mail ann@example.org"}]},
            {"role": "assistant", "content": "to bob@example.org", "name": "x"},
        ],
        "contact": {"mails": ["ann@example.org"], "age": 7},
    }
    (item,) = read_examples(("mine.jsonl", json.dumps(line).encode())).items
    edited = item.edited("to Bob")
    done = clean([item, edited], ["pii"])
    assert (done.changed, done.kept[1].original) == (2, "to [EMAIL]")
    written = write_examples(done.kept[:1], "openai", "completion")
    line["messages"][0]["content"] = [{"type": "text", "text": "mail [EMAIL]"}]  # type: ignore[index]
    line["messages"][1]["content"] = "to [EMAIL]"  # type: ignore[index]
    assert json.loads(written) == line | {"contact": {"mails": ["[EMAIL]"], "age": 7}}
    for name in ("trl", "sharegpt", "alpaca"):
        assert b"@example" not in write_examples(done.kept, name, "completion")
    beside = clean([replace(edited, messages=({"role": "user", "content": "hi"},))], [{"pii": "drop"}])
    assert beside.outcomes[0].detail == "email"


@pytest.mark.parametrize("action", ["mask", "drop"])
def test_the_copy_of_the_row_that_an_item_keeps_is_masked(action: str):
    one = item("Who wrote?", "Ann did.", row={"id": "7", "from": "ann@example.org", "steps": 3})
    done = clean([one], [{"pii": action}])
    assert done.kept == [replace(one, row={"id": "7", "from": "[EMAIL]", "steps": 3})]
    (example,) = done.reports[0].examples
    assert (example.text, done.changed) == ("row", 1) and "[EMAIL]" in str(example.after)


@given(st.text(alphabet="0123456789 +-().,@abAK/_:=\n", max_size=80))
def test_a_masked_text_holds_nothing_more_to_mask(text: str):
    once = masked(text, KINDS)
    assert (once == text) == (not found_kinds(text, KINDS))
    assert not {"email", "iban", "key"} & set(found_kinds(once, KINDS))


@given(st.integers(min_value=10**14, max_value=10**15 - 1), st.integers(0, 9))
def test_one_check_digit_in_ten_makes_a_card(number: int, digit: int):
    digits = [f"4{number}{last}" for last in range(10)]
    assert sum(masked(text, ("card",)) == "[CARD]" for text in digits) == 1
