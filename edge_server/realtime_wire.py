"""What a client of `/v1/realtime` may send: JSON frames to checked values, or to an error that says what is wrong.

The names and shapes are the OpenAI Realtime API's (its text part) and, for duplex, this project's; docs/realtime.md has
them all. Pure; knows frames only. What the API has and this server has not is refused by name, never ignored.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from edge_server.config import MAX_IDLE_BIAS

MIN_SLICE_MS, MAX_SLICE_MS = 200, 10_000
MAX_TEXT = 32_768  # characters of an item, a draft, or instructions
BACK_CHANNELS = (
    *("uh-huh", "uh huh", "mhm", "mm-hmm", "mm", "hmm", "yeah", "yes", "yep", "ok", "okay", "right", "sure", "i see"),
    *("wow", "really", "cool", "nice", "go on"),
    *("嗯", "嗯嗯", "哦", "噢", "对", "对对", "是", "是的", "好", "好的", "继续"),
)

# Of the API, and not of this server; with the values that change nothing and are taken.
_UNSUPPORTED: dict[str, tuple[object, ...]] = {
    "audio": (None,),
    "include": (None, []),
    "input": (None,),
    "parallel_tool_calls": (None, True, False),
    "prompt": (None,),
    "reasoning": (None,),
    "tool_choice": (None, "auto", "none"),
    "tools": (None, []),
    "tracing": (None,),
    "truncation": (None, "auto"),
}
_UNION = frozenset({"constrained-int", "literal['inf']", "[key]"})  # pydantic's names for what was tried of a value
_UNSUPPORTED_EVENTS = ("input_audio_buffer.", "output_audio_buffer.", "transcription_session.", "mcp_")


class WireError(Exception):
    """A frame that was not taken: what an `error` event says of it. ``event_id`` is the client's."""

    def __init__(self, code: str, message: str, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.event_id = event_id


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _text_only(value: object) -> object:
    if isinstance(value, list) and "audio" in value:
        raise PydanticCustomError("unsupported_value", "this server speaks text only: give ['text']")
    return value


def _message_part(value: object) -> object:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind.endswith(("_audio", "_image")):
        raise PydanticCustomError("unsupported_value", "this server speaks text only: give input_text or output_text")
    return value


Modalities = Annotated[list[Literal["text"]], Field(min_length=1, max_length=1), BeforeValidator(_text_only)]
Limit = Annotated[int, Field(ge=1, le=4096)] | Literal["inf"]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]


class Duplex(_Model):
    """`session.duplex`: how slices are cut and what interrupts. Times are in milliseconds."""

    slice_ms: Annotated[int, Field(ge=MIN_SLICE_MS, le=MAX_SLICE_MS)] = 2000
    clock: Literal["server", "client"] = "server"
    commit: Literal["client", "slices"] = "client"
    barge_in: Literal["draft", "commit"] = "draft"
    false_alarm_ms: Annotated[int, Field(ge=0, le=30_000)] = 2000
    back_channels: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=256)] = list(BACK_CHANNELS)
    heard: Literal["assumed", "reported"] = "assumed"
    idle_bias: Annotated[float, Field(ge=-MAX_IDLE_BIAS, le=MAX_IDLE_BIAS)] = 0.0


class SessionParams(_Model):
    """`session` of a `session.update`; what was not given is not in `model_fields_set`."""

    type: Literal["realtime"] = "realtime"
    model: str | None = None
    output_modalities: Modalities = ["text"]
    instructions: Text = ""
    max_output_tokens: Limit = "inf"
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.8
    duplex: Duplex | None = None


class ResponseParams(_Model):
    """`response` of a `response.create`."""

    conversation: Literal["auto"] = "auto"
    instructions: Text | None = None
    max_output_tokens: Limit | None = None
    metadata: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]] | None = None
    output_modalities: Modalities = ["text"]


class Part(_Model):
    """One part of a message."""

    type: Literal["input_text", "output_text", "text"]
    text: Text


def _short_enough(parts: list[Part]) -> list[Part]:
    if sum(len(part.text) for part in parts) > MAX_TEXT:
        raise PydanticCustomError("too_long", f"an item has at most {MAX_TEXT} characters")
    return parts


Parts = Annotated[
    list[Annotated[Part, BeforeValidator(_message_part)]],
    Field(min_length=1, max_length=64),
    AfterValidator(_short_enough),
]


class Item(_Model):
    """A message of a conversation, as a client makes one."""

    id: Id | None = None
    type: Literal["message"]
    object: Literal["realtime.item"] | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None
    role: Literal["user", "assistant"]
    content: Parts

    @property
    def text(self) -> str:
        """All its parts."""
        return "".join(part.text for part in self.content)


class _Event(_Model):
    event_id: Annotated[str, Field(max_length=512)] | None = None


class SessionUpdate(_Event):
    type: Literal["session.update"]
    session: SessionParams


class BufferAppend(_Event):
    """Goes on with what is typed or recognised, or takes its place."""

    type: Literal["input_text_buffer.append"]
    text: Text
    replace: bool = False


class BufferCommit(_Event):
    type: Literal["input_text_buffer.commit"]


class BufferClear(_Event):
    type: Literal["input_text_buffer.clear"]


class Tick(_Event):
    """A slice is over, where the client keeps the clock."""

    type: Literal["duplex.tick"]


class ItemCreate(_Event):
    type: Literal["conversation.item.create"]
    previous_item_id: str | None = None
    item: Item


class ItemRetrieve(_Event):
    type: Literal["conversation.item.retrieve"]
    item_id: str


class ItemDelete(_Event):
    type: Literal["conversation.item.delete"]
    item_id: str


class ItemTruncate(_Event):
    """``characters``: how many stay; the API's own measure, ``audio_end_ms``, is of no meaning to text."""

    type: Literal["conversation.item.truncate"]
    item_id: str
    content_index: Literal[0] = 0
    audio_end_ms: int | None = None
    characters: Annotated[int, Field(ge=0)]


class ItemHeard(_Event):
    """The user has heard so many characters of an item."""

    type: Literal["conversation.item.heard"]
    item_id: str
    content_index: Literal[0] = 0
    characters: Annotated[int, Field(ge=0)]


class ResponseCreate(_Event):
    type: Literal["response.create"]
    response: ResponseParams = ResponseParams()


class ResponseCancel(_Event):
    type: Literal["response.cancel"]
    response_id: str | None = None


ClientEvent = (
    SessionUpdate
    | BufferAppend
    | BufferCommit
    | BufferClear
    | Tick
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ItemHeard
    | ResponseCreate
    | ResponseCancel
)

_EVENTS: dict[str, type[ClientEvent]] = {
    "session.update": SessionUpdate,
    "input_text_buffer.append": BufferAppend,
    "input_text_buffer.commit": BufferCommit,
    "input_text_buffer.clear": BufferClear,
    "duplex.tick": Tick,
    "conversation.item.create": ItemCreate,
    "conversation.item.retrieve": ItemRetrieve,
    "conversation.item.delete": ItemDelete,
    "conversation.item.truncate": ItemTruncate,
    "conversation.item.heard": ItemHeard,
    "response.create": ResponseCreate,
    "response.cancel": ResponseCancel,
}


def parse(frame: str) -> ClientEvent:
    """The event that a frame holds. Raises WireError."""
    try:
        fields = json.loads(frame, parse_constant=_refuse)
        if "\\u" in frame:  # half a surrogate pair is no character, and no answer could name it
            json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise WireError("invalid_json", "the frame holds half a surrogate pair") from None
    except (ValueError, RecursionError):
        raise WireError("invalid_json", "the frame is not JSON") from None
    if not isinstance(fields, dict):
        raise WireError("invalid_json", "the frame is not a JSON object")
    given = fields.get("event_id")
    event_id = given if isinstance(given, str) and len(given) <= 512 else None
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise WireError("missing_required_parameter", "an event needs a type", "type", event_id)
    if kind.startswith(_UNSUPPORTED_EVENTS):
        raise WireError(
            "unsupported_event", f"{kind[:64]}: this server speaks text only, without tools", "type", event_id
        )
    model = _EVENTS.get(kind)
    if model is None:
        known = ", ".join(_EVENTS)
        raise WireError("unknown_event", f"there is no event {kind[:64]!a}; there are {known}", "type", event_id)
    for outer in ("session", "response"):
        if isinstance(fields.get(outer), dict):
            fields[outer] = _without_unsupported(outer, fields[outer], event_id)
    _refuse_other_items(fields.get("item"), event_id)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _wire_error(error, event_id) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _without_unsupported(outer: str, fields: dict[str, Any], event_id: str | None) -> dict[str, Any]:
    for name, harmless in _UNSUPPORTED.items():
        if name in fields and not any(fields[name] == value for value in harmless):
            text = f"this server has no {name}: it speaks text only, without tools"
            raise WireError("unsupported_parameter", text, f"{outer}.{name}", event_id)
    if outer == "response" and fields.get("conversation") == "none":
        text = "responses outside the conversation are not supported"
        raise WireError("unsupported_parameter", text, "response.conversation", event_id)
    return {name: value for name, value in fields.items() if name not in _UNSUPPORTED}


def _refuse_other_items(item: object, event_id: str | None) -> None:
    """Kinds of items that the API has and this server has not."""
    if not isinstance(item, dict):
        return
    if item.get("role") == "system":
        text = "the model knows no system messages: put them into the instructions of session.update"
        raise WireError("unsupported_value", text, "item.role", event_id)
    if isinstance(item.get("type"), str) and item["type"] != "message":
        text = f"{item['type'][:64]!a}: items of this server are messages; it has no tools"
        raise WireError("unsupported_value", text, "item.type", event_id)


def _wire_error(error: ValidationError, event_id: str | None) -> WireError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"] if part not in _UNION)[:128]
    kind = first["type"]
    if kind == "extra_forbidden":
        return WireError("unknown_parameter", f"there is no parameter {param}", param, event_id)
    if kind == "missing":
        return WireError("missing_required_parameter", f"{param} is missing", param, event_id)
    code = kind if kind == "unsupported_value" else "invalid_type" if kind.endswith("_type") else "invalid_value"
    return WireError(code, f"{param}: {first['msg']}", param, event_id)
