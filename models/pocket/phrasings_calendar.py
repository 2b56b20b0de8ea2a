"""How people ask about days, months and seasons.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from frames import asked
from lists import Phrasings

CALENDAR: dict[str, Phrasings] = {
    "after": asked(
        """what comes after {x}
        which {u} comes after {x}
        what {u} comes after {x}
        what is the {u} after {x}
        what is after {x}
        what follows {x}
        which {u} is after {x}
        what {u} is after {x}
        what {u} follows {x}
        what comes right after {x}
        what comes next after {x}
        after {x} comes what
        after {x} comes which {u}
        after {x}| what comes next
        {x} is followed by which {u}
        {x} is followed by what
        which {u} comes next after {x}
        the next {u} after {x}
        {x}| and then
        the {u} that comes after {x}
        name what comes after {x}
        what comes behind {x}""",
        """what's the {u} after {x}
        which {u} follows {x}
        can you tell me the {u} after {x}
        what's after {x}
        which {u} comes right after {x}
        what is the next {u} after {x}""",
        "the {u} after {x} / the {u} that follows {x}",
        "what comes after {x} / which {u} comes after {x} / which {u} is after {x}",
    ),
    "before": asked(
        """what comes before {x}
        which {u} comes before {x}
        what {u} comes before {x}
        what is the {u} before {x}
        what is before {x}
        which {u} is before {x}
        what was before {x}
        which {u} was before {x}
        what comes right before {x}
        what comes just before {x}
        before {x} comes what
        before {x} comes which {u}
        before {x}| what comes
        which {u} comes right before {x}
        the {u} that comes before {x}
        name what comes before {x}
        the last {u} before {x}""",
        """what's the {u} before {x}
        what {u} is before {x}
        can you tell me the {u} before {x}
        what's before {x}
        which {u} comes just before {x}
        what {u} was before {x}""",
        "the {u} before {x} / the {u} that comes before {x}",
        "what comes before {x} / which {u} comes before {x} / which {u} is before {x}",
    ),
    "tomorrow": asked(
        """if today is {x} what is tomorrow
        today is {x} so what is tomorrow
        today is {x} what day is tomorrow
        today is {x} what is tomorrow
        what is tomorrow if today is {x}
        what will tomorrow be if today is {x}
        if it is {x} today what is tomorrow
        it is {x} today what day is tomorrow
        if today is {x} which day is tomorrow
        if today is {x} then tomorrow is
        when today is {x} what is tomorrow
        today is {x} and tomorrow is
        today is {x} which day comes tomorrow
        suppose today is {x} what is tomorrow""",
        """if today is {x} what day is tomorrow
        what day is tomorrow if today is {x}
        it is {x} today so what is tomorrow
        today it is {x} what is tomorrow""",
        framed_questions=3,
    ),
    "ordinal": asked(
        """what is the {o} {u} of the {w}
        which {u} is the {o} of the {w}
        what's the {o} {u} of the {w}
        which one is the {o} {u} of the {w}
        which {u} comes {o} in the {w}
        what {u} comes {o} in the {w}
        the {o} {u} of the {w}
        the {o} {u} in the {w}
        the {w} has which {u} as its {o}
        which {u} of the {w} is the {o}
        what is the {u} number {o} of the {w}
        in the {w} which {u} is the {o}
        what do you call the {o} {u} of the {w}""",
        """which is the {o} {u} of the {w}
        what {u} is the {o} of the {w}
        do you know the {o} {u} of the {w}
        what is the {o} {u} in a {w}""",
        "the {o} {u} of the {w} / the {o} {u} in the {w}",
        "which {u} is the {o} of the {w} / what the {o} {u} of the {w}| is called",
    ),
    "list_days": asked(
        """what are the days of the week
        which days are in a week
        what days are there in a week
        what are the names of the days
        what are the seven days
        what are all the days of the week
        list the days of the week
        say all the days of the week
        list all seven days
        say the days of the week
        name all the days
        can you name all the days of the week
        the days of the week
        the seven days of the week
        all days of the week""",
        """which days does the week have
        can you list the days of the week
        tell me all the days of the week
        please say the days of the week""",
        "the days of the week / all the days of the week / the names of the days",
    ),
    "list_months": asked(
        """what are the months of the year
        which months are in a year
        what months are there in a year
        what are the names of the months
        what are the twelve months
        what are all the months of the year
        list the months of the year
        say all the months of the year
        list all twelve months
        say the months of the year
        name all the months
        can you name all the months of the year
        the months of the year
        the twelve months of the year
        all months of the year""",
        """which months does the year have
        can you list the months of the year
        tell me all the months of the year
        please say the months of the year""",
        "the months of the year / all the months of the year / the names of the months",
    ),
    "month_length": asked(
        """how many days does {m} have
        how many days are in {m}
        how many days are there in {m}
        how many days has {m}
        how long is {m}
        how many days long is {m}
        how many days in {m}
        how many days has {m} got
        {m} has how many days
        {m} is how long
        {m} how many days
        days in {m}
        the number of days in {m}
        what number of days does {m} have
        what is the length of {m}
        how many days are in the month of {m}
        how many days does the month of {m} have
        count the days of {m}
        does {m} have 30| or 31 days
        does {m} have 31 days
        has {m} 30| or 31 days
        how many nights does {m} have""",
        """how many days is {m}
        can you tell me how many days {m} has
        tell me how many days are in {m}
        how many days are there in the month of {m}
        {m} is how many days long
        how long is the month of {m}""",
        "the number of days in {m} / the length of {m}",
        "how many days {m} has / how long {m}| is / how many days are in {m} / how many days there are in {m}",
    ),
    "season": asked(
        """which season is {m} in
        what season is {m} in
        in which season is {m}
        which season is it in {m}
        what season is it in {m}
        what season is {m}
        which season is {m}
        {m} is in which season
        {m} is in what season
        {m} belongs to which season
        what time of the year is {m}
        is {m} in summer or in winter
        is it summer in {m}
        is it winter in {m}
        season of {m}
        which season does {m} belong to
        what season does {m} belong to""",
        """in what season is {m}
        what season do we have in {m}
        {m} belongs to what season
        to which season does {m} belong""",
        "the season of {m}",
        "which season {m} is in / what season it is in {m} / which season {m} belongs to",
    ),
    "seasons": asked(
        """what are the seasons
        what are the four seasons
        which seasons are there
        how many seasons are there
        what are the seasons of the year
        what seasons do you know
        name the seasons
        list the seasons
        the four seasons
        tell me the seasons
        say the seasons of the year
        how many seasons does a year have""",
        """which seasons does the year have
        list the four seasons
        which are the four seasons""",
        "the four seasons / the seasons of the year",
    ),
}
