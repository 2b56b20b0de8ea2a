"""What an assistant is saying: what was heard of it, what a scenario knows to be to come, whether it is over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clients.eval_matching import begins_alike, continuation, is_silent, repeats, rest_of, squeeze, take


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

    def with_its_words(self, said: str) -> Message:
        """This message with what of it was `said`: all that, or its last words, which something else may follow."""
        for rest in self.rests:
            ended = squeeze(rest) and squeeze(said).startswith(squeeze(rest))
            if ended or rest_of(rest, said) is not None:
                return self.then(rest if ended else said)
        return self

    def going_on(self, said: str) -> Message | None:
        """This message, further heard, if it is known and gone on with in what was `said`."""
        for text in self.texts:
            rest = rest_of(text, self.heard)
            count = None if rest is None else continuation(rest, said)
            if count is not None:
                return replace(self, heard=take(text, len(squeeze(self.heard)) + count))
        return None


def end_of(message: Message, replies: Sequence[str]) -> int | None:
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


def goes_on(message: Message, replies: Sequence[str]) -> bool:
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


def still_said(old: Message, replies: Sequence[str]) -> int:
    """In how many slices, the first and those behind it, the old message is still said; 0 if it is not known."""
    for index, reply in enumerate(replies):
        rests = [rest for rest in old.rests if squeeze(rest)]
        if is_silent(reply) or not any(begins_alike(rest, reply) for rest in rests):
            return index
        old = old.then(reply)
    return len(replies)


def says_again(old: Message, said: str) -> bool:
    return repeats(old.heard, said, " ".join(old.rests))
