"""Looks at the machine, the files and the ports for `edge-server doctor`. Judges nothing: `doctor_judge` does.

Where the system, a file or a port does not answer, the fact says so; nothing raises.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.metadata
import json
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from edge_server import machine
from edge_server.backend import read_facts
from edge_server.config import Fault, candidates, choose_cells, choose_ctx
from edge_server.cores import physical_cores
from edge_server.doctor_facts import (
    Build,
    Cores,
    Disk,
    Health,
    Memory,
    ModelFile,
    Models,
    Need,
    PortFound,
    System,
    Trouble,
)
from edge_server.llama import Model, has_gpu, system_info
from edge_server.loading import model_folders
from edge_server.parking import KEEP_FREE, roomy_folder
from edge_server.server import ListenError, listen

CONVERTING = int(13e9)  # bytes: MiniCPM-duplex as downloaded (5.5 GB), unquantised (5.5 GB) and in Q4_K_M (2 GB)
_BINDINGS = "llama-cpp-python"
_F16 = 2  # bytes
_ANSWER_SECONDS = 2.0
_ANSWER_BYTES = 1 << 16


def find_system() -> System:
    """The system, the interpreter and the bindings."""
    wanted = ""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for line in importlib.metadata.requires("edge-duplex") or ():
            if found := re.match(rf"{_BINDINGS}==([\w.]+)", line):
                wanted = found[1]
    installed = ""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        installed = importlib.metadata.version(_BINDINGS)
    return System(
        platform.system(),
        platform.release(),
        platform.machine(),
        sys.version_info[:3],
        machine.translated(),
        f"{_BINDINGS} {installed}" if installed else "",
        f"{_BINDINGS} {wanted}" if wanted else "",
    )


def find_cores(threads: int | None) -> Cores:
    """The processor; `threads`: those asked for."""
    physical = physical_cores()
    return Cores(machine.processor(), physical, machine.usable_cpus(), machine.cpu_quota(), threads or physical)


def find_build() -> Build:
    """What llama.cpp was compiled with."""
    return Build(system_info(), machine.processor_flags(), has_gpu())


def find_memory() -> Memory:
    """How much memory there is."""
    return Memory(machine.memory(), machine.available_memory())


def find_models(asked: Path | None) -> Models:
    """The files in the folders of models, and which of them is taken; or only the one that was asked for."""
    if asked is not None:
        file = find_model_file(asked)
        return Models((file,), file, asked=True)
    folders = model_folders()
    files = tuple(find_model_file(path) for path in candidates(folders))
    chosen = next((file for file in files if file.duplex and not file.trouble), None)
    return Models(files, chosen, folders=folders)


def find_model_file(path: Path) -> ModelFile:
    """What a file says of itself; its weights are not read."""
    try:
        with Model.load(path, vocabulary_only=True) as model:
            size, metadata = path.stat().st_size, model.metadata
            duplex = read_facts(model).idle is not None
    except Fault as error:
        return ModelFile(path, trouble=Trouble(error.what, error.remedy))
    except OSError as error:
        return ModelFile(path, trouble=Trouble(f"{path}: {error.strerror}"))
    return ModelFile(path, size, None, duplex, _number(metadata, "context_length"), _cell_bytes(metadata))


def _cell_bytes(metadata: Mapping[str, str]) -> int:
    """As `Model.cell_bytes`, which needs the weights' shapes; 0 where the file does not say enough."""
    heads = _number(metadata, "attention.head_count")
    key_heads = _number(metadata, "attention.head_count_kv") or heads
    numbers = 2 * _number(metadata, "block_count") * _number(metadata, "embedding_length") * key_heads
    return _F16 * numbers // heads if heads else 0


def _number(metadata: Mapping[str, str], key: str) -> int:
    text = metadata.get(f"{metadata.get('general.architecture', '')}.{key}", "")
    return int(text) if text.isdigit() else 0


def find_need(file: ModelFile, memory: Memory, ctx: int | None, sessions: int) -> Need | Trouble | None:
    """The memory that a model and its KV cache take; a trouble where the cache does not fit. None: it is not known."""
    if not file.cell_bytes or file.trouble:
        return None
    length = choose_ctx(ctx, file.ctx)
    try:
        cells = choose_cells(None, length, sessions, file.cell_bytes, memory.total)
    except Fault as error:
        return Trouble(error.what, error.remedy)
    return Need(file.size, cells, file.cell_bytes, length)


def find_port(option: str, host: str, number: int) -> PortFound:
    """Whether a port can be listened on, and if not, whether an edge-server does."""
    try:
        for listening in listen(host, number, option):
            listening.close()
    except ListenError as error:
        health = _health(host, number) if error.taken else None
        return PortFound(option, host, number, Trouble(error.what, error.remedy), error.taken, health)
    return PortFound(option, host, number)


def _health(host: str, number: int) -> Health | None:
    """What answers at /healthz, if it is an edge-server."""
    addresses = {"localhost": ("127.0.0.1", "::1"), "0.0.0.0": ("127.0.0.1",), "::": ("::1",), "": ("127.0.0.1",)}  # noqa: S104
    for address in addresses.get(host, (host,)):
        connection = http.client.HTTPConnection(address, number, timeout=_ANSWER_SECONDS)  # no proxy is asked
        try:
            connection.request("GET", "/healthz")
            told = json.loads(connection.getresponse().read(_ANSWER_BYTES))
            return Health(str(told["model"]), str(told["status"]), int(told["connections"]))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            continue
        finally:
            connection.close()
    return None


def find_parking(need: Need | None) -> Disk:
    """Where conversations are parked that memory does not hold; what one of them takes."""
    folder = roomy_folder()
    return Disk(folder, _free(folder), KEEP_FREE + (need.ctx * need.cell_bytes if need else 0))


def find_converting() -> Disk:
    """Where `make convert` writes."""
    folder = next((one for one in model_folders() if one.is_dir()), Path.cwd())
    return Disk(folder, _free(folder), CONVERTING)


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
