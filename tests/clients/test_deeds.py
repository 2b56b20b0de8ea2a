"""What the user did, from a recording: drafts as they were, what was said, and when the assistant was stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import deeds
from clients.deeds import Deed, Renewed, Said, Stopped, Typed, users_part
from clients.recording import Recorded, Recording, RecordingError, read_recording
from tests.clients.taping import taping

APPEND, COMMIT, CLEAR = (f"input_text_buffer.{name}" for name in ("append", "commit", "clear"))
COMMITTED, CLEARED = "input_text_buffer.committed", "input_text_buffer.cleared"


def append(text: object, *, replace: object = False) -> tuple[str, dict[str, Any]]:
    return "client", {"type": APPEND, "text": text, "replace": replace}


def client(kind: str, **fields: object) -> tuple[str, dict[str, Any]]:
    return "client", {"type": kind, **fields}


def server(kind: str, **fields: object) -> tuple[str, dict[str, Any]]:
    return "server", {"type": kind, **fields}


def done(*events: tuple[str, dict[str, Any]]) -> list[Deed]:
    """The deeds of events that came a second apart, from 1 on."""
    recorded = [Recorded(at, sender, event) for at, (sender, event) in enumerate(events, start=1)]  # type: ignore[arg-type]
    return users_part(Recording("2026-01-02T03:04:05Z", tuple(recorded)))


def test_a_draft_is_as_it_was_at_each_time_and_committed_it_was_said() -> None:
    events = (append("wha"), append("t is"), append("who are", replace=True), append(" you? "), client(COMMIT))
    assert done(*events, server(COMMITTED, text="who are you?"), append("and")) == [
        Typed(1, "wha"),
        Typed(2, "what is"),
        Typed(3, "who are"),
        Typed(4, "who are you? "),
        Said(5, "who are you?"),
        Typed(7, "and"),
    ]


def test_a_draft_that_was_taken_back_is_an_empty_one() -> None:
    events = (append("wha"), client(CLEAR), server(CLEARED), client(CLEAR), append("no"), append("", replace=True))
    assert done(*events) == [Typed(1, "wha"), Typed(2, ""), Typed(5, "no"), Typed(6, "")]


def test_blanks_are_not_said_and_the_draft_that_does_not_change_is_not_typed() -> None:
    assert done(append(" "), client(COMMIT), append("a"), append("a", replace=True)) == [Typed(1, " "), Typed(3, "a")]


def test_what_a_slice_took_was_said_then_and_the_rest_is_still_typed() -> None:
    events = (append("the cap"), server(COMMITTED, text="the"), append("ital"), server(COMMITTED, text="capital"))
    assert done(*events) == [
        Typed(1, "the cap"),
        Said(2, "the"),
        Typed(2, "cap"),
        Typed(3, "capital"),
        Said(4, "capital"),
    ]


def test_what_a_slice_took_while_the_whole_was_committed_is_said_once() -> None:
    events = (append("the capital"), client(COMMIT), server(COMMITTED, text="the"), server(COMMITTED, text="capital"))
    assert done(*events, append("of "), server(COMMITTED, text="of")) == [
        Typed(1, "the capital"),
        Said(2, "the capital"),
        Typed(5, "of "),
        Said(6, "of"),
    ]


def test_what_is_typed_before_an_answer_comes_is_not_what_it_answers() -> None:
    events = (append("the capital"), client(COMMIT), server(COMMITTED, text="the"), append("capital letters"))
    assert done(*events, server(COMMITTED, text="capital")) == [
        Typed(1, "the capital"),
        Said(2, "the capital"),
        Typed(4, "capital letters"),
    ]
    drafts = (append("a"), client(CLEAR), append("b"), client(COMMIT), server(CLEARED), append("b c"))
    assert done(*drafts, server(COMMITTED, text="b")) == [
        Typed(1, "a"),
        Typed(2, ""),
        Typed(3, "b"),
        Said(4, "b"),
        Typed(6, "b c"),
    ]


def test_a_back_channel_was_said_and_its_answer_is_no_words() -> None:
    events = (append("yeah"), client(COMMIT), server(CLEARED), append("and "), server(COMMITTED, text="and"))
    assert done(*events) == [Typed(1, "yeah"), Said(2, "yeah"), Typed(4, "and "), Said(5, "and")]


def test_a_message_that_was_created_was_said() -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}, {"text": "b"}]}
    create = client("conversation.item.create", item=item)
    theirs = client("conversation.item.create", item={**item, "role": "assistant"})
    assert done(create, theirs) == [Said(1, "ab")]


def test_the_assistant_is_stopped_by_cancelling_or_by_cutting_the_newest_reply() -> None:
    def cut(item: str) -> tuple[str, dict[str, Any]]:
        return client("conversation.item.truncate", item_id=item, characters=3)

    def reply(item: str) -> tuple[str, dict[str, Any]]:
        return server("response.output_item.added", item={"id": item})

    events = (cut("a"), reply("a"), cut("a"), reply("b"), cut("a"), cut("b"), client("response.cancel"))
    assert done(*events) == [Stopped(3), Stopped(6), Stopped(7)]


def test_a_new_session_begins_without_a_draft() -> None:
    created = server("session.created", session={})
    events = (append("a"), client(COMMIT), append("b"), created, append("c "), server(COMMITTED, text="c"))
    assert done(*events) == [Typed(1, "a"), Said(2, "a"), Typed(3, "b"), Typed(5, "c "), Said(6, "c")]


def test_another_session_is_a_new_conversation() -> None:
    created = server("session.created", session={})
    events = (created, append("a"), client(COMMIT), server(COMMITTED, text="a"), created, append("b"), client(COMMIT))
    assert done(*events) == [Typed(2, "a"), Said(3, "a"), Renewed(5), Typed(6, "b"), Said(7, "b")]


def test_what_was_lost_with_a_session_and_said_again_in_the_next_was_said_once() -> None:
    created = server("session.created", session={})
    said = (append("a"), client(COMMIT))
    events = (created, *said, server(COMMITTED, text="a"), *said, created, *said, server(COMMITTED, text="a"))
    assert [deed for deed in done(*events) if not isinstance(deed, Typed)] == [Said(3, "a"), Renewed(7), Said(9, "a")]


def test_what_no_server_takes_is_passed_over() -> None:
    assert (
        done(
            append(5),
            append(["a"]),
            append("a" * 32_769),
            client("conversation.item.create"),
            client("conversation.item.create", item={"role": "user", "content": "a"}),
            client("conversation.item.create", item={"role": "user", "content": [5, {"text": 5}]}),
            client("conversation.item.truncate", item_id=None),
            client(COMMITTED, text="not the client's to say"),
            server(COMMITTED, text=5),
            server(COMMITTED, text=" "),
            server(COMMITTED, text="what nobody typed"),
            server("response.output_item.added", item="a"),
            server(APPEND, text="not the server's to say"),
        )
        == []
    )


def test_no_more_is_kept_than_anybody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deeds, "MOST_TYPED", 10)
    with pytest.raises(RecordingError, match="the drafts of this recording have over 10 characters"):
        done(append("aaaa"), append("aa"), append("a"))


@given(st.lists(st.sampled_from([*"ab ", "c d ", ",", "commit", "clear", "slice"]), max_size=25), st.booleans())
def test_every_word_is_said_once_however_it_was_committed(steps: list[str], late: bool) -> None:
    """Before a server that answers at once, or with all it has to say at the end."""
    events: list[tuple[str, dict[str, Any]]] = []
    answers: list[tuple[str, dict[str, Any]]] = []
    draft, said = "", ""
    for step in steps:
        answer = None
        if step == "commit":
            events.append(client(COMMIT))
            if draft.strip():
                answer, said = server(COMMITTED, text=draft.strip()), said + draft
            draft = ""
        elif step == "clear":
            events.append(client(CLEAR))
            answer, draft = server(CLEARED), ""
        elif step == "slice" and not late:
            taken = draft[: draft.rfind(" ") + 1]
            if taken.strip():
                answer, said, draft = server(COMMITTED, text=taken.strip()), said + taken, draft[len(taken) :]
        elif step != "slice":
            events.append(append(step))
            draft += step
        if answer is not None:
            (answers if late else events).append(answer)
    found = done(*events, *answers)
    assert "".join(one.text for one in found if isinstance(one, Said)).replace(" ", "") == said.replace(" ", "")
    typed = [one for one in found if not isinstance(one, Stopped)]
    left = typed[-1].text if typed and isinstance(typed[-1], Typed) else ""
    assert left.strip() == draft.strip()


# --- with a server


def without_times(found: list[Deed]) -> list[Deed]:
    return [replace(deed, at=0) for deed in found]


@pytest.mark.real
async def test_with_a_real_server_that_commits_slices_each_word_was_said_once(tmp_path: Path) -> None:
    async with taping(tmp_path / "talk.json", commit="slices") as tape:
        await tape.send(APPEND, text="who are y")
        await tape.send("duplex.tick")
        await tape.until(COMMITTED)
        await tape.send(APPEND, text="ou?")
        await tape.send(COMMIT)
        await tape.until(COMMITTED)
    assert without_times(users_part(read_recording(tmp_path / "talk.json"))) == [
        Typed(0, "who are y"),
        Said(0, "who are"),
        Typed(0, "y"),
        Typed(0, "you?"),
        Said(0, "you?"),
    ]


@pytest.mark.real
async def test_with_a_real_server_a_back_channel_and_a_stop_are_what_they_were(tmp_path: Path) -> None:
    async with taping(tmp_path / "talk.json", heard="reported") as tape:
        await tape.send(APPEND, text="tell me something long")
        await tape.send(COMMIT)
        await tape.until("response.output_text.delta")
        await tape.send(APPEND, text="yeah")
        await tape.send(COMMIT)
        await tape.until(CLEARED)
        await tape.send("response.cancel")
        await tape.until("response.done")
    assert without_times(users_part(read_recording(tmp_path / "talk.json"))) == [
        Typed(0, "tell me something long"),
        Said(0, "tell me something long"),
        Typed(0, "yeah"),
        Said(0, "yeah"),
        Stopped(0),
    ]
