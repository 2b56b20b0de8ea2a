"""Every page of help: complete, true, 80 columns wide, and with examples that can be given."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from command_line.page import Page, default_of, pages, record, render, wants_style
from edge_server.config import Config, ConfigError
from tests.command_lines import PROGRAMS, commands, parse

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]
PAGED = {name: found for name, found in commands().items() if hasattr(found[0], "help_page")}
OWN = ("help", "install_completion", "show_completion")  # typer's; but for the texts


def page_of(name: str) -> tuple[Any, Any, Page]:
    command, context = PAGED[name]
    return command, context, command.help_page


def test_there_is_one_for_every_command() -> None:
    assert PAGED.keys() == commands().keys()
    assert len(PAGED) == 10


@pytest.mark.parametrize("name", PAGED)
def test_every_option_has_a_group_a_value_a_sentence_and_what_holds_without_it(name: str) -> None:
    command, context, _ = page_of(name)
    text = " ".join(command.render(context, 80).split())
    for each in command.get_params(context):
        shown, told = record(each)
        assert " ".join(told.split()) in text
        assert all(option in text for option in each.opts + each.secondary_opts)
        assert re.match(r"[A-Z].*[.)\]]$", told), told
        if each.name in OWN or each.name == "_version":
            continue
        if each.param_type_name == "option":
            assert each.rich_help_panel, shown
            assert each.is_flag or each.metavar, shown
            off = each.is_flag and not each.secondary_opts
            stated = default_of(each) or each.required or off
            assert stated or each.name in (
                "json",
                "plot",
                "plot_file",
                "eval_args",
                "out",
                "script",
                "record",
                "play",
            ), shown


@pytest.mark.parametrize("name", PAGED)
def test_a_page_has_examples_that_can_be_given_and_pages_that_exist(name: str) -> None:
    _, _, page = page_of(name)
    assert len(page.examples) >= 2
    for line, what in page.examples:
        assert parse(line).command is not None
        assert line.startswith(name.split()[0])
        assert what
    assert page.more
    for where, _ in page.more:
        if where.startswith("docs/"):
            assert (ROOT / where).is_file()
    if " " in name or name == "edge-convert":
        assert {"0", "2", "130"} <= {code for code, _ in page.ends}


@pytest.mark.parametrize("name", PAGED)
def test_a_page_fits_into_80_columns(name: str) -> None:
    command, context, _ = page_of(name)
    text = command.render(context, 80)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\x1b" not in text
    assert max(map(len, command.render(context, 100).splitlines())) > 80


def configured(name: str, value: Any) -> Config:
    given: dict[str, Any] = {name: value}
    return Config(Path(), **given)


def test_the_ranges_that_the_server_s_options_state_are_those_that_it_takes() -> None:
    known, tried = {one.name for one in fields(Config)}, 0
    for each in PAGED["edge-server run"][0].params:
        found = re.search(r"(?:^|\s)(?:(above )?(-?[\d.]*\d) to (-?[\d.]*\d)|(\d+) or more)\b", each.help or "")
        if each.name not in known or found is None:
            continue
        above, low, high, least = found.groups()
        kind = float if isinstance(each.default, float) else int
        first = kind(low or least)
        inside, outside = [] if above else [first], [first if above else first - 1]
        if high is not None:
            inside.append(kind(high))
            outside.append(kind(high) + 1)
        for value in inside:
            configured(each.name, value)
        for value in outside:
            with pytest.raises(ConfigError):
                configured(each.name, value)
        tried += 1
    assert tried >= 12


def test_the_defaults_that_the_server_s_options_state_are_the_configuration_s() -> None:
    stated = {each.name: each.default for each in PAGED["edge-server run"][0].params}
    config = Config(Path())
    for one in fields(Config):
        if one.name in stated and one.name != "model":
            value = stated[one.name]
            assert getattr(value, "value", value) == getattr(config, one.name), one.name


def test_help_is_plain_in_a_pipe_and_bold_on_a_terminal_that_may(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from edge_server.cli import main; main()", "run", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith("Usage: edge-server run [OPTIONS]\n")

    class Terminal:
        def isatty(self) -> bool:
            return True

    assert wants_style(Terminal(), {"TERM": "xterm"})
    assert wants_style(Terminal(), {"TERM": "xterm", "NO_COLOR": ""})
    assert not wants_style(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_style(Terminal(), {"TERM": "dumb"})
    with (tmp_path / "file").open("w") as file:
        assert not wants_style(file, {"TERM": "xterm"})


def test_the_page_of_a_program_with_a_default_command_has_its_options() -> None:
    import convert.cli

    shown = dict(pages(convert.cli.app, "edge-convert", 80))
    assert list(shown) == ["edge-convert", "edge-convert convert", "edge-convert ladder", "edge-convert imatrix"]
    assert "--quant TYPE" in shown["edge-convert"]
    assert "--version" in shown["edge-convert"]
    assert "--version" not in shown["edge-convert convert"]


def test_long_names_have_a_line_of_their_own_and_words_are_kept_whole() -> None:
    command, context = PROGRAMS["edge-server"].commands["run"], PAGED["edge-server run"][1]
    text = render(command, context, Page(), width=60)
    assert re.search(r"^  --look-ahead / --no-look-ahead\n {10,}Prepare", text, re.MULTILINE)
    assert not re.search(r"\[default:$", text, re.MULTILINE)


def test_an_example_that_is_cheap_does_what_it_says(tmp_path: Path) -> None:
    line = next(line for line, _ in page_of("edge-server doctor")[2].examples if "--no-speed" in line)
    code = "from edge_server.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *line.split()[1:]], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.returncode in (0, 1)
    assert '"findings"' in done.stdout
