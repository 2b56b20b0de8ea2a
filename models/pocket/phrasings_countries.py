"""How people ask about countries: the phrasings that are trained on, and those held out to measure with.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from lists import Phrasings, phrasings

COUNTRIES: dict[str, Phrasings] = {
    "capital": phrasings(
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
    "continent": phrasings(
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
    "currency": phrasings(
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
    "language": phrasings(
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
    "capital_of": phrasings(
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
}
