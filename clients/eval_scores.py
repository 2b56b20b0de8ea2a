"""Judges played scenarios: what was heard becomes outcomes, case by case, under the metrics' names.

Pure. The metrics are defined in docs/evaluation.md; their cases are counted here, each where its condition holds.
What has been going on when the user speaks is followed as a `Message`: what was heard of it, and, where the
scenario knows its text, what is still to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clients.eval_matching import begins_alike, continuation, holds, is_silent, repeats, rest_of, squeeze, take
from clients.eval_played import Played, PlayedSlice
from clients.eval_scenarios import Check, Kind, Say, Scenario

# The rates, and whether what they count is wanted.
RATES = {
    "early_interruption": False,
    "success_reply": True,
    "right_answers": True,
    "success_interrupt": True,
    "interruption_reply": True,
    "noise_interruption": False,
    "back_on_topic": True,
    "resumption": True,
    "termination": True,
    "silence_after_end": True,
    "repetition": False,
}
LATENCIES = ("response_latency_slices", "response_latency_ms", "stop_latency_slices")


@dataclass(frozen=True)
class Case:
    """One case of a rate: whether what it counts has `happened`. None: its condition did not hold, so it is no case."""

    metric: str
    step: int  # index of the scenario's step
    happened: bool | None

    @property
    def missed(self) -> bool:
        return self.happened is not None and self.happened is not RATES[self.metric]


@dataclass(frozen=True)
class Latency:
    """One sample of a latency, in slices or in milliseconds as its metric's name says."""

    metric: str
    step: int
    value: float


Outcome = Case | Latency


@dataclass(frozen=True)
class Message:
    """What the assistant is saying, or has said: the `texts` that it is to be (none: unknown), and what was heard."""

    texts: tuple[str, ...] = ()
    heard: str = ""

    def then(self, words: str) -> Message:
        return replace(self, heard=self.heard + words)

    @property
    def rests(self) -> tuple[str, ...]:
        """What may follow: of each text that begins with what was heard. None: it is unknown, or has become so."""
        return tuple(rest for text in self.texts if (rest := rest_of(text, self.heard)) is not None)

    @property
    def known(self) -> bool:
        return bool(self.rests)

    @property
    def whole(self) -> bool:
        return any(not squeeze(rest) for rest in self.rests)

    def going_on(self, said: str) -> Message | None:
        """This message, further heard, if it is known and gone on with in what was `said`."""
        for text in self.texts:
            rest = rest_of(text, self.heard)
            count = None if rest is None else continuation(rest, said)
            if count is not None:
                return replace(self, heard=take(text, len(squeeze(self.heard)) + count))
        return None


@dataclass(frozen=True)
class _Segment:
    """A step that says something, with the silent steps behind it."""

    step: int
    say: Say
    slices: tuple[PlayedSlice, ...]

    @property
    def replies(self) -> list[str]:
        return [one.reply for one in self.slices]


def judge(scenario: Scenario, played: Played) -> list[Outcome]:
    """Every outcome of a scenario that was played, in the order of its steps. What it did not come to has none."""
    return list(_Judge().judge(_segments(scenario, played)))


def _segments(scenario: Scenario, played: Played) -> list[_Segment]:
    segments: list[_Segment] = []
    last = len(scenario.steps) if played.complete else max((one.step for one in played.slices), default=0)
    for index, step in enumerate(scenario.steps[:last]):
        slices = tuple(one for one in played.slices if one.step == index)
        if isinstance(step, Say):
            segments.append(_Segment(index, step, slices))
        else:
            segments[-1] = replace(segments[-1], slices=segments[-1].slices + slices)
    return segments


class _Judge:
    """Goes through a scenario's segments; what it keeps is what a listener would know at that moment."""

    def __init__(self) -> None:
        self._message = Message()
        self._speaking = False
        self._stopped: Message | None = None  # the message that a stop has interrupted

    def judge(self, segments: Sequence[_Segment]) -> Iterator[Outcome]:
        rest = list(segments)
        while rest:
            # An unfinished beginning belongs to what it becomes: there the interruption begins, if it is one.
            unfinished: list[_Segment] = []
            while rest and rest[0].say.kind is Kind.UNFINISHED:
                unfinished.append(rest.pop(0))
            message, speaking = self._message, self._speaking
            before = [reply for segment in unfinished for reply in segment.replies]
            if unfinished:
                yield Case("early_interruption", unfinished[0].step, not all(map(is_silent, before)))
                self._heard_unasked(before)
            if not rest:
                return
            last = rest.pop(0)
            if last.say.kind is Kind.NOISE:
                yield from self._noise(last)
            elif last.say.kind is Kind.STOP:
                yield from self._stop(last, message, before, speaking=speaking)
            elif last.say.kind is Kind.RESUME:
                yield from self._resume(last)
            else:
                yield from self._request(last, message, before, speaking=speaking)
            self._speaking = not is_silent(last.replies[-1]) and not self._message.whole

    def _heard_unasked(self, replies: Sequence[str]) -> None:
        if words := "".join(replies).strip():
            self._message = Message(heard=words)
        self._speaking = not is_silent(replies[-1])

    def _request(self, segment: _Segment, old: Message, before: Sequence[str], *, speaking: bool) -> Iterator[Outcome]:
        """A question, an interruption or an aside; `old` is what was going on before it began, `before` what was
        said while it was unfinished."""
        say, step = segment.say, segment.step
        interrupts = say.kind is not Kind.QUESTION and speaking
        still = _still_said(old, [*before, *segment.replies]) if interrupts else 0
        # What of the old message is still said in reply is no answer.
        skipped = max(0, still - len(before))
        replies = segment.replies[skipped:]
        new = Message(say.answer.text if say.answer else ())
        right = None if say.answer is None else _is_right(say, new, replies)
        answered = any(not is_silent(reply) for reply in replies)
        if say.kind is Kind.QUESTION:
            yield Case("success_reply", step, answered)
            yield Case("right_answers", step, right)
        else:
            yield from self._interrupted(segment, old, [*before, *segment.replies], speaking=speaking, right=right)
            yield Case("interruption_reply", step, right)
        for index, one in enumerate(segment.slices):
            if index >= skipped and not is_silent(one.reply):
                yield Latency("response_latency_slices", step, index)
                if one.first is not None:
                    yield Latency("response_latency_ms", step, 1000 * (one.first - segment.slices[0].sent))
                break
        if say.kind is Kind.ASIDE:
            yield from self._gone_back(segment, "back_on_topic", old if speaking else None, new, replies)
        else:
            yield from self._listen(segment, new, replies)

    def _interrupted(
        self, segment: _Segment, old: Message, replies: Sequence[str], *, speaking: bool, right: bool | None
    ) -> Iterator[Outcome]:
        """Whether the old message stops, and when: in slices since the user began to interrupt."""
        stops: int | None
        if not speaking:
            yield Case("success_interrupt", segment.step, None)
            return
        if old.known:
            still = _still_said(old, replies)
            stops = still if still < len(replies) else None
        elif segment.say.kind is Kind.STOP or is_silent(replies[0]):
            stops = next((index for index, reply in enumerate(replies) if is_silent(reply)), None)
        elif right is None:
            # Nothing tells the words of an unknown message from those of an unknown answer.
            yield Case("success_interrupt", segment.step, None)
            return
        else:
            stops = 0 if right else None
        yield Case("success_interrupt", segment.step, stops is not None)
        if stops is not None:
            yield Latency("stop_latency_slices", segment.step, stops)

    def _stop(self, segment: _Segment, old: Message, before: Sequence[str], *, speaking: bool) -> Iterator[Outcome]:
        replies = segment.replies
        yield from self._interrupted(segment, old, [*before, *replies], speaking=speaking, right=None)
        yield Case("termination", segment.step, all(map(is_silent, replies)) if speaking else None)
        if speaking:
            self._message = old.then("".join([*before, *replies]))
            self._stopped = self._message
        else:
            self._heard_unasked(replies)

    def _noise(self, segment: _Segment) -> Iterator[Outcome]:
        replies = segment.replies
        if not self._speaking:
            yield Case("noise_interruption", segment.step, not all(map(is_silent, replies)))
            self._heard_unasked(replies)
            return
        old = self._message
        yield Case("noise_interruption", segment.step, not _goes_on(old, replies))
        said = "".join(replies)
        yield Case("repetition", segment.step, _repeats(old, said) if not is_silent(said) else None)
        yield from self._listen(segment, old, replies)

    def _resume(self, segment: _Segment) -> Iterator[Outcome]:
        old = self._stopped if self._stopped is not None and not self._stopped.whole else None
        yield from self._gone_back(segment, "resumption", old, Message(), segment.replies)
        self._stopped = None

    def _gone_back(
        self, segment: _Segment, metric: str, old: Message | None, answer: Message, replies: Sequence[str]
    ) -> Iterator[Outcome]:
        """Whether the `old` message is gone on with, behind the `answer` to an aside; None: there is none."""
        said = "".join(replies)
        text = next((text for text in answer.texts if squeeze(said).startswith(squeeze(text))), "")
        after = said[len(take(said, len(squeeze(text)))) :]
        back = segment.say.back
        further = old.going_on(after) if old is not None else None
        if old is None or (back is None and not old.known):
            happened = None
        elif back is not None:
            happened = _is_back(back, after)
        else:
            happened = further is not None
        yield Case(metric, segment.step, happened)
        yield Case("repetition", segment.step, _repeats(old, after) if old is not None and happened else None)
        if further is None or old is None:
            # A message of which nothing more is known: its end is the first silent slice.
            yield from self._listen(segment, Message(), replies)
            if old is not None and happened:
                self._message = Message(heard=old.heard + after)
            return
        heard = ""
        for index, reply in enumerate(replies):
            heard += reply
            now = old.going_on(heard[len(take(heard, len(squeeze(text)))) :])
            if now is not None and now.whole:
                yield from _after_end(segment, replies[index + 1 :])
                break
        self._message = further

    def _listen(self, segment: _Segment, message: Message, replies: Sequence[str]) -> Iterator[Outcome]:
        """What was heard becomes the present message, and what follows its end outcomes."""
        end = _end_of(message, replies)
        if end is not None:
            yield from _after_end(segment, replies[end + 1 :])
        self._message = message.then("".join(replies if end is None else replies[: end + 1]))


def _after_end(segment: _Segment, replies: Sequence[str]) -> Iterator[Outcome]:
    for reply in replies:
        yield Case("silence_after_end", segment.step, is_silent(reply))


def _end_of(message: Message, replies: Sequence[str]) -> int | None:
    """The index of the slice with which the message is over; None: it is not.

    If its text is known, with its last word; else with the first silent slice after a word of it. A known message that
    falls silent before its last word is not over.
    """
    for index, reply in enumerate(replies):
        message = message.then(reply)
        if message.whole:
            # Another text that is accepted may be longer.
            longer = message.then(replies[index + 1]) if index + 1 < len(replies) else message
            if longer.heard == message.heard or is_silent(longer.heard[len(message.heard) :]) or not longer.known:
                return index
        elif is_silent(reply) and not is_silent(message.heard) and not message.known:
            return index
    return None


def _is_right(say: Say, new: Message, replies: Sequence[str]) -> bool:
    """Whether the reply satisfies the answer that the scenario expects."""
    assert say.answer is not None, "asked where there is one"
    said = "".join(replies)
    if not holds(say.answer, said):
        return False
    if not new.texts:
        return not is_silent(said)
    if say.kind is Kind.ASIDE and any(squeeze(said).startswith(squeeze(text)) for text in new.texts):
        return True
    end = _end_of(new, replies)
    heard = new.then("".join(replies if end is None else replies[: end + 1]))
    if heard.whole:
        return True
    # Cut short by the next step, not by itself.
    cut = say.slices is not None and not is_silent(replies[-1])
    return cut and heard.known


def _is_back(back: Check, after: str) -> bool:
    texts = [squeeze(text) for text in back.text]
    return holds(back, after) and not is_silent(after) and (not texts or any(one in squeeze(after) for one in texts))


def _goes_on(message: Message, replies: Sequence[str]) -> bool:
    """Whether a message that was going on goes on without a pause, and with its own words where they are known."""
    if not message.known:
        return not is_silent(replies[0])
    for reply in replies:
        if message.whole:
            return True
        message = message.then(reply)
        if is_silent(reply) or not message.known:
            return False
    return True


def _still_said(old: Message, replies: Sequence[str]) -> int:
    """In how many slices, the first and those behind it, the old message is still said; 0 if it is not known."""
    for index, reply in enumerate(replies):
        rests = [rest for rest in old.rests if squeeze(rest)]
        if is_silent(reply) or not any(begins_alike(rest, reply) for rest in rests):
            return index
        old = old.then(reply)
    return len(replies)


def _repeats(old: Message, said: str) -> bool:
    return repeats(old.heard, said, " ".join(old.rests))
