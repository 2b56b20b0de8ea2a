"""Replies aloud, by the speech synthesis that the system has: macOS's `say`, or espeak-ng.

One process speaks a phrase, which it reads from its standard input. Such a program does not tell how far it is: within
a phrase that is estimated, by the rate at which the phrases before were spoken, and never to the phrase's end before
the process has ended. Where it cannot speak, replies are heard at the rate that was asked for, without a sound.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from clients.pace import Heard, Pace, PacedSpeaker, count_standard_words, word_ends
from clients.voice_program import Program, Voice, find_voice, spoken_rate
from clients.words import clean

__all__ = ["Voice", "VoiceSpeaker", "find_voice"]

LOOK_UP = 5.0  # seconds that listing the voices may take
PATIENCE = 10.0  # seconds that a phrase may take beyond four times what was estimated
NO_SPEECH = 1500  # words a minute that no voice speaks: it has ended at once

_SENTENCE = re.compile(r"""[.!?…]+["'”’)\]]*\s+|[。！？]+["'”’」』）\]]*\s*|\n\s*""")
_SPEAKABLE = re.compile(r"\w")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
_KANA = re.compile("[\u3040-\u30ff]")


@dataclass
class _Phrase:
    item: str
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class VoiceSpeaker:
    """Speaks replies aloud. A `clients.pace.ReplySpeaker`.

    Args:
        voice: The program.
        words_a_minute: Above 0, finite. Voices have their limits; what was heard is estimated by what they do.
        tell: Is called in the loop with what became heard.
        trouble: Is called, once, with a line for the user, where the voice cannot speak. What was said is then heard
            by the rate alone.
    """

    def __init__(
        self, voice: Voice, words_a_minute: float, tell: Callable[[Heard], None], trouble: Callable[[str], None]
    ) -> None:
        self._voice = voice
        self._words_a_minute = words_a_minute
        self._tell = tell
        self._trouble = trouble
        self._silent = PacedSpeaker(words_a_minute, tell)
        self._failed = False
        self._chunk: _Phrase | None = None  # waits for the end of its slice or sentence
        self._phrases: deque[_Phrase] = deque()
        self._spoken: _Phrase | None = None  # of the phrase that is being spoken, what was not told yet
        self._pace = Pace(words_a_minute)  # of that phrase
        self._round = 0  # what was said before `stop` is not told any more
        self._program: Program | None = None
        self._work: asyncio.Task[None] | None = None
        self._chinese: str | None = None
        self._looked_up = False
        self._seconds = 0.0  # that the phrases took that were spoken, the older ones counting less
        self._words = 0.0  # of the standard length, in those

    @property
    def speaking(self) -> bool:
        return bool(self._chunk or self._phrases or self._spoken) or self._silent.speaking

    def say(self, item: str, start: int, text: str) -> None:
        if self._failed:
            self._silent.say(item, start, text)
            return
        if self._chunk and (self._chunk.item, self._chunk.end) != (item, start):
            self.flush()
        if self._chunk is None:
            self._chunk = _Phrase(item, start, "")
        chunk = self._chunk
        chunk.text += text
        while end := _SENTENCE.search(chunk.text):
            self._queue(_Phrase(item, chunk.start, chunk.text[: end.end()]))
            chunk.start += end.end()
            chunk.text = chunk.text[end.end() :]
        if not chunk.text:
            self._chunk = None

    def flush(self) -> None:
        chunk, self._chunk = self._chunk, None
        if chunk is not None:
            self._queue(chunk)

    def stop(self) -> None:
        told = self._due(asyncio.get_running_loop().time())
        self._round += 1
        self._chunk = self._spoken = None
        self._phrases.clear()
        self._pace.stop()
        if self._program is not None:
            self._program.end()
        for heard in told:
            self._tell(heard)
        self._silent.stop()

    async def close(self) -> None:
        await self._silent.close()
        self._pace.stop()
        self.stop()
        if self._work is not None:
            await self._work

    def _queue(self, phrase: _Phrase) -> None:
        self._phrases.append(phrase)
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._speak_all())

    async def _speak_all(self) -> None:
        while self._phrases and not self._failed:
            self._spoken = self._phrases.popleft()
            if _SPEAKABLE.search(self._spoken.text):
                await self._speak(self._spoken)
            else:
                self._tell_rest()

    async def _speak(self, phrase: _Phrase) -> None:
        loop = asyncio.get_running_loop()
        now, text = self._round, phrase.text
        words = count_standard_words(text)
        try:
            chosen = await self._choose(text, now)
            if now != self._round:
                return
            begun = loop.time()
            command = self._voice.command(self._words_a_minute, chosen)
            self._program = await Program.start(command, _speakable(text))
        except OSError as error:
            if now == self._round:
                self._fail(error.strerror or str(error))
            return
        if now != self._round:
            self._program.end()
        else:
            rate = 60 * self._words / self._seconds if self._seconds else spoken_rate(self._words_a_minute)
            self._pace = Pace(rate)
            ends = [0, *word_ends(text)]
            self._pace.say(phrase.item, phrase.start, text[: ends[-2]], begun)
        patience = begun + PATIENCE + 4 * words * 60 / spoken_rate(self._words_a_minute)
        code = await self._listen(self._program, patience)
        printed, self._program = self._program.printed(), None
        if now != self._round:
            return
        seconds = loop.time() - begun
        at_once = seconds < words * 60 / NO_SPEECH
        if why := self._judge(code, printed, at_once=at_once):
            self._fail(why)
            return
        if not at_once:
            self._seconds, self._words = self._seconds / 2 + seconds, self._words / 2 + words
        self._tell_rest()

    async def _listen(self, program: Program, patience: float) -> int | None:
        """Tells what is heard until the program ends; its exit code, None: it did not end by itself."""
        loop = asyncio.get_running_loop()
        ending = loop.create_task(program.ended())
        try:
            while not ending.done():
                due = min(patience, self._pace.next_at or patience)
                await asyncio.wait({ending}, timeout=max(0.0, due - loop.time()))
                if not ending.done() and loop.time() >= patience:
                    program.end()
                    await ending
                    return None
                for heard in self._due(loop.time()):
                    self._tell(heard)
            return ending.result()
        finally:
            if not ending.done():  # the loop is being closed
                program.kill()
                await program.ended()
                program.printed()

    def _due(self, now: float) -> list[Heard]:
        """What of the phrase became heard, by estimate."""
        told = self._pace.heard(now)
        if told and self._spoken is not None:
            phrase, end = self._spoken, told[-1].end
            self._spoken = _Phrase(phrase.item, end, phrase.text[end - phrase.start :])
        return told

    def _tell_rest(self) -> None:
        phrase, self._spoken = self._spoken, None
        self._pace.stop()
        if phrase is not None:
            self._tell(Heard(phrase.item, phrase.start, phrase.end, phrase.text))

    def _judge(self, code: int | None, printed: str, *, at_once: bool) -> str | None:
        """Why that was no speech; None: it was, or the voice, which spoke before, could make nothing of it."""
        lines = [line.strip() for line in clean(printed).splitlines() if line.strip()]
        said = lines[-1][:100] if lines else ""
        if code is None:
            return "it does not come to an end"
        if code:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            return f"{how}: {said}" if said else how
        if said.startswith("error:"):  # espeak-ng without a sound device ends with 0
            return said
        if at_once and not self._seconds:
            return "it ends at once"
        return None

    def _fail(self, why: str) -> None:
        """From here on without a sound, beginning with what was not told yet."""
        self._failed = True
        self._pace.stop()
        waiting = [self._spoken, *self._phrases, self._chunk]
        self._spoken = self._chunk = None
        self._phrases.clear()
        for phrase in waiting:
            if phrase is not None:
                self._silent.say(phrase.item, phrase.start, phrase.text)
        name = self._voice.name
        self._trouble(
            f"{name} cannot speak ({why}); going on without sound. Is there a sound device? Try: {name} hello"
        )

    async def _choose(self, text: str, now: int) -> str | None:
        """The voice that a text needs; None: the program's own, or it was stopped."""
        if not _is_chinese(text):
            return None
        if not self._looked_up:
            self._program = program = await Program.start(self._voice.list_command, "")
            try:
                await asyncio.wait_for(program.ended(), LOOK_UP)
            except asyncio.TimeoutError:
                program.kill()
                await program.ended()
            printed, self._program = program.printed(), None
            if now != self._round:
                return None
            self._chinese = self._voice.find_chinese(printed)
            self._looked_up = True
        return self._chinese


def _is_chinese(text: str) -> bool:
    """Whether most of it is: a Chinese voice reads single words of another language, and the other way round."""
    chinese = len(_CHINESE.findall(text))
    return chinese > 0 and chinese >= len(_LATIN_WORD.findall(text)) and not _KANA.search(text)


def _speakable(text: str) -> str:
    """`text` without what would steer the voice: controls, and the commands that stand in double brackets."""
    return clean(text).replace("[[", "[ ")
