"""Who may import whom. Reads the source of the packages; imports none of them.

What a file may know is said in its first lines; here it is held: the state machines know no sockets and no llama.cpp,
the engine does not know where its context comes from, and the three packages convert, edge_server and clients meet on
the wire and in files only. What their command lines have in common is in command_line, which knows none of them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("command_line", "convert", "edge_server", "clients")

_CONVERSATION = frozenset(
    f"edge_server.{name}"
    for name in (
        *("events", "wording", "tokens", "transcript"),
        *("delivery", "rewriting", "settings", "conversation"),
    )
)
_CELLS = frozenset(f"edge_server.{name}" for name in ("context", "tokens", "sequence", "generation"))
_REALTIME = frozenset(f"edge_server.{name}" for name in ("context", "driver", "events", "realtime_items"))
_JUDGING = frozenset(f"clients.eval_{name}" for name in ("matching", "message", "played", "scenarios"))
_NOTHING: frozenset[str] = frozenset()

# Besides the standard library, these modules import no more than this.
ONLY_IMPORTS = {
    "command_line.page": frozenset({"typer"}),
    "command_line.complete": _NOTHING,
    "command_line.bars": frozenset({"rich"}),
    "edge_server.options": frozenset({"command_line", "typer"}),
    "convert.options": frozenset({"command_line", "convert.quantize", "typer"}),
    "edge_server.events": frozenset({"edge_server.tokens"}),
    "edge_server.wording": _NOTHING,
    "edge_server.transcript": frozenset({"edge_server.tokens"}),
    "edge_server.vocabulary": _NOTHING,
    "edge_server.config": _NOTHING,
    "edge_server.context": _NOTHING,
    "edge_server.tokens": _NOTHING,
    "edge_server.machine": _NOTHING,
    "edge_server.tune_search": _NOTHING,
    "edge_server.tune_advice": frozenset({"edge_server.tune_search"}),
    "edge_server.doctor_facts": _NOTHING,
    "edge_server.doctor_judge": frozenset({"edge_server.doctor_facts", "edge_server.tune_advice"}),
    "edge_server.doctor_build": frozenset({"edge_server.doctor_facts", "edge_server.doctor_judge"}),
    "edge_server.doctor_show": frozenset({"edge_server.doctor_judge", "rich"}),
    "edge_server.scheduler": _NOTHING,
    "edge_server.delivery": frozenset({"edge_server.transcript", "edge_server.wording"}),
    "edge_server.rewriting": frozenset(
        f"edge_server.{name}" for name in ("delivery", "events", "settings", "transcript", "wording")
    ),
    "edge_server.settings": frozenset(f"edge_server.{name}" for name in ("delivery", "events", "transcript")),
    "edge_server.conversation": _CONVERSATION,
    "edge_server.session": _CONVERSATION,
    "edge_server.turns": _CONVERSATION,
    "edge_server.upstream": _CONVERSATION,
    "edge_server.protocol": _CONVERSATION,
    "edge_server.sampling": frozenset({"edge_server.context", "numpy"}),
    "edge_server.sequence": frozenset({"edge_server.context", "edge_server.tokens"}),
    "edge_server.generation": frozenset({"edge_server.context", "edge_server.sequence", "edge_server.tokens"}),
    "edge_server.parking": _CELLS,
    "edge_server.pool": _CELLS | {"edge_server.parking"},
    "edge_server.jobs": _CELLS,
    "edge_server.rounds": _CELLS | {f"edge_server.{name}" for name in ("jobs", "pool", "scheduler")},
    "edge_server.engine": _CELLS | {f"edge_server.{name}" for name in ("jobs", "parking", "pool", "rounds")},
    "edge_server.realtime_wire": frozenset({"pydantic", "pydantic_core", "edge_server.config"}),
    "edge_server.realtime_params": frozenset({"edge_server.context", "edge_server.realtime_wire"}),
    "edge_server.realtime_words": frozenset({"edge_server.wording"}),
    "edge_server.realtime_log": _NOTHING,
    "edge_server.realtime_items": frozenset({"edge_server.events", "edge_server.realtime_wire"}),
    "edge_server.realtime_response": _REALTIME,
    "edge_server.realtime_floor": _REALTIME | {"edge_server.realtime_response"},
    "edge_server.realtime_asking": _REALTIME | {"edge_server.realtime_floor"},
    "edge_server.realtime": _REALTIME
    | {f"edge_server.realtime_{name}" for name in ("asking", "floor", "params", "wire", "words")},
    "edge_server.pages": _NOTHING,
    "edge_server.metrics": frozenset({"edge_server.jobs", "prometheus_client"}),
    "clients.words": _NOTHING,
    "clients.pace": _NOTHING,
    "clients.recording": _NOTHING,
    "clients.deeds": frozenset({"clients.recording"}),
    "clients.voice_program": _NOTHING,
    "clients.voice": frozenset({"clients.pace", "clients.voice_program", "clients.words"}),
    "clients.chat": _NOTHING,
    "clients.chat_text": frozenset({"clients.chat", "clients.words"}),
    "clients.realtime_session": frozenset({"clients.chat", "clients.recording"}),
    "clients.stats": _NOTHING,
    "clients.chat_realtime": frozenset(
        {f"clients.{name}" for name in ("chat", "realtime_session", "stats", "words")},
    ),
    "clients.transcript": frozenset({"clients.chat", "clients.paragraphs"}),
    "clients.cli": frozenset({"clients.command"}),
    "clients.eval_yaml": frozenset({"clients.words", "yaml"}),
    "clients.eval_scenarios": frozenset({"clients.eval_yaml", "clients.words", "yaml"}),
    "clients.eval_played": frozenset({"clients.eval_scenarios"}),
    "clients.eval_matching": frozenset({"clients.eval_scenarios"}),
    "clients.eval_message": frozenset({"clients.eval_matching"}),
    "clients.eval_scores": _JUDGING,
    "clients.eval_statistics": _NOTHING,
    "clients.eval_report": _JUDGING | {"clients.eval_scores", "clients.eval_statistics", "clients.words"},
    "clients.eval_record": frozenset({"clients.eval_played"}),
    "edge_server.cli": frozenset({"edge_server.command"}),
    "convert.state_dict": frozenset({"convert.errors"}),
    "convert.quality": frozenset({"numpy"}),
    "convert.ladder_limits": frozenset({"convert.errors"}),
    "convert.ladder_report": _NOTHING,
    "convert.ladder_plot": frozenset({"convert.errors", "matplotlib"}),
    "convert.quality_corpus": frozenset({"convert.errors"}),
}

# These are imported by no more than this: a module, or a package with all that is in it.
ONLY_IMPORTED_BY = {
    "convert": ("convert",),
    "edge_server": ("edge_server",),
    "clients": ("clients",),
    "edge_server.llama_model": ("edge_server.llama",),
    "edge_server.llama": (
        *("edge_server.backend", "edge_server.tune", "edge_server.tune_works"),
        *("edge_server.doctor_find", "edge_server.doctor_speed"),
    ),
    "llama_cpp": (
        "edge_server.llama",
        "edge_server.llama_model",
        "convert.llama_child",
        "convert.llama_model",
        "convert.imatrix_child",
    ),
    "convert.llama_model": ("convert.llama_child", "convert.quality_child", "convert.imatrix_child"),
    "convert.quality_child": ("convert.llama_child", "convert.imatrix_child"),
    "convert.imatrix_child": ("convert.llama_child",),
    "websockets": (
        "edge_server.connection",
        "edge_server.realtime_connection",
        "edge_server.server",
        "clients.connection",
    ),
    "pydantic": ("edge_server.realtime_wire",),
    "prompt_toolkit": ("clients",),
    "rich": ("command_line.bars", "clients.eval_run", "edge_server.doctor", "edge_server.doctor_show"),
    "huggingface_hub": ("convert.hub",),
    "gguf": ("convert",),
    "numpy": ("convert", "edge_server.sampling", "edge_server.llama"),
    "prometheus_client": ("edge_server.metrics",),
    "typer": (
        *("command_line.page", "convert.cli", "convert.options", "clients.command", "clients.eval_command"),
        *("edge_server.command", "edge_server.options"),
    ),
    "yaml": ("clients.eval_yaml", "clients.eval_scenarios"),
    "matplotlib": ("clients.eval_plot", "convert.ladder_plot"),
    "torch": (),
}


def read_sources(root: Path) -> dict[str, str]:
    """Every module of the packages under ``root``, by its dotted name."""
    paths = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
    return {".".join(path.relative_to(root).with_suffix("").parts): path.read_text("utf-8") for path in paths}


def imports(module: str, source: str) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it; of ``from a import b`` it cannot tell: ``a.b``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            yield from (str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def is_within(name: str, module: str) -> bool:
    """Whether a dotted name is a module, or something in it."""
    return name == module or name.startswith(module + ".")


def violations(sources: Mapping[str, str]) -> list[str]:
    """Every import that is against the rules, as ``who imports what``."""
    found = []
    for module, source in sources.items():
        for name in imports(module, source):
            allowed = ONLY_IMPORTS.get(module)
            alien = allowed is not None and name.split(".")[0] not in sys.stdlib_module_names
            forbidden = alien and not any(is_within(name, one) for one in allowed or ())
            for imported, importers in ONLY_IMPORTED_BY.items():
                forbidden |= is_within(name, imported) and not any(is_within(module, one) for one in importers)
            if forbidden:
                found.append(f"{module} imports {name}")
    return found


def test_the_direction_of_imports_holds() -> None:
    assert violations(read_sources(ROOT)) == []


def test_the_rules_speak_of_modules_that_exist() -> None:
    sources = read_sources(ROOT)
    named = {*ONLY_IMPORTS, *(one for importers in ONLY_IMPORTED_BY.values() for one in importers)}
    assert {name for name in named if not any(is_within(module, name) for module in sources)} == set()


@pytest.mark.parametrize(
    ("module", "source", "imported"),
    [
        ("edge_server.session", "import asyncio, websockets", "websockets"),
        ("edge_server.session", "from edge_server.engine import Engine", "edge_server.engine.Engine"),
        ("edge_server.session", "from edge_server import engine", "edge_server.engine"),
        ("edge_server.session", "from . import engine", "edge_server.engine"),
        ("edge_server.session", "from .engine import Engine", "edge_server.engine.Engine"),
        ("edge_server.__init__", "from .llama import Model", "edge_server.llama.Model"),
        ("edge_server.config", "if TYPE_CHECKING:\n    import edge_server.events", "edge_server.events"),
        ("edge_server.events", "def late() -> None:\n    import numpy.typing", "numpy.typing"),
        ("edge_server.engine", "from edge_server.llama import Context", "edge_server.llama.Context"),
        ("edge_server.server", "from edge_server.llama import Context", "edge_server.llama.Context"),
        ("edge_server.sampling", "from edge_server.llama import Context", "edge_server.llama.Context"),
        ("edge_server.realtime", "import websockets", "websockets"),
        ("edge_server.realtime_floor", "from edge_server.engine import Engine", "edge_server.engine.Engine"),
        ("edge_server.sequence", "import numpy as np", "numpy"),
        ("edge_server.engine", "from llama_cpp import llama_cpp", "llama_cpp.llama_cpp"),
        ("edge_server.backend", "import importlib\nimportlib.import_module('llama_cpp')", "llama_cpp"),
        ("clients.cli", "from edge_server.protocol import END", "edge_server.protocol.END"),
        ("clients.cli", "from convert import checkpoint", "convert.checkpoint"),
        ("convert.cli", "import edge_server", "edge_server"),
        ("edge_server.cli", "import clients.chat as chat", "clients.chat"),
        ("convert.checkpoint", "import torch", "torch"),
        ("command_line.page", "from edge_server.config import Config", "edge_server.config.Config"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str, imported: str) -> None:
    assert violations({module: source}) == [f"{module} imports {imported}"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("edge_server.session", "import hashlib\nfrom collections.abc import Iterable\nfrom .events import Say"),
        ("edge_server.engine", "from edge_server.context import Context"),
        ("edge_server.llama", "import llama_cpp.llama_cpp as api"),
        ("edge_server.backend", "from edge_server.llama import Model"),
        ("edge_server.realtime_wire", "import json\nfrom pydantic import BaseModel"),
        ("edge_server.sampling", "import numpy as np\nfrom edge_server.context import EngineError"),
        ("convert.cli", "from convert import checkpoint\nimport typer"),
        ("clients.connection", "import websockets"),
    ],
)
def test_what_is_allowed_is_no_violation(module: str, source: str) -> None:
    assert violations({module: source}) == []
