"""edge-chat eval: its options, and how it ends.

0: played and scored, or checked. 1: no connection, or a result could not be written. 2: bad usage, or a scenario set
that is not accepted. 130: Ctrl-C.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated, NoReturn

import typer

from clients.eval_scenarios import CATEGORIES, ScenarioSet, read_set, shipped_sets
from clients.eval_yaml import ScenarioError


def evaluate(
    scenarios: Annotated[
        str, typer.Argument(metavar="[SET]", help="The scenario set: a shipped one's name, or a file.")
    ] = "pocket",
    check: Annotated[bool, typer.Option("--check", help="Only read the set, and count what is in it.")] = False,
    list_sets: Annotated[bool, typer.Option("--list", help="Only list the shipped sets.")] = False,
) -> None:
    """Play scripted conversations against a server, and score how well it converses."""
    try:
        if list_sets:
            for name in shipped_sets():
                found = read_set(name)
                print(f"{name:<12}  {len(found.scenarios):>4} scenarios  {found.about}")
            return
        found = read_set(scenarios)
    except ScenarioError as error:
        _fail(str(error), 2)
    if check:
        print(describe_set(found))
        return


def describe_set(found: ScenarioSet) -> str:
    """How many scenarios of which category and language there are, as lines."""
    counts = Counter((one.category, one.language) for one in found.scenarios)
    lines = [f"{found.name}: {found.about}"]
    for category in CATEGORIES:
        languages = {language: n for (one, language), n in sorted(counts.items()) if one == category}
        shown = f"  ({', '.join(f'{language} {n}' for language, n in languages.items())})" if languages else ""
        lines.append(f"  {category:<14} {sum(languages.values()):>5}{shown}")
    lines.append(f"  {'in all':<14} {len(found.scenarios):>5}")
    return "\n".join(lines)


def _fail(message: str, code: int) -> NoReturn:
    print(f"edge-chat: {message}", file=sys.stderr)
    raise typer.Exit(code)
