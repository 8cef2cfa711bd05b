"""YAML that people write: strict, safe, and wrong in words that help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.document import check_name, content_hash, dump, load, parse, to_yaml
from workbench.core.experiment import Experiment
from workbench.core.prompt import Ensemble, Prompt
from workbench.errors import InvalidFile

DIRECT = """\
name: direct
messages:
  - {role: user, content: "{{ question }}"}
"""


def problem_of(record, text: str) -> InvalidFile:
    with pytest.raises(InvalidFile) as caught:
        load(record, text, "prompts/direct.yaml")
    return caught.value


def test_an_unknown_key_names_file_line_key_and_the_nearest_right_key():
    error = problem_of(Prompt, "name: direct\nmesages:\n  - {role: user, content: hi}\n")
    assert (error.file, error.line, error.key) == ("prompts/direct.yaml", 2, "mesages")
    assert "Did you mean 'messages'?" in str(error)


def test_a_key_deep_inside_is_named_with_its_own_line():
    error = problem_of(Prompt, DIRECT + "sampling:\n  temperature: 0\n  max_token: 5\n")
    assert (error.line, error.key) == (6, "sampling.max_token")
    assert "'max_tokens'" in str(error)


def test_a_missing_key_is_named():
    error = problem_of(Prompt, "description: no name\n" + DIRECT.replace("name: direct\n", ""))
    assert error.key == "name"
    assert "needed" in str(error)


def test_a_wrong_value_shows_what_was_found():
    error = problem_of(Prompt, DIRECT + "sampling: {temperature: warm}\n")
    assert error.line == 4
    assert "'warm'" in str(error)


def test_a_key_that_stands_twice_is_an_error():
    assert problem_of(Prompt, DIRECT + "name: again\n").line == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "key: value"),
        ("", "key: value"),
        ("just words", "key: value"),
        ("name: [unclosed\n", "not valid YAML"),
        ("name: a\x00b\n", "NUL"),
        ("name: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
        ("[" * 3000, "YAML"),
    ],
)
def test_what_is_no_document_is_one_sentence(text: str, words: str):
    assert words in str(problem_of(Prompt, text))


def test_a_billion_laughs_are_refused_before_they_are_built():
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases" in str(problem_of(Prompt, "\n".join(lines)))


def test_a_huge_file_is_refused():
    assert "longer than" in str(problem_of(Prompt, "a" * 4_000_001))


@pytest.mark.parametrize(
    "name", ["../secret", "a/b", "", ".hidden", "a" * 101, "sp ace", "a\nb", "name.", "ü"]
)
def test_names_that_could_leave_their_folder_are_refused(name: str):
    with pytest.raises(ValueError, match="not a usable name"):
        check_name(name)
    assert problem_of(Prompt, to_yaml({"name": name, "messages": [{"role": "user", "content": "x"}]}))


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str):
    try:
        content, lines = parse(text, "some.yaml")
    except InvalidFile as error:
        named = error.file
    else:
        named = "some.yaml" if content is None or () in lines else None
    assert named == "some.yaml"


PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=80)


@given(PLAIN_TEXT, PLAIN_TEXT)
def test_a_prompt_written_and_read_again_is_the_same(system: str, user: str):
    prompt = Prompt.model_validate(
        {
            "name": "round-trip",
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "examples": {"from": "word-problems#train", "select": "similar"},
        }
    )
    again = load(Prompt, dump(prompt))
    assert again == prompt
    assert again.version == prompt.version


def test_long_text_is_written_as_people_would_write_it():
    text = dump(load(Prompt, DIRECT.replace('"{{ question }}"', '"one\\ntwo\\n"')))
    assert "content: |\n" in text
    assert "examples" not in text, "defaults are left out"


def test_records_keep_their_aliases():
    prompt = load(Prompt, DIRECT + "examples: {from: word-problems#train, count: 2}\n")
    assert "from: word-problems#train" in dump(prompt)


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=6))
def test_a_content_hash_does_not_depend_on_the_order_of_keys(content: dict):
    assert content_hash(content) == content_hash(dict(reversed(content.items())))


def test_a_content_hash_tells_values_apart():
    values = [0, "0", None, "", [], {}, False, "None", [0], 0.5]
    assert len({content_hash(value) for value in values}) == len(values)


def test_unions_do_not_confuse_the_line():
    error = problem_of(Experiment, "name: e\ndataset: {name: d}\nprompts: [a]\nmodels: [m]\nmetrics: [3]\n")
    assert error.line == 5


def test_an_ensemble_is_as_strict_as_a_prompt():
    error = problem_of(Ensemble, "name: vote\nmembers:\n  - {prompt: a}\n  - {prompt: b, wieght: 2}\n")
    assert (error.line, error.key) == (4, "members.1.wieght")
    assert "'weight'" in str(error)
