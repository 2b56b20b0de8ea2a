"""Chats for the tests: opened, and what their actions amount to."""

from __future__ import annotations

from clients.chat import Action, Mark, Mode, Send, Show, Slice
from clients.chat_text import TextChat


def opened(mode: Mode = Mode.DUPLEX) -> TextChat:
    chat = TextChat(mode)
    chat.opened()
    return chat


def sent(actions: list[Action]) -> list[str]:
    return [action.frame for action in actions if isinstance(action, Send)]


def shown(actions: list[Action]) -> list[Slice]:
    return [action.slice for action in actions if isinstance(action, Show)]


def hears(chat: TextChat, words: str) -> list[Action]:
    """What is done when `words` are said and nothing crosses them."""
    actions = chat.say(words)
    return [*actions, *(done for action in actions if isinstance(action, Mark) for done in chat.passed(action.number))]
