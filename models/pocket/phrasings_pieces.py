"""How people ask for the longer pieces.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from lists import Phrasings, phrasings

PIECES: dict[str, Phrasings] = {
    "story": phrasings(
        """tell me a story about {t}
        tell me the story of {t}
        tell me the story about {t}
        i want to hear the story of {t}
        i want to hear a story about {t}
        can you tell me a story about {t}
        can you tell me the story of {t}
        do you know the story of {t}
        do you know a story about {t}
        please tell the story of {t}
        read me the story of {t}
        the story of {t}
        story about {t}
        a story about {t}
        let me hear the story of {t}
        give me a story about {t}
        i would like the story about {t}
        how about the story of {t}
        tell us the story of {t}
        please read me the story of {t}""",
        """could you tell me the story of {t}
        i would like to hear the story about {t}
        how about a story about {t}
        read me a story about {t}
        tell the story about {t}""",
    ),
    "guide": phrasings(
        """how do i {t}
        how do you {t}
        how can i {t}
        how to {t}
        tell me how to {t}
        can you tell me how to {t}
        explain how to {t}
        can you explain how to {t}
        teach me how to {t}
        i want to know how to {t}
        i want to {t}
        show me how to {t}
        what is the best way to {t}
        do you know how to {t}
        i don't know how to {t}
        help me {t}
        what do i do to {t}
        how should i {t}""",
        """could you tell me how to {t}
        what's the best way to {t}
        i need to know how to {t}
        how would you {t}
        can you teach me how to {t}""",
    ),
    "recipe": phrasings(
        """how do i {t}
        how do you {t}
        how can i {t}
        how to {t}
        tell me how to {t}
        can you tell me how to {t}
        explain how to {t}
        can you explain how to {t}
        teach me how to {t}
        i want to know how to {t}
        i want to {t}
        show me how to {t}
        what is the best way to {t}
        do you know how to {t}
        i don't know how to {t}
        help me {t}
        what do i need to {t}
        give me a recipe to {t}""",
        """could you tell me how to {t}
        what's the best way to {t}
        i need to know how to {t}
        how would you {t}
        can you teach me how to {t}""",
    ),
    "any_story": phrasings(
        """tell me a story
        can you tell me a story
        i want to hear a story
        please tell me a story
        do you know a story
        tell me any story
        another story
        a story please""",
        """could you tell me a story
        i would like to hear a story""",
    ),
    "joke": phrasings(
        """tell me a joke
        do you know a joke
        can you tell me a joke
        another joke
        say something funny
        make me laugh
        a joke please
        please tell me a joke
        i want to hear a joke""",
        """could you tell me a joke
        i would like to hear a joke""",
    ),
}
