"""Each step changes or drops what it says, and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.items import item
from workbench.errors import CollectionError
from workbench.tuning import clean
from workbench.tuning.cleaning import build_step
from workbench.tuning.cleaning.likeness import Shingler, Sketcher, estimates, jaccard, nearest_pairs

ENGLISH = "The tram leaves the harbour with eighteen passengers and stops at the old bridge."
GERMAN = "Die Straßenbahn verlässt den Hafen mit achtzehn Fahrgästen und hält an der alten Brücke."


def text_by(spec, text: str) -> str:
    return build_step(spec).text(text)


def kept_by(spec, *items) -> list[bool]:
    return [not outcome.reason for outcome in clean(items, [spec]).outcomes]


@pytest.mark.parametrize(
    ("spec", "before", "after"),
    [
        ("unicode", "Cafe\u0301", "Café"),
        ("unicode", "ﬁve ①", "ﬁve ①"),
        ({"unicode": "NFKC"}, "ﬁve ① ｗｉｄｅ", "five 1 wide"),
        ("unicode", "a\u200bb\ufeffc\u00add\u202ee", "abcde"),
        ("unicode", "\x00nul\x07 tab\t line\n", "nul tab\t line\n"),
        ("unicode", "half \ud83d pair", "half \ufffd pair"),
        ("unicode", "👩\u200d💻 می\u200cروم, pl\u200cain", "👩\u200d💻 می\u200cروم, plain"),
        ("unicode", "e" + "\u0301" * 500, "é" + "\u0301" * 29),
        ({"unicode": {"invisible": False}}, "a\u200bb", "a\u200bb"),
        ("white_space", "  two\u00a0 \t words  \r\n\r\n\n\n next \n", "two words\n\n next"),
        ("white_space", "def f():\n    return  1   \n", "def f():\n    return 1"),
        ({"white_space": {"indentation": False}}, "def f():\n    return  1", "def f():\nreturn 1"),
        ("lower_case", "Straße ÄÖ İ", "straße äö i\u0307"),
    ],
)
def test_a_text_is_written_as_it_should_be(spec, before: str, after: str):
    assert text_by(spec, before) == after


@pytest.mark.parametrize("spec", ["unicode", {"unicode": "NFKC"}, "white_space", {"white_space": False}])
@given(text=st.text(alphabet=st.characters() | st.sampled_from(" \t\n\r\u200b\u0301a"), max_size=60))
def test_a_tidied_text_stays_as_it_is(spec, text: str):
    once = text_by(spec, text)
    assert text_by(spec, once) == once


def test_only_what_is_answered_changes_unless_messages_are_asked_for():
    one = item("A  B", "C  D", rejected="E  F")
    (kept,) = clean([one], ["white_space"]).kept
    assert (kept.question, kept.completion, kept.rejected) == ("A  B", "C D", "E F")
    (kept,) = clean([one], [{"white_space": {"messages": True}}]).kept
    assert kept.messages == ({"role": "user", "content": "A B"},)
    assert kept.origin is one.origin


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("both", [True, True, True, False, True]),
        ("question", [True, False, True, False, True]),
        ("completion", [True, True, False, False, True]),
    ],
)
def test_equal_items_stay_once_by_what_is_asked_for(by: str, expected: list[bool]):
    items = [item("a", "x"), item("a", "y"), item("b", "x"), item("a", "x"), item("a", "x", label=False)]
    assert kept_by({"exact_duplicates": by}, *items) == expected


def test_pairs_with_another_rejected_text_are_not_equal():
    assert kept_by("exact_duplicates", item("a", "x", rejected="y"), item("a", "x", rejected="z")) == [
        True,
        True,
    ]


def test_nearly_the_same_text_stays_once_and_says_how_near():
    words = ENGLISH.split() * 2
    near = [*words[:-1], "river."]
    items = [
        item(" ".join(words)),
        item("quite another question"),
        item(" ".join(near)),
        item(" ".join(words)),
    ]
    done = clean(items, [{"near_duplicates": 0.7}])
    assert [one.reason for one in done.outcomes] == ["", "", "near_duplicates", "near_duplicates"]
    assert done.outcomes[2].detail.endswith("like item 0") and 0.7 <= float(done.outcomes[2].detail[:4]) < 1
    assert done.outcomes[3].detail == "1.00 like item 0"


def test_what_is_dropped_is_at_least_as_alike_as_the_threshold_and_clearly_alike_pairs_are_found():
    draw = random.Random(5)
    vocabulary = [f"w{n}" for n in range(400)]
    items, similarities = [], []
    shingler = Shingler()
    for _ in range(300):
        words = draw.choices(vocabulary, k=60)
        other = list(words)
        for _ in range(draw.randrange(6)):
            other[draw.randrange(60)] = draw.choice(vocabulary)
        pair = " ".join(words), " ".join(other)
        items += [item("", text) for text in pair]
        similarities.append(jaccard(*map(shingler.shingles, pair)))
    dropped = [bool(one.reason) for one in clean(items, [{"near_duplicates": 0.8}]).outcomes]
    assert not any(dropped[::2])
    found = dropped[1::2]
    assert not any(hit for hit, similarity in zip(found, similarities) if similarity < 0.8)
    assert all(hit for hit, similarity in zip(found, similarities) if similarity >= 0.95)
    near = [hit for hit, similarity in zip(found, similarities) if 0.8 <= similarity < 0.95]
    assert sum(near) >= 0.9 * len(near) > 0


def test_good_and_bad_examples_of_a_text_are_no_near_duplicates():
    assert kept_by("near_duplicates", item(ENGLISH, label=True), item(ENGLISH, label=False)) == [True, True]


def test_texts_without_words_are_no_duplicates_of_each_other():
    assert kept_by("near_duplicates", item("", ""), item("?", "!"), item("…", "")) == [True, True, True]


def test_characters_find_likeness_where_nothing_parts_the_words():
    one, other = "我们今天下午坐电车去海边看日落然后回家吃饭", "我们今天下午坐电车去海边看日落然后回家吃菜"
    spec = {"near_duplicates": {"threshold": 0.7, "unit": "characters", "size": 2, "by": "completion"}}
    assert kept_by(spec, item("", one), item("", other)) == [True, False]


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_likeness_is_the_share_of_common_runs_of_three_words(one: list[str], other: list[str]):
    def runs(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))} - {()}

    either = runs(one) | runs(other)
    expected = len(runs(one) & runs(other)) / len(either) if either else 1.0
    shingler = Shingler()
    assert jaccard(*(shingler.shingles(" ".join(words)) for words in (one, other))) == pytest.approx(expected)


def test_sketches_estimate_likeness_and_do_so_the_same_every_time():
    shingler, sketcher = Shingler(), Sketcher()
    words = [f"w{n}" for n in range(400)]
    one, other = (shingler.shingles(" ".join(part)) for part in (words[:300], words[100:]))
    estimate = estimates(sketcher.sketch(one), sketcher.sketch(other)[None])[0]
    assert estimate == pytest.approx(jaccard(one, other), abs=0.2)
    assert Sketcher().sketch(one)[:3].tolist() == sketcher.sketch(one)[:3].tolist()
    assert shingler.shingles("to be or not")[0] == 6786461111232555627


def test_the_nearest_pairs_come_first():
    words = [f"w{n}" for n in range(60)]
    texts = [" ".join(words), "", " ".join([*words[:-1], "x"]), "", " ".join([*words[:-6], *"abcdef"]), "z y"]
    found = nearest_pairs(texts, 5)
    assert [pair[1:] for pair in found][:2] == [(0, 2), (2, 4)] or [pair[1:] for pair in found][:2] == [
        (0, 2),
        (0, 4),
    ]
    assert found[0][0] == pytest.approx(57 / 59)
    assert nearest_pairs(["one"], 5) == nearest_pairs([], 5) == nearest_pairs(["", ""], 5) == []


def test_other_languages_are_dropped_and_short_texts_left_alone():
    items = [item("", ENGLISH), item("", GERMAN), item("", "Guten Tag!"), item("", "18 + 5 = 23 " * 20)]
    assert kept_by({"language": "en"}, *items) == [True, False, True, True]
    assert kept_by({"language": ["en", "de"]}, *items) == [True] * 4
    assert clean(items, [{"language": ["es", "fr"]}]).outcomes[0].detail.startswith("en (")
    assert kept_by({"language": {"keep": "de", "of": "question"}}, item(ENGLISH, GERMAN)) == [False]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("length", [False, True, True]),
        ({"length": 3}, [False, True, False]),
        ({"length": {"least": 2, "unit": "words"}}, [False, False, True]),
        ({"length": {"of": "question", "most": 5}}, [True, True, False]),
        ({"length": {"of": "all", "least": None, "most": 8}}, [True, True, False]),
    ],
)
def test_too_short_and_too_long_texts_are_dropped(spec, expected: list[bool]):
    assert kept_by(spec, item("a b c", ""), item("a b c", "yes"), item("a b c d", "yes it is")) == expected


def test_either_text_of_a_preference_may_be_too_long():
    done = clean([item("a", "yes", rejected="x" * 50)], [{"length": 40}])
    assert done.outcomes[0].detail == "50 characters, more than 40"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t assist with this request.",
        "Thank you for asking! I cannot provide medical advice.",
        "As an AI language model, I do not have feelings.",
        "I am unable to answer this question.",
        "I apologize, but I do not feel comfortable writing that.",
        "Unfortunately I cannot recommend this.",
        "I apologize, but I'm not able to do that.",
        "I must decline.",
        "Es tut mir leid, aber ich kann dir dabei nicht helfen.",
        "Ich kann diese Frage leider nicht beantworten.",
        "Als KI-Sprachmodell habe ich keine Meinung.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Como modelo de lenguaje, no tengo opiniones.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "En tant qu'intelligence artificielle, je n'ai pas d'avis.",
    ],
)
def test_refusals_are_dropped(text: str):
    assert kept_by("refusals", item("q", text)) == [False]


@pytest.mark.parametrize(
    "text",
    [
        "The tram has 18. It gets 5, so 18 + 5 = 23. Answer: 23",
        "I can't believe how good this is.",
        "I can't help but smile when I read it.",
        "She said she was sorry that the bus was late.",
        "As an AI researcher, she works in Lund.",
        "As a language model, I am able to answer in verse: roses are red.",
        "I cannot help the way I feel about the sea.",
        "Ich kann nicht schwimmen, aber tauchen.",
        "No puedo creer lo bueno que es.",
        "Je ne peux pas attendre de la revoir.",
        "He is unable to walk, so the answer is 4.",
    ],
)
def test_what_only_sounds_like_a_refusal_stays(text: str):
    assert kept_by("refusals", item("q", text)) == [True]


def test_own_phrases_and_languages_of_refusals():
    spec = {"refusals": {"languages": ["de"], "phrases": ["No  comment"]}}
    assert kept_by(spec, item("q", "I cannot help with that."), item("q", "no comment!")) == [True, False]


def test_bad_examples_may_refuse_and_score_low():
    bad = item("q", "I cannot help with that.", label=False, scores={"exact_match": 0})
    assert kept_by("refusals", bad) == kept_by({"low_score": {"exact_match": 1}}, bad) == [True]


def test_scores_below_or_above_a_bar_are_dropped():
    items = [item("q", scores={"f1": 0.4, "ter": 90}), item("q", scores={"f1": 0.6, "ter": 10}), item("q")]
    assert kept_by({"low_score": {"f1": 0.5}}, *items) == [False, True, True]
    assert kept_by({"low_score": {"most": {"ter": 50}, "missing": "drop"}}, *items) == [False, True, False]
    assert clean(items, [{"low_score": {"f1": 0.5}}]).outcomes[0].detail == "f1 0.4, below 0.5"
    assert kept_by(
        {"low_score": {"least": {"f1": 0.5}, "missing": "drop"}}, item("q", scores={"f1": float("nan")})
    ) == [False]


def test_phrases_and_patterns_drop_what_holds_or_lacks_them():
    items = [item("tram 4", "Answer: 23"), item("bus", "it is 23, I think")]
    assert kept_by({"contains": "ANSWER:"}, *items) == [False, True]
    assert kept_by({"contains": {"phrases": "ANSWER:", "ignore_case": False}}, *items) == [True, True]
    assert kept_by({"contains": {"phrases": ["Answer:", "Reply:"], "must": True}}, *items) == [True, False]
    assert kept_by({"regex": r"Answer: \d+$"}, *items) == [False, True]
    assert kept_by({"regex": {"pattern": r"\d", "must": True, "of": "question"}}, *items) == [True, False]


def test_a_pattern_that_runs_away_is_stopped_with_a_sentence():
    with pytest.raises(
        CollectionError, match=r"the pattern was not matched within 1 s on a text of 61 characters"
    ):
        clean([item("q", "a" * 60 + "!")], [{"regex": "(a|aa)+$"}])
