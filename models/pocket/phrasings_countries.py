"""How people ask about countries: the phrasings that are trained on, and those held out to measure with.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from frames import asked
from lists import Phrasings

COUNTRIES: dict[str, Phrasings] = {
    "capital": asked(
        """what is the capital of {c}
        which city is the capital of {c}
        what city is the capital of {c}
        what is {p} capital
        which is the capital of {c}
        what capital does {c} have
        what's the capital of {c}
        whats the capital of {c}
        what is the capital city of {c}
        tell me the capital of {c}
        name the capital of {c}
        capital of {c}
        capital city of {c}
        {c} capital
        {c} capital city
        the capital of {c}
        the capital of {c}| is
        what is the name of the capital of {c}
        what is the name of {p} capital
        my teacher asked me for the capital of {c}
        {c} has which capital
        {c} has what capital
        what does {c} have as its capital
        what is the capital in {c}
        what do you call the capital of {c}
        what is the capital of the country {c}
        which city is the capital city of {c}
        what city is {p} capital
        where is the capital of {c}
        {c}| what is the capital
        {c}| what is its capital
        for {c}| what is the capital
        is {k} the capital of {c}
        is the capital of {c} {k}
        i bet the capital of {c} is {k}
        {k} is the capital of {c}| right
        capital {c}
        tell me {p} capital
        can you find the capital of {c}
        help me with the capital of {c}
        in {c} what is the capital| called
        the capital city of {c}| please
        where does the government of {c} sit""",
        """could you give me the capital of {c}
        i forgot the capital of {c}
        which city is {p} capital
        what do they call the capital of {c}
        please tell me what the capital city of {c}| is
        i need the capital of {c}
        {c} has what as its capital
        what is {c} capital| called
        help me the capital of {c}""",
        "the capital of {c} / {p} capital / the capital city of {c} / the name of the capital of {c}",
        "which city is the capital of {c} / what {p} capital| is / what the capital of {c}| is called",
    ),
    "continent": asked(
        """which continent is {c} in
        what continent is {c} in
        where is {c}
        on which continent is {c}
        in which continent is {c}
        where in the world is {c}
        what continent does {c} belong to
        on what continent can i find {c}
        on what continent is {c}
        which continent does {c} lie on
        which continent does {c} belong to
        which part of the world is {c} in
        what part of the world is {c} in
        where does {c} lie
        where can i find {c}
        where is {c}| located
        where is the country {c}
        where exactly is {c}
        {c} lies on which continent
        {c} lies in which continent
        {c} is in which part of the world
        {c} is in which continent
        {c} is in what continent
        {c} is where
        {c} is located where
        {c} is located on which continent
        {c} is part of which continent
        {c} is part of what continent
        {c} belongs to which continent
        {c} belongs to what continent
        {c} lies where
        {c} can be found on which continent
        to which part of the world does {c} belong
        {c} continent
        continent of {c}
        is {c} in {o}
        is {c} part of {o}
        is {c} a country in {o}
        {c} is in {o}| right
        where on earth is {c}
        where on the map is {c}
        {c}| where is it
        {c}| which continent is that
        what is {p} continent
        find {c} on the map
        in what part of the world is {c}
        i want to travel to {c} where is it""",
        """{c} is on which continent
        what is the continent of {c}
        tell me where {c}| is
        could you tell me which continent {c} is in
        to which continent does {c} belong
        {c} lies on what continent
        {c} belongs to which part of the world
        {c} is on what continent
        where do i find {c}""",
        "the continent of {c} / {p} continent",
        "where {c}| is / which continent {c} is in / what continent {c} is in / where {c}| lies / on which continent "
        "{c}| is / which continent {c} belongs to",
    ),
    "currency": asked(
        """what is the currency of {c}
        which currency does {c} use
        what currency do they use in {c}
        what money do they use in {c}
        which money do i need in {c}
        how do people pay in {c}
        what's the currency of {c}
        what currency does {c} have
        which currency do people use in {c}
        what money does {c} use
        what do people pay with in {c}
        what do you pay with in {c}
        what do i pay with in {c}
        how do i pay in {c}
        currency of {c}
        {c} currency
        {c} money
        money in {c}
        money of {c}
        currency in {c}
        the currency of {c}
        the money of {c}
        what currency is used in {c}
        what money is used in {c}
        which money is used in {c}
        what is the money in {c}| called
        what is the money of {c}| called
        what kind of money do they have in {c}
        what kind of money is used in {c}
        what currency do i need for {c}
        what money should i take to {c}
        which money should i bring to {c}
        i am traveling to {c} what money do i need
        {c} uses which currency
        {c} uses what money
        {c} has which currency
        {c} has what kind of money
        people in {c} pay with what
        people in {c} use which money
        {c}| what is the currency
        {c}| what is its currency
        in {c} what do people pay with
        in {c} what is the currency
        what is the currency in {c}
        what do they call the money in {c}
        what is {p} currency
        is the {m} the currency of {c}
        do they use the {m} in {c}
        can i pay with the {m} in {c}
        what can i pay with in {c}""",
        """name the currency of {c}
        which currency is used in {c}
        what kind of money do people use in {c}
        i want to know the currency of {c}
        what's {p} currency
        {c} uses which money
        {c} has what currency
        people in {c} pay with which money
        what sort of money do they use in {c}""",
        "the currency of {c} / the currency in {c} / {p} currency / the money of {c} / the money in {c}",
        "what people pay with in {c} / which currency {c} uses / what money they use in {c} / how people pay in {c}",
    ),
    "language": asked(
        """what language do they speak in {c}
        which language do they speak in {c}
        what language is spoken in {c}
        what do people speak in {c}
        which language do people speak in {c}
        what is the language of {c}
        what language do people speak in {c}
        what do they speak in {c}
        what language does {c} speak
        which language does {c} have
        what's the main language of {c}
        what is the main language in {c}
        what is the official language of {c}
        which language should i learn for {c}
        what language do i need in {c}
        how do people talk in {c}
        language of {c}
        language in {c}
        {c} language
        the language of {c}
        languages of {c}
        what's the language of {c}
        what is the language in {c}
        what languages do they speak in {c}
        {c} speaks which language
        {c} speaks what language
        people in {c} speak which language
        people in {c} speak what
        they speak what in {c}
        in {c} what language do people speak
        in {c} which language is spoken
        {c}| what language do they speak there
        {c}| what is its language
        what is spoken in {c}
        what tongue is spoken in {c}
        which language will i hear in {c}
        what language will i hear in {c}
        i am traveling to {c} what language do they speak
        what is {p} language
        do they speak {l} in {c}
        do people in {c} speak {l}
        is {l} spoken in {c}
        how do they talk in {c}
        what should i learn before i go to {c}
        what do the people of {c} speak
        in which language do people talk in {c}""",
        """which language is spoken in {c}
        what's the language in {c}
        tell me what language people speak in {c}
        which language do i need in {c}
        what tongue do they speak in {c}
        people in {c} speak what language
        in {c} what do people speak
        what is the main language of {c}
        {c} has what language""",
        "the language of {c} / the language in {c} / {p} language / the main language of {c} / the language that they "
        "speak in {c}",
        "what people speak in {c} / what language they speak in {c} / which language is spoken in {c} / what they "
        "speak in {c}",
    ),
    "capital_of": asked(
        """which country has {k} as its capital
        what country is {k} the capital of
        of which country is {k} the capital
        which country's capital is {k}
        what country has its capital in {k}
        which country is {k} the capital of
        {k} is the capital of which country
        {k} is the capital of what
        {k} is which country's capital
        {k} is what country's capital
        {k} is in which country
        {k} is in what country
        {k} belongs to which country
        {k} lies in which country
        what is {k} the capital of
        whose capital is {k}
        which country is {k} in
        what country is {k} in
        in which country is {k}
        in what country is {k}
        where is the city of {k}
        where is {k}
        where is the city {k}
        {k} is where
        where can i find {k}
        which country does {k} belong to
        what country does the capital {k} belong to
        which country does the city of {k} belong to
        to which country does {k} belong
        {k} is the capital of| what place
        {k}| what country is that the capital of
        the country with the capital {k}
        the country that has {k} as its capital
        in which country can i find {k}
        what is the country with the capital {k}
        what country is the city of {k} in
        which state has {k} as its capital""",
        """which country has the capital {k}
        {k} is the capital of what| country
        what country has {k} as its capital
        tell me what country {k} is the capital of
        {k} belongs to what country
        {k} lies in what country
        of what country is {k} the capital""",
        "the country with the capital {k} / the country whose capital is {k}",
        "which country has {k} as its capital / what country {k} is the capital of / which country {k} is in / whose "
        "capital {k}| is / what country {k} is in",
    ),
}
