"""Scenario files: what is read, and every rule that one can break, named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.eval_scenarios import Check, Kind, Say, ScenarioSet, Silent, build_set, read_set, shipped_sets
from clients.eval_yaml import LARGEST_FILE, ScenarioError, parse_tree

HEAD = """\
name: kitchen
about: recipes
scenarios:
- id: one
  category: basic
  language: en
  steps:
"""
GOOD = """\
  - {say: how do i make, as: unfinished}
  - say: pancakes
    as: question
    slices: 4
    answer: {text: [Take two cups., No.], has: flour, any: [milk, 5], lacks: no}
  - {say: mm, as: noise}
  - {say: and the oven, as: aside, slices: end, answer: {has: [hot]}}
  - {say: stop, as: stop}
  - silent: 3
  - {say: go on, as: resume, back: {any: [flour]}}
"""


def read(text: str) -> ScenarioSet:
    return build_set(*parse_tree(text.encode(), "file.yaml"))


def test_everything_that_a_scenario_can_say_is_read() -> None:
    found = read(HEAD + GOOD)
    assert (found.name, found.about, len(found.scenarios)) == ("kitchen", "recipes", 1)
    one = found.scenarios[0]
    assert (one.id, one.category, one.language) == ("one", "basic", "en")
    answer = Check(text=("Take two cups.", "No."), has=("flour",), any=("milk", "5"), lacks=("no",))
    assert one.steps == (
        Say("how do i make", Kind.UNFINISHED, 1, None, None),
        Say("pancakes", Kind.QUESTION, 4, answer, None),
        Say("mm", Kind.NOISE, 2, None, None),
        Say("and the oven", Kind.ASIDE, None, Check(has=("hot",)), None),
        Say("stop", Kind.STOP, 2, None, None),
        Silent(3),
        Say("go on", Kind.RESUME, 2, None, Check(any=("flour",))),
    )


def test_the_digest_changes_with_what_is_said_or_judged_and_with_nothing_else() -> None:
    first = read(HEAD + GOOD).digest
    assert read("# a comment\n" + HEAD.replace("recipes", "meals") + GOOD).digest == first
    assert read(HEAD + GOOD.replace("two cups", "three cups")).digest != first
    assert read(HEAD + GOOD.replace("slices: 4", "slices: 5")).digest != first


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ("  - {say: hi, as: quesion}", "line 8, scenario one, step 1: 'quesion' is nothing to say words as"),
        ("  - {say: hi, a: question}", "line 8, scenario one, step 1: 'a' is no key of a step: did you mean as?"),
        ("  - {say: hi, reply: x, as: noise}", "'reply' is no key of a step: there are say, as, slices"),
        ("  - {say: hi, say: ho, as: noise}", "the key say stands twice"),
        ("  - {as: question}", "it has no say"),
        ("  - {say: hi}", "it has no as"),
        ("  - {say: , as: noise}", "say is empty"),
        ("  - {say: '  ', as: noise}", "say is empty"),
        ("  - {say: [a], as: noise}", "say is a text"),
        ("  - {say: '" + "x" * 2001 + "', as: noise}", "say has 2001 characters: 2000 are accepted"),
        ('  - {say: "a\\x07b", as: noise}', "holds a character that cannot be printed"),
        ("  - {say: <idle>, as: noise}", "'<idle>' would be a frame of the protocol"),
        ("  - {say: <!seed!>1, as: noise}", "'<!seed!>1' would be a frame of the protocol"),
        ("  - silent: 3", "the first step has to say something"),
        ("  - {say: hi, as: question}\n  - {silent: 0}", "line 9, scenario one, step 2: silent is a whole number"),
        ("  - {say: hi, as: question}\n  - {silent: 2.5}", "silent is a whole number from 1 to 100"),
        ("  - {say: hi, as: question}\n  - {silent: 2, say: x}", "a silent step has no other key"),
        ("  - {say: hi, as: question, slices: 101}", "slices is a whole number from 1 to 100"),
        ("  - {say: hi, as: question, slices: 000000001999}", "slices is a whole number from 1 to 100"),
        ("  - {say: hi, as: unfinished, slices: end}", "slices: end is for what has an end, and unfinished wants"),
        ("  - {say: hi, as: noise, answer: {has: [a]}}", "answer is for question, interruption, aside, not for noise"),
        ("  - {say: hi, as: question, back: {has: [a]}}", "back is for aside, resume, not for question"),
        ("  - {say: hi, as: question, answer: {}}", "answer checks nothing: give it text, has, any or lacks"),
        ("  - {say: hi, as: question, answer: yes}", "a check such as answer is expected here"),
        ("  - {say: hi, as: question, answer: {has: []}}", "answer's has has 0 items: 1 to 100 are accepted"),
        ("  - {say: hi, as: question, answer: {has: [。]}}", "'。' in answer's has is nothing: full stops do not"),
        ("  - {say: hi, as: question, answer: {has: [.]}}", "'.' in answer's has is nothing: full stops do not count"),
        ("  - {say: hi, as: question, answer: {lacks: […]}}", "'…' in answer's lacks is nothing: full stops"),
        ("  - {say: hi, as: question, answer: {regex: a}}", "'regex' is no key of a check such as answer"),
        ("  - {say: stop, as: stop}", "nothing was asked before that could be going on: stop comes after a question"),
        ("  - {say: a, as: question}\n  - {say: b, as: resume}", "no stop comes before it"),
        ("  - {say: a, as: question}\n  - {say: b, as: aside}", "aside needs back"),
    ],
)  # fmt: skip
def test_a_step_that_breaks_a_rule_is_refused_in_one_line(steps: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read(f"{HEAD}{steps}\n")
    message = str(refused.value)
    assert message.startswith("file.yaml, line ")
    assert complaint in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "file.yaml: the file is empty"),
        ("# nothing\n", "file.yaml: the file is empty"),
        ("[]", "line 1: a scenario set is expected here"),
        ("name: a\n", "the set has no about"),
        ("name: Kitchen Two\nabout: a\nscenarios: []", "the set's name 'Kitchen Two' is not accepted"),
        ("name: a\nabout: b\nscenarios: []", "line 3: scenarios has 0 items"),
        ("name: a\nabout: b\nscenarios: {}", "line 3: scenarios is a list"),
        ("name: a\nabout: b\nscenarios:\n- id: one\n  steps: 3", "line 4, scenario one: it has no category"),
        ("name: a\nabout: b\nscenarios:\n- 1", "line 4, scenario 1: a scenario is expected here"),
        (HEAD.replace("basic", "sports") + GOOD, "line 5, scenario one: 'sports' is no category"),
        (HEAD.replace(": en", ": English") + GOOD, "the language 'English' is not accepted: write en or zh-Hans"),
        (HEAD + GOOD + HEAD[HEAD.index("- id") :] + GOOD, "line 18: the id one stands twice"),
        ("a: &x 1\nb: *x\n", "line 2: aliases such as *x are not accepted"),
        ("a: " + "[" * 100_000, "line 1: nested more than 16 deep"),
        ("a: b: c", "line 1: not YAML"),
        ("a: 1\n---\nb: 2\n", "line 2: not YAML"),
        ("\x00", "not YAML"),
        ("a: !!python/object/apply:os.system [ls]", "'a' is no key of a scenario set"),
    ],
)
def test_a_file_that_is_no_set_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read(text)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_too_large_or_no_text_is_refused() -> None:
    with pytest.raises(ScenarioError, match="larger than 8 MiB"):
        parse_tree(b"#" * (LARGEST_FILE + 1), "file.yaml")
    with pytest.raises(ScenarioError, match=r"not a text file in UTF-8 \(byte 2\)"):
        parse_tree(b"# \xff", "file.yaml")


@given(st.text(max_size=60), st.sampled_from(["", HEAD, HEAD + GOOD]))
def test_whatever_is_in_a_file_is_read_or_refused_in_one_line(text: str, before: str) -> None:
    refusal = ""
    try:
        read(before + text)
    except ScenarioError as error:
        refusal = str(error)
    assert "\n" not in refusal


def test_texts_are_what_is_written_whatever_yaml_takes_them_for() -> None:
    steps = "  - {say: no, as: question, answer: {has: [12, yes, 1:30, 0x1f, null]}}\n"
    step = read(HEAD + steps).scenarios[0].steps[0]
    assert isinstance(step, Say)
    assert step.words == "no"
    assert step.answer == Check(has=("12", "yes", "1:30", "0x1f", "null"))


def test_what_joins_letters_and_emoji_is_part_of_a_text() -> None:
    step = read(HEAD + "  - {say: می\u200cخواهم 👩\u200d🍳, as: question}\n").scenarios[0].steps[0]
    assert isinstance(step, Say)
    assert step.words == "می\u200cخواهم 👩\u200d🍳"


@pytest.mark.real
def test_shipped_sets_are_found_by_their_names_and_others_by_their_paths(tmp_path: Path) -> None:
    for name, path in shipped_sets().items():
        assert read_set(name).scenarios == read_set(str(path)).scenarios
    own = tmp_path / "own.yaml"
    own.write_text(HEAD + GOOD)
    assert read_set(str(own)).name == "kitchen"
    with pytest.raises(ScenarioError, match=r"there is no scenario set 'nothing': shipped are .*general-en"):
        read_set("nothing")
    with pytest.raises(ScenarioError, match="cannot read the scenarios"):
        read_set(str(tmp_path))
