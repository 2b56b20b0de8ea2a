"""One response of the JSON protocol: its events, in the order that the API's clients know, and its usage.

Pure: what is to be sent goes to a function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from edge_server.driver import Cost
from edge_server.realtime_items import Message

Send = Callable[[dict[str, Any]], None]
Ending = Literal["completed", "cancelled", "incomplete", "failed"]


class Response:
    """From `response.created` to `response.done`. It has one item at most, which comes with the first words."""

    def __init__(
        self, response_id: str, conversation_id: str, send: Send, limit: int | None, metadata: dict[str, str] | None
    ) -> None:
        """Sends `response.created`. ``limit``: the most tokens; None: as many as there are."""
        self.id = response_id
        self.item: Message | None = None
        self._conversation_id = conversation_id
        self._send = send
        self._limit = limit
        self._metadata = metadata
        self._cached = self._input = self._output = 0
        self._send({"type": "response.created", "response": self._wire("in_progress", None)})

    def begin(self, item: Message, previous: str | None) -> None:
        """The first words come: the item is there."""
        self.item = item
        added = {"item": item.wire(empty=True)}
        self._send({"type": "response.output_item.added", "response_id": self.id, "output_index": 0, **added})
        self._send({"type": "conversation.item.added", "previous_item_id": previous, **added})
        self._part("response.content_part.added", part={"type": "text", "text": ""})

    def delta(self, text: str) -> None:
        """More words."""
        assert self.item is not None
        self.item.text += text
        self._part("response.output_text.delta", delta=text)

    def count(self, cost: Cost) -> None:
        """What a slice of it took. Of the prompt, what an earlier slice had already counts once."""
        if not self._input:
            self._cached = cost.reused
            self._input = cost.reused
        self._input += cost.prefilled
        self._output += cost.sampled

    def finish(
        self, ending: Ending, reason: str | None = None, message: str | None = None, *, previous: str | None = None
    ) -> None:
        """Sends what ends it, last `response.done`; nothing of it may be sent afterwards.

        ``reason``: of a failure, its error's code; ``message`` is that error's. ``previous``: the item before its own.
        """
        item = self.item
        if item is not None:
            item.status = "completed" if ending == "completed" else "incomplete"
            self._part("response.output_text.done", text=item.text)
            self._part("response.content_part.done", part={"type": "text", "text": item.text})
            self._send({"type": "conversation.item.done", "previous_item_id": previous, "item": item.wire()})
            done = {"response_id": self.id, "output_index": 0, "item": item.wire()}
            self._send({"type": "response.output_item.done", **done})
        details: dict[str, Any] = {"type": ending}
        if reason is not None and ending == "failed":
            kind = "server_error" if reason.startswith("server_") else "invalid_request_error"
            details["error"] = {"type": kind, "code": reason, "message": message}
        elif reason is not None:
            details["reason"] = reason
        self._send({"type": "response.done", "response": self._wire(ending, details)})

    def _part(self, kind: str, **fields: object) -> None:
        assert self.item is not None
        place = {"response_id": self.id, "item_id": self.item.id, "output_index": 0, "content_index": 0}
        self._send({"type": kind, **place, **fields})

    def _wire(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        usage = {
            "total_tokens": self._input + self._output,
            "input_tokens": self._input,
            "output_tokens": self._output,
            "input_token_details": {"text_tokens": self._input, "audio_tokens": 0, "cached_tokens": self._cached},
            "output_token_details": {"text_tokens": self._output, "audio_tokens": 0},
        }
        return {
            "object": "realtime.response",
            "id": self.id,
            "conversation_id": self._conversation_id,
            "status": status,
            "status_details": details,
            "output": [] if self.item is None or details is None else [self.item.wire()],
            "output_modalities": ["text"],
            "max_output_tokens": "inf" if self._limit is None else self._limit,
            "metadata": self._metadata,
            "usage": None if details is None else usage,
        }
