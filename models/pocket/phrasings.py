"""How people put it: for every kind of request the phrasings that are trained on, and those held out to measure with.

Knows only text. Fields in braces are filled in by `questions.py`. ``|`` stands where an utterance could already be
complete: it is never cut there or later, so that whether a cut is finished is never a matter of taste.
"""

from __future__ import annotations

import chinese_phrasings
from lists import Phrasings, Sayings, phrases, phrasings, varied, words
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
    what about the one of {c}
    {c}
    now {c}
    and now {c}
    and then {c}
    same for {c}
    the same for {c}
    and the same for {c}
    what about {c} then
    what about in {c}
    how about for {c}
    how about in {c}
    and how about {c}
    okay and {c}
    and {c}| please
    let's try {c}
    try {c}
    now for {c}
    also for {c}
    and also {c}
    what is it in {c}
    and what is it in {c}
    and what is it for {c}
    tell me for {c}
    tell me the same for {c}
    can you do {c}
    can you tell me for {c}
    do {c}
    do the same for {c}
    okay what about {c}
    so what about {c}
    and what about in {c}
    next {c}
    next is {c}
    what of {c}
    what would it be for {c}
    oh and {c}
    and if i ask for {c}
    same question for {c}
    the same question for {c}""",
    """and what would that be for {c}
    what is it for {c}
    and the one of {c}
    sorry i meant to say {c}
    and what is that for {c}
    same thing for {c}
    let us hear about {c}""",
)

# While a longer piece is being told: that one was not meant. The topic follows.
CORRECTIONS = phrasings(
    """no i meant {t}
    i meant {t}
    sorry i meant {t}
    no not that one i meant {t}
    no {t}
    not that i want {t}
    wrong one i want {t}
    no i want {t}
    no i wanted {t}
    i wanted {t}
    i said {t}
    no i said {t}
    i asked for {t}
    no i asked for {t}
    not this one {t}
    not this i want {t}
    sorry {t}
    i mean {t}
    no i mean {t}
    sorry i mean {t}
    no {t} instead
    {t} instead
    instead {t}
    please {t} instead
    actually {t}
    actually i meant {t}
    oh i meant {t}
    wait i meant {t}
    wait no {t}
    stop i meant {t}
    that's not it i meant {t}
    that is the wrong one i meant {t}
    no the other one {t}
    not that {t}
    no no {t}
    i did not mean that i meant {t}
    i'd rather hear {t}
    sorry i wanted {t}""",
    """no no i meant {t}
    oh sorry i meant {t}
    not that one i want {t}
    no sorry i meant {t}
    not this i meant {t}
    wait i wanted {t}""",
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
    i did not hear you say it again
    say it again
    once more
    once more please
    one more time
    repeat
    repeat it
    please repeat
    please repeat that
    can you repeat it
    can you say it again
    what did you say
    what did you say again
    i didn't get that
    i did not get that
    i missed that
    tell it from the start
    again please
    again from the start
    from the top
    start from the top
    back to the start
    go back to the start
    restart
    restart please
    could you repeat it
    sorry what
    sorry i missed that
    come again
    tell me again
    tell me that again
    from the start please
    once again
    once again please
    from the beginning
    go back to the beginning
    i did not hear you
    i didn't hear you
    say that once more
    repeat from the start""",
    """please start over
    can you start again
    could you say that again
    start from the beginning
    can you say that again
    please say it again
    could you repeat that
    tell it once more""",
)

GO_ON = varied(
    phrasings(
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
        carry on
        please continue now
        continue now
        now please continue
        okay please continue
        okay keep going
        keep talking
        please keep talking
        keep on
        tell me the rest
        the rest please
        what comes next
        what next
        so go on
        so continue
        go on i am listening
        continue i am listening
        i am back go on
        okay where were we
        where were we
        where did you stop
        please resume
        resume
        you may continue
        you may go on
        go on with the story
        continue the story
        continue with that
        finish it
        finish the story
        please finish
        can you go on
        can you continue
        could you go on
        could you continue please
        would you continue
        let's continue
        let us go on
        i want to hear the rest
        i want to hear more
        tell me what happened next
        and what happened then
        then what
        and then what
        what happened then
        proceed
        please proceed
        please carry on
        just go on
        just continue
        sorry go on
        sorry please go on
        sorry continue
        ready go on
        yes go on
        yes continue
        yes please go on
        yes please continue
        good go on
        right go on
        alright go on
        alright continue
        well go on
        go on then
        please go ahead
        keep going please
        keep reading
        please keep reading
        keep it up
        don't stop
        please don't stop
        go on talking
        you can go ahead
        continue where you stopped
        go on where you stopped
        pick up where you stopped
        i am listening again
        i'm listening go on
        back to the story
        back to what you said
        sorry i interrupted you go on
        tell me more
        tell me more please
        more of that please""",
        """okay continue
        go on please
        please keep going
        you can continue
        now continue
        go on now
        you may keep going
        please go on now
        let's go on
        could you continue
        yes keep going""",
    ),
    "okay / yes / please / now / so / alright / sorry / well / good / thanks / right / ready now / no please",
    "go on / continue / keep going / carry on / go ahead / keep talking / resume / proceed / you can go on / "
    "you may continue / you can continue",
    "please / now / then / again / with that / from there / where you were",
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
    absolutely
    maybe
    hm
    mm
    mhmm
    aha
    yup
    ya
    very good
    very interesting
    nice one
    good one
    that's nice
    that's great
    that's funny
    that is true
    that's true
    how funny
    how cool
    how lovely
    sweet
    super
    brilliant
    fantastic
    wonderful
    beautiful
    awesome
    excellent
    oh no
    oh my
    oh dear
    my goodness
    no way
    seriously
    oh good
    oh great
    oh yes
    oh yeah
    yes yes
    yes of course
    yes sure
    okay okay
    okay good
    okay nice
    okay cool
    okay great
    alright then
    fine
    i get it
    i got it
    i hear you
    understood
    clear
    that is clear
    indeed
    quite
    poor thing
    lol
    haha nice
    hehe
    ooh
    wow okay
    wow cool
    wow great
    wow amazing
    ah i see
    ah right
    ah nice
    ah good
    so nice
    so cool
    so funny
    so sad
    how sad
    that is sad
    what a story
    i like it
    i love it
    love it
    good point
    yeah yeah
    yeah i see
    yeah cool
    mm okay
    mm yes
    mm right
    sure sure
    right okay
    really nice
    really good
    that sounds good
    that sounds nice
    that sounds great
    i didn't know that
    i did not know that
    oh i didn't know
    very cool
    very funny
    very true
    nice nice
    cool cool
    wow wow
    as expected
    who knew
    how strange
    how odd
    strange
    funny story
    perhaps
    i guess
    i guess so
    i think so
    sounds right
    sounds nice""",
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
    oh that is nice
    ah yes
    okay very nice
    so interesting
    oh very good
    i see i see""",
)

# Of these, two are also said together; but no held-out pair is, in training.
PAIRED: tuple[str, ...] = phrases(
    "uh-huh / mhm / right / okay / ok / yeah / yes / i see / sure / wow / cool / nice / great / really / oh / ah / "
    "interesting / good / got it / i understand / funny / alright / i know / exactly / very nice / oh / yeah / okay"
)

STOPS = varied(
    phrasings(
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
        let me think
        that will do
        no stop
        no please stop
        stop right there
        stop now please
        can you stop talking
        could you please stop
        would you stop
        would you please be quiet
        i said stop
        don't talk
        do not talk
        no more talking
        be silent
        please be silent
        quiet now
        shh
        shhh
        shush
        cut it out
        cut
        halt
        stop speaking
        please stop speaking
        stop telling me this
        i don't need more
        that was enough
        i heard enough
        enough thank you
        enough please
        thanks that's enough
        okay thanks that's enough
        okay that will do
        that'll do
        give me a break
        give me a moment
        give me a second
        just a moment
        just a second
        one second
        one second please
        one moment please
        wait please
        please wait
        please wait a moment
        wait a minute
        hang on
        hang on a second
        hold it
        pause please
        please pause
        let me speak
        let me talk
        i am talking now
        my turn
        no thanks
        no thank you
        not now
        i am not interested
        i'm not interested
        this is too long
        too long
        skip it
        leave it
        drop it
        stop reading
        stop the story
        no
        nope
        no no
        not now please
        okay okay stop
        stop it now
        stop it please
        alright stop
        alright that's enough
        yes stop
        yeah stop
        oh stop
        hey stop
        stop for a moment
        stop for now
        rest now
        silent please
        keep quiet
        please keep quiet
        hush now
        i need silence
        i can't listen now
        later please""",
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
        please hush
        please be quiet now
        stop this
        okay hush
        alright enough
        wait please stop""",
    ),
    "please / okay / oh / no / hey / now / alright / yes / well / sorry / um / thanks / hold on / wait / you should",
    "stop / stop it / stop there / be quiet / hush / pause / quiet / shush / stop talking / be silent / keep quiet / "
    "no more / no more of this / enough of this / that is enough / that's enough / that is all / enough",
    "please / now / thanks / for now / for a moment / at once / right now / thank you / a bit / already / there",
)

# Before a question that sets a running piece aside only for a moment: afterwards it is gone back to.
ASIDES = varied(
    phrasings(
        """quick question
        wait
        hold on
        by the way
        one question
        sorry one question
        before you go on
        just a quick question
        sorry to interrupt but
        wait a second
        oh wait
        wait a moment
        hold on a second
        sorry to interrupt
        quick one
        one quick question
        short question
        a short question
        just one thing
        one thing
        a quick question
        before you continue
        can i quickly ask
        may i quickly ask
        let me quickly ask
        excuse me quick question
        hey quick question
        just quickly
        quickly
        side question
        one small question
        i have a quick question
        sorry a quick question
        wait one question
        oh one question
        one short question
        a small question
        hang on
        one moment""",
        """wait quick question
        hold on one question
        sorry quick question
        oh by the way
        just one question
        oh quick question
        wait a short question
        one quick thing""",
    ),
    "oh / wait / sorry / hey / um / okay / excuse me / hold on / well / ah / just a second / one moment / oh sorry / "
    "so",
    "quick question / a quick question / just a quick question / by the way / one question / one quick question / "
    "short question / a short question / one thing / just one thing / a small question / quick one / side question / "
    "before you go on / before you continue / one small thing / a quick thing / let me quickly ask",
)

# Before a question that sets a running piece aside for good.
RESETS = varied(
    phrasings(
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
        let's talk about something else
        forget it
        leave that
        stop that
        skip that
        not that
        i changed my mind
        let's change the topic
        another topic
        no more of this
        okay stop
        stop
        enough of that
        that's enough
        no no
        no not that
        never mind
        let me ask something else
        now something else
        rather
        no i want to know
        okay new question
        a new question
        a different question""",
        """actually no
        okay something else
        okay forget that
        okay different question
        no something else
        okay never mind
        no another question
        stop something else""",
    ),
    "okay / no / actually / sorry / wait / please / alright / oh / well / now / so / hey / thanks but / no no",
    "something else / new question / a new question / different question / another topic / new topic / forget that / "
    "forget it / never mind / never mind that / let me ask something else / not that / enough of that / stop that / "
    "skip that / leave that / i changed my mind",
)

LEADS: tuple[str, ...] = phrases(
    "hey / um / uh / so / okay / okay so / well / hi / hello / and / now / oh / hmm / sorry / okay now / "
    "alright / and now / then / can i ask / one more / hey there / i have a question / good / excuse me / listen / "
    "right / well then / okay well / so um / oh and / ah / thanks / thank you / great / nice / cool / yes / yeah "
    "/ also / hi there / hello there / great now / cool so / um so / uh well / okay good / "
    "hey um"
)
TAILS: tuple[str, ...] = phrases(
    "please / thanks / for me / please thanks / now / then / again / my friend / thank you / if you know / if you can "
    "/ right now / buddy / please tell me / i forgot / for my homework"
)

# What a cut may not end with: alone these say something already.
STANDALONE: frozenset[str] = frozenset(
    (
        *words("hey hi hello thanks no yes sorry okay good alright please again now then instead actually continue"),
        *("story", "a story", "read me a story", "give me a story", "how about a story", "another one"),
    )
)

# What people say when they tell their name, or want to hear it.
NAME_TOLD = varied(
    phrasings(
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
        the name is {n}
        they call me {n}
        friends call me {n}
        everyone calls me {n}
        my mother calls me {n}
        all my friends call me {n}
        you may call me {n}
        just call me {n}
        my first name is {n}
        here is {n}
        {n} is my name""",
        """hello i'm {n}
        hey my name is {n}
        everybody calls me {n}
        hello this is {n}""",
    ),
    "hello / hi / hey / oh hello / hello there / hi there / good day / well / yes / okay / so / oh",
    "my name is {n} / i am {n} / i'm {n} / this is {n} / call me {n} / you can call me {n} / it is {n} / the name is "
    "{n} / they call me {n} / people call me {n} / my friends call me {n} / everyone calls me {n}",
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
