"""How people ask about colors, animals and planets.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from lists import Phrasings, phrasings

NATURE: dict[str, Phrasings] = {
    "color": phrasings(
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
    "mix": phrasings(
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
    "sound": phrasings(
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
    "legs": phrasings(
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
    "young": phrasings(
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
    "planet_order": phrasings(
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
    "planet_list": phrasings(
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
    "planet_count": phrasings(
        """how many planets are there
        how many planets do we have
        how many planets go around the sun
        tell me how many planets there are
        the number of planets""",
        """how many planets does the sun have
        do you know how many planets there are""",
    ),
    "biggest": phrasings(
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
    "smallest": phrasings(
        """what is the smallest planet
        which planet is the smallest
        tell me the smallest planet
        name the smallest planet
        which one is the smallest planet
        what planet is the smallest""",
        """what's the smallest planet
        which is the smallest planet""",
    ),
    "closest": phrasings(
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
    "farthest": phrasings(
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
    "red_planet": phrasings(
        """which planet is red
        which planet is the red planet
        what is the red planet
        what planet is called the red planet
        which one is the red planet
        name the red planet""",
        """what planet is red
        which planet is called the red planet""",
    ),
    "rings": phrasings(
        """which planet has rings
        what planet has big rings
        which planet has the big rings
        what is the planet with the rings
        which planet is the one with rings
        name the planet with rings""",
        """which planet has big rings
        what planet has rings""",
    ),
}
