"""How people ask for sums and products, for numbers to be compared or counted, and for units.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from frames import asked
from lists import Phrasings, phrasings

NUMBERS: dict[str, Phrasings] = {
    "plus": asked(
        """what is {a} plus {b}
        how much is {a} plus {b}
        how much is {a} and {b}
        what is {a} + {b}
        how much is {a} + {b}
        what do you get if you add {a} and {b}
        what's {a} plus {b}
        whats {a} plus {b}
        {a} plus {b}
        {a} + {b}
        {a}+{b}
        {a}+{b}=
        {a} + {b} =
        {a} plus {b} =
        what is {a}+{b}
        what's {a}+{b}
        how much is {a}+{b}
        {a} and {b}| is
        {a} and {b}| makes
        add {a} and {b}
        add {a} to {b}
        add {b} to {a}
        {a} added to {b}
        add up {a} and {b}
        can you add {a} and {b}
        can you add {a} to {b}
        can you do {a} plus {b}
        can you calculate {a} plus {b}
        what does {a} plus {b}| make
        calculate {a} plus {b}
        compute {a} plus {b}
        work out {a} plus {b}
        solve {a} + {b}
        i have {a} apples and get {b}| more
        i have {a} apples and {b} pears how many is that
        if i have {a} and get {b} more how many do i have
        {a} plus {b}| equals
        {a} plus {b}| equals what
        {a} plus {b}| is what
        {a} plus {b}| is how much
        {a} plus {b}| makes what
        what do i have if i add {a} and {b}
        what is the result of {a} plus {b}
        is {a} plus {b} {r}
        does {a} plus {b} make {r}
        what number is {a} plus {b}
        what does it make if i add {a} and {b}
        do the sum {a} plus {b}
        put {a} and {b} together
        together {a} and {b}| make""",
        """what do i get when i add {a} and {b}
        could you tell me {a} plus {b}
        the sum of {a} and {b}
        calculate {a} + {b}
        what would {a} plus {b} be
        what is {a} added to {b}
        {a} plus {b} gives what
        please add {a} and {b}""",
        "{a} plus {b} / the sum of {a} and {b} / {a} + {b}",
        "how much {a} plus {b}| is / what {a} plus {b}| makes / how much {a} and {b}| is",
    ),
    "minus": asked(
        """what is {a} minus {b}
        how much is {a} minus {b}
        how much is {a} less {b}
        what is {a} - {b}
        how much is {a} - {b}
        what do you get if you take {b} from {a}
        what's {a} minus {b}
        whats {a} minus {b}
        {a} minus {b}
        {a} - {b}
        {a}-{b}
        {a}-{b}=
        {a} - {b} =
        {a} minus {b} =
        what is {a}-{b}
        what's {a}-{b}
        how much is {a}-{b}
        subtract {b} from {a}
        take {b} from {a}
        take {b} away from {a}
        can you subtract {b} from {a}
        can you take {b} from {a}
        can you do {a} minus {b}
        can you calculate {a} minus {b}
        {a} take away {b}
        {a} less {b}
        what is {a} take away {b}
        what is {a} less {b}
        what does {a} minus {b}| make
        calculate {a} minus {b}
        compute {a} minus {b}
        work out {a} minus {b}
        solve {a} - {b}
        i have {a} apples and eat {b}
        i have {a} apples and lose {b} how many are left
        if i have {a} and give away {b} how many are left
        {a} minus {b}| equals
        {a} minus {b}| equals what
        {a} minus {b}| is what
        {a} minus {b}| is how much
        {a} minus {b}| makes what
        what do i have if i take {b} from {a}
        what is left if i take {b} from {a}
        what remains if i take {b} from {a}
        what is the result of {a} minus {b}
        is {a} minus {b} {r}
        does {a} minus {b} make {r}
        what number is {a} minus {b}
        do the sum {a} minus {b}""",
        """what do i get when i take {b} from {a}
        could you tell me {a} minus {b}
        calculate {a} - {b}
        how much is {a} take away {b}
        what would {a} minus {b} be
        please subtract {b} from {a}
        {a} minus {b} gives what
        how much is left if i take {b} from {a}""",
        "{a} minus {b} / the difference between {a} and {b} / {a} - {b}",
        "how much {a} minus {b}| is / what {a} minus {b}| makes / what is left of {a} without {b}",
    ),
    "times": asked(
        """what is {a} times {b}
        how much is {a} times {b}
        what is {a} multiplied by {b}
        what is {a} x {b}
        what do you get if you multiply {a} by {b}
        what is {a} * {b}
        what's {a} times {b}
        whats {a} times {b}
        {a} times {b}
        {a} x {b}
        {a} * {b}
        {a}*{b}
        {a}x{b}
        {a} multiplied by {b}
        multiply {a} by {b}
        multiply {a} and {b}
        multiply {a} with {b}
        can you multiply {a} by {b}
        can you multiply {a} and {b}
        calculate {a} times {b}
        how much is {a} x {b}
        {a} times {b}| equals
        {a} times {b}| is what
        {a} times {b}| makes what
        what does {a} times {b}| make
        i have {a} bags with {b} apples each how many is that
        what is the result of {a} times {b}
        what number is {a} times {b}""",
        """could you tell me {a} times {b}
        what would {a} times {b} be
        please multiply {a} by {b}
        what do i get when i multiply {a} by {b}""",
        "{a} times {b} / the product of {a} and {b}",
        "how much {a} times {b}| is / what {a} times {b}| makes",
    ),
    "divided": asked(
        """what is {a} divided by {b}
        how much is {a} divided by {b}
        what is {a} over {b}
        divide {a} by {b}
        {a} divided by {b}
        {a} / {b}
        what is {a} / {b}
        can you divide {a} by {b}
        what is the square root of {a}
        what is {a} squared
        what is {a} percent of {b}
        how many times does {b} fit into {a}
        what is half of {a}
        {a} to the power of {b}""",
        """tell me {a} divided by {b}
        what would {a} divided by {b} be
        please divide {a} by {b}""",
        framed_questions=3,
    ),
    "bigger": asked(
        """which is bigger {a} or {b}
        what is bigger {a} or {b}
        which number is bigger {a} or {b}
        which is more {a} or {b}
        what is more {a} or {b}
        is {a} bigger than {b}
        is {a} more than {b}
        is {a} greater than {b}
        is {a} larger than {b}
        is {a} smaller than {b}
        is {a} less than {b}
        which is larger {a} or {b}
        which is greater {a} or {b}
        which one is bigger {a} or {b}
        which one is more {a} or {b}
        what is larger {a} or {b}
        what is the bigger number {a} or {b}
        compare {a} and {b}""",
        """which one is larger {a} or {b}
        is {b} a bigger number than {a}
        what is greater {a} or {b}""",
        "the bigger number of {a} and {b}",
        "which is bigger {a} or {b} / if {a} is bigger than {b} / whether {a} is more than {b}",
    ),
    "even": asked(
        """is {a} even
        is {a} odd
        is {a} an even number
        is {a} an odd number
        is {a} even or odd
        is {a} odd or even
        is the number {a} even
        is the number {a} odd
        is the number {a} even or odd
        what is {a} even or odd
        {a} is even| or odd
        {a} is it even or odd
        is {a} a straight number""",
        """is {a} an even| or an odd number
        {a} is that even or odd
        is the number {a} odd or even""",
        "",
        "if {a} is even / whether {a} is even| or odd / if {a} is an odd number / if {a} is even| or odd",
    ),
    "count_to": asked(
        """count to {n}
        can you count| to {n}
        please count to {n}
        will you count| to {n}
        would you please count to {n}
        could you count up to {n}
        count up to {n}
        count from one to {n}
        count from 1 to {n}
        count for me| to {n}
        count to {n}| for me
        count all the way to {n}
        start counting| to {n}
        i want you to count to {n}
        i want to hear you count to {n}
        i'd like you to count to {n}
        let's count to {n}
        let us count| to {n}
        now count| to {n}
        show me how you count to {n}
        show me that you can count to {n}
        could you count from one to {n}
        say the numbers up to {n}
        say the numbers from one to {n}
        list the numbers up to {n}
        give me the numbers up to {n}
        tell me the numbers from 1 to {n}
        name the numbers up to {n}
        counting to {n}
        count until {n}
        do you know how to count to {n}
        are you able to count to {n}""",
        """could you count| to {n}
        would you count to {n}
        can you count from 1 to {n}
        i would like you to count to {n}
        please count up to {n}
        say all the numbers up to {n}
        count with me| to {n}""",
        framed_questions=1,
    ),
    "count_down": asked(
        """count down from {n}
        count backwards from {n}
        can you count down from {n}
        please count down from {n}
        please count backwards from {n}
        count back from {n}
        count backward from {n}
        count down from {n}| to one
        count backwards from {n}| to one
        do a countdown from {n}
        make a countdown from {n}
        countdown from {n}
        count from {n} down| to one
        count from {n} backwards
        i want you to count down from {n}
        i want to hear a countdown from {n}
        start counting down from {n}
        start at {n} and count down
        say the numbers backwards from {n}
        let's count down from {n}
        give me a countdown from {n}
        would you count backwards from {n}""",
        """could you count down from {n}
        can you count backwards from {n}
        start a countdown from {n}
        a countdown from {n}
        will you count down from {n}
        i'd like you to count backwards from {n}""",
        framed_questions=1,
    ),
    "count_range": asked(
        """count from {a} to {b}
        can you count from {a} to {b}
        please count from {a} to {b}
        will you count from {a} to {b}
        count up from {a} to {b}
        count on from {a} to {b}
        start at {a} and count to {b}
        go from {a} to {b}
        say the numbers from {a} to {b}
        say all numbers from {a} to {b}
        tell me the numbers between {a} and {b}
        list the numbers from {a} to {b}
        i want to hear the numbers from {a} to {b}
        could you go from {a} to {b}
        the numbers from {a} to {b}
        give me the numbers from {a} to {b}
        which numbers are there from {a} to {b}
        let's count from {a} to {b}""",
        """could you count from {a} to {b}
        i want you to count from {a} to {b}
        tell me the numbers from {a} to {b}
        name the numbers from {a} to {b}""",
        framed_questions=1,
    ),
    "count_by": asked(
        """count by {s}
        count in {s}
        can you count by {s}
        can you count in steps of {s}
        please count by {s}
        i want you to count by {s}
        count up by {s}
        count up in {s}
        please count in {s}
        let's count by {s}
        start counting by {s}
        show me how to count by {s}""",
        """could you count by {s}
        can you count in {s}
        i want to count by {s}
        please count up by {s}""",
        framed_questions=1,
    ),
    "unit": asked(
        """how many {s} are in {l}
        how many {s} does {l} have
        how many {s} are there in {l}
        how many {s} in {l}
        how many {s} has {l}
        how many {s} make up {l}
        how many {s} has {l} got
        how many {s} do you find in {l}
        how many {s} are there to {l}
        how many {s} fit into {l}
        how many {s} is {l}
        {l} is how many {s}
        {l} has how many {s}
        {l} are how many {s}
        {s} in {l}
        in {l} there are how many {s}
        {l} how many {s}
        the number of {s} in {l}
        how many {s} does it take to make {l}
        i need {l} how many {s} is that
        what number of {s} is in {l}
        what number of {s} does {l} have
        convert {l} to {s}
        count the {s} in {l}""",
        """how many {s} make {l}
        what is the number of {s} in {l}
        can you tell me how many {s} are in {l}
        i wonder how many {s} are in {l}
        {l} contains how many {s}
        how many {s} can i find in {l}
        how many {s} would {l} have""",
        "the number of {s} in {l}",
        "how many {s} are in {l} / how many {s} {l} has / how many {s} there are in {l}",
    ),
    "sides": phrasings(
        """how many sides does {x} have
        how many corners does {x} have
        how many sides has {x}
        how many corners has {x}
        how many sides are there in {x}
        how many corners are in {x}
        tell me how many sides {x} has
        do you know how many corners {x} has
        {x} has how many sides
        {x} has how many corners
        can you tell me how many sides {x} has
        what number of sides does {x} have
        i wonder how many sides {x} has""",
        """how many sides are in {x}
        tell me how many corners {x} has
        can you tell me how many corners {x} has
        i want to know how many sides {x} has""",
    ),
}
