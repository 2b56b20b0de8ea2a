"""The documentation names what there is: options, make targets, files."""

from __future__ import annotations

import configparser
import plistlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

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


@pytest.mark.parametrize("folder", ["edge_server", "clients"])
def test_the_readmes_tree_has_a_line_for_every_module(folder: str) -> None:
    """Of edge-chat eval one stands for all."""
    tree = re.search(rf"^{folder}/ .*\n((?: .*\n)*)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert tree
    modules = {path.name for path in (ROOT / folder).glob("*.py") if not path.name.startswith(("_", "eval_"))}
    assert modules - set(re.findall(r"\w+\.py", tree[1])) == set()


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


def test_setting_up_again_keeps_the_python_of_the_environment(tmp_path: Path) -> None:
    """As with macOS, whose own python3 is too old: PYTHON was given once, and is not again after a git pull."""
    programs, venv = tmp_path / "bin", tmp_path / "venv"
    programs.mkdir()
    old = programs / "python3"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo "Python 3.9.6";; *) exit 1;; esac\n')
    old.chmod(0o755)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=120)
    done = subprocess.run(
        ["sh", str(ROOT / "scripts" / "setup.sh"), str(venv)],
        env={"PYTHON": "", "PATH": f"{programs}:/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "too old" not in done.stderr
    assert "the build of llama-cpp-python" in done.stderr  # as far as one comes without a registry
    assert (venv / "bin" / "python").exists()


def test_the_setup_builds_the_bindings_that_the_project_asks_for() -> None:
    pinned = re.search(r'"(llama-cpp-python==[\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert pinned
    assert f"bindings='{pinned[1]}'" in (ROOT / "scripts" / "setup.sh").read_text()


# --- guides, drawings, the README in two languages

# Options that the guides name and that are not ours: those of xcode-select, systemctl and journalctl.
NOT_OURS.update({"--install", "--now", "--user"})
GUIDES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *(ROOT / "docs").glob("*.md")]
DRAWINGS = ("slices", "look-ahead", "barge-in", "false-alarm", "sliding", "pool", "threads")


def anchors(page: Path) -> set[str]:
    """What GitHub calls the page's headings: small letters, spaces as dashes, without punctuation."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"\n", " ", text))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = page if not path else (page.parent / path).resolve()
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_text_that_can_be_read_aloud_and_in_the_dark(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.svg").read_text()
    root = ElementTree.fromstring(text)  # noqa: S314 - a file of our own
    space = "{http://www.w3.org/2000/svg}"
    for part in ("title", "desc"):
        found = root.find(space + part)
        assert found is not None
        assert found.text
        assert found.get("id") in (root.get("aria-labelledby") or "").split()
    assert root.findall(f"{space}text")
    assert "prefers-color-scheme: dark" in text
    classes = {word for element in root.iter() for word in (element.get("class") or "").split()}
    assert {word for word in classes if f".{word}" not in text} == set()
    assert f"]({name}.svg)" in (ROOT / "docs" / "how-it-works.md").read_text()


@dataclass(frozen=True)
class Shape:
    """What two languages of a page have in common."""

    headings: list[int]
    commands: list[str]
    rows: list[int]
    links: list[str]
    code: set[str]
    figures: list[list[str]]

    @classmethod
    def of(cls, page: Path) -> Shape:
        text = re.sub(r"(\d+) 万", lambda ten_thousands: f"{int(ten_thousands[1]) / 100:g} million", page.read_text())
        blocks: list[str] = []
        for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            if block.startswith("Makefile"):  # the tree: the translation has the top of it
                lines = sorted({line.split("/")[0].split()[0] for line in block.splitlines() if line[0] != " "})
            elif kind == "sh":
                lines = [re.sub(r"\s+#.*", "", line) for line in block.splitlines()]
            else:
                lines = block.splitlines()
            blocks.append("\n".join(lines))
        prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        tables = re.findall(r"(?:^\|.*\n)+", prose, re.MULTILINE)
        sections = re.split(r"^## .*\n", prose, flags=re.MULTILINE)
        return cls(
            [len(mark) for mark in re.findall(r"^(#+) ", prose, re.MULTILINE)],
            blocks,
            [table.count("\n") for table in tables],
            [link for link in links(page) if not link.startswith("README")],
            set(re.findall(r"`([^`\n]+)`", prose)),
            [sorted(re.findall(r"\d[\d.,]*\d|\d", re.sub(r"\]\([^)]*\)", "]", section))) for section in sections],
        )


def test_the_readme_says_the_same_in_both_languages() -> None:
    english, chinese = Shape.of(ROOT / "README.md"), Shape.of(ROOT / "README.zh-CN.md")
    assert chinese == english
    assert english.figures[0]
    assert "README.zh-CN.md" in links(ROOT / "README.md")
    assert "README.md" in links(ROOT / "README.zh-CN.md")


def test_the_chinese_readme_names_options_and_targets_that_exist() -> None:
    text = (ROOT / "README.zh-CN.md").read_text()
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - NOT_OURS <= options()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) - {"pancakes"} <= targets


def test_the_units_for_keeping_it_running_are_well_formed() -> None:
    text = (ROOT / "docs" / "network.md").read_text()
    unit, plist = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("ini", "xml"))
    assert unit
    assert plist
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(unit[1])
    assert parser["Service"]["ExecStart"].endswith("/.venv/bin/edge-server run")
    arguments = plistlib.loads(plist[1].encode())["ProgramArguments"]
    assert [Path(arguments[0]).name, *arguments[1:]] == ["edge-server", "run"]
