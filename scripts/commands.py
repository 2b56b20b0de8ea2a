"""Writes docs/commands.md: the pages of `--help` of all commands, as they are. A test holds the file up to date.

make docs
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "commands.md"
WIDTH = 100
HEAD = """# The commands

What `--help` says, of every command; `make docs` writes this page. `--install-completion` of each program has
the shell complete its commands, options and values.
"""


def text() -> str:
    """The page as it should be."""
    sys.path.insert(0, str(ROOT))
    import clients.command
    import convert.cli
    import edge_server.command
    from command_line.page import pages

    programs = (
        ("edge-server", edge_server.command.app),
        ("edge-convert", convert.cli.app),
        ("edge-chat", clients.command.app),
    )
    found = [page for program, app in programs for page in pages(app, program, WIDTH)]
    return "\n".join([HEAD, *(f"## {name}\n\n```\n{shown}```\n" for name, shown in found)])


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
