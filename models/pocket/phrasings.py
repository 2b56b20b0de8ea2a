"""How people put it: for every kind of request the phrasings that are trained on, and those held out to measure with.

Knows only text. Fields in braces are filled in by `questions.py`. ``|`` stands where an utterance could already be
complete: it is never cut there or later, so that whether a cut is finished is never a matter of taste.
"""

from __future__ import annotations

import chinese_phrasings
from lists import Phrasings, Sayings, phrases, phrasings, words
from phrasings_calendar import CALENDAR
from phrasings_countries import COUNTRIES
from phrasings_nature import NATURE
from phrasings_numbers import NUMBERS
from phrasings_pieces import PIECES

__all__ = ["FOLLOW_UPS", "REQUESTS", "SAYINGS", "Phrasings", "Sayings"]

REQUESTS: dict[str, Phrasings] = {**COUNTRIES, **NUMBERS, **CALENDAR, **NATURE, **PIECES}

# Asked right after an answer of the same kind: the relation stays, the country changes.
FOLLOW_UPS = phrasings(
    """and {c}
    and of {c}
    what about {c}
    and what about {c}
    how about {c}
    and for {c}
    and in {c}
    no i meant {c}
    i meant {c}
    sorry i meant {c}
    what about the one of {c}""",
    """and what of {c}
    what is it for {c}
    and the one of {c}
    oh sorry i mean {c}""",
)

# While a longer piece is being told: that one was not meant. The topic follows.
CORRECTIONS = phrasings(
    """no i meant {t}
    i meant {t}
    sorry i meant {t}
    no not that one i meant {t}
    no {t}
    not that i want {t}
    wrong one i want {t}""",
    """no no i meant {t}
    oh sorry i meant {t}
    not that one i want {t}""",
)

AGAIN = phrasings(
    """start over
    start again
    from the beginning please
    can you start over
    say it again from the start
    please start again
    begin again
    tell it again
    say that again
    can you repeat that
    repeat that please
    i did not hear you say it again""",
    """please start over
    can you start again
    could you say that again
    start from the beginning
    can you say that again""",
)

GO_ON = phrasings(
    """go on
    continue
    please continue
    please go on
    keep going
    go ahead
    okay go on
    now go on
    you can go on
    and then
    what happened next
    continue please
    go on with that
    more please
    carry on""",
    """okay continue
    go on please
    please keep going
    you can continue
    now continue
    go on now""",
)

BACK_CHANNELS = phrasings(
    """uh-huh
    uh huh
    mm-hmm
    mhm
    hmm
    right
    okay
    ok
    yeah
    yes
    yep
    i see
    sure
    wow
    cool
    nice
    great
    really
    oh
    ah
    oh wow
    oh really
    interesting
    good
    got it
    that makes sense
    yeah okay
    oh cool
    that is nice
    sounds good
    very nice
    i like that
    haha
    alright
    that is good
    that is great
    that is funny
    that's interesting
    that's cool
    that's good
    how interesting
    how nice
    i understand
    i know
    of course
    exactly
    true
    perfect
    go figure
    you don't say
    is that so
    lovely
    funny
    amazing
    good to know
    fair enough
    makes sense
    absolutely""",
    """oh nice
    right right
    yeah right
    okay i see
    oh i see
    wow nice
    yes i see
    okay got it
    ah okay
    uh-huh okay
    really cool
    that is interesting
    mhm okay
    yeah sure
    oh that is nice""",
)

# Of these, two are also said together; but no held-out pair is, in training.
PAIRED: tuple[str, ...] = phrases(
    "uh-huh / mhm / right / okay / ok / yeah / yes / i see / sure / wow / cool / nice / great / really / oh / ah / "
    "interesting / good / got it / i understand / funny / alright / i know / exactly / very nice / oh / yeah / okay"
)

STOPS = phrasings(
    """stop
    stop it
    stop please
    please stop
    stop that
    stop now
    okay stop
    stop talking
    please stop talking
    be quiet
    be quiet please
    quiet
    quiet please
    please be quiet
    silence
    enough
    that's enough
    that is enough
    okay that's enough
    that's enough thanks
    enough of that
    no more
    no more please
    hush
    shut up
    pause
    hold on
    wait
    wait a moment
    hold on a second
    one moment
    never mind
    forget it
    you can stop
    you can stop now
    can you stop
    can you stop please
    could you be quiet
    i have heard enough
    i don't want to hear it
    stop there
    let me think""",
    """please stop now
    stop stop
    okay stop it
    okay please stop
    stop talking please
    can you be quiet
    be quiet now
    okay enough
    enough now
    okay that is enough
    please stop it
    could you stop
    no more of that
    wait stop
    hold on stop
    you can be quiet now
    silence please
    please hush""",
)

# Before a question that sets a running piece aside only for a moment: afterwards it is gone back to.
ASIDES = phrasings(
    """quick question
    wait
    hold on
    by the way
    one question
    sorry one question
    before you go on
    just a quick question
    sorry to interrupt but
    wait a second""",
    """wait quick question
    hold on one question
    sorry quick question
    oh by the way
    just one question""",
)

# Before a question that sets a running piece aside for good.
RESETS = phrasings(
    """actually
    forget that
    never mind that
    okay but
    no wait
    instead
    something else
    new question
    okay new topic
    different question
    no
    enough
    let's talk about something else""",
    """actually no
    okay something else
    okay forget that
    okay different question
    no something else""",
)

LEADS: tuple[str, ...] = (
    "hey", "um", "uh", "so", "okay", "okay so", "well", "hi", "hello", "and", "now", "oh", "hmm", "sorry",
    "okay now", "alright", "and now", "then", "can i ask", "one more", "hey there", "i have a question", "good",
)  # fmt: skip
TAILS: tuple[str, ...] = ("please", "thanks", "for me", "please thanks", "now", "then", "again", "my friend")

# What a cut may not end with: alone these say something already.
STANDALONE: frozenset[str] = frozenset(
    (
        *words("hey hi hello thanks no yes sorry okay good alright please again now then instead actually continue"),
        *("story", "a story", "read me a story", "give me a story", "how about a story", "another one"),
    )
)

# What people say when they tell their name, or want to hear it.
NAME_TOLD = phrasings(
    """my name is {n}
    i am {n}
    i'm {n}
    call me {n}
    you can call me {n}
    my name's {n}
    i am called {n}
    please call me {n}
    my friends call me {n}
    people call me {n}
    this is {n}
    hello my name is {n}
    hi i am {n}
    hi i'm {n}
    hello i am {n}
    hey i'm {n}
    hi my name is {n}
    it is {n}
    the name is {n}""",
    """hello i'm {n}
    hey my name is {n}
    everybody calls me {n}
    hello this is {n}""",
)
NAME_ASKED = phrasings(
    """what is my name
    what's my name
    do you remember my name
    do you know my name
    who am i
    tell me my name
    can you tell me my name
    say my name
    what did i say my name| was
    what am i called
    do you know who i am
    have you forgotten my name
    what was my name""",
    """do you still know my name
    can you say my name
    what was my name again
    and what is my name""",
)

SAYINGS: dict[str, Sayings] = {
    "en": Sayings(
        back_channels=BACK_CHANNELS,
        stops=STOPS,
        go_on=GO_ON,
        again=AGAIN,
        resets=RESETS,
        asides=ASIDES,
        corrections=CORRECTIONS,
        name_told=NAME_TOLD,
        name_asked=NAME_ASKED,
        paired=PAIRED,
        leads=LEADS,
        tails=TAILS,
        standalone=STANDALONE,
    ),
    "zh": chinese_phrasings.SAYINGS,
}
