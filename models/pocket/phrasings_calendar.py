"""How people ask about days and months.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from lists import Phrasings, phrasings

CALENDAR: dict[str, Phrasings] = {
    "after": phrasings(
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
    "before": phrasings(
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
    "tomorrow": phrasings(
        """if today is {x} what is tomorrow
        today is {x} so what is tomorrow
        today is {x} what day is tomorrow
        what is tomorrow if today is {x}""",
        """if today is {x} what day is tomorrow
        what day is tomorrow if today is {x}""",
    ),
    "ordinal": phrasings(
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
    "list_days": phrasings(
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
    "list_months": phrasings(
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
    "month_length": phrasings(
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
}
