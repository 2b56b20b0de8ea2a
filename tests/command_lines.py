"""The three programs' real parsers, for tests of what is said about them: help, documentation, completion."""

from __future__ import annotations

import shlex
from typing import Any

import typer

import clients.command
import convert.cli
import edge_server.command

PROGRAMS: dict[str, Any] = {
    "edge-server": typer.main.get_command(edge_server.command.app),
    "edge-convert": typer.main.get_command(convert.cli.app),
    "edge-chat": typer.main.get_command(clients.command.app),
}
USAGE_ERROR: Any = typer.BadParameter.__mro__[1]


def parse(line: str) -> Any:
    """Parses a command line as the program would, without doing anything; returns the context of the command.

    Raises what the parser raises: `USAGE_ERROR`, or `typer.Exit` after an option such as --help.
    """
    program, *words = shlex.split(line, comments=True)
    context = PROGRAMS[program].make_context(program, words)
    protected = context._protected_args if hasattr(context, "_protected_args") else context.protected_args
    words = [*protected, *context.args]
    if words and hasattr(context.command, "commands"):
        name, command, words = context.command.resolve_command(context, words)
        context = command.make_context(name, words, parent=context)
    return context


def commands() -> dict[str, tuple[Any, Any]]:
    """Every program and command by its name, with a context."""
    found = {}
    for program, command in PROGRAMS.items():
        above = command.make_context(program, [], resilient_parsing=True)
        found[program] = (command, above)
        for name, each in command.commands.items():
            found[f"{program} {name}"] = (each, each.make_context(name, [], parent=above, resilient_parsing=True))
    return found
