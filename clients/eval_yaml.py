"""Reads YAML as a tree that knows its lines, so that every complaint about a file can name one.

Knows nothing of what the file is about. Values stay the texts that were written: `no`, `12` and `1:30` are texts
wherever a text is expected, whatever YAML 1.1 takes them for.

Refused are aliases (a small file would unfold into a large tree), keys that stand twice, more than one document, and
nesting deeper than any use of the format: libyaml composes nested collections by recursion in C.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from clients.words import JOINERS

LARGEST_FILE = 8 * 1024 * 1024  # bytes
DEEPEST = 16  # collections inside one another

# Without libyaml the loader in Python does the same, ten times slower.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ScenarioError(ValueError):
    """The file cannot be read or understood. The message is one line that names the file and the place in it."""


class Place:
    """Where in which file: what errors begin with. `inside` makes it more exact as reading goes on."""

    def __init__(self, name: str, line: int | None = None, within: Sequence[str] = ()) -> None:
        self.name = name
        self.line = line
        self.within = tuple(within)

    def inside(self, what: str) -> Place:
        return Place(self.name, self.line, (*self.within, what))

    def at(self, node: yaml.Node) -> Place:
        return Place(self.name, node.start_mark.line + 1, self.within)

    def error(self, message: str) -> ScenarioError:
        where = self.name if self.line is None else f"{self.name}, line {self.line}"
        return ScenarioError(f"{', '.join((where, *self.within))}: {message}")


def read_tree(path: Path) -> tuple[yaml.Node, Place]:
    """The root of the file at `path`, and the place to name in errors.

    Raises:
        FileNotFoundError: There is none.
        ScenarioError: It cannot be read, or is no YAML that is accepted.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ScenarioError(f"cannot read the scenarios {path}: {error.strerror or error}") from None
    return parse_tree(data, str(path))


def parse_tree(data: bytes, name: str) -> tuple[yaml.Node, Place]:
    """As `read_tree`, of the `data` of a file that errors call `name`."""
    place = Place(name)
    if len(data) > LARGEST_FILE:
        raise place.error(f"larger than {LARGEST_FILE // 2**20} MiB: divide it into several sets")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise place.error(f"not a text file in UTF-8 (byte {error.start})") from None
    try:
        _refuse_what_unfolds(text, place)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = place if mark is None else Place(name, mark.line + 1)
        raise where.error(f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise place.error(f"not YAML: {' '.join(str(error).split())}") from None
    if root is None:
        raise place.error("the file is empty")
    return root, place


def _refuse_what_unfolds(text: str, place: Place) -> None:
    depth = 0

    def here(event: yaml.Event) -> Place:
        mark = event.start_mark
        return place if mark is None else Place(place.name, mark.line + 1)

    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise here(event).error(f"nested more than {DEEPEST} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            raise here(event).error(f"aliases such as *{event.anchor} are not accepted: write it out")


def mapping(node: yaml.Node, place: Place, what: str, keys: Iterable[str]) -> dict[str, yaml.Node]:
    """The values of a mapping that may have these `keys`.

    Raises:
        ScenarioError: It is none (`what` is what it should have been), or a key is unknown or stands twice.
    """
    place = place.at(node)
    if not isinstance(node, yaml.MappingNode):
        raise place.error(f"{what} is expected here, with the keys {', '.join(keys)}")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name not in keys:
            close = difflib.get_close_matches(name, list(keys), 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(keys)}"
            raise place.at(key).error(f"{name!r} is no key of {what}: {hint}")
        if name in found:
            raise place.at(key).error(f"the key {name} stands twice")
        found[name] = value
    return found


def sequence(node: yaml.Node, place: Place, what: str, most: int) -> list[yaml.Node]:
    """The items of a list of 1 to `most`."""
    if not isinstance(node, yaml.SequenceNode):
        raise place.at(node).error(f"{what} is a list: begin each item with a dash")
    if not 1 <= len(node.value) <= most:
        raise place.at(node).error(f"{what} has {len(node.value)} items: 1 to {most} are accepted")
    return list(node.value)


def text(node: yaml.Node, place: Place, what: str, longest: int) -> str:
    """A scalar as it is written, white space collapsed, of 1 to `longest` characters."""
    if not isinstance(node, yaml.ScalarNode):
        raise place.at(node).error(f"{what} is a text")
    words = " ".join(node.value.split())
    if not words:
        raise place.at(node).error(f"{what} is empty")
    if len(words) > longest:
        raise place.at(node).error(f"{what} has {len(words)} characters: {longest} are accepted")
    if not words.translate(dict.fromkeys(map(ord, JOINERS))).isprintable():
        raise place.at(node).error(f"{what} holds a character that cannot be printed")
    return words


def texts(node: yaml.Node, place: Place, what: str, longest: int, most: int) -> tuple[str, ...]:
    """One text, or a list of them."""
    if isinstance(node, yaml.ScalarNode):
        return (text(node, place, what, longest),)
    return tuple(text(item, place, what, longest) for item in sequence(node, place, what, most))


def count(node: yaml.Node, place: Place, what: str, most: int) -> int:
    """A whole number from 1 to `most`."""
    written = node.value if isinstance(node, yaml.ScalarNode) else ""
    digits = isinstance(written, str) and written.isascii() and written.isdigit() and len(written) <= 9
    if not (digits and 1 <= int(written) <= most):
        raise place.at(node).error(f"{what} is a whole number from 1 to {most}")
    return int(written)


def required(found: Mapping[str, yaml.Node], key: str, place: Place, what: str) -> yaml.Node:
    if key not in found:
        raise place.error(f"{what} has no {key}")
    return found[key]
