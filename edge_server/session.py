"""The duplex conversation as a state machine: events in, actions out. No I/O, no clock, no thread, no llama.cpp.

The transcript is a list of tokens: ``<s>``, then for each slice pair the user marker, the user's slice, the assistant
marker, the assistant's slice and ``</s>``. These are the rules of our own profile (`upstream.py` has the reference's):

 1. A text is always answered. While the session is *engaged* a silent slice is run too; otherwise it costs nothing.
    `Speak` runs one all the same, unless a slice runs.
 2. Text engages. ``</s>`` as one of the first six sampled tokens disengages (a short slice is the last of a message),
    and so do a silent pair, the limit (13) and `Stop`.
 3. A silent pair (user silent, reply silent) leaves the transcript as soon as its slice ends.
 4. Silence during a slice is remembered once and taken when the slice is delivered.
 5. Text during a slice cancels it: of its words those that went out stay, and where none did it is closed as silent
    (``<idle></s>``). The text is answered at once. Of several texts that wait, each becomes a slice and only the last
    is answered. `Stop` cancels too, and nothing is said until text or `Speak` comes: what waited before it is not
    answered.
 6. Words and characters are delivered whole. A piece waits if the slice ended at its cap and the likeliest next token
    goes on with the word, or if a character is incomplete; a word waits one slice at most; both leave the transcript if
    text comes first. *Streaming*, words go out as they are sampled: only characters wait, and what may still turn out
    to be silence. What is in the transcript after a slice does not depend on how it was told.
 7. Words reported as unheard leave the transcript when the text, or the stop, that interrupts is taken; earlier
    messages stay.
 8. User text is tokenised without control tokens, and a marker in it is defused: only the session puts those there.
 9. A transcript that reaches the limit forgets its oldest whole pairs, at least a quarter of the context, never what it
    begins with (``slide``; a text that does not fit into an empty context is answered `TooLong` and forgotten), or the
    conversation ends (``stop``: this and every further text is answered `TooLong`).
10. Ordinary mode is the same machine driven by itself: silent slices follow back to back until the session is no longer
    engaged (or the reply has `ORDINARY_TOKENS`), and the turn ends with `ReplyEnd`.
11. Between slices the session says what to `Prepare`: the user marker, which every slice begins with; behind it what is
    typed so far (a draft) or else, while engaged, the answer to a silent slice. Preparing changes nothing here, and the
    slice that comes is asked for as if nothing had been prepared. Where the next silent slice would be one too many,
    the oldest pairs are forgotten now, while nobody waits, and not when it comes.
12. Of each slice that the model was run for one `SliceOver` tells, behind its words, what it was and whether the
    session is engaged now; of a slice of a forgotten conversation nothing is told.
13. A reply has at most as many words' tokens as the last `Limit` says, counted over its slices from the text, or the
    `Speak`, that it follows. A message that has as many is over.
14. The bias on silence is `Settings.idle_bias`, until an `IdleBias` says another: for what is asked, and prepared, from
    then on, also behind a `NewSession`. A slice that runs goes on as it was asked for.
15. `Rewrite` puts the transcript together anew: ``<s>``, the instructions (plain text, as in 8), which are never
    forgotten, and the turns that are named; a kept turn keeps its tokens, one that is no longer there is skipped. Where
    it would be too long, the oldest pairs are left out; instructions that leave no room for a slice change nothing
    (`TooLong`). The session stays engaged only if the last turn stays the last, and whole.
"""

from __future__ import annotations

from edge_server.conversation import Conversation, Run
from edge_server.events import Action, Finish, Generate, Mode, SliceDone, SliceKind, SliceOver
from edge_server.settings import MESSAGE_ENDS_WITHIN, ORDINARY_TOKENS, Settings, Vocabulary
from edge_server.wording import says_nothing


class DuplexSession(Conversation):
    """One conversation with a duplex model, in either mode."""

    def __init__(
        self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int, *, streaming: bool = False
    ) -> None:
        """Raises ValueError if ``vocabulary`` has no idle token."""
        if vocabulary.idle is None:
            raise ValueError("a duplex session needs a model with an idle token")
        super().__init__(vocabulary, settings, mode, seed, streaming=streaming)

    def _start_over(self, mode: Mode, seed: int) -> None:
        super()._start_over(mode, seed)
        self._tick = False  # silence came while a slice was running

    @property
    def _most(self) -> float:
        return ORDINARY_TOKENS if self._limit is None and self._mode is Mode.ORDINARY else super()._most

    def _following(self) -> Generate:
        silent, transcript = self._silent_slice, self._transcript
        if self._mode is Mode.DUPLEX:
            transcript.make_room(len(silent), keep=1)
            if self._engaged and self._settings.look_ahead and not self._draft and transcript.fits(len(silent)):
                return self._request(silent)
        return super()._following()

    def _on_silence(self) -> list[Action]:
        if self._mode is Mode.ORDINARY:
            return []
        if self._run is not Run.ANSWERED:
            self._tick = True
            return []
        return self._go_on() if self._engaged else []

    def _go_on(self) -> list[Action]:
        return self._run_model(fits=self._append(self._silent_slice, silent=True))

    def _generate(self) -> list[Action]:
        self._tick = False
        return super()._generate()

    def _deliver(self, done: SliceDone) -> list[Action]:
        pair = self._transcript.last
        rest, words = self._rest(done)
        nothing = not self._streamed and done.finish is Finish.STOP and says_nothing(self._delivery.reply(words))
        full = self._full
        ended = self._vocabulary.eos in done.tokens[:MESSAGE_ENDS_WITHIN]
        if (nothing and pair.silent_user) or ended or full:
            self._engaged = False
        if nothing and pair.silent_user:
            actions = self._say([])
            self._transcript.drop_last()
        else:
            self._transcript.extend(rest)
            self._delivery.close()
            actions = self._say(words, done.likeliest_next)
        kind = (
            SliceKind.SILENCE if nothing else SliceKind.END if ended else SliceKind.LIMIT if full else SliceKind.SPEECH
        )
        actions.append(SliceOver(kind, self._engaged))
        if self._engaged and (self._tick or self._mode is Mode.ORDINARY):
            return [*actions, *self._go_on()]
        return [*actions, *self._end_reply()]
