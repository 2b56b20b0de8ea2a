"""`edge-server doctor`: looks at everything that `run` needs, and says what to do about what is missing.

Puts it together: what is looked at (`doctor_find`, `doctor_speed`), what it means (`doctor_judge`, `doctor_build`), how
it is shown (`doctor_show`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from edge_server import machine
from edge_server.config import Config, Fault
from edge_server.context import EngineError
from edge_server.doctor_build import judge_build
from edge_server.doctor_facts import ModelFile, Trouble
from edge_server.doctor_find import (
    find_build,
    find_converting,
    find_cores,
    find_memory,
    find_models,
    find_need,
    find_parking,
    find_port,
    find_system,
)
from edge_server.doctor_judge import (
    Finding,
    State,
    judge_converting,
    judge_cores,
    judge_memory,
    judge_models,
    judge_parking,
    judge_platform,
    judge_port,
    judge_python,
    judge_speed,
    no_speed,
)
from edge_server.doctor_show import as_json, show
from edge_server.doctor_speed import measure_speed
from edge_server.loading import log_to_stderr
from edge_server.tune_search import OutOfTime, RefusedError


def report(config: Config, asked: Path | None, *, speed: bool, in_json: bool) -> bool:
    """Prints what was found, in columns or as JSON; returns whether something is a problem.

    config: the options of `run`, whose model does not count; asked: the model to look at, None: all in models/. speed:
    whether to measure.
    """
    log_to_stderr(False)
    findings = examine(config, asked, speed=speed)
    if in_json:
        print(as_json(findings))
    else:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text at all
        show(findings, Console(highlight=False))
    return any(one.state is State.problem for one in findings)


def examine(config: Config, asked: Path | None, *, speed: bool) -> list[Finding]:
    """Everything that is looked at, in the order in which it is told."""
    system, memory, models = find_system(), find_memory(), find_models(asked)
    found = find_need(models.chosen, memory, config.ctx, config.sessions) if models.chosen else None
    need, trouble = (None, found) if isinstance(found, Trouble) else (found, None)
    build = judge_build(find_build(), system)
    findings = [
        judge_python(system),
        judge_platform(system),
        judge_cores(find_cores(config.threads)),
        *build,
        judge_memory(memory, need, trouble),
        *judge_models(models),
        judge_port(find_port("--port", config.host, config.port)),
        judge_port(find_port("--chat-port", config.host, config.chat_port)),
        judge_parking(find_parking(need)),
        judge_converting(find_converting(), converted=any(one.duplex and not one.is_pocket for one in models.files)),
    ]
    sound = all(one.state is not State.problem for one in build)  # else llama.cpp may end this process too
    # What is larger than all memory would only be read from the disk again and again; it is told as a problem already.
    fits = models.chosen is not None and (memory.total is None or models.chosen.size < memory.total)
    if speed and models.chosen and models.chosen.duplex and fits and sound:
        findings.append(_speed(models.chosen, config))
    return findings


def _speed(file: ModelFile, config: Config) -> Finding:
    load, cores = machine.load(), find_cores(config.threads).physical
    try:
        speeds, measured = measure_speed(file.path, config)
    except Fault as error:
        return no_speed(Trouble(error.what, error.remedy))
    except OutOfTime:
        return no_speed(Trouble("not one slice was done in the time there was", "edge-server tune measures for longer"))
    except (EngineError, RefusedError) as error:
        return no_speed(Trouble(str(error)))
    return judge_speed(speeds, measured, load=load, cores=cores)
