"""edge-chat eval: its options.

0: played and scored, or checked. 1: no connection, or a result could not be written. 2: bad usage, or a scenario set
that is not accepted. 130: Ctrl-C; what was finished is shown.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clients.eval_run import Options

DEFAULT_URL = "ws://localhost:8765"
SHORTEST_CLOCK, LONGEST_CLOCK = 0.01, 60.0


def evaluate(
    scenarios: Annotated[
        str, typer.Argument(metavar="[SET]", help="The scenario set: a shipped one's name, or a file.")
    ] = "pocket",
    url: Annotated[str, typer.Option(help="The server's address.")] = DEFAULT_URL,
    category: Annotated[
        list[str] | None, typer.Option(help="Only scenarios of this category; may be given several times.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Only scenarios in this language, such as en or zh.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many scenarios of each category at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where the server's random numbers come from, if it lets.")] = 1,
    clock: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Play in real time: a slice every so many seconds. Without it as fast as the server reports slices, "
            "or every 2 seconds if it does not.",
        ),
    ] = None,
    patience: Annotated[
        int, typer.Option(min=1, max=100, help="Silent slices after which a reply is no longer waited for.")
    ] = 3,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="Seconds to wait for a server that does not answer.")
    ] = 10.0,
    out: Annotated[
        Path | None, typer.Option(help="Keep what was played in this file; the same command goes on where it ended.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what --out holds.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the metrics to this file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the metrics to this .png or .svg file.")] = None,
    misses: Annotated[int, typer.Option(min=0, help="Show so many misses of each metric with their dialogues.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Only read the set, and count what is in it.")] = False,
    list_sets: Annotated[bool, typer.Option("--list", help="Only list the shipped sets.")] = False,
) -> None:
    """Play scripted conversations against a server, and score how well it converses."""
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
