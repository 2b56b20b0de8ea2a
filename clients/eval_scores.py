"""Judges played scenarios: what was heard becomes outcomes, case by case, under the metrics' names.

Pure. The metrics are defined in docs/evaluation.md; their cases are counted here, each where its condition holds.
What has been going on when the user speaks is followed as a `Message`: what was heard of it, and, where the
scenario knows its text, what is still to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clients.eval_matching import begins_with, holds, is_silent, squeeze, take
from clients.eval_message import Message, end_of, goes_on, says_again, still_said
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
    finished = len(scenario.steps) if played.complete else max((one.step + 1 for one in played.slices), default=0)
    for index, step in enumerate(scenario.steps[:finished]):
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
        words = "".join(replies)
        if not is_silent(words):
            further = self._message.then(words)
            self._message = further if self._speaking and further.known else Message(heard=words)
        self._speaking = not is_silent(replies[-1]) and not self._message.whole

    def _request(self, segment: _Segment, old: Message, before: Sequence[str], *, speaking: bool) -> Iterator[Outcome]:
        """A question, an interruption or an aside; `old` is what was going on before it began, `before` what was
        said while it was unfinished."""
        say, step = segment.say, segment.step
        new = Message(say.answer.text if say.answer else ())
        still = 0
        if say.kind is not Kind.QUESTION and speaking:
            # The whole answer is one also where it begins as the old message would go on.
            at_once = bool(new.texts) and _is_right(say, new, segment.replies)
            still = still_said(old, before if at_once else [*before, *segment.replies])
            old = old.with_its_words("".join([*before, *segment.replies][:still]))
        # What of the old message is still said in reply is no answer.
        skipped = max(0, still - len(before))
        replies = segment.replies[skipped:]
        right = None if say.answer is None else _is_right(say, new, replies)
        answered = any(not is_silent(reply) for reply in replies)
        if say.kind is Kind.QUESTION:
            yield Case("success_reply", step, answered)
            yield Case("right_answers", step, right)
        else:
            said = [*before, *segment.replies]
            outcomes = list(self._interrupted(segment, old if speaking else None, said, still, right=right))
            yield from outcomes
            yield Case("interruption_reply", step, right)
            if speaking and not old.known and not any(isinstance(one, Latency) for one in outcomes):
                skipped = len(replies)  # its words may be the old message's
        for index, one in enumerate(segment.slices):
            if index >= skipped and not is_silent(one.reply):
                yield Latency("response_latency_slices", step, index)
                if one.first is not None:
                    yield Latency("response_latency_ms", step, 1000 * (one.first - segment.slices[0].sent))
                break
        if say.kind is Kind.ASIDE:
            left = speaking and not old.whole
            yield from self._gone_back(segment, "back_on_topic", old if left else None, new, replies)
        else:
            yield from self._listen(segment, new, replies)
            self._stopped = None  # a "go on" now is for this message

    def _interrupted(
        self, segment: _Segment, old: Message | None, replies: Sequence[str], still: int, *, right: bool | None
    ) -> Iterator[Outcome]:
        """Whether the old message stops, and when: in slices since the user began to interrupt.

        None: nothing was going on. In `still` of the `replies` it is said yet, if it is known; `old` is as heard with
        them.
        """
        stops: int | None
        if old is None:
            yield Case("success_interrupt", segment.step, None)
            return
        asked = len(replies) - len(segment.replies)  # the slice in which the user has said all
        # Of an unknown message silence shows that it has stopped; later than this it may be the end of a new one.
        until = len(replies) if segment.say.kind is Kind.STOP else asked + 1
        silent = next((index for index, reply in enumerate(replies[:until]) if is_silent(reply)), None)
        if old.known:
            # Who says it to its last word has not stopped, but ended.
            stops = still if still < len(replies) and not old.whole else None
        elif silent is not None or segment.say.kind is Kind.STOP:
            stops = silent
        elif right is None:
            # Nothing tells the words of an unknown message from those of an unknown answer.
            yield Case("success_interrupt", segment.step, None)
            return
        else:
            # What was said before the user had said all is no answer.
            stops = asked if right else None
        yield Case("success_interrupt", segment.step, stops is not None)
        if stops is not None:
            yield Latency("stop_latency_slices", segment.step, stops)

    def _stop(self, segment: _Segment, old: Message, before: Sequence[str], *, speaking: bool) -> Iterator[Outcome]:
        replies = segment.replies
        said = [*before, *replies]
        still = still_said(old, said)
        heard = old.with_its_words("".join(said[:still]))
        yield from self._interrupted(segment, heard if speaking else None, said, still, right=None)
        yield Case("termination", segment.step, all(map(is_silent, replies)) if speaking else None)
        if speaking:
            self._message = old.then("".join(said))
            # An "okay" in between does not make it another message.
            self._stopped = heard if heard.known else self._message
        else:
            self._heard_unasked(replies)

    def _noise(self, segment: _Segment) -> Iterator[Outcome]:
        replies = segment.replies
        if not self._speaking:
            yield Case("noise_interruption", segment.step, not all(map(is_silent, replies)))
            self._heard_unasked(replies)
            return
        old = self._message
        yield Case("noise_interruption", segment.step, not goes_on(old, replies))
        said = "".join(replies)
        yield Case("repetition", segment.step, says_again(old, said) if not is_silent(said) else None)
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
        text = next((text for text in answer.texts if begins_with(said, text)), "")
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
        yield Case("repetition", segment.step, says_again(old, after) if old is not None and happened else None)
        if further is None or old is None:
            # A message of which nothing more is known: its end is the first silent slice, but not a pause before it.
            begun = _back_at(back, replies, len(said) - len(after)) if back is not None and happened else 0
            yield from self._listen(segment, Message(), replies[begun:])
            if old is not None and happened:
                self._message = Message(heard=old.heard + after)
            return
        heard = ""
        for index, reply in enumerate(replies):
            heard += reply
            now = old.going_on(heard[len(take(heard, len(squeeze(text)))) :])
            if now is not None and now.whole:
                yield from self._over(segment, now, replies[index + 1 :])
                return
        self._message = further

    def _listen(self, segment: _Segment, message: Message, replies: Sequence[str]) -> Iterator[Outcome]:
        """What was heard becomes the present message, and what follows its end outcomes."""
        end = end_of(message, replies)
        if end is None:
            self._message = message.then("".join(replies))
        else:
            yield from self._over(segment, message.then("".join(replies[: end + 1])), replies[end + 1 :])

    def _over(self, segment: _Segment, message: Message, after: Sequence[str]) -> Iterator[Outcome]:
        """A message is over; what is said `after` it is another one."""
        for reply in after:
            yield Case("silence_after_end", segment.step, is_silent(reply))
        self._message = Message(heard="".join(after)) if after and not is_silent(after[-1]) else message


def _is_right(say: Say, new: Message, replies: Sequence[str]) -> bool:
    """Whether the reply satisfies the answer that the scenario expects."""
    assert say.answer is not None, "asked where there is one"
    said = "".join(replies)
    if not holds(say.answer, said):
        return False
    if not new.texts:
        return not is_silent(said)
    if say.kind is Kind.ASIDE and any(begins_with(said, text) for text in new.texts):
        return True
    end = end_of(new, replies)
    heard = new.then("".join(replies if end is None else replies[: end + 1]))
    if heard.whole:
        return True
    # Cut short by the next step, not by itself.
    cut = say.slices is not None and not is_silent(replies[-1])
    return cut and heard.known


def _is_back(back: Check, after: str) -> bool:
    texts = [squeeze(text) for text in back.text]
    return holds(back, after) and not is_silent(after) and (not texts or any(one in squeeze(after) for one in texts))


def _back_at(back: Check, replies: Sequence[str], answered: int) -> int:
    """The slice by which the interrupted message is gone on with, in replies of which that is true; the aside's answer
    is their first `answered` characters."""
    return next(n for n in range(len(replies)) if _is_back(back, "".join(replies[: n + 1])[answered:]))
