"""The documentation names what there is: options, make targets, files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

import clients.command
import convert.cli
import edge_server.command

pytestmark = pytest.mark.real  # the server's command line imports llama.cpp
ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted(path for path in (ROOT / "docs").glob("*.*") if path.suffix != ".png")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
NOT_OURS = {"--quiet", "--strict"}  # mypy's


def options() -> set[str]:
    found: set[str] = set()
    for app in (clients.command.app, convert.cli.app, edge_server.command.app):
        command = typer.main.get_command(app)
        for each in (command, *getattr(command, "commands", {}).values()):
            for parameter in each.params:
                found.update(parameter.opts, parameter.secondary_opts)
    return found | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_in_the_documentation_exists(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text()))
    assert named - NOT_OURS <= options()


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
