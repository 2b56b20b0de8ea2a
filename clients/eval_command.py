"""edge-chat eval: its options.

0: played and scored, or checked. 1: no connection, or a result could not be written. 2: bad usage, or a scenario set
that is not accepted. 130: Ctrl-C; what was finished is shown.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from command_line import complete
from command_line.page import Page

if TYPE_CHECKING:
    from clients.eval_run import Options

DEFAULT_URL = "ws://localhost:8765"
SHORTEST_CLOCK, LONGEST_CLOCK = 0.01, 60.0


PAGE = Page(
    examples=(
        ("edge-chat eval", "plays the set for the pocket model against ws://localhost:8765"),
        (
            "edge-chat eval general-en --limit 5 --json scores.json",
            "five of each category, with the scores as JSON",
        ),
        ("edge-chat eval --out played.jsonl --misses 3", "goes on where it ended; shows what went wrong"),
        ("edge-chat eval my-own.yaml --check", "reads a set of one's own, and counts what is in it"),
    ),
    ends=(
        ("0", "played and scored, whatever the scores; or the set was checked"),
        ("1", "no connection, or a result could not be written"),
        ("2", "an option or a set of scenarios that cannot be used"),
        ("130", "Ctrl-C; what was finished is scored"),
    ),
    more=(("docs/evaluation.md", "the metrics, the format of the scenarios, the JSON"),),
)

_SCENARIOS, _PLAYING, _OUTPUT = "Scenarios", "Playing", "Output"


def _shipped() -> list[str]:
    from clients.eval_scenarios import shipped_sets

    return sorted(shipped_sets())


def _complete_set(incomplete: str) -> list[str]:
    return [name for name in _shipped() if name.startswith(incomplete)]


def _complete_category(incomplete: str) -> list[str]:
    from clients.eval_scenarios import CATEGORIES

    return [name for name in CATEGORIES if name.startswith(incomplete)]


def evaluate(
    scenarios: Annotated[
        str,
        typer.Argument(
            metavar="[SET]",
            help="The scenario set: the name of a shipped one, or a YAML file.",
            autocompletion=_complete_set,
        ),
    ] = "pocket",
    category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=_SCENARIOS,
            help="Only scenarios of this category (basic, interweaving, termination, regeneration, reset or "
            "back_on_topic); may be given several times.",
            show_default="all",
            autocompletion=_complete_category,
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            rich_help_panel=_SCENARIOS,
            help="Only scenarios in this language, such as en or zh.",
            show_default="all",
            autocompletion=complete.words("en", "zh"),
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="COUNT",
            rich_help_panel=_SCENARIOS,
            help="So many scenarios of each category at most, 1 or more.",
            show_default="all",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", rich_help_panel=_SCENARIOS, help="Only read the set, and count what is in it."),
    ] = False,
    list_sets: Annotated[
        bool, typer.Option("--list", rich_help_panel=_SCENARIOS, help="Only list the shipped sets.")
    ] = False,
    url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            rich_help_panel=_PLAYING,
            help="The server's address, ws:// or wss://.",
            autocompletion=complete.words(DEFAULT_URL),
        ),
    ] = DEFAULT_URL,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="NUMBER",
            rich_help_panel=_PLAYING,
            help="Where the server's random numbers come from, if it lets a client say; 0 or more.",
        ),
    ] = 1,
    clock: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel=_PLAYING,
            help="Play in real time: a slice every so many seconds, 0.01 to 60.",
            show_default="as fast as the server reports slices, or every 2 seconds if it does not",
        ),
    ] = None,
    patience: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            metavar="SLICES",
            rich_help_panel=_PLAYING,
            help="Silent slices after which a reply is no longer waited for, 1 to 100.",
        ),
    ] = 3,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel=_PLAYING,
            help="How long to wait for a server that does not answer, 0 or more.",
        ),
    ] = 10.0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Keep what was played in this file; the same command goes on where it ended.",
            autocompletion=complete.files,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", rich_help_panel=_OUTPUT, help="Throw away what the file of --out holds.")
    ] = False,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Write the metrics to this file, as JSON.",
            autocompletion=complete.files,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Draw the metrics to this .png or .svg file (needs matplotlib).",
            autocompletion=complete.files,
        ),
    ] = None,
    misses: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="COUNT",
            rich_help_panel=_OUTPUT,
            help="Show so many misses of each metric with their dialogues, 0 or more.",
        ),
    ] = 0,
) -> None:
    """Play scripted conversations against a server, and score how well it converses.

    The table of scores goes to standard output, all else to standard error.
    """
    # The chat starts without what only this needs.
    from clients.eval_run import Options, run

    options = Options(
        scenarios=scenarios,
        url=url,
        categories=tuple(category or ()),
        language=language,
        limit=limit,
        seed=seed,
        clock=clock,
        patience=patience,
        wait=wait,
        out=out,
        fresh=fresh,
        json=json,
        plot=plot,
        misses=misses,
    )
    problem = _problem(options)
    if problem is not None:
        raise typer.BadParameter(problem)
    code = run(options, only="list" if list_sets else "check" if check else None)
    if code:
        raise typer.Exit(code)


def _problem(options: Options) -> str | None:
    """What is wrong with the options together, in one line."""
    clock = options.clock
    if clock is not None and not SHORTEST_CLOCK <= clock <= LONGEST_CLOCK:
        return f"--clock {clock:g} is not a length: it takes {SHORTEST_CLOCK:g} to {LONGEST_CLOCK:g} seconds"
    if not (options.wait >= 0 and math.isfinite(options.wait)):
        return f"--wait {options.wait:g} is not a time: it takes 0 seconds or more"
    if options.fresh and options.out is None:
        return "--fresh throws away what --out holds: give --out too"
    return None
