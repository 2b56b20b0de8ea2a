"""`edge-server run`, once its options are read: ports, models and sessions put together into a running server.

Standard output carries one line, when the server is ready; all else goes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from edge_server.backend import Backend
from edge_server.config import Config
from edge_server.loading import Interruptible, loading
from edge_server.metrics import exposition
from edge_server.protocol import subprotocols
from edge_server.server import LOOPBACK, Port, Server, listen

_log = logging.getLogger("edge_server")


def serve(config: Config) -> None:
    """Serves until a signal ends it.

    Raises ConfigError, ModelError, EngineError and ListenError, and KeyboardInterrupt for Ctrl-C while a model loads.
    """
    host, chat_model = config.host, config.chat_model
    with contextlib.ExitStack() as stack:
        # Before the model: a taken port is told at once.
        sockets = listen(host, config.port), listen(host, config.chat_port, "--chat-port")
        for listening in [*sockets[0], *sockets[1]]:
            stack.callback(listening.close)
        if host not in LOOPBACK:
            _log.warning("listening on %s: everyone who reaches this address can talk to the model", host)
        with Interruptible() as interruptible:
            share = 1 if chat_model is None else 2
            duplex = stack.enter_context(_load(config.model, config, share, interruptible))
            chat = stack.enter_context(_load(chat_model, config, share, interruptible)) if chat_model else duplex
            ports = [
                Port(
                    each.conversing(chat=each_is_chat),
                    bound,
                    each.name,
                    each.facts.slice_seconds,
                    each.alive,
                    subprotocols(upstream=config.upstream, ordinary_port=each_is_chat),
                    None if each_is_chat or config.upstream else each.realtiming(),
                )
                for each, each_is_chat, bound in ((duplex, False, sockets[0]), (chat, True, sockets[1]))
            ]
            for backend in dict.fromkeys([duplex, chat]):
                if backend.ctx > backend.model.n_ctx_train:
                    _log.warning("%s was trained on %d tokens of context", backend.name, backend.model.n_ctx_train)
                backend.warm_up()
                interruptible.check()
        engines = {"duplex": duplex.counters} | ({} if chat is duplex else {"chat": chat.counters})
        metrics = exposition(engines)
        asyncio.run(_serve(Server(ports, config.allow_origins, metrics=metrics), ports, config.host, chat.name))


def _load(path: Path, config: Config, share: int, interruptible: Interruptible) -> Backend:
    with loading(path, interruptible) as progress:
        return Backend(path, config, share=share, on_progress=progress)


async def _serve(server: Server, ports: list[Port], host: str, chat_name: str) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if server.stopping:  # asked twice: without waiting for anyone
            task.cancel()
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    async with server:
        host, name = f"[{host}]" if ":" in host else host, ports[0].model_name
        urls = [f"ws://{host}:{port.number}" for port in ports]
        chat_model = "" if chat_name == name else f" ({chat_name})"
        page = "" if ports[0].realtime is None else f" page http://{host}:{ports[0].number}/"
        print(f"ready duplex {urls[0]} chat {urls[1]}{chat_model} model {name}{page}", flush=True)
        await server.wait()
        _log.info("stopping")
