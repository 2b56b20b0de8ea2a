"""The JSON protocol as a state machine: what a client of `/v1/realtime` sends in, what it is sent out.

Between the wire and a driver of a streaming session. No I/O; it is given a clock, and says when it wants to be woken
(`deadline`). docs/realtime.md is the specification. The rules:

 1. An event is carried out whole or refused whole with one `error`; the connection lives on.
 2. Where nothing else is said, a response is made when it is asked for (`response.create`). With `session.duplex` on,
    committed words are answered at once, and silence is passed on slice by slice: the model decides when it speaks.
 3. A response that has ended is ended: no event of it follows its `response.done`.
 4. What the user has not heard leaves the conversation: at a barge-in, a cancel or a truncation the session takes it
    back to a token boundary, and `conversation.item.truncated` says what is left.
 5. A draft in the middle of speech holds the assistant back (`duplex.barge_in`); what it says meanwhile is kept. If
    nothing comes of it within `false_alarm_ms`, speech goes on from where it was heard (`duplex.resumed`), and nothing
    is made again. Otherwise it is cut, as by words.
 6. Items that were made, deleted or cut reach the session before the next slice that it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edge_server import realtime_wire as wire
from edge_server.driver import Failure
from edge_server.events import Draft, IdleBias, Mode, NewSession, Output
from edge_server.realtime_asking import Answer, Asking
from edge_server.realtime_floor import Drive, Floor, Plan, Send, wire_error
from edge_server.realtime_items import Items, Message
from edge_server.realtime_params import About
from edge_server.realtime_wire import Duplex, SessionParams, WireError
from edge_server.realtime_words import false_alarm, whole_words


class Realtime:
    """One session of the JSON protocol; it is its driver's listener. Call `use` before anything is passed."""

    def __init__(self, about: About, send: Send, clock: Callable[[], float]) -> None:
        """``clock``: seconds."""
        self._about = about
        self._send = send
        self._clock = clock
        self._params = about.params
        self.items = Items()
        self._floor = Floor(self.items, about.conversation_id, send)
        self._asking = Asking(self.items, self._floor, send)
        self._draft = ""
        self._held_draft = ""  # the words that hold the assistant back, as they were last
        self._held_since: float | None = None
        self._next_slice: float | None = None
        self._listening = True

    def use(self, driver: Drive) -> None:
        """Whom to pass events to."""
        self._driver = self._floor.driver = self._asking.driver = driver

    # --- in

    def start(self) -> None:
        """Say what the session is."""
        self._send({"type": "session.created", "session": self.describe()})

    def receive(self, event: wire.ClientEvent) -> None:
        """One event of the client's. Raises WireError, having changed nothing."""
        if isinstance(event, wire.SessionUpdate):
            self._update(event.session)
        elif isinstance(event, wire.ItemCreate):
            self._create(event)
        elif isinstance(event, wire.ItemRetrieve):
            self._send({"type": "conversation.item.retrieved", "item": self.items.find(event.item_id).wire()})
        elif isinstance(event, wire.ItemDelete):
            self._delete(self.items.find(event.item_id))
        elif isinstance(event, wire.ItemTruncate):
            self._truncate(self._reply(event.item_id), event.characters)
        elif isinstance(event, wire.ItemHeard):
            self._floor.hear(self._reply(event.item_id), event.characters)
        elif isinstance(event, wire.ResponseCreate):
            self._respond(event.response)
        elif isinstance(event, wire.ResponseCancel):
            self._cancel(event.response_id)
        else:
            self._on_buffer(event, self._duplex())
        self._keep_time()

    @property
    def deadline(self) -> float | None:
        """When `tick` should be called next."""
        if not self._listening:
            return None
        if self._held_since is not None:
            return self._held_since + self._duplex().false_alarm_ms / 1000
        return self._next_slice

    def tick(self) -> None:
        """The deadline has come."""
        deadline = self.deadline
        if deadline is None or self._clock() < deadline:
            return
        if self._held_since is not None:
            self._interrupt("turn_detected")
            self._asking.stop()
        else:
            self._next_slice = None
            self._end_slice(self._duplex())
        self._keep_time()

    def resumed(self, last_client_event: str | None, connection: str | None = None) -> None:
        """Say, behind what was missed, that this is all; and which event of the client's was the last to come.

        ``connection``: what the client calls the one that it comes back on.
        """
        about = {"session": self.describe(), "last_client_event_id": last_client_event, "connection": connection}
        self._send({"type": "session.resumed", **about, "draft": self._draft, **self._floor.heard_so_far()})

    @property
    def in_duplex(self) -> bool:
        """Whether `session.duplex` is on."""
        return self._params.duplex is not None

    def pause(self) -> None:
        """Nobody listens: no slice ends until `go_on`."""
        self._listening = False

    def go_on(self) -> None:
        """Somebody listens again; the slice, and what may be a false alarm, begin anew."""
        self._listening = True
        self._next_slice = None
        if self._held_since is not None:
            self._held_since = self._clock()
        self._keep_time()

    @property
    def unsettled(self) -> bool:
        """Whether something was asked for, or taken back, that the session has not dealt with."""
        return self._asking.waits or self._floor.waits

    def describe(self) -> dict[str, Any]:
        """`session` as events carry it."""
        return self._about.describe(self._params)

    # --- the driver's listener

    def say(self, output: Output) -> None:
        """What the session says, in order."""
        if not self._asking.refuses(output):
            self._floor.say(output)

    def over(self) -> None:
        """What a slice's end led to is done."""
        self._floor.over()
        self._asking.over()
        self._keep_time()

    def fail(self, failure: Failure) -> None:
        """The slice that runs will have no answer."""
        code = "server_busy" if failure is Failure.BUSY else "server_error"
        self._send(wire_error(code, failure.value, kind="server_error"))
        if not self._floor.late:  # else what is held back is to come yet
            self._held_since = None
        waits = self._floor.fail(code, failure.value)
        self._driver.give_up()
        if waits:
            self._asking.stop()
        self.over()

    # --- session.update

    def _duplex(self) -> Duplex:
        if self._params.duplex is None:
            text = "this is of the duplex extension: switch it on with session.update, session.duplex: {}"
            raise WireError("duplex_off", text, "type")
        return self._params.duplex

    def _update(self, given: SessionParams) -> None:
        begun = bool(len(self.items) or self._floor.response)
        after = self._about.updated(self._params, given, begun=begun)
        if self._held_since is not None and _rules(after.duplex) != _rules(self._params.duplex):
            self._resume("withdrawn")  # it began under rules that hold no more
        before, self._params = self._params, after
        duplex = after.duplex
        if (duplex is None) != (before.duplex is None):
            mode = Mode.ORDINARY if duplex is None else Mode.DUPLEX
            self._driver.take(NewSession(mode, self._about.seed))
            self._asking.start_over()
            self._floor.start_over()
            self._draft = ""
        self._driver.sampling = replace(self._driver.sampling, temperature=after.temperature)
        if duplex is not None:
            self._driver.take(IdleBias(duplex.idle_bias))
        self._floor.turn_by_turn = duplex is None
        self._floor.heard_reported = duplex is not None and duplex.heard == "reported"
        self._floor.plan = Plan(_limit(after.max_output_tokens))
        if duplex is not None and before.duplex is not None and duplex.slice_ms != before.duplex.slice_ms:
            self._next_slice = None
        self._send({"type": "session.updated", "session": self.describe()})

    # --- what is typed or recognised, and slices

    def _on_buffer(
        self, event: wire.BufferAppend | wire.BufferCommit | wire.BufferClear | wire.Tick, duplex: Duplex
    ) -> None:
        if isinstance(event, wire.BufferAppend):
            draft = event.text if event.replace else self._draft + event.text
            if len(draft) > wire.MAX_TEXT:
                raise WireError("invalid_value", f"a draft has at most {wire.MAX_TEXT} characters", "text")
            self._type(draft, duplex)
        elif isinstance(event, wire.BufferClear):
            self._send({"type": "input_text_buffer.cleared"})
            self._type("", duplex)
        elif isinstance(event, wire.BufferCommit):
            if not self._draft.strip() and self._held_since is None:
                raise WireError("input_text_buffer_commit_empty", "there is nothing to commit", "type")
            words, self._draft = self._draft.strip(), ""
            self._commit(words, duplex)
        elif duplex.clock == "server":
            raise WireError("invalid_value", "the server keeps the clock: session.duplex.clock is 'server'", "type")
        else:
            self._end_slice(duplex)

    def _type(self, draft: str, duplex: Duplex) -> None:
        self._draft = draft
        words = draft.strip()
        self._held_draft = words or self._held_draft
        if self._held_since is not None:
            if not words:
                self._resume("withdrawn")
        elif words and duplex.barge_in == "draft" and self._floor.speaking:
            self._held_since = self._clock()
            self._floor.hold_back()
        if self._held_since is None:  # else what may go on would be taken back for it
            self._driver.take(Draft(words))

    def _end_slice(self, duplex: Duplex) -> None:
        """The slice is over: whole words that are typed are its words, if it is to be so; else it is silent."""
        if duplex.commit == "slices" and (words := whole_words(self._draft)):
            self._draft = self._draft[len(words) :]
            self._commit(words.strip(), duplex)
            self._driver.take(Draft(self._draft.strip()))
        elif self._held_since is None and not self._asking.waits and self._driver.session.engaged:
            self._asking.go_on()

    def _commit(self, words: str, duplex: Duplex) -> None:
        if self._held_since is not None or self._floor.speaking:
            if (reason := false_alarm(words, duplex.back_channels)) is not None:
                self._send({"type": "input_text_buffer.cleared"})
                self._held_draft = words
                self._resume(reason)
                return
            self._interrupt("turn_detected")
        item = Message(self.items.new_id(), "user", words)
        place = {"previous_item_id": self.items.add(item)}
        self._send({"type": "input_text_buffer.committed", "item_id": item.id, "text": words, **place})
        self._announce(item, place)
        self._next_slice = None
        self._asking.answer(Answer(item, _limit(self._params.max_output_tokens), self._params.instructions))

    def _resume(self, reason: str) -> None:
        self._held_since = None
        self._next_slice = None
        self._floor.resume(reason, self._held_draft)
        self._asking.carry_out()

    def _keep_time(self) -> None:
        """The next slice ends one length from now, if there is anything to be cut."""
        duplex = self._params.duplex
        if duplex is None or duplex.clock == "client" or self._held_since is not None:
            self._next_slice = None
            return
        typed = duplex.commit == "slices" and bool(self._draft.strip())
        if not (typed or self._driver.session.engaged):
            self._next_slice = None
        elif self._next_slice is None:
            self._next_slice = self._clock() + duplex.slice_ms / 1000

    # --- items

    def _reply(self, item_id: str) -> Message:
        item = self.items.find(item_id)
        if item.role != "assistant":
            raise WireError("invalid_value", f"{item.id!a} is no message of the assistant's", "item_id")
        return item

    def _announce(self, item: Message, place: dict[str, Any]) -> None:
        self._send({"type": "conversation.item.added", "item": item.wire(), **place})
        self._send({"type": "conversation.item.done", "item": item.wire(), **place})

    def _create(self, event: wire.ItemCreate) -> None:
        given = event.item
        item = Message(given.id or self.items.new_id(), given.role, given.text)
        self._announce(item, {"previous_item_id": self.items.add(item, after=event.previous_item_id)})

    def _delete(self, item: Message) -> None:
        if self._floor.is_speaking(item):
            self._interrupt("client_cancelled")
            self._asking.stop()
        self._floor.take_out(item)
        self.items.remove(item)
        self._asking.take_out(item)
        self._send({"type": "conversation.item.deleted", "item_id": item.id})

    def _truncate(self, item: Message, characters: int) -> None:
        if self._floor.is_newest(item):
            self._interrupt("client_cancelled", heard=characters, tell=True)
            self._asking.stop()
        else:
            self._asking.cut(item, characters)

    # --- responses

    def _respond(self, asked: wire.ResponseParams) -> None:
        if self._floor.response is not None:
            text = f"response {self._floor.response.id} is being made: cancel it, or wait for its end"
            raise WireError("conversation_already_has_active_response", text)
        if self._held_since is not None:
            text = "a draft holds the assistant back: commit it or clear it first"
            raise WireError("assistant_held_back", text)
        limit = _limit(asked.max_output_tokens or self._params.max_output_tokens)
        instructions = self._params.instructions if asked.instructions is None else asked.instructions
        last = self.items.last
        unanswered = last is not None and last.role == "user" and last.turn is None
        self._floor.begin(Plan(limit, asked.metadata))
        self._asking.answer(Answer(last if unanswered else None, limit, instructions))

    def _cancel(self, response_id: str | None) -> None:
        response = self._floor.response
        if response is None:
            raise WireError("response_cancel_not_active", "no response is being made")
        if response_id not in (None, response.id):
            raise WireError("response_cancel_not_active", f"{response.id} is being made, not that one", "response_id")
        self._interrupt("client_cancelled")
        self._asking.stop()

    def _interrupt(self, reason: str, *, heard: int | None = None, tell: bool = False) -> None:
        self._held_since = None
        self._floor.interrupt(reason, heard=heard, tell=tell)


def _rules(duplex: Duplex | None) -> tuple[str, str] | None:
    """What a barge-in begins under."""
    return None if duplex is None else (duplex.barge_in, duplex.heard)


def _limit(tokens: int | str) -> int | None:
    return tokens if isinstance(tokens, int) else None
