"""An engine with its thread, and sessions on it that wait for their answers.

No test waits for time to pass: jobs are held inside a decode call, by the fake context, until the test lets them go.
"""

from __future__ import annotations

import queue
import threading

from edge_server.engine import Engine, EngineError, Generated, Handle, Job, Request
from edge_server.tokens import Forgotten

PATIENCE = 30  # seconds until a test that hangs fails; none that passes waits for it

Result = Generated | EngineError


class Caller:
    """One session: submits, and collects what `on_done` brings."""

    def __init__(self, engine: Engine) -> None:
        self.handle: Handle = engine.open()
        self.results: queue.Queue[Result] = queue.Queue()
        self.threads: set[str] = set()

    def submit(self, request: Request, *forget: Forgotten) -> Job:
        return self.handle.submit(request, self.on_done, forget=forget)

    def on_done(self, result: Result) -> None:
        self.threads.add(threading.current_thread().name)
        self.results.put(result)

    def result(self) -> Generated:
        result = self.results.get(timeout=PATIENCE)
        assert isinstance(result, Generated), result
        return result

    def error(self) -> EngineError:
        result = self.results.get(timeout=PATIENCE)
        assert isinstance(result, EngineError), result
        return result

    def run(self, request: Request, *forget: Forgotten) -> Generated:
        self.submit(request, *forget)
        return self.result()


class Gate:
    """Holds the engine inside a decode call: `FakeContext.on_decode`."""

    def __init__(self) -> None:
        self._entered = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self.open = False

    def __call__(self) -> None:
        if not self.open:
            self._entered.release()
            assert self._go.acquire(timeout=PATIENCE)

    def wait_for_call(self) -> None:
        assert self._entered.acquire(timeout=PATIENCE)

    def let_go(self) -> None:
        self._go.release()

    def let_all_go(self) -> None:
        self.open = True
        self._go.release()
