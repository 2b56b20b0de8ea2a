"""Scenario sets: scripted conversations, and what is right in them. Reads and checks the files; plays nothing.

docs/evaluation.md describes the format; what a file may not say is refused here with its line, so that whoever plays
and scores can rely on it.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from importlib import resources
from pathlib import Path

import yaml

from clients.eval_yaml import Place, ScenarioError, count, mapping, read_tree, required, sequence, text, texts
from clients.words import clean

CATEGORIES = ("basic", "interweaving", "termination", "regeneration", "reset", "back_on_topic")

MOST_SCENARIOS = 20_000
MOST_STEPS = 200  # in a scenario
MOST_SLICES = 100  # in a step
MOST_CHECKS = 100  # texts in a list
LONGEST_SLICE = 2_000  # characters the user says at a time
LONGEST_MESSAGE = 20_000  # characters of an expected message

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SAYS_NOTHING = re.compile(r"[\s.。]*")


class Kind(str, Enum):
    """What a user slice is, and so what is right in reply to it."""

    UNFINISHED = "unfinished"
    QUESTION = "question"
    INTERRUPTION = "interruption"
    ASIDE = "aside"
    NOISE = "noise"
    STOP = "stop"
    RESUME = "resume"


REQUESTS = frozenset({Kind.QUESTION, Kind.INTERRUPTION, Kind.ASIDE})  # want an answer
_GO_BACK = frozenset({Kind.ASIDE, Kind.RESUME})  # want an interrupted message to go on
DEFAULT_SLICES = {Kind.UNFINISHED: 1, Kind.NOISE: 2, Kind.STOP: 2, Kind.RESUME: 2}
_ENDLESS = frozenset({*REQUESTS, Kind.NOISE, Kind.RESUME})  # may be listened to until their end


@dataclass(frozen=True)
class Check:
    """What must hold of words that were heard: all of it. White space and full stops count for nothing."""

    text: tuple[str, ...] = ()  # the whole message is one of these
    has: tuple[str, ...] = ()  # each of these occurs; case folded, as the next two
    any: tuple[str, ...] = ()  # one or more of these occurs
    lacks: tuple[str, ...] = ()  # none of these occurs


@dataclass(frozen=True)
class Say:
    """One user slice of words, and how long is listened: `slices`, its own reply included; None: to the end."""

    words: str
    kind: Kind
    slices: int | None
    answer: Check | None
    back: Check | None


@dataclass(frozen=True)
class Silent:
    """So many slices in which the user says nothing."""

    slices: int


Step = Say | Silent


@dataclass(frozen=True)
class Scenario:
    """One scripted conversation. The first step says something; ids are unique in a set."""

    id: str
    category: str
    language: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class ScenarioSet:
    name: str
    about: str
    scenarios: tuple[Scenario, ...]

    @property
    def digest(self) -> str:
        """Changes with anything that is said or judged; comments and the order of keys do not count."""
        said = json.dumps([asdict(one) for one in self.scenarios], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def shipped_sets() -> dict[str, Path]:
    """The sets that come with the client: their files by their names."""
    folder = Path(str(resources.files("clients"))) / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_set(name_or_path: str) -> ScenarioSet:
    """A shipped set by its name, any other by its path.

    Raises:
        ScenarioError: There is none, or it breaks a rule of the format.
    """
    shipped = shipped_sets()
    try:
        return build_set(*read_tree(shipped.get(name_or_path, Path(name_or_path))))
    except FileNotFoundError:
        raise ScenarioError(
            f"there is no scenario set {name_or_path!r}: shipped are {', '.join(shipped) or 'none'}; "
            "for one of your own give the file's path"
        ) from None


def build_set(root: yaml.Node, place: Place) -> ScenarioSet:
    """The set whose tree `root` is."""
    found = mapping(root, place, "a scenario set", ("name", "about", "scenarios"))
    name = _matching(_NAME, required(found, "name", place, "the set"), place, "the set's name")
    about = text(required(found, "about", place, "the set"), place, "about", LONGEST_SLICE)
    ids: set[str] = set()
    scenarios = []
    nodes = sequence(required(found, "scenarios", place, "the set"), place, "scenarios", MOST_SCENARIOS)
    for number, node in enumerate(nodes, start=1):
        scenario = _build_scenario(node, place.inside(f"scenario {number}"), place)
        if scenario.id in ids:
            raise place.at(node).error(f"the id {scenario.id} stands twice")
        ids.add(scenario.id)
        scenarios.append(scenario)
    return ScenarioSet(name, about, tuple(scenarios))


def _build_scenario(node: yaml.Node, nameless: Place, place: Place) -> Scenario:
    found = mapping(node, nameless, "a scenario", ("id", "category", "language", "steps"))
    nameless = nameless.at(node)
    id_ = _matching(_NAME, required(found, "id", nameless, "it"), nameless, "the id")
    place = place.at(node).inside(f"scenario {id_}")
    category = text(required(found, "category", place, "it"), place, "category", 80)
    if category not in CATEGORIES:
        raise place.at(found["category"]).error(f"{category!r} is no category: there are {', '.join(CATEGORIES)}")
    language = _matching(_LANGUAGE, required(found, "language", place, "it"), place, "the language")
    nodes = sequence(required(found, "steps", place, "it"), place, "steps", MOST_STEPS)
    steps: list[Step] = []
    for number, one in enumerate(nodes, start=1):
        where = place.at(one).inside(f"step {number}")
        steps.append(_build_step(one, where))
        _check_order(steps, where)
    return Scenario(id_, category, language, tuple(steps))


def _matching(pattern: re.Pattern[str], node: yaml.Node, place: Place, what: str) -> str:
    written = text(node, place, what, 200)
    if not pattern.fullmatch(written):
        example = "en or zh-Hans" if pattern is _LANGUAGE else "small letters, digits, dots, dashes, such as stop-007"
        raise place.at(node).error(f"{what} {written!r} is not accepted: write {example}")
    return written


def _build_step(node: yaml.Node, place: Place) -> Step:
    found = mapping(node, place, "a step", ("say", "as", "slices", "answer", "back", "silent"))
    if "silent" in found:
        if len(found) > 1:
            raise place.error("a silent step has no other key: say in a step of its own")
        return Silent(count(found["silent"], place, "silent", MOST_SLICES))
    words = text(required(found, "say", place, "it"), place, "say", LONGEST_SLICE)
    if words.startswith("<!") or words == "<idle>" or clean(words) != words:
        raise place.at(found["say"]).error(f"{words!r} would be a frame of the protocol: write other words")
    written = text(required(found, "as", place, "it"), place, "as", 80)
    if written not in list(Kind):
        raise place.at(found["as"]).error(f"{written!r} is nothing to say words as: there are {', '.join(Kind)}")
    kind = Kind(written)
    slices = DEFAULT_SLICES.get(kind)
    if "slices" in found:
        if getattr(found["slices"], "value", None) == "end":
            slices = None
            if kind not in _ENDLESS:
                raise place.error(f"slices: end is for what has an end, and {kind.value} wants silence: give a number")
        else:
            slices = count(found["slices"], place, "slices", MOST_SLICES)
    for key, kinds in (("answer", REQUESTS), ("back", _GO_BACK)):
        if key in found and kind not in kinds:
            raise place.at(found[key]).error(
                f"{key} is for {', '.join(one.value for one in Kind if one in kinds)}, not for {kind.value}"
            )
    answer = _build_check(found["answer"], place, "answer") if "answer" in found else None
    back = _build_check(found["back"], place, "back") if "back" in found else None
    return Say(words, kind, slices, answer, back)


def _build_check(node: yaml.Node, place: Place, what: str) -> Check:
    found = mapping(node, place, f"a check such as {what}", ("text", "has", "any", "lacks"))
    if not found:
        raise place.at(node).error(f"{what} checks nothing: give it text, has, any or lacks")
    checks = {key: texts(one, place, f"{what}'s {key}", LONGEST_MESSAGE, MOST_CHECKS) for key, one in found.items()}
    for key, ones in checks.items():
        for one in ones:
            # An ellipsis is three full stops where words are compared.
            if _SAYS_NOTHING.fullmatch(unicodedata.normalize("NFKC", one)):
                raise place.at(found[key]).error(f"{one!r} in {what}'s {key} is nothing: full stops do not count")
    return Check(**checks)


def _check_order(steps: Sequence[Step], place: Place) -> None:
    """Refuses a last step that makes no sense after those before it."""
    *before, last = steps
    if isinstance(last, Silent):
        if not before:
            raise place.error("the first step has to say something")
        return
    requests = [one for one in before if isinstance(one, Say) and one.kind in REQUESTS]
    if last.kind in (Kind.INTERRUPTION, Kind.ASIDE, Kind.STOP, Kind.RESUME) and not requests:
        raise place.error(f"nothing was asked before that could be going on: {last.kind.value} comes after a question")
    if last.kind is Kind.RESUME and not any(isinstance(one, Say) and one.kind is Kind.STOP for one in before):
        raise place.error("resume goes on with what a stop has interrupted, and no stop comes before it")
    if last.kind in _GO_BACK and last.back is None:
        interrupted = interrupted_by(before)
        if interrupted is None or interrupted.answer is None or not interrupted.answer.text:
            raise place.error(f"{last.kind.value} needs back: the text of the interrupted message is not known")


def interrupted_by(before: Sequence[Step]) -> Say | None:
    """The request whose answer is to be going on after these steps: the last one that is not an aside.

    An aside's own answer is over when the interrupted message goes on.
    """
    for step in reversed(before):
        if isinstance(step, Say) and step.kind in (Kind.QUESTION, Kind.INTERRUPTION):
            return step
    return None
