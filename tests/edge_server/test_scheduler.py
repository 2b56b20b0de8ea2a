"""Who gets how much of a decode call: what holds for any wants, and that nobody waits for ever."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.engine import EngineError, Generated
from edge_server.scheduler import Want, fitting, share
from tests.edge_server.stepping import Asker, SteppedEngine, ask
from tests.fakes import FakeContext

wants = st.lists(st.builds(Want, st.integers(1, 3) | st.integers(1, 200), st.booleans()), max_size=20)
batches, rations = st.integers(1, 80), st.integers(0, 40)


@given(wants, batches, rations)
@settings(max_examples=60)
def test_a_call_is_shared_within_its_bounds(wants: list[Want], batch: int, ration: int) -> None:
    grants = share(wants, batch=batch, ration=ration)
    served = min(len(wants), batch)
    assert len(grants) == len(wants)
    assert sum(grants) <= batch
    assert all(1 <= grant <= want.tokens for grant, want in zip(grants[:served], wants, strict=False))
    assert not any(grants[served:])


@given(wants, batches, rations)
@settings(max_examples=60)
def test_no_room_is_left_while_somebody_is_hungry_but_for_the_ration(
    wants: list[Want], batch: int, ration: int
) -> None:
    grants = share(wants, batch=batch, ration=ration)
    served = min(len(wants), batch)
    decoding = any(want.tokens == 1 for want in wants[:served])
    room = min(batch - served, ration) if decoding else batch - served
    hunger = sum(want.tokens - 1 for want in wants[:served])
    assert sum(grants) - served == min(room, hunger)


@given(wants, batches, rations)
@settings(max_examples=60)
def test_the_urgent_go_first_and_the_others_share_alike(wants: list[Want], batch: int, ration: int) -> None:
    grants = share(wants, batch=batch, ration=ration)
    served = list(zip(wants, grants, strict=True))[:batch]
    hungry = [want for want, grant in served if want.urgent and grant < want.tokens]
    if hungry:
        assert all(grant == 1 for want, grant in served if not want.urgent)
        first = next(index for index, (want, grant) in enumerate(served) if want is hungry[0])
        assert all(grant == 1 for want, grant in served[first + 1 :] if want.urgent), "in order"
    patient = [grant for want, grant in served if not want.urgent and grant < want.tokens]
    sated = [grant for want, grant in served if not want.urgent and grant == want.tokens]
    if patient:
        assert max(patient) - min(patient) <= 1
        assert max(sated, default=0) <= min(patient) + 1


def test_a_page_does_not_hold_up_who_decodes() -> None:
    assert share([Want(1), Want(500), Want(1)], batch=64, ration=16) == [1, 17, 1]
    assert share([Want(1), Want(500), Want(9, urgent=True)], batch=64, ration=16) == [1, 9, 9]
    assert share([Want(500)], batch=64, ration=16) == [64]


@given(st.lists(st.integers(0, 64), max_size=20), st.integers(-5, 200))
def test_what_does_not_fit_into_the_pool_is_cut_from_the_end(grants: list[int], room: int) -> None:
    cut = fitting(grants, room)
    assert sum(cut) == min(sum(grants), max(0, room))
    full = [given == grant for given, grant in zip(cut, grants, strict=True)]
    first = [*full, False].index(False)
    assert all(full[:first])
    assert not any(cut[first + 1 :])


# --- nobody starves ---


@dataclass(frozen=True)
class Arrival:
    """A session asks for something, `after` steps of the engine."""

    after: int
    session: int
    tokens: int
    new: int
    urgent: bool


arrivals = st.lists(
    st.builds(Arrival, st.integers(0, 6), st.integers(1, 6), st.integers(1, 40), st.integers(0, 8), st.booleans()),
    min_size=1,
    max_size=20,
)


class Watch:
    """Submits, and holds each job to its bound.

    A job that is begun has a part in at least one of each ceil(slots / batch) calls, and each part is a token at least.
    It is begun, at the latest, when all that were asked for before it are finished; what comes later never passes it.
    So, counted from when it is asked for, it is finished after at most

        ceil(slots / batch) * (tokens and new tokens of it and of all unfinished jobs that came before it)

    decode calls, whatever arrives in the meantime.
    """

    def __init__(self, context: FakeContext, ration: int) -> None:
        self.engine = SteppedEngine(context, chunk=context.batch, ration=ration)
        self.sessions = [Asker(self.engine) for _ in range(7)]
        for asker in self.sessions:  # one that never had a slot could be refused
            asker.submit(ask((1,), 0))
            self.engine.run()
        self.unfinished: dict[int, int] = {}  # session: work
        self.wrong: list[object] = []

    def submit(self, arrival: Arrival) -> None:
        if arrival.session in self.unfinished:
            return
        context = self.engine.context
        self.unfinished[arrival.session] = arrival.tokens + arrival.new
        bound = context.calls + math.ceil(context.slots / context.batch) * sum(self.unfinished.values())

        def on_done(result: Generated | EngineError) -> None:
            del self.unfinished[arrival.session]
            if not isinstance(result, Generated) or len(result.tokens) < arrival.new or context.calls > bound:
                self.wrong.append((arrival, result, context.calls - bound))

        tokens = [arrival.session] * arrival.tokens
        self.sessions[arrival.session].handle.submit(ask(tokens, arrival.new, urgent=arrival.urgent), on_done)

    def step(self) -> None:
        """One step of the engine; the restless one asks for something urgent whenever it can."""
        self.submit(Arrival(0, 0, 9, 2, urgent=True))
        self.engine.step()


@given(
    arrivals=arrivals,
    slots=st.integers(1, 6),
    batch=st.sampled_from([1, 2, 8]),
    cells=st.sampled_from([48, 60, 100, 1000]),
    ration=st.integers(0, 4),
)
@settings(max_examples=30)
def test_every_job_ends_within_its_bound_whatever_arrives(
    arrivals: list[Arrival], slots: int, batch: int, cells: int, ration: int
) -> None:
    watch = Watch(FakeContext(cells=cells, slots=slots, batch=batch), ration)
    for arrival in arrivals:
        for _ in range(arrival.after):
            watch.step()
        watch.submit(arrival)
    expected = {session for session in watch.unfinished if session}
    for _ in range(3000):
        if not expected & watch.unfinished.keys():
            break
        watch.step()
    assert not expected & watch.unfinished.keys()
    assert not watch.wrong
    watch.engine.close()
