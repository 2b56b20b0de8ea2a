"""How people put it: for every kind of request the phrasings that are trained on, and those held out to measure with.

Knows only text. Fields in braces are filled in by `questions.py`. ``|`` stands where an utterance could already be
complete: it is never cut there or later, so that whether a cut is finished is never a matter of taste.
"""

from __future__ import annotations

from dataclasses import dataclass

from lists import lines, phrases, words


@dataclass(frozen=True)
class Phrasings:
    """The ways of asking for one thing; no held-out one is ever generated for training."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]

    def choose_from(self, *, held_out: bool) -> tuple[str, ...]:
        return self.held_out if held_out else self.trained


def _phrasings(trained: str, held_out: str) -> Phrasings:
    return Phrasings(lines(trained), lines(held_out))


REQUESTS: dict[str, Phrasings] = {
    "capital": _phrasings(
        """what is the capital of {c}
        what's the capital of {c}
        whats the capital of {c}
        which city is the capital of {c}
        what city is the capital of {c}
        what is the capital city of {c}
        tell me the capital of {c}
        name the capital of {c}
        do you know the capital of {c}
        can you tell me the capital of {c}
        i want to know the capital of {c}
        what is {p} capital
        what's {p} capital city
        the capital of {c}
        capital of {c}
        what is the name of the capital of {c}
        i would like to know what the capital of {c}| is
        the capital of {c}| is what
        my teacher asked me for the capital of {c}
        {c} has which capital
        i wonder what the capital of {c}| is
        give me the capital of {c}
        what do you call the capital of {c}""",
        """could you give me the capital of {c}
        i forgot the capital of {c}
        which city is {p} capital
        what do they call the capital of {c}
        please tell me what the capital city of {c}| is
        i need the capital of {c}""",
    ),
    "continent": _phrasings(
        """which continent is {c} in
        what continent is {c} in
        on which continent is {c}
        where is {c}
        where in the world is {c}
        tell me which continent {c} is in
        what continent does {c} belong to
        do you know which continent {c} is in
        the continent of {c}
        on what continent can i find {c}
        which continent does {c} lie on
        i want to know where {c}| is
        can you tell me where {c}| is
        which part of the world is {c} in
        {c} lies on which continent
        {c} is in which part of the world
        {c} belongs to which continent
        in which continent is {c}
        to which part of the world does {c} belong
        name the continent of {c}
        i wonder where {c}| is""",
        """{c} is on which continent
        what is the continent of {c}
        tell me where {c}| is
        could you tell me which continent {c} is in
        to which continent does {c} belong""",
    ),
    "currency": _phrasings(
        """what is the currency of {c}
        what's the currency of {c}
        which currency does {c} use
        what currency do they use in {c}
        what money do they use in {c}
        which money do i need in {c}
        what do people pay with in {c}
        how do people pay in {c}
        tell me the currency of {c}
        the currency of {c}
        currency of {c}
        what currency is used in {c}
        what is the money in {c}| called
        do you know the currency of {c}
        what is {p} currency
        can you tell me the currency of {c}
        what kind of money do they have in {c}
        i wonder what the currency of {c}| is
        which money is used in {c}""",
        """name the currency of {c}
        which currency is used in {c}
        what kind of money do people use in {c}
        i want to know the currency of {c}
        what's {p} currency""",
    ),
    "language": _phrasings(
        """what language do they speak in {c}
        which language do they speak in {c}
        what language is spoken in {c}
        what do people speak in {c}
        which language do people speak in {c}
        what is the language of {c}
        tell me the language of {c}
        the language of {c}
        language of {c}
        what's the main language of {c}
        what is the main language in {c}
        do you know what language they speak in {c}
        which language should i learn for {c}
        can you tell me the language of {c}
        how do people talk in {c}
        what's the language of {c}
        tell me which language they speak in {c}
        i wonder what people speak in {c}""",
        """which language is spoken in {c}
        what's the language in {c}
        tell me what language people speak in {c}
        which language do i need in {c}
        what tongue do they speak in {c}""",
    ),
    "capital_of": _phrasings(
        """{k} is the capital of which country
        {k} is the capital of what
        which country has {k} as its capital
        what country is {k} the capital of
        of which country is {k} the capital
        which country's capital is {k}
        what country has the capital {k}
        tell me which country has the capital {k}
        {k} is which country's capital
        do you know which country has {k} as its capital
        what country has its capital in {k}
        which country does {k} belong to
        what country does the capital {k} belong to
        tell me which country has {k} as its capital
        {k} is the capital of| what place""",
        """which country has the capital {k}
        {k} is the capital of what| country
        what country has {k} as its capital
        tell me what country {k} is the capital of""",
    ),
    "plus": _phrasings(
        """what is {a} plus {b}
        what's {a} plus {b}
        whats {a} plus {b}
        how much is {a} plus {b}
        how much is {a} and {b}
        {a} plus {b}
        {a} + {b}
        {a}+{b}
        what is {a} + {b}
        what is {a}+{b}
        add {a} and {b}
        what do you get if you add {a} and {b}
        can you add {a} and {b}
        can you tell me what {a} plus {b}| is
        what does {a} plus {b}| make
        tell me {a} plus {b}
        what is the sum of {a} and {b}
        calculate {a} plus {b}
        i have {a} apples and get {b}| more
        do you know {a} plus {b}
        {a} plus {b}| equals
        {a} plus {b}| is what
        how much is {a} + {b}
        what do i have if i add {a} and {b}
        please calculate {a} plus {b}
        give me the sum of {a} and {b}""",
        """what do i get when i add {a} and {b}
        could you tell me {a} plus {b}
        the sum of {a} and {b}
        calculate {a} + {b}
        what would {a} plus {b} be""",
    ),
    "minus": _phrasings(
        """what is {a} minus {b}
        what's {a} minus {b}
        whats {a} minus {b}
        how much is {a} minus {b}
        how much is {a} less {b}
        {a} minus {b}
        {a} - {b}
        {a}-{b}
        what is {a} - {b}
        what is {a}-{b}
        subtract {b} from {a}
        take {b} from {a}
        take {b} away from {a}
        {a} take away {b}
        what is {a} take away {b}
        what do you get if you take {b} from {a}
        can you tell me what {a} minus {b}| is
        what does {a} minus {b}| make
        tell me {a} minus {b}
        calculate {a} minus {b}
        i have {a} apples and eat {b}
        do you know {a} minus {b}
        {a} minus {b}| equals
        {a} minus {b}| is what
        how much is {a} - {b}
        what do i have if i take {b} from {a}
        please calculate {a} minus {b}
        what is left if i take {b} from {a}""",
        """what do i get when i take {b} from {a}
        could you tell me {a} minus {b}
        calculate {a} - {b}
        how much is {a} take away {b}
        what would {a} minus {b} be""",
    ),
    "times": _phrasings(
        """what is {a} times {b}
        what's {a} times {b}
        {a} times {b}
        {a} x {b}
        how much is {a} times {b}
        how much is {a} divided by {b}
        what is {a} divided by {b}
        {a} divided by {b}
        divide {a} by {b}
        multiply {a} by {b}
        multiply {a} and {b}
        can you multiply {a} by {b}""",
        """tell me {a} times {b}
        what would {a} times {b} be""",
    ),
    "count_to": _phrasings(
        """count to {n}
        can you count| to {n}
        please count to {n}
        count up to {n}
        count from one to {n}
        count from 1 to {n}
        i want you to count to {n}
        let's count to {n}
        show me how you count to {n}
        could you count from one to {n}
        say the numbers up to {n}""",
        """could you count| to {n}
        would you count to {n}
        can you count from 1 to {n}
        i would like you to count to {n}""",
    ),
    "count_down": _phrasings(
        """count down from {n}
        count backwards from {n}
        can you count down from {n}
        please count down from {n}
        count back from {n}
        do a countdown from {n}
        count from {n} down| to one
        i want you to count down from {n}""",
        """could you count down from {n}
        can you count backwards from {n}
        start a countdown from {n}""",
    ),
    "count_range": _phrasings(
        """count from {a} to {b}
        can you count from {a} to {b}
        please count from {a} to {b}
        count up from {a} to {b}
        go from {a} to {b}
        say the numbers from {a} to {b}
        tell me the numbers between {a} and {b}
        i want to hear the numbers from {a} to {b}
        could you go from {a} to {b}""",
        """could you count from {a} to {b}
        i want you to count from {a} to {b}
        tell me the numbers from {a} to {b}""",
    ),
    "count_by": _phrasings(
        """count by {s}
        count in {s}
        can you count by {s}
        please count by {s}
        i want you to count by {s}
        count up by {s}""",
        """could you count by {s}
        can you count in {s}""",
    ),
    "after": _phrasings(
        """what comes after {x}
        which {u} comes after {x}
        what {u} comes after {x}
        what is the {u} after {x}
        what is after {x}
        which {u} is after {x}
        what {u} follows {x}
        tell me the {u} after {x}
        name the {u} after {x}
        the {u} after {x}
        do you know the {u} after {x}""",
        """what's the {u} after {x}
        which {u} follows {x}
        can you tell me the {u} after {x}
        what's after {x}""",
    ),
    "before": _phrasings(
        """what comes before {x}
        which {u} comes before {x}
        what {u} comes before {x}
        what is the {u} before {x}
        what is before {x}
        which {u} is before {x}
        tell me the {u} before {x}
        name the {u} before {x}
        the {u} before {x}
        do you know the {u} before {x}""",
        """what's the {u} before {x}
        what {u} is before {x}
        can you tell me the {u} before {x}
        what's before {x}""",
    ),
    "tomorrow": _phrasings(
        """if today is {x} what is tomorrow
        today is {x} so what is tomorrow
        today is {x} what day is tomorrow
        what is tomorrow if today is {x}""",
        """if today is {x} what day is tomorrow
        what day is tomorrow if today is {x}""",
    ),
    "ordinal": _phrasings(
        """what is the {o} {u} of the {w}
        which {u} is the {o} of the {w}
        what's the {o} {u} of the {w}
        tell me the {o} {u} of the {w}
        which one is the {o} {u} of the {w}
        name the {o} {u} of the {w}
        the {o} {u} of the {w}""",
        """which is the {o} {u} of the {w}
        what {u} is the {o} of the {w}
        do you know the {o} {u} of the {w}""",
    ),
    "list_days": _phrasings(
        """what are the days of the week
        name the days of the week
        tell me the days of the week
        list the days of the week
        say all the days of the week
        can you name all the days of the week""",
        """which days does the week have
        can you list the days of the week
        tell me all the days of the week""",
    ),
    "list_months": _phrasings(
        """what are the months of the year
        name the months of the year
        tell me the months of the year
        list the months of the year
        say all the months of the year
        can you name all the months of the year""",
        """which months does the year have
        can you list the months of the year
        tell me all the months of the year""",
    ),
    "month_length": _phrasings(
        """how many days does {m} have
        how many days are in {m}
        how many days are there in {m}
        how many days has {m}
        how long is {m}
        i wonder how many days {m} has
        can you tell me how long {m}| is
        tell me how many days {m} has
        do you know how many days are in {m}""",
        """how many days is {m}
        can you tell me how many days {m} has
        tell me how many days are in {m}""",
    ),
    "color": _phrasings(
        """what color is {x}
        what colour is {x}
        which color is {x}
        what is the color of {x}
        what's the color of {x}
        tell me the color of {x}
        which color does {x} have
        what color does {x} have
        the color of {x}
        do you know the color of {x}
        can you tell me the color of {x}
        tell me the colour of {x}
        what's the colour of {x}
        i wonder what color {x}| is
        tell me what colour {x}| is""",
        """which colour is {x}
        what is the colour of {x}
        tell me what color {x} has
        name the color of {x}""",
    ),
    "mix": _phrasings(
        """what do you get when you mix {a} and {b}
        what color do {a} and {b} make
        mix {a} and {b}
        what is {a} mixed with {b}
        what happens if i mix {a} and {b}
        {a} and {b} make which color""",
        """what do i get if i mix {a} and {b}
        what color is {a} mixed with {b}
        which color do {a} and {b} make""",
    ),
    "sound": _phrasings(
        """what does {x} say
        what sound does {x} make
        what noise does {x} make
        which sound does {x} make
        how does {x} sound
        tell me what {x} says
        what is the sound of {x}
        how does {x} go
        do you know what {x} says
        can you tell me what {x} says
        which noise comes from {x}
        i wonder what {x} says""",
        """which noise does {x} make
        what's the sound of {x}
        tell me what sound {x} makes
        what noise comes from {x}""",
    ),
    "legs": _phrasings(
        """how many legs does {x} have
        how many legs has {x}
        tell me how many legs {x} has
        do you know how many legs {x} has
        the number of legs of {x}
        on how many legs does {x} walk
        can you count the legs of {x}
        i want to know how many legs {x} has
        what number of legs does {x} have""",
        """can you tell me how many legs {x} has
        what is the number of legs of {x}
        i wonder how many legs {x} has""",
    ),
    "young": _phrasings(
        """what is a baby {y} called
        what do you call a baby {y}
        what's a baby {y} called
        what is the name for a baby {y}
        what is a young {y} called
        how do you call a baby {y}
        the word for a baby {y}
        tell me what a baby {y} is called
        i wonder what a baby {y} is called
        what do they call a young {y}""",
        """what do people call a baby {y}
        what's the name for a baby {y}
        do you know what a baby {y} is called
        what do you call a young {y}""",
    ),
    "planet_order": _phrasings(
        """what is the {o} planet| from the sun
        which planet is the {o} from the sun
        what's the {o} planet| from the sun
        tell me the {o} planet| from the sun
        name the {o} planet
        which planet is number {n}| from the sun
        which planet comes {o}
        which one is the {o} planet| from the sun
        can you tell me the {o} planet| from the sun
        what planet is number {n}| from the sun""",
        """which is the {o} planet| from the sun
        do you know the {o} planet| from the sun
        what planet is the {o} from the sun""",
    ),
    "planet_list": _phrasings(
        """name the planets
        what are the planets
        list all the planets
        tell me the planets
        can you name all the planets
        which planets are there""",
        """can you list the planets
        tell me all the planets
        what planets are there""",
    ),
    "planet_count": _phrasings(
        """how many planets are there
        how many planets do we have
        how many planets go around the sun
        tell me how many planets there are
        the number of planets""",
        """how many planets does the sun have
        do you know how many planets there are""",
    ),
    "biggest": _phrasings(
        """what is the biggest planet
        which planet is the biggest
        what is the largest planet
        which planet is the largest
        tell me the biggest planet
        name the largest planet
        which one is the biggest planet
        do you know the biggest planet""",
        """what's the biggest planet
        which is the largest planet""",
    ),
    "smallest": _phrasings(
        """what is the smallest planet
        which planet is the smallest
        tell me the smallest planet
        name the smallest planet
        which one is the smallest planet
        what planet is the smallest""",
        """what's the smallest planet
        which is the smallest planet""",
    ),
    "closest": _phrasings(
        """which planet is closest to the sun
        what is the closest planet to the sun
        which planet is nearest to the sun
        what planet is closest to the sun
        what is the nearest planet to the sun
        name the closest planet to the sun
        which is the nearest planet to the sun
        tell me which planet is closest to the sun""",
        """what's the closest planet to the sun
        what planet is nearest to the sun""",
    ),
    "farthest": _phrasings(
        """which planet is farthest from the sun
        what is the farthest planet from the sun
        what planet is farthest from the sun
        tell me the farthest planet from the sun
        which one is the farthest planet from the sun
        name the farthest planet from the sun
        which planet is the farthest from the sun""",
        """which is the farthest planet from the sun
        what's the farthest planet from the sun""",
    ),
    "red_planet": _phrasings(
        """which planet is red
        which planet is the red planet
        what is the red planet
        what planet is called the red planet
        which one is the red planet
        name the red planet""",
        """what planet is red
        which planet is called the red planet""",
    ),
    "rings": _phrasings(
        """which planet has rings
        what planet has big rings
        which planet has the big rings
        what is the planet with the rings
        which planet is the one with rings
        name the planet with rings""",
        """which planet has big rings
        what planet has rings""",
    ),
    "unit": _phrasings(
        """how many {s} are in {l}
        how many {s} does {l} have
        how many {s} are there in {l}
        how many {s} in {l}
        how many {s} has {l}
        tell me how many {s} are in {l}
        do you know how many {s} are in {l}
        can you tell me how many {s} {l} has
        the number of {s} in {l}
        {l} has how many {s}
        how many {s} does it take to make {l}
        i want to know how many {s} are in {l}
        what number of {s} is in {l}""",
        """how many {s} make {l}
        what is the number of {s} in {l}
        can you tell me how many {s} are in {l}
        i wonder how many {s} are in {l}""",
    ),
    "story": _phrasings(
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
    "guide": _phrasings(
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
    "recipe": _phrasings(
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
    "any_story": _phrasings(
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
    "joke": _phrasings(
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

# Asked right after an answer of the same kind: the relation stays, the country changes.
FOLLOW_UPS = _phrasings(
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
CORRECTIONS = _phrasings(
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

AGAIN = _phrasings(
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

GO_ON = _phrasings(
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

BACK_CHANNELS = _phrasings(
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

STOPS = _phrasings(
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
ASIDES = _phrasings(
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
RESETS = _phrasings(
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
    "hey", "um", "uh", "so", "okay", "okay so", "well", "hi", "hello", "please", "and", "now", "oh", "hmm", "sorry",
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
