"""The JSON protocol through the unmodified `openai` SDK, asynchronous and not, with the model that ships."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types import realtime as sdk
from openai.types.realtime.realtime_server_event import ConversationItemRetrieved
from pydantic import TypeAdapter

from tests.test_end_to_end import Running, pocket_gguf, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.real
ANY_EVENT: TypeAdapter[Any] = TypeAdapter(sdk.RealtimeServerEvent)
OF_A_RESPONSE: list[type] = [
    sdk.ResponseCreatedEvent,
    sdk.ResponseOutputItemAddedEvent,
    sdk.ConversationItemAdded,
    sdk.ResponseContentPartAddedEvent,
    sdk.ResponseTextDeltaEvent,
    sdk.ResponseTextDoneEvent,
    sdk.ResponseContentPartDoneEvent,
    sdk.ConversationItemDone,
    sdk.ResponseOutputItemDoneEvent,
    sdk.ResponseDoneEvent,
]


def message(text: str) -> Any:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


class Talk:
    """A connection of the SDK's; every event of the API's is held to be what the SDK's own types say."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[Any] = []

    async def next(self) -> Any:
        data = await asyncio.wait_for(self.connection.recv_bytes(), 60)
        event = self.connection.parse_event(data)
        if not event.type.startswith(("duplex.", "input_text_buffer.", "session.resumed")):
            assert type(ANY_EVENT.validate_json(data)) is type(event)
        self.events.append(event)
        return event

    async def until(self, kind: type) -> Any:
        while True:
            event = await self.next()
            if isinstance(event, kind):
                return event
            assert not isinstance(event, sdk.RealtimeErrorEvent), event

    async def ask(self, text: str) -> Any:
        """An ordinary turn: its response."""
        await self.connection.conversation.item.create(item=message(text))
        await self.connection.response.create()
        return (await self.until(sdk.ResponseDoneEvent)).response

    @property
    def kinds(self) -> list[type]:
        """What came, deltas once."""
        kinds = [type(event) for event in self.events]
        return [
            kind for at, kind in enumerate(kinds) if kind is not sdk.ResponseTextDeltaEvent or kinds[at - 1] != kind
        ]

    @property
    def heard(self) -> str:
        return "".join(event.delta for event in self.events if isinstance(event, sdk.ResponseTextDeltaEvent))


@asynccontextmanager
async def talk(server: Running) -> AsyncIterator[Talk]:  # noqa: F811
    async with (
        AsyncOpenAI(api_key="none", base_url="http://localhost", websocket_base_url=f"{server.duplex}/v1") as client,
        client.realtime.connect(model="pocket") as connection,
    ):
        talking = Talk(connection)
        assert isinstance(await talking.next(), sdk.SessionCreatedEvent)
        yield talking


def said(response: Any) -> str:
    return str(response.output[0].content[0].text)


async def test_two_turns_in_the_order_and_the_types_of_the_api(server: Running) -> None:  # noqa: F811
    async with talk(server) as talking:
        talking.events.clear()
        response = await talking.ask("What is the capital of France?")
        assert talking.kinds == [sdk.ConversationItemAdded, sdk.ConversationItemDone, *OF_A_RESPONSE]
        assert response.status == "completed"
        assert "Paris" in said(response)
        assert talking.heard == said(response)
        assert [event.text for event in talking.events if isinstance(event, sdk.ResponseTextDoneEvent)] == [
            said(response)
        ]
        usage = response.usage
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        assert usage.output_tokens >= 4
        second = await talking.ask("And of Italy?")
        details = second.usage.input_token_details
        assert details.cached_tokens >= usage.input_tokens, "the first turn is not prefilled again"
        assert details.text_tokens == second.usage.input_tokens > details.cached_tokens


async def test_items_are_made_retrieved_cut_and_deleted(server: Running) -> None:  # noqa: F811
    async with talk(server) as talking:
        response = await talking.ask("What is the capital of France?")
        reply = response.output[0].id
        item = talking.connection.conversation.item
        await item.retrieve(item_id=reply)
        got = (await talking.until(ConversationItemRetrieved)).item
        assert (got.role, got.status, got.content[0].text) == ("assistant", "completed", said(response))
        await item.truncate(item_id=reply, content_index=0, audio_end_ms=0, event_id="by time")
        error = (await talking.next()).error
        assert (error.code, error.param, error.event_id) == ("missing_required_parameter", "characters", "by time")
        cut: Any = {
            "type": "conversation.item.truncate",
            "item_id": reply,
            "content_index": 0,
            "audio_end_ms": 0,
            "characters": 12,
        }
        await talking.connection.send(cut)
        event = await talking.until(sdk.ConversationItemTruncatedEvent)
        assert event.item_id == reply
        assert said(response).startswith(event.text)
        assert 0 < event.characters == len(event.text) <= 12
        await item.delete(item_id=reply)
        assert (await talking.until(sdk.ConversationItemDeletedEvent)).item_id == reply
        await item.retrieve(item_id=reply, event_id="gone")
        error = (await talking.next()).error
        assert (error.code, error.param, error.event_id) == ("item_not_found", "item_id", "gone")


async def test_a_session_is_updated_and_its_limit_and_temperature_hold(server: Running) -> None:  # noqa: F811
    replies = []
    for _ in range(2):
        async with talk(server) as talking:
            session: Any = {"type": "realtime", "max_output_tokens": 4, "temperature": 0, "instructions": "Be brief."}
            await talking.connection.session.update(session=session)
            updated = (await talking.until(sdk.SessionUpdatedEvent)).session
            assert (updated.instructions, updated.max_output_tokens, updated.temperature) == ("Be brief.", 4, 0)
            response = await talking.ask("Tell me a story.")
            assert (response.status, response.status_details.reason) == ("incomplete", "max_output_tokens")
            assert response.usage.output_tokens == 4
            replies.append(said(response))
    assert replies[0] == replies[1]


async def test_instructions_stand_in_the_prompt(server: Running) -> None:  # noqa: F811
    tokens = []
    for instructions in ("", "You are a pirate who answers in one word."):
        async with talk(server) as talking:
            await talking.connection.session.update(session={"type": "realtime", "instructions": instructions})
            await talking.until(sdk.SessionUpdatedEvent)
            tokens.append((await talking.ask("Hello!")).usage.input_tokens)
    assert tokens[1] > tokens[0]


async def test_a_cancelled_response_says_nothing_more(server: Running) -> None:  # noqa: F811
    async with talk(server) as talking:
        await talking.connection.conversation.item.create(item=message("Tell me a long story."))
        await talking.connection.response.create()
        await talking.until(sdk.ResponseTextDeltaEvent)
        await talking.connection.response.cancel()
        response = (await talking.until(sdk.ResponseDoneEvent)).response
        assert (response.status, response.status_details.reason) == ("cancelled", "client_cancelled")
        assert said(response) == talking.heard
        talking.events.clear()
        response = await talking.ask("What is the capital of France?")
        assert talking.kinds == [sdk.ConversationItemAdded, sdk.ConversationItemDone, *OF_A_RESPONSE]
        assert talking.heard == said(response)


async def test_what_there_is_not_is_an_error_and_the_connection_lives_on(server: Running) -> None:  # noqa: F811
    async with talk(server) as talking:
        connection = talking.connection
        await connection.input_audio_buffer.append(audio="AAAA", event_id="e1")
        await connection.input_audio_buffer.commit(event_id="e2")
        await connection.output_audio_buffer.clear(event_id="e3")
        await connection.session.update(session={"type": "realtime", "output_modalities": ["audio"]}, event_id="e4")
        tool: Any = {"type": "function", "name": "f", "parameters": {}}
        await connection.session.update(session={"type": "realtime", "tools": [tool]}, event_id="e5")
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": "c", "output": "1"}, event_id="e6"
        )
        await connection.response.create(response={"conversation": "none"}, event_id="e7")
        await connection.response.cancel(event_id="e8")
        errors = [(await talking.next()).error for _ in range(8)]
        assert [(error.event_id, error.code, error.param) for error in errors] == [
            ("e1", "unsupported_event", "type"),
            ("e2", "unsupported_event", "type"),
            ("e3", "unsupported_event", "type"),
            ("e4", "unsupported_value", "session.output_modalities"),
            ("e5", "unsupported_parameter", "session.tools"),
            ("e6", "unsupported_value", "item.type"),
            ("e7", "unsupported_parameter", "response.conversation"),
            ("e8", "response_cancel_not_active", None),
        ]
        assert all(error.type == "invalid_request_error" and error.message for error in errors)
        assert "Paris" in said(await talking.ask("What is the capital of France?"))


async def test_duplex_is_reached_through_extra_fields(server: Running) -> None:  # noqa: F811
    async with talk(server) as talking:
        session: Any = {"type": "realtime", "duplex": {"slice_ms": 200}}
        await talking.connection.session.update(session=session)
        assert (await talking.until(sdk.SessionUpdatedEvent)).session.duplex["slice_ms"] == 200
        for event in (
            {"type": "input_text_buffer.append", "text": "What is the capital of France?"},
            {"type": "input_text_buffer.commit"},
        ):
            await talking.connection.send(event)  # type: ignore[arg-type]
        response = (await talking.until(sdk.ResponseDoneEvent)).response
        assert "Paris" in said(response)
        slices = [event for event in talking.events if event.type == "duplex.slice"]
        assert [event.number for event in slices] == list(range(1, len(slices) + 1))
        assert sum(event.tokens["sampled"] for event in slices) == response.usage.output_tokens


@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")  # of the SDK's own
def test_the_synchronous_client_has_the_same(server: Running) -> None:  # noqa: F811
    with (
        OpenAI(api_key="none", base_url="http://localhost", websocket_base_url=f"{server.duplex}/v1") as client,
        client.realtime.connect(model="pocket") as connection,
    ):
        connection.conversation.item.create(item=message("What is the capital of France?"))
        connection.response.create()
        kinds, heard = [], ""
        for event in connection:
            kinds.append(type(event))
            if isinstance(event, sdk.ResponseTextDeltaEvent):
                heard += event.delta
            elif isinstance(event, sdk.ResponseDoneEvent):
                break
    assert kinds[0] is sdk.SessionCreatedEvent
    assert set(OF_A_RESPONSE) <= set(kinds)
    assert "Paris" in heard
