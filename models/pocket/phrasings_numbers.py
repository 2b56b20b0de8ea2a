"""How people ask for sums, for numbers to be counted, and for units.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from lists import Phrasings, phrasings

NUMBERS: dict[str, Phrasings] = {
    "plus": phrasings(
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
    "minus": phrasings(
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
    "times": phrasings(
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
    "count_to": phrasings(
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
    "count_down": phrasings(
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
    "count_range": phrasings(
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
    "count_by": phrasings(
        """count by {s}
        count in {s}
        can you count by {s}
        please count by {s}
        i want you to count by {s}
        count up by {s}""",
        """could you count by {s}
        can you count in {s}""",
    ),
    "unit": phrasings(
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
}
