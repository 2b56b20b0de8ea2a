"""The conversation on a terminal: what was said scrolls up, the input line stays below it.

Knows prompt_toolkit and how to draw; what is said, and when, it is told. From top to bottom: what was said, printed
for good and left to the terminal's own scrolling; the line that is still growing, with words behind it that the server
may not have read yet; the input line; a line of state.

Nothing is printed below the line that is being typed, and the cursor never leaves it. Printing happens between two
drawings of the last three lines, without handing the terminal over, so that a key pressed meanwhile is not echoed
twice.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from clients.chat import DOUBLE_PRESS_SECONDS, Mode, Slice, Speaker
from clients.conversation import Conversation
from clients.paragraphs import Line, Page
from clients.words import cut_words

NAMES = {Speaker.YOU: "you", Speaker.ASSISTANT: "assistant", Speaker.NOTE: "·"}
INDENT = max(map(len, NAMES.values())) + 2
NARROWEST = 20  # columns for text: on a narrower terminal lines break where they may
PROMPT = "> "

STYLE = Style.from_dict(
    {
        "you": "ansicyan",
        "name.you": "ansicyan bold",
        "name.assistant": "bold",
        # No greys: in some themes they are the colour of the background.
        "note": "italic",
        "prompt": "ansicyan bold",
        "state": "reverse",
    }
)


def fragments(line: Line) -> StyleAndTextTuples:
    """A line with its speaker's name before it, or as much space."""
    name = NAMES[line.speaker] if line.first else ""
    return [
        (f"class:name.{line.speaker.value}", f"{name:>{INDENT - 2}}  "),
        (f"class:{line.speaker.value}", line.text),
    ]


def reflows(environ: Mapping[str, str]) -> bool:
    """Whether the terminal breaks lines that are too long for a narrower window into more rows.

    Almost all do. Those that cut lines off instead are known by what they tell the programs in them.
    """
    if "TMUX" in environ:
        return True
    term = environ.get("TERM", "")
    return not ("XTERM_VERSION" in environ or "STY" in environ or term in ("dumb", "linux") or term.startswith("st-"))


class _Application(Application[None]):
    """An application that finds the beginning of what it has drawn also in a window that has become narrower."""

    def erase(self) -> None:
        """Erases what is drawn, so that something can be printed in its place."""
        self.output.cursor_up(self._rows_added())
        self.renderer.erase()

    def _rows_added(self) -> int:
        """How many rows the terminal has made of those above the cursor, besides the ones that were drawn."""
        screen = self.renderer.last_rendered_screen
        if screen is None or not reflows(os.environ):
            return 0
        columns = max(1, self.output.get_size().columns)
        cursor = screen.get_cursor_position(self.layout.current_window)
        rows = [screen.data_buffer[y].items() for y in range(cursor.y + 1)]
        *above, end = [max((x for x, cell in row if cell.char != " "), default=0) for row in rows]
        # Behind the last character of a row that is just full, the cursor stays in that row.
        return sum(x // columns for x in [*above, min(end, cursor.x)])

    def _on_resize(self) -> None:
        self.erase()
        super()._on_resize()

    def _redraw(self, render_as_done: bool = False) -> None:
        # A key may be drawn before the signal comes that the window has another size.
        if self._rows_added():
            self.erase()
        super()._redraw(render_as_done)


class Terminal:
    """The front end on a terminal. `input_` and `output` are those of the process unless given."""

    def __init__(
        self, conversation: Conversation, *, where: str, input_: Input | None = None, output: Output | None = None
    ) -> None:
        self._conversation = conversation
        self._where = where
        self._page = Page()
        self._hint_ends = 0.0  # until when a hint stands in place of the state
        # Only whole lines can be recalled: in duplex mode a line is not one, and the next tick would send it off.
        history = InMemoryHistory() if conversation.chat.mode is Mode.CHAT else None
        self._line = Buffer(multiline=False, history=history, on_text_changed=lambda _: conversation.typing())
        self._app = _Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=STYLE,
            erase_when_done=True,
            input=input_,
            output=output,
        )

    @property
    def typed(self) -> str:
        """What stands in the input line."""
        return self._line.text

    async def run(self) -> str | None:
        """Talks until the user leaves: as `Conversation.run`."""
        talk: asyncio.Future[str | None] | None = None

        def start() -> None:
            nonlocal talk
            talk = asyncio.ensure_future(self._conversation.run(self))
            talk.add_done_callback(lambda _: self._exit())

        try:
            await self._app.run_async(pre_run=start, handle_sigint=False, set_exception_handler=False)
        finally:
            self._conversation.leave()
            outcome = await talk if talk is not None else None
            self._print(self._page.take_all(self._width))
        return outcome

    def due(self, *, tick: bool) -> list[str]:
        if not tick or self._conversation.chat.mode is Mode.CHAT or not self._conversation.chat.listening:
            return []
        if self._line.text.lstrip().startswith("/"):
            return []
        words, rest = cut_words(self._line.text, self._line.cursor_position)
        if not words:
            return []
        # Not an edit: undoing it would type again what was sent.
        self._line.reset(Document(rest, self._line.cursor_position - len(words)))
        return [words]

    def show(self, slice_: Slice) -> None:
        self._page.add(slice_)
        if self._app.is_running:
            finished = self._page.take_finished(self._width)
            if finished:
                self._app.erase()
                self._print(finished)
            self._app.invalidate()

    def changed(self) -> None:
        self._app.invalidate()

    @property
    def _width(self) -> int:
        return max(NARROWEST, self._app.output.get_size().columns - INDENT - 1)

    def _print(self, lines: list[Line]) -> None:
        text: StyleAndTextTuples = []
        for line in lines:
            text += [*fragments(line), ("", "\n")]
        if text:
            print_formatted_text(self._app.output, text, STYLE, color_depth=self._app.color_depth)

    def _exit(self) -> None:
        with suppress(Exception):  # it has been told to exit already
            self._app.exit()

    def _growing(self) -> StyleAndTextTuples:
        # More than one line while words are on their way, and while the terminal becomes narrower.
        text: StyleAndTextTuples = []
        for line in self._page.followed_by(self._conversation.chat.unheard).growing(self._width):
            text += [("", "\n"), *fragments(line)]
        return text[1:]

    def _state(self) -> StyleAndTextTuples:
        chat = self._conversation.chat
        if self._conversation.now() < self._hint_ends:
            state = "Ctrl-C again leaves"
        elif not chat.listening:
            state = self._conversation.state
        elif chat.waiting:
            state = "the assistant waits while you type"
        elif chat.speaking:
            state = "assistant speaking, Ctrl-C interrupts"
        else:
            state = "listening, /help explains"
        line, columns = f" {state}", self._app.output.get_size().columns
        for part in (*chat.status, self._where):
            longer = f"{line} · {part}"
            line = longer if get_cwidth(longer) < columns else line
        return [("", line)]

    def _layout(self) -> Layout:
        growing = Window(FormattedTextControl(self._growing), wrap_lines=True, dont_extend_height=True)
        line = Window(
            BufferControl(self._line, input_processors=[BeforeInput(PROMPT, "class:prompt")]),
            wrap_lines=True,
            dont_extend_height=True,
        )
        state = Window(FormattedTextControl(self._state), height=1, style="class:state")
        shown = ConditionalContainer(growing, Condition(lambda: bool(self._growing())))
        return Layout(HSplit([shown, line, state]), focused_element=line)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            if self._conversation.enter(self._line.text):
                self._line.reset(append_to_history=self._conversation.chat.mode is Mode.CHAT)

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if self._conversation.interrupt():
                self._line.reset()
                self._conversation.typing()
                self._hint_ends = self._conversation.now() + DOUBLE_PRESS_SECONDS
                asyncio.get_running_loop().call_at(self._hint_ends, self._app.invalidate)

        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            self._conversation.leave()

        @keys.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            self._line.insert_text(" ".join(event.data.splitlines()))

        return keys
