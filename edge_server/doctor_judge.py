"""What the things found mean: each a `Finding` of fine, note or problem, with a remedy where it is not fine.

Pure: `doctor_facts` in, findings out. A problem keeps the server from starting, or from answering in time; a note is
worth knowing. Sizes are in bytes, times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge_server.doctor_facts import Cores, Disk, Memory, ModelFile, Models, Need, PortFound, System, Trouble
from edge_server.tune_advice import Machine, Speeds, advice, verdict

LEAST_PYTHON = (3, 10)
OWN_MEMORY = 100 << 20  # what the server holds beyond model and KV cache
_CONVERT_AGAIN = "convert it again with edge-convert, or remove it"
_BUSY = 0.5  # of the cores: others that use so much are felt


class State(str, Enum):
    """How it is with something."""

    fine = "fine"
    note = "note"
    problem = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. Whatever is not fine has a remedy."""

    what: str
    state: State
    detail: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.state is not State.fine and not self.remedy:
            raise ValueError(f"a {self.state.value} without a remedy: {self.what}: {self.detail}")


def size(count: float) -> str:
    """Bytes as people write them."""
    if count < 1e9:
        return f"{count / 1e6:.{1 if count < 1e8 else 0}f} MB"
    return f"{count / 1e9:.{1 if count < 1e11 else 0}f} GB"


def judge_python(system: System) -> Finding:
    """The interpreter's version."""
    detail = ".".join(map(str, system.python))
    if system.python[:2] < LEAST_PYTHON:
        remedy = "install Python 3.10 or newer, then: rm -r .venv && make PYTHON=python3.12 setup"
        return Finding("Python", State.problem, f"{detail} is too old", remedy)
    return Finding("Python", State.fine, detail)


def judge_platform(system: System) -> Finding:
    """System and architecture."""
    detail = f"{system.name} {system.release}, {system.architecture}"
    if system.translated:
        return Finding(
            "platform",
            State.problem,
            f"{detail}: this Python is for Intel, and Rosetta translates it: no Metal, and slow",
            "install Python for Apple silicon (its own Homebrew is in /opt/homebrew: brew install python@3.12), then: "
            "rm -r .venv && make PYTHON=/opt/homebrew/bin/python3.12 setup",
        )
    if system.name not in ("Linux", "Darwin"):
        remedy = "use Linux or macOS (on Windows: WSL)"
        return Finding("platform", State.note, f"{detail}: nobody tried this system", remedy)
    return Finding("platform", State.fine, detail)


def judge_cores(cores: Cores) -> Finding:
    """The processor, and how many threads decode on it."""
    detail = f"{_count(cores.physical, 'core')}, {_count(cores.cpus, 'CPU')}; decodes with {cores.threads}"
    detail = f"{cores.processor}: {detail}" if cores.processor else detail
    quota = cores.quota if cores.quota is not None and cores.quota < cores.cpus else None
    usable = cores.cpus if quota is None else max(1, int(quota))
    if cores.threads > usable:
        there = "there are CPUs" if quota is None else f"the {quota:g} CPUs that this container may use"
        reason = f"{detail}, more than {there}: each call waits for the slowest"
        return Finding("processor", State.note, reason, f"--threads {min(usable, cores.physical)}")
    return Finding("processor", State.fine, detail)


def judge_memory(memory: Memory, need: Need | None, trouble: Trouble | None = None) -> Finding:
    """Whether the weights and the KV cache fit. trouble: why there is no size of the cache at all."""
    if memory.total is None:
        return Finding("memory", State.fine, "the system does not say how much there is")
    has = size(memory.total) + (f", {size(memory.available)} of it available" if memory.available is not None else "")
    if trouble is not None:
        return Finding("memory", State.problem, f"{has}; {trouble.what}", trouble.remedy or "give a smaller --ctx")
    if need is None:
        return Finding("memory", State.fine, has)
    fixed = need.weights + OWN_MEMORY
    takes = fixed + need.pool
    detail = (
        f"{has}; {size(takes)} needed: {size(need.weights)} by the model, {size(need.pool)} by {need.cells} KV cells"
    )
    least = need.ctx * need.cell_bytes
    if takes > memory.total:
        return Finding(
            "memory", State.problem, f"{detail}: more than there is", _less(need, memory.total - fixed, least)
        )
    if memory.available is not None and takes > memory.available:
        remedy = f"close programs ({size(takes - memory.available)})"
        if memory.available - fixed >= least and need.cells > need.ctx:
            remedy += f", or {_less(need, memory.available - fixed, least)}"
        return Finding("memory", State.note, f"{detail}: more than is available", remedy)
    return Finding("memory", State.fine, detail)


def _less(need: Need, room: int, least: int) -> str:
    """What would take less memory, where there is `room` for the cache and one context needs `least`."""
    if room >= least:
        return f"--kv-cells {room // need.cell_bytes}"
    tokens = room // need.cell_bytes // 64 * 64 if need.cell_bytes else 0
    if tokens >= 256:
        return f"--ctx {tokens} --kv-cells {tokens}"
    return "a model with fewer bits a weight (edge-convert --quant q4_0), or a machine with more memory"


def judge_models(models: Models) -> list[Finding]:
    """Every file, and whether there is one to run."""
    if models.asked:
        assert models.chosen is not None, "what was asked for is looked at"
        return [_judge_file(models.chosen, models)]
    findings = [_judge_file(file, models) for file in models.files]
    if models.chosen is None:
        places = " or ".join(map(str, models.folders))
        remedy = "make setup (the pocket model), or make convert (MiniCPM-duplex), or give --model"
        findings.insert(0, Finding("model", State.problem, f"no duplex model in {places}", remedy))
    return findings


def _judge_file(file: ModelFile, models: Models) -> Finding:
    what = f"model {file.path}" if models.asked else f"model {file.path.name}"
    if file.trouble is not None:
        state = State.problem if models.asked else State.note  # nobody asked for it: another is taken
        return Finding(what, state, file.trouble.what, file.trouble.remedy or _CONVERT_AGAIN)
    detail = f"{'duplex' if file.duplex else 'turn-based'}, {size(file.size)}, {file.ctx} tokens of context"
    if not file.duplex:
        if models.asked:
            remedy = "give it as --chat-model, and a duplex model as --model"
            return Finding(what, State.problem, f"{detail}: no idle token, so it is no duplex model", remedy)
        return Finding(what, State.fine, f"{detail}: for --chat-model")
    if file == models.chosen and not models.asked:
        detail += "; run takes it"
        if file.is_pocket:
            detail += ", since there is no other (make convert makes MiniCPM-duplex)"
    return Finding(what, State.fine, detail)


def judge_port(port: PortFound) -> Finding:
    """Whether a port can be listened on; if not, whose it is."""
    what = f"port {port.number}"
    if port.number == 0:
        return Finding(what, State.fine, f"any free one ({port.option} 0)")
    if port.trouble is None:
        return Finding(what, State.fine, f"free on {port.host}")
    if port.health is not None:
        health = port.health
        detail = f"an edge-server has it: model {health.model}, {_count(health.connections, 'connection')}"
        if health.status != "ok":
            return Finding(what, State.problem, f"{detail}, {health.status}", "end it (Ctrl-C) and start it again")
        remedy = f"use that one, or end it (Ctrl-C where it runs), or give another {port.option}"
        return Finding(what, State.note, detail, remedy)
    if port.taken:
        remedy = f"give another {port.option}, or end who has it (lsof -i :{port.number} names it)"
        return Finding(what, State.problem, f"another program has it on {port.host}", remedy)
    return Finding(what, State.problem, port.trouble.what, port.trouble.remedy or f"give another {port.option}")


def judge_parking(disk: Disk) -> Finding:
    """The disk for conversations that are neither in the KV cache nor in memory."""
    what, detail = "disk for parking", _disk(disk)
    if disk.free is not None and disk.free < disk.needed:
        return Finding(
            what,
            State.note,
            f"{detail}: too little to park on, so silent conversations would be read in again",
            f"free {size(disk.needed - disk.free)} there, or set TMPDIR to a folder with more",
        )
    return Finding(what, State.fine, detail)


def judge_converting(disk: Disk, *, converted: bool) -> Finding:
    """The disk for making MiniCPM-duplex; `converted`: it was done."""
    what, detail = "disk for converting", _disk(disk)
    if disk.free is not None and disk.free < disk.needed and not converted:
        return Finding(
            what,
            State.note,
            f"{detail}: make convert needs {size(disk.needed)} for MiniCPM-duplex, download and all",
            f"free {size(disk.needed - disk.free)}, or convert on another disk (edge-convert --out) "
            "and run with --model",
        )
    return Finding(what, State.fine, detail)


def _disk(disk: Disk) -> str:
    free = "the system does not say how much is free" if disk.free is None else f"{size(disk.free)} free"
    return f"{free} ({disk.folder})"


def judge_speed(speeds: Speeds, machine: Machine, *, load: float | None, cores: int) -> Finding:
    """Whether the machine keeps up with the model's slices. load: threads that others wanted to run."""
    fits, text = verdict(speeds, machine)
    helps = advice(speeds, machine)
    busy = load is not None and load > _BUSY * cores  # what others take is measured too
    if busy:
        text += f"; others use the machine too (load {load:.1f} on {_count(cores, 'core')})"
    if fits and not helps:
        return Finding("speed", State.fine, text)
    if fits:
        text += f"; but {machine.sessions} sessions that speak at the same time do not fit"
    if busy:  # it says nothing of the machine
        return Finding("speed", State.note, text, "run it again when nothing else runs (--no-speed leaves this out)")
    remedy = "; or ".join(helps or ["edge-server tune finds the fastest options"])
    short = speeds.slice(machine.slice_tokens, speeds.depth) <= machine.slice_seconds
    return Finding("speed", State.note if fits or short else State.problem, text, remedy)


def no_speed(trouble: Trouble) -> Finding:
    """Where measuring failed, which running would too."""
    remedy = "see llama.cpp's own messages (edge-server run --verbose), or try --gpu-layers 0"
    return Finding("speed", State.problem, trouble.what, trouble.remedy or remedy)


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
