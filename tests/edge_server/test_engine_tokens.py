"""Tokens as they are sampled: each is told once, in order, and is what the answer has in the end."""

from __future__ import annotations

import pytest

from edge_server.engine import EngineError, Finish
from tests.edge_server.stepping import LONG, Asker, Stepped, alone, ask, within_a_call


def test_each_token_is_told_before_the_next_is_decoded(stepped: Stepped) -> None:
    asker = Asker(engine := stepped())
    asker.submit(ask(new=4))
    seen = []
    while engine.step():
        seen.append(len(asker.told))
    assert [len(tokens) for tokens in asker.told] == [1, 1, 1]  # the answer itself brings the last one
    assert sorted(set(seen)) == [0, 1, 2, 3]
    assert sum(asker.told, ()) == asker.last.tokens[:3]


def test_a_guess_that_is_on_its_way_tells_what_it_has_first(stepped: Stepped) -> None:
    asker = Asker(engine := stepped())
    asker.handle.prepare(ask(new=6))
    while (job := asker.handle.prepared) is None or job.generation is None or len(job.generation.sampled) < 3:
        engine.step()
    asked = asker.submit(ask(new=6))
    assert asked.head_start == 3
    engine.run()
    assert len(asker.told[0]) >= 3
    assert sum(asker.told, ()) == asker.last.tokens[:5]
    assert asker.last.tokens == alone(ask(new=6))


def test_a_guess_that_is_finished_is_the_answer_at_once(stepped: Stepped) -> None:
    asker = Asker(engine := stepped())
    asker.handle.prepare(ask(new=6))
    engine.run()
    assert asker.submit(ask(new=6)).head_start == 6
    assert (asker.last.tokens, asker.told) == (alone(ask(new=6)), [])


def test_what_nobody_has_asked_for_is_not_told(stepped: Stepped) -> None:
    asker = Asker(engine := stepped())
    asker.handle.prepare(ask(new=6))
    engine.run()
    asker.submit(ask((*LONG, 1), new=2))
    engine.run()
    assert sum(asker.told, ()) == asker.last.tokens[:1]


def test_a_cancel_stops_at_the_next_token(stepped: Stepped) -> None:
    asker = Asker(engine := stepped())
    job = asker.submit(ask(new=6))
    while len(asker.told) < 2:
        engine.step()
    job.cancel()
    engine.run()
    assert (asker.last.finish, len(asker.told)) == (Finish.CANCELLED, 2)


def test_tokens_that_were_told_stand_though_the_cells_are_lost(stepped: Stepped) -> None:
    engine = stepped()
    asker, other = Asker(engine), Asker(engine)
    asker.submit(ask(new=6))
    other.submit(ask((1, 2, 3), new=30))
    while len(asker.told) < 3:
        engine.step()
    engine.context.fail = {engine.context.calls + 1}  # each begins anew, by itself
    engine.run()
    assert sum(asker.told, ()) == asker.last.tokens[:5] == alone(ask(new=6))[:5]
    assert sum(other.told, ()) == other.last.tokens[:29]


def test_tokens_that_were_told_stand_though_the_model_would_now_say_another(stepped: Stepped) -> None:
    salt = [0]
    engine = stepped(reply=lambda held: (len(held) + salt[0]) % 50)
    asker, other = Asker(engine), Asker(engine)
    asker.submit(ask(new=6))
    other.submit(ask((1, 2, 3), new=30))
    while len(asker.told) < 3:
        engine.step()
    salt[0] = 7  # as if another call's shape rounded otherwise
    engine.context.fail = {engine.context.calls + 1}
    engine.run()
    told = sum(asker.told, ())
    assert told[:3] == (40, 41, 42)
    assert asker.last.tokens == (40, 41, 42, 0, 1, 2)
    assert told == asker.last.tokens[:5]


def test_a_listener_that_fails_fails_its_own_job_only(stepped: Stepped, caplog: pytest.LogCaptureFixture) -> None:
    engine = stepped()
    asker, other = Asker(engine), Asker(engine)

    def refuse(_tokens: tuple[int, ...]) -> None:
        raise ValueError("not now")

    asker.handle.submit(ask(new=6), asker.results.append, on_tokens=refuse)
    other.submit(ask((1, 2, 3), new=6))
    engine.run()
    assert isinstance(asker.results[-1], EngineError)
    assert len(other.last.tokens) == 6
    assert "not now" in caplog.text


def test_a_claimed_guess_tells_in_the_middle_of_a_call_too(stepped: Stepped) -> None:
    asker = Asker(engine := stepped())
    asker.handle.prepare(ask(new=6))
    while (job := asker.handle.prepared) is None or job.generation is None or len(job.generation.sampled) < 2:
        engine.step()
    within_a_call(engine.context, lambda: asker.submit(ask(new=6)))
    engine.run()
    assert sum(asker.told, ()) == asker.last.tokens[:5] == alone(ask(new=6))[:5]
