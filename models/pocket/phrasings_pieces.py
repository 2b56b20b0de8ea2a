"""How people ask for the longer pieces.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from frames import asked, framed
from lists import Phrasings, phrases, phrasings

STORY_FRAMES = phrasings(
    """tell me @
    tell me @| please
    please tell me @
    can you tell me @
    will you tell me @
    would you tell me @
    can you please tell me @
    i want to hear @
    i want @
    i'd like to hear @
    i would like @
    i'd love to hear @
    i feel like hearing @
    do you know @
    do you have @
    have you got @
    read me @
    read @
    can you read me @
    please read me @
    let me hear @
    let's hear @
    give me @
    please give me @
    tell us @
    tell @
    now tell me @
    just tell me @
    how about @
    what about @
    my child wants to hear @
    may i hear @
    can i hear @
    i am ready for @
    i am ready to hear @
    i am in need of @
    i am here for @
    i am waiting for @
    i have time for @
    i hope to hear @
    i want to listen to @
    @
    @| please
    @| would be nice""",
    """could you tell me @
    i would like to hear @
    do tell me @
    i am in the mood for @
    would you please tell me @
    could i hear @
    i wish to hear @""",
)

GUIDE_FRAMES = phrasings(
    """how do i @
    how do you @
    how do we @
    how can i @
    how can you @
    how could i @
    how should i @
    how shall i @
    how does one @
    how do people @
    how to @
    how do i best @
    how do i @| please
    how exactly do i @
    how exactly do you @
    tell me how to @
    please tell me how to @
    can you tell me how to @
    can you tell me how i @
    tell me how i can @
    can you please tell me how to @
    would you tell me how to @
    explain how to @
    please explain how to @
    can you explain how to @
    explain to me how to @
    teach me how to @
    teach me to @
    please teach me how to @
    i want to know how to @
    i'd like to know how to @
    i would like to know how to @
    i want to @
    i would like to @
    i'd like to @
    i have to @
    i need to @
    i must @
    i am trying to @
    i want to learn how to @
    show me how to @
    can you show me how to @
    please show me how to @
    what is the best way to @
    what is the right way to @
    what is a good way to @
    what is the easiest way to @
    what do i do to @
    what do i need to @
    what should i do to @
    what do i have to do to @
    do you know how to @
    do you know how i can @
    i don't know how to @
    i do not know how to @
    i never learned how to @
    i forgot how to @
    i wonder how to @
    help me @
    can you help me @
    please help me @
    can you help me to @
    let us @
    let's @
    is it hard to @
    instructions to @
    any tips to @
    give me instructions to @
    my friend wants to @
    where do i start to @""",
    """could you tell me how to @
    what's the best way to @
    i need to know how to @
    how would you @
    can you teach me how to @
    how would i @
    could you explain how to @
    could you show me how to @
    i'm trying to @
    what would i do to @
    would you explain how to @
    could you help me @""",
)

STORIES = phrases(
    "a story about {t} / the story of {t} / the story about {t} / a story of {t} / that story about {t} / "
    "the story with {t} / the tale of {t} / a tale about {t}"
)
GUIDES = framed(GUIDE_FRAMES.trained, ("{t}",))
GUIDES_HELD_OUT = framed(GUIDE_FRAMES.held_out, ("{t}",))
RECIPES = phrases(
    "give me a recipe to {t} / i need a recipe to {t} / do you have a recipe to {t} / a recipe to {t} / "
    "give me a recipe for {y} / i need a recipe for {y} / do you have a recipe for {y} / a recipe for {y} / "
    "recipe for {y} / {y} recipe / the recipe for {y} / what is the recipe for {y} / do you know a recipe for {y} / "
    "tell me the recipe for {y} / tell me a recipe for {y} / can you give me a recipe for {y} / how is {y} made / "
    "i want a recipe for {y} / what do i need for {y} / what goes into {y} / how does one prepare {y} / "
    "how do i prepare {y} / i would like to prepare {y} / i'm hungry for {y}"
)
RECIPES_HELD_OUT = phrases(
    "could you give me a recipe for {y} / what's the recipe for {y} / i am looking for a recipe for {y} / "
    "how can i prepare {y}"
)
ANY_STORIES = phrases(
    "a story / another story / a little story / a short story / some story / any story / one more story / a nice story "
    "/ a good story / a bedtime story / a new story / a fairy tale / a tale"
)
ANY_JOKES = phrases("a joke / another joke / one more joke / a good joke / something funny / a funny joke / some joke")

PIECES: dict[str, Phrasings] = {
    "story": Phrasings(framed(STORY_FRAMES.trained, STORIES), framed(STORY_FRAMES.held_out, STORIES[:4])),
    "guide": Phrasings(GUIDES, GUIDES_HELD_OUT),
    "recipe": Phrasings((*GUIDES, *RECIPES * 2), (*GUIDES_HELD_OUT, *RECIPES_HELD_OUT)),
    "any_story": Phrasings(
        (
            *framed(STORY_FRAMES.trained, ANY_STORIES),
            *phrases(
                "tell me something / surprise me / entertain me / story time / tell a story / story / stories / "
                "i want stories / do you tell stories / can you tell stories / do you know stories / "
                "tell me something nice / tell me anything / "
                "i want to listen to something / tell me something long / amuse me / talk to me for a while"
            ),
        ),
        (*framed(STORY_FRAMES.held_out, ANY_STORIES[:4]), "please tell me something", "tell me something interesting"),
    ),
    "joke": Phrasings(
        (
            *framed(STORY_FRAMES.trained, ANY_JOKES),
            *phrases(
                "say something funny / make me laugh / joke / jokes / do you know any jokes / do you know jokes / "
                "be funny / can you be funny / can you make me laugh / say a joke / i need a laugh"
            ),
        ),
        (*framed(STORY_FRAMES.held_out, ANY_JOKES[:3]), "can you say something funny", "please make me laugh"),
    ),
    "text": asked(
        """what is {t}
        what do you know about {t}
        what can you tell me about {t}
        how does {t} work
        why is {t} important
        tell me about {t}
        tell me something about {t}
        please tell me about {t}
        can you tell me about {t}
        talk about {t}
        talk to me about {t}
        explain {t}
        i want to know about {t}
        i want to know more about {t}
        i want to learn about {t}
        what do we know about {t}
        say something about {t}
        teach me about {t}
        let's talk about {t}
        describe {t}
        do you know {t}
        do you know anything about {t}
        do you know something about {t}
        tell me all about {t}""",
        """could you tell me about {t}
        can you tell me something about {t}
        i would like to know about {t}
        please explain {t}
        can we talk about {t}""",
    ),
}
