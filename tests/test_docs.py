"""The documentation names what there is: options, make targets, files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from command_line.page import default_of
from scripts import commands as commands_page
from tests.command_lines import USAGE_ERROR, commands, parse

pytestmark = pytest.mark.real  # the server's command line imports llama.cpp
ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted(path for path in (ROOT / "docs").glob("*.*") if path.suffix != ".png")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
NOT_OURS = {"--quiet", "--strict"}  # mypy's


def options() -> set[str]:
    parameters = (each for command, context in commands().values() for each in command.get_params(context))
    return {name for each in parameters for name in (*each.opts, *each.secondary_opts)}


def complaint(line: str) -> str:
    """What the parser says of a command line, if anything."""
    try:
        parse(line)
    except USAGE_ERROR as error:
        return str(error.format_message())
    except typer.Exit:  # --help, --version
        return ""
    return ""


def command_lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Every command line of ours that a page shows, and whether it stands alone, not in a sentence."""
    text = page.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [(line.partition("  #")[0], True) for block in blocks for line in block.splitlines()]
    lines += [(" ".join(span.split()), False) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    for line, alone in lines:
        found = re.fullmatch(r"(?:\.venv/bin/)?(edge-(?:server|convert|chat)\b.*?)\s*", line)
        if found:
            yield found[1], alone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_in_the_documentation_exists(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text()))
    assert named - NOT_OURS <= options()


@pytest.mark.parametrize("page", [page for page in PAGES if page.suffix == ".md"], ids=lambda page: page.name)
def test_every_command_line_in_the_documentation_can_be_given(page: Path) -> None:
    """An option must be one of that command, its value of the right kind. A sentence may leave out what is needed."""
    for line, alone in command_lines(page):
        wrong = complaint(re.sub(r"[\[\]]", "", line))
        assert not wrong or (not alone and wrong.startswith("Missing argument")), (line, wrong)


def test_command_lines_are_found_and_checked() -> None:
    found = {line for page in PAGES for line, _ in command_lines(page)}
    assert {"edge-server run", "edge-server tune --model FILE", "edge-convert ladder pocket"} <= {
        re.sub(r"[\[\]]", "", line) for line in found
    }
    assert len(found) > 25
    for line in ("edge-server run --quant q8_0", "edge-server tune --seed 1", "edge-server run --port many"):
        assert complaint(line)
    assert complaint("edge-convert --quant q8_0").startswith("Missing argument")


def test_defaults_in_tables_of_options_are_those_of_the_help() -> None:
    found = 0
    for page, command in ((ROOT / "docs" / "quantization.md", "edge-convert ladder"),):
        parameters = {name: each for each in commands()[command][0].params for name in each.opts}
        for option, said in re.findall(r"^\| `(--[a-z-]+)` \| ([^|]+?) \|", page.read_text(), re.MULTILINE):
            assert default_of(parameters[option]) == said.replace("`", ""), option
            found += 1
    assert found >= 7


def test_the_defaults_that_are_explained_are_those_of_the_help() -> None:
    parameters = {name: each for each in commands()["edge-server run"][0].params for name in each.opts}
    text = (ROOT / "docs" / "tuning.md").read_text()
    explained = re.findall(r"^(?:- )?\*\*`(--[a-z-]+) ([\w.]+)[`:]", text, re.MULTILINE)
    assert {option for option, _ in explained} >= {"--batch", "--ration", "--kv-type", "--flash-attention"}
    for option, value in explained:
        assert default_of(parameters[option]) == value, option


def test_the_page_of_all_commands_is_up_to_date() -> None:
    written = commands_page.PAGE.read_text(encoding="utf-8")
    assert written == commands_page.text(), "run: make docs"
    for name in ("edge-server run", "edge-server doctor", "edge-server tune", "edge-convert ladder"):
        assert f"\n## {name}\n" in written


def test_every_make_target_in_the_documentation_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"\bmake ([a-z-]+)(?=[ `\n])", page.read_text()))
        assert {name for name in named if name not in ("new", "is", "pancakes")} <= targets, page


def test_every_path_in_the_readmes_tree_exists() -> None:
    tree = re.search(r"## The tree\n\n```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert tree
    folder = Path()
    for line in tree[1].splitlines():
        indent, names = re.match(r"( *)((?:\S+ {1,2})*\S+)", line).groups()  # type: ignore[union-attr]
        for name in re.findall(r"\S+\.\w+|\S+/|Makefile", names if len(names) < 30 else names[:30]):
            path = (folder if indent else Path()) / name
            assert (ROOT / path).exists(), path
            if name.endswith("/") and not indent:
                folder = Path(name)


def test_every_picture_and_page_that_the_readme_shows_exists() -> None:
    named = re.findall(r"\]\(([^)#:]+)[)#]", (ROOT / "README.md").read_text())
    assert "docs/page.png" in named
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert all(path.stat().st_size < 150_000 for path in (ROOT / "docs").glob("*.png"))


def test_a_python_that_is_too_old_is_told_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python-old"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo "Python 3.9.6";; *) exit 1;; esac\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["sh", str(ROOT / "scripts" / "setup.sh"), str(tmp_path / "venv")],
        env={"PYTHON": str(old), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("setup: Python 3.9.6 is too old; install Python 3.10 or newer")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "venv").exists()


def test_the_setup_builds_the_bindings_that_the_project_asks_for() -> None:
    pinned = re.search(r'"(llama-cpp-python==[\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert pinned
    assert f"bindings='{pinned[1]}'" in (ROOT / "scripts" / "setup.sh").read_text()
