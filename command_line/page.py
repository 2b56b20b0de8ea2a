"""`--help` as a page: what a command does, examples, its options in groups with units and defaults, exit codes, where
to read on.

Typer's own pages differ from version to version, have columns of types that say nothing, and at 80 columns leave the
texts a quarter of the width. These are plain text of two columns, the same on a terminal (headings bold) and in a file.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

NARROWEST, WIDEST = 40, 100  # columns of a page; between them it is as wide as the terminal
NAMES = 22  # columns of the names of options; what is longer has a line of its own
_OTHERS = "Other"
_TYPERS = {  # options that typer adds, whose texts depend on its version
    "install_completion": "Install completion of commands, options and values for this shell (bash, zsh, fish).",
    "show_completion": "Print what that would install.",
    "help": "Show this page.",
}


@dataclass(frozen=True)
class Page:
    """What a page of help says besides the command's description and options.

    examples: a command line and what it does; the lines are run through the parser by the tests. ends: exit codes and
    what they mean. more: where to read on. usage: in place of what the arguments tell.
    """

    examples: Sequence[tuple[str, str]] = ()
    ends: Sequence[tuple[str, str]] = ()
    more: Sequence[tuple[str, str]] = ()
    usage: str = ""


def command(page: Page) -> type[TyperCommand]:
    """A class for `app.command(cls=...)` whose help is this page."""

    class PageCommand(TyperCommand):
        help_page = page

        def format_help(self, ctx: Any, formatter: Any) -> None:
            formatter.write(self.render(ctx))

        def render(self, ctx: Any, width: int | None = None) -> str:
            return render(self, ctx, page, width=width)

    return PageCommand


def group(page: Page, default: str | None = None) -> type[TyperGroup]:
    """A class for `typer.Typer(cls=...)` whose help is this page.

    default: the command that is meant where the first word is neither a command nor an option of the group's own; its
    options then are on the page too.
    """

    class PageGroup(TyperGroup):
        help_page = page

        def format_help(self, ctx: Any, formatter: Any) -> None:
            formatter.write(self.render(ctx))

        def render(self, ctx: Any, width: int | None = None) -> str:
            return render(self, ctx, page, self.commands[default] if default else None, width)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            own = {name for each in self.get_params(ctx) for name in each.opts}
            if default and args[:1] != [] and args[0] not in self.commands and args[0] not in own:
                args = [default, *args]
            return super().parse_args(ctx, args)

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            found = super().shell_complete(ctx, incomplete)
            if not default:
                return found
            meant = self.commands[default]
            context = meant.make_context(default, [], parent=ctx, resilient_parsing=True)
            if incomplete.startswith("-"):
                known = {one.value for one in found}
                more = [one for one in meant.shell_complete(context, incomplete) if one.value not in known]
            else:
                arguments = [each for each in meant.params if each.param_type_name == "argument"]
                more = arguments[0].shell_complete(context, incomplete) if arguments else []
            return [*found, *more]

    return PageGroup


def one_of(choices: type[Enum]) -> str:
    """The values of an enumeration, as the metavar of an option."""
    return "|".join(str(each.value) for each in choices)


def version_option(program: str, *beside: str) -> Any:
    """An option `--version`; `beside`: other distributions whose versions are told too."""

    def show(asked: bool) -> None:
        if asked:
            told = [f"{program} {_version('edge-duplex')}", *(f"{name} {_version(name)}" for name in beside)]
            typer.echo(", ".join(told))
            raise typer.Exit

    return typer.Option("--version", callback=show, is_eager=True, help="Print the version.")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def pages(app: typer.Typer, program: str, width: int) -> Iterator[tuple[str, str]]:
    """Those of a program and its commands that have a page: how each is called, and its text, plain and so wide."""
    shown: Any = typer.main.get_command(app)
    above = shown.make_context(program, [], resilient_parsing=True)
    below = (one.make_context(name, [], parent=above, resilient_parsing=True) for name, one in shown.commands.items())
    for context in (above, *below):
        if hasattr(context.command, "help_page"):
            yield context.command_path, context.command.render(context, width)


def render(shown: Any, ctx: Any, page: Page, default: Any = None, width: int | None = None) -> str:
    """The page of a command, as text that ends with a newline.

    default: the command of a group that needs no name. width: in columns, and plain; None is as standard output has it.
    """
    bold = _bold if width is None and wants_style(sys.stdout) else str
    width = width or max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    described = default or shown
    commands = [(name, one.get_short_help_str(limit=1000)) for name, one in getattr(shown, "commands", {}).items()]
    lines = [f"{bold('Usage:')} {usage(shown, ctx, page)}", ""]
    for paragraph in (shown.help or "").split("\n\n"):
        lines += [*textwrap.wrap(" ".join(paragraph.split()), width - 2, **_INDENTED), ""]
    groups = dict(options([*(described.params if default else []), *shown.get_params(ctx)]))
    named = [name for records in groups.values() for name, _ in records]
    names = max((len(name) for name in named if len(name) <= NAMES), default=0)  # one column for all options
    sections = [
        ("Examples", page.examples, 0),
        ("Commands", commands, _longest(commands)),
        *((heading, records, names) for heading, records in groups.items()),
        ("Exit codes", page.ends, _longest(page.ends)),
        ("Read on", page.more, _longest(page.more)),
    ]
    for heading, records, column in sections:
        if records:
            lines += [bold(f"{heading}:"), *_columns(records, width, column), ""]
    return "\n".join(lines[:-1]) + "\n"


_INDENTED: dict[str, Any] = {
    "initial_indent": "  ",
    "subsequent_indent": "  ",
    "break_long_words": False,
    "break_on_hyphens": False,
}


def usage(shown: Any, ctx: Any, page: Page) -> str:
    """The command line in general: `edge-server run [OPTIONS]`."""
    arguments = [_metavar(each) for each in shown.params if each.param_type_name == "argument"]
    what = [*arguments, *(["COMMAND ..."] if hasattr(shown, "commands") else [])]
    return page.usage or " ".join([ctx.command_path.strip(), "[OPTIONS]", *what])


def options(parameters: Sequence[Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The parameters under their headings, as names and texts: the headings in the order in which they come first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in parameters:
        if getattr(each, "hidden", False):
            continue
        heading = "Arguments" if each.param_type_name == "argument" else getattr(each, "rich_help_panel", None)
        found.setdefault(heading or _OTHERS, []).append(record(each))
    others = found.pop(_OTHERS, None)
    yield from found.items()
    if others:
        yield _OTHERS if found else "Options", others


def record(parameter: Any) -> tuple[str, str]:
    """A parameter's names, with what its value is, and its text, with its default in brackets."""
    text = _TYPERS.get(parameter.name) or (parameter.help or "").strip()
    told = default_of(parameter)
    if parameter.param_type_name == "argument":
        return _metavar(parameter), f"{text} [default: {told}]" if told else text
    names = ", ".join(sorted(parameter.opts, key=len))
    if parameter.secondary_opts:
        names += f" / {', '.join(parameter.secondary_opts)}"
    if not parameter.is_flag:
        names += f" {_metavar(parameter)}"
    required = " [required]" if parameter.required else ""
    return names, f"{text}{required}{f' [default: {told}]' if told else ''}"


def default_of(parameter: Any) -> str:
    """The default as it is shown; empty where there is none to be shown, as with a flag that is off."""
    said, value = getattr(parameter, "show_default", None), parameter.default
    if isinstance(said, str):
        return said
    if said is False or value is None or callable(value) or value in ("", (), []):
        return ""
    if isinstance(value, bool):
        return (parameter.opts if value else parameter.secondary_opts)[0] if parameter.secondary_opts else ""
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or (parameter.name or "").upper())


def _longest(records: Sequence[tuple[str, str]]) -> int:
    return max((len(name) for name, _ in records), default=0)


def _columns(records: Sequence[tuple[str, str]], width: int, column: int) -> Iterator[str]:
    """Names in a column so wide, and texts behind them, wrapped; with a column of 0, each text below its name."""
    indent = column + 4
    for name, text in records:
        kept = text.replace("[default: ", "[default:\xa0")  # whose first word stays with it
        wrapped = textwrap.wrap(kept, width - indent - 1, break_long_words=False, break_on_hyphens=False)
        wrapped = [line.replace("\xa0", " ") for line in wrapped]
        if len(name) > column or not wrapped:
            yield f"  {name}"
        else:
            yield f"  {name:<{column}}  {wrapped.pop(0)}"
        yield from (f"{'':{indent}}{line}" for line in wrapped)


def wants_style(stream: Any, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to write bold or colored: to a terminal that knows how, unless the user has said no (no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") not in ("dumb", "unknown")


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"
