"""What a client of the JSON protocol may send, what is refused and how: each refusal has a code and names its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.realtime_wire import (
    BACK_CHANNELS,
    MAX_TEXT,
    BufferAppend,
    Duplex,
    ItemCreate,
    ItemHeard,
    ItemTruncate,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
    WireError,
    parse,
)

CREATE = "conversation.item.create"
TRUNCATE = "conversation.item.truncate"
PART = {"type": "input_text", "text": "hello"}


def message(**fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [PART], **fields}


def refused(frame: str) -> WireError:
    with pytest.raises(WireError) as error:
        parse(frame)
    return error.value


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": "mine", **fields})


def update(**fields: Any) -> str:
    return event("session.update", session={"type": "realtime", **fields})


def respond(**fields: Any) -> str:
    return event("response.create", response=fields)


# --- what is taken


def test_what_is_not_given_of_a_session_is_not_changed() -> None:
    got = parse(update(temperature=1, duplex={"slice_ms": 500}))
    assert isinstance(got, SessionUpdate)
    assert got.session.model_fields_set == {"type", "temperature", "duplex"}
    assert got.session.temperature == 1.0
    assert got.session.duplex == Duplex(slice_ms=500)
    assert got.session.duplex is not None
    assert got.session.duplex.back_channels == list(BACK_CHANNELS)


def test_the_parts_of_an_item_are_one_text() -> None:
    got = parse(event(CREATE, item=message(content=[PART, {"type": "text", "text": " there"}])))
    assert isinstance(got, ItemCreate)
    assert got.item.text == "hello there"
    assert (got.item.id, got.previous_item_id, got.event_id) == (None, None, "mine")


@pytest.mark.parametrize(
    "item",
    [
        message(id="mine", object="realtime.item", status="completed"),
        message(role="assistant", content=[{"type": "output_text", "text": "hello"}]),
        message(content=[{"type": "input_text", "text": "x" * MAX_TEXT}]),
    ],
)
def test_items_as_the_server_itself_sends_them_are_taken(item: dict[str, Any]) -> None:
    assert isinstance(parse(event(CREATE, item=item)), ItemCreate)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [], "tool_choice": "auto", "tracing": None, "truncation": "auto", "audio": None, "prompt": None},
        {"tool_choice": "none", "include": [], "parallel_tool_calls": True, "reasoning": None, "input": None},
        {"output_modalities": ["text"], "model": None, "max_output_tokens": "inf"},
    ],
)
def test_what_changes_nothing_is_taken_and_ignored(fields: dict[str, Any]) -> None:
    got = parse(update(**fields))
    assert isinstance(got, SessionUpdate)
    assert got.session.model_fields_set <= {"type", "output_modalities", "model", "max_output_tokens"}


def test_a_response_may_be_asked_for_without_any_field_and_with_metadata() -> None:
    assert parse('{"type": "response.create"}') == ResponseCreate(type="response.create")
    got = parse(respond(metadata={"topic": "greeting"}, max_output_tokens=4096, instructions="", conversation="auto"))
    assert isinstance(got, ResponseCreate)
    assert got.response.metadata == {"topic": "greeting"}
    assert got.response.max_output_tokens == 4096


def test_the_measure_of_a_truncation_is_characters_and_that_of_audio_is_ignored() -> None:
    got = parse(event(TRUNCATE, item_id="a", content_index=0, audio_end_ms=1500, characters=3))
    assert isinstance(got, ItemTruncate)
    assert got.characters == 3
    heard = parse(event("conversation.item.heard", item_id="a", characters=10**400))
    assert isinstance(heard, ItemHeard), "further than any item is long"


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert isinstance(parse('{"type": "response.create", "type": "response.cancel"}'), ResponseCancel)


def test_a_character_that_is_written_as_a_pair_of_surrogates_is_one() -> None:
    got = parse('{"type": "input_text_buffer.append", "text": "\\ud83d\\ude00"}')
    assert isinstance(got, BufferAppend)
    assert (got.text, got.replace) == ("\N{GRINNING FACE}", False)


# --- what is refused


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "hello",
        "null",
        "[]",
        "1",
        '{"type": "response.create"} {}',
        '{"type": "session.update", "session": {"temperature": NaN}}',
        '{"type": "session.update", "session": {"temperature": -Infinity}}',
        '{"type": "session.update", "session": {"max_output_tokens": 1' + "0" * 5000 + "}}",
        "[" * 60_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"type": "response.cancel", "event_id": "\\ud800"}',
        '{"type": "input_audio_buffer.\\ud800"}',
        '{"type": "response.cancel", "\\udc00": 1}',
        '{"type": "response.create", "response": {"metadata": {"a": "\\uD83D"}}}',
    ],
)
def test_what_is_no_json_object_is_refused(frame: str) -> None:
    error = refused(frame)
    assert (error.code, error.param, error.event_id) == ("invalid_json", None, None)


@pytest.mark.parametrize(
    ("frame", "code", "param"),
    [
        ('{"event_id": "mine"}', "missing_required_parameter", "type"),
        ('{"event_id": "mine", "type": 7}', "missing_required_parameter", "type"),
        (event("response.made"), "unknown_event", "type"),
        (event("x" * 10_000), "unknown_event", "type"),
        (event("input_audio_buffer.append", audio=""), "unsupported_event", "type"),
        (event("output_audio_buffer.clear"), "unsupported_event", "type"),
        (event("transcription_session.update", session={}), "unsupported_event", "type"),
        (event("response.cancel", x=1), "unknown_parameter", "x"),
        (event("response.cancel", response_id=7), "invalid_type", "response_id"),
        (event("session.update"), "missing_required_parameter", "session"),
        (event("session.update", session=[]), "invalid_type", "session"),
        (event("response.create", response=None), "invalid_type", "response"),
        (update(type="transcription"), "invalid_value", "session.type"),
        (update(interval=1), "unknown_parameter", "session.interval"),
        (update(**{"y" * 10_000: 1}), "unknown_parameter", "session." + "y" * 120),
        (update(audio={"input": {}}), "unsupported_parameter", "session.audio"),
        (update(tools=[{"type": "function", "name": "f"}]), "unsupported_parameter", "session.tools"),
        (update(tool_choice="required"), "unsupported_parameter", "session.tool_choice"),
        (update(prompt={"id": "p"}), "unsupported_parameter", "session.prompt"),
        (update(tracing="auto"), "unsupported_parameter", "session.tracing"),
        (update(truncation="disabled"), "unsupported_parameter", "session.truncation"),
        (update(include=["item.input_audio_transcription.logprobs"]), "unsupported_parameter", "session.include"),
        (update(output_modalities=["audio"]), "unsupported_value", "session.output_modalities"),
        (update(output_modalities=["text", "audio"]), "unsupported_value", "session.output_modalities"),
        (update(output_modalities=[]), "invalid_value", "session.output_modalities"),
        (update(output_modalities="text"), "invalid_type", "session.output_modalities"),
        (update(temperature="1"), "invalid_type", "session.temperature"),
        (update(temperature=True), "invalid_type", "session.temperature"),
        (update(temperature=-0.1), "invalid_value", "session.temperature"),
        (update(temperature=0).replace("0}", "1e400}"), "invalid_value", "session.temperature"),
        (update(max_output_tokens=0), "invalid_value", "session.max_output_tokens"),
        (update(max_output_tokens=10**400), "invalid_value", "session.max_output_tokens"),
        (update(max_output_tokens=True), "invalid_type", "session.max_output_tokens"),
        (update(max_output_tokens=2.0), "invalid_type", "session.max_output_tokens"),
        (update(max_output_tokens="many"), "invalid_type", "session.max_output_tokens"),
        (update(max_output_tokens=None), "invalid_type", "session.max_output_tokens"),
        (update(instructions="x" * (MAX_TEXT + 1)), "invalid_value", "session.instructions"),
        (update(duplex=True), "invalid_type", "session.duplex"),
        (update(duplex={"integer": 1}), "unknown_parameter", "session.duplex.integer"),
        (update(duplex={"slice_ms": 199}), "invalid_value", "session.duplex.slice_ms"),
        (update(duplex={"slice_ms": True}), "invalid_type", "session.duplex.slice_ms"),
        (update(duplex={"clock": "sun"}), "invalid_value", "session.duplex.clock"),
        (update(duplex={"back_channels": ["ok", 1]}), "invalid_type", "session.duplex.back_channels.1"),
        (update(duplex={"back_channels": ["x" * 65]}), "invalid_value", "session.duplex.back_channels.0"),
        (update(duplex={"false_alarm_ms": 30_001}), "invalid_value", "session.duplex.false_alarm_ms"),
        (respond(conversation="none"), "unsupported_parameter", "response.conversation"),
        (respond(input=[]), "unsupported_parameter", "response.input"),
        (respond(tools=[{}]), "unsupported_parameter", "response.tools"),
        (respond(temperature=1), "unknown_parameter", "response.temperature"),
        (respond(metadata={"interest": 5}), "invalid_type", "response.metadata.interest"),
        (respond(metadata={"k" * 65: ""}), "invalid_value", "response.metadata." + "k" * 65),
        (respond(metadata={"k": "x" * 513}), "invalid_value", "response.metadata.k"),
        (event(CREATE), "missing_required_parameter", "item"),
        (event(CREATE, item={"role": "user", "content": [PART]}), "missing_required_parameter", "item.type"),
        (event(CREATE, item={"type": "function_call_output", "call_id": "c"}), "unsupported_value", "item.type"),
        (event(CREATE, item=message(role="system")), "unsupported_value", "item.role"),
        (event(CREATE, item=message(role="tool")), "invalid_value", "item.role"),
        (event(CREATE, item=message(id="")), "invalid_value", "item.id"),
        (event(CREATE, item=message(content="hello")), "invalid_type", "item.content"),
        (event(CREATE, item=message(content=[])), "invalid_value", "item.content"),
        (event(CREATE, item=message(content=[PART] * 65)), "invalid_value", "item.content"),
        (
            event(CREATE, item=message(content=[{"type": "input_text"}])),
            *("missing_required_parameter", "item.content.0.text"),
        ),
        (
            event(CREATE, item=message(content=[{"type": "input_audio", "audio": ""}])),
            *("unsupported_value", "item.content.0"),
        ),
        (
            event(CREATE, item=message(content=[PART, {"type": "input_image", "image_url": ""}])),
            *("unsupported_value", "item.content.1"),
        ),
        (event(CREATE, item=message(content=[{"type": [[]], "text": ""}])), "invalid_value", "item.content.0.type"),
        (
            event(CREATE, item=message(content=[{"type": "input_text", "text": "x" * (MAX_TEXT // 2 + 1)}] * 2)),
            *("invalid_value", "item.content"),
        ),
        (event(TRUNCATE, item_id="a", content_index=0, audio_end_ms=3), "missing_required_parameter", "characters"),
        (event(TRUNCATE, item_id="a", content_index=1, characters=3), "invalid_value", "content_index"),
        (event(TRUNCATE, item_id="a", characters=-1), "invalid_value", "characters"),
        (event(TRUNCATE, item_id="a", characters=True), "invalid_type", "characters"),
        (event("conversation.item.heard", item_id="a", characters=1.5), "invalid_type", "characters"),
        (event("input_text_buffer.append", text="x" * (MAX_TEXT + 1)), "invalid_value", "text"),
        (event("input_text_buffer.append", text="x", replace=1), "invalid_type", "replace"),
    ],
)
def test_what_is_refused_has_a_code_and_names_its_place_and_event(frame: str, code: str, param: str) -> None:
    error = refused(frame)
    assert error.code == code
    assert error.param == param
    assert error.event_id == "mine"
    assert error.message
    assert len(error.message) < 600, "what is long is not sent back"


@pytest.mark.parametrize("event_id", [7, "x" * 513, [], True])
def test_an_event_id_that_is_none_is_refused_and_not_sent_back(event_id: object) -> None:
    error = refused(json.dumps({"type": "response.cancel", "event_id": event_id}))
    assert (error.param, error.event_id) == ("event_id", None)


@pytest.mark.parametrize("depth", [10, 500, 900, 1500, 20_000])
@pytest.mark.parametrize(
    "frame",
    [
        '{{"type":"conversation.item.create","item":{{"type":"message","role":"user","content":[{{"type":{}}}]}}}}',
        '{{"type":"session.update","session":{{"tools":{}}}}}',
        '{{"type":"session.update","session":{{"output_modalities":{}}}}}',
        '{{"type":"response.create","response":{{"metadata":{}}}}}',
        '{{"type":"response.cancel","\\u00e4":{}}}',
    ],
)
def test_deep_nesting_is_an_error_like_any_other(frame: str, depth: int) -> None:
    assert refused(frame.format("[" * depth + "]" * depth)).message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KINDS = st.sampled_from(["session.update", "response.create", CREATE, TRUNCATE, "input_text_buffer.append", "mcp_x"])
_NAMES = st.sampled_from(
    ["session", "response", "item", "item_id", "text", "characters", "event_id", "type", "content", "duplex", "tools"]
)


@given(_KINDS, st.dictionaries(_NAMES, _JSON | st.dictionaries(_NAMES, _JSON, max_size=4), max_size=4))
def test_any_event_is_taken_or_refused_with_what_can_be_sent(kind: str, fields: dict[str, Any]) -> None:
    frame, said = json.dumps({**fields, "type": kind}), None
    try:
        parse(frame)
    except WireError as error:
        said = json.dumps([error.code, error.message, error.param, error.event_id], ensure_ascii=False).encode()
    assert said is None or len(said) < 2000
