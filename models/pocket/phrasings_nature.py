"""How people ask about colors, animals, planets, opposites and the body.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from frames import asked
from lists import Phrasings

NATURE: dict[str, Phrasings] = {
    "color": asked(
        """what color is {x}
        which color is {x}
        what color does {x} have
        which color does {x} have
        what is the color of {x}
        what colour is {x}
        what color has {x}
        what color would you say {x} is
        what color do you think {x} is
        of what color is {x}
        in what color does {x} come
        {x} has which color
        {x} has what color
        {x} is which color
        {x} is what color
        {x} what color
        the color of {x}
        color of {x}
        what's the color of {x}
        what's the colour of {x}
        what does {x} look like
        is {x} red or blue
        is {x} green
        is {x} black or white
        describe the color of {x}
        what is the usual color of {x}
        what color are things like {x}""",
        """which colour is {x}
        what is the colour of {x}
        tell me what color {x} has
        name the color of {x}
        {x} has what colour
        what colour does {x} have""",
        "the color of {x} / the colour of {x}",
        "what color {x}| is / which color {x} has / what colour {x}| is / what color {x} has",
    ),
    "mix": asked(
        """what do you get when you mix {a} and {b}
        what color do {a} and {b} make
        what is {a} mixed with {b}
        what is {a} and {b} mixed
        what happens if i mix {a} and {b}
        what do you get if you mix {a} with {b}
        mix {a} and {b}
        mix {a} with {b}
        what do {a} and {b} make
        {a} and {b} make which color
        {a} and {b} give what color
        {a} mixed with {b}
        what color comes out if i mix {a} and {b}
        what is the mix of {a} and {b}
        how do {a} and {b} mix""",
        """what do i get if i mix {a} and {b}
        what color is {a} mixed with {b}
        which color do {a} and {b} make
        if i mix {a} and {b} what do i get""",
        "the mix of {a} and {b}",
        "what {a} and {b} make / which color {a} and {b} make",
    ),
    "sound": asked(
        """what does {x} say
        what sound does {x} make
        what noise does {x} make
        which sound does {x} make
        how does {x} sound
        what is the sound of {x}
        how does {x} go
        which noise comes from {x}
        what do you hear from {x}
        what kind of sound does {x} make
        what kind of noise does {x} make
        {x} says what
        {x} makes which sound
        {x} makes what sound
        {x} makes what noise
        {x} goes how
        the sound of {x}
        the noise of {x}
        sound of {x}
        make the sound of {x}
        what would {x} say
        how does {x} talk
        imitate {x}
        can you sound like {x}""",
        """which noise does {x} make
        what's the sound of {x}
        tell me what sound {x} makes
        what noise comes from {x}
        {x} makes which noise
        what sound comes from {x}""",
        "the sound of {x} / the noise of {x}",
        "what {x} says / what sound {x} makes / how {x} goes / what noise {x} makes",
    ),
    "legs": asked(
        """how many legs does {x} have
        how many legs has {x}
        how many legs has {x} got
        on how many legs does {x} walk
        how many feet does {x} have
        how many legs are there on {x}
        how many legs do you see on {x}
        {x} has how many legs
        {x} walks on how many legs
        {x} how many legs
        legs of {x}
        the number of legs of {x}
        can you count the legs of {x}
        count the legs of {x}
        what number of legs does {x} have
        does {x} have legs
        does {x} have four legs
        does {x} have two| or four legs
        how many legs would {x} have""",
        """can you tell me how many legs {x} has
        what is the number of legs of {x}
        i wonder how many legs {x} has
        {x} has got how many legs
        how many legs are on {x}""",
        "the number of legs of {x}",
        "how many legs {x} has / how many legs {x} has got / on how many legs {x} walks",
    ),
    "young": asked(
        """what is a baby {y} called
        what do you call a baby {y}
        what is the name for a baby {y}
        what is a young {y} called
        what do they call a young {y}
        what do we call a baby {y}
        what's a baby {y} called
        how do you call a baby {y}
        how is a baby {y} called
        what is the name of a baby {y}
        what is the word for a baby {y}
        a baby {y} is called what
        a baby {y} is called
        a young {y} is called what
        the word for a baby {y}
        the baby of a {y} is called
        a little {y} is called what
        what is a little {y} called
        which name does a baby {y} have""",
        """what do people call a baby {y}
        what's the name for a baby {y}
        do you know what a baby {y} is called
        what do you call a young {y}
        a little {y} is called
        what name does a baby {y} have""",
        "the name for a baby {y} / the word for a young {y}",
        "what a baby {y} is called / what you call a baby {y} / how a baby {y} is called",
    ),
    "planet_order": asked(
        """what is the {o} planet| from the sun
        which planet is the {o} from the sun
        which planet is number {n}| from the sun
        which planet comes {o}
        which one is the {o} planet| from the sun
        what planet is number {n}| from the sun
        what's the {o} planet| from the sun
        name the {o} planet
        what planet comes {o}
        which planet is in place {n}
        planet number {n}
        the {o} planet| from the sun
        the planet number {n}
        which planet has place {n}
        counting from the sun which planet is the {o}""",
        """which is the {o} planet| from the sun
        do you know the {o} planet| from the sun
        what planet is the {o} from the sun
        which is planet number {n}""",
        "the {o} planet| from the sun / planet number {n}",
        "which planet is the {o} / which planet is number {n}",
    ),
    "planet_list": asked(
        """what are the planets
        which planets are there
        what are all the planets
        which planets do we have
        which planets do you know
        what are the names of the planets
        list all the planets
        list the planets
        name all the planets
        name the planets
        can you name all the planets
        say all the planets
        the planets
        all the planets
        all eight planets""",
        """can you list the planets
        tell me all the planets
        what planets are there
        please name the planets""",
        "the planets / all the planets / the names of the planets",
    ),
    "planet_count": asked(
        """how many planets are there
        how many planets do we have
        how many planets go around the sun
        how many planets has the sun
        how many planets are in the solar system
        how many planets do you know
        the number of planets
        there are how many planets
        count the planets
        number of planets""",
        """how many planets does the sun have
        do you know how many planets there are
        what number of planets is there""",
        "the number of planets",
        "how many planets there are / how many planets we have",
    ),
    "biggest": asked(
        """what is the biggest planet
        which planet is the biggest
        what is the largest planet
        which planet is the largest
        which one is the biggest planet
        what planet is the biggest
        which planet is the biggest of all
        what planet is the largest
        name the largest planet
        the biggest planet
        the largest planet
        which planet is bigger than all others""",
        """what's the biggest planet
        which is the largest planet
        what's the largest planet""",
        "the biggest planet / the largest planet",
        "which planet is the biggest / which planet is the largest",
    ),
    "smallest": asked(
        """what is the smallest planet
        which planet is the smallest
        which one is the smallest planet
        what planet is the smallest
        which planet is the smallest of all
        name the smallest planet
        the smallest planet
        which planet is very small""",
        """what's the smallest planet
        which is the smallest planet
        what planet is the smallest of all""",
        "the smallest planet",
        "which planet is the smallest",
    ),
    "closest": asked(
        """which planet is closest to the sun
        what is the closest planet to the sun
        which planet is nearest| to the sun
        what planet is closest to the sun
        what is the nearest planet to the sun
        which is the nearest planet to the sun
        which planet is next to the sun
        name the closest planet to the sun
        the planet closest to the sun
        the closest planet to the sun
        which planet is very close to the sun""",
        """what's the closest planet to the sun
        what planet is nearest| to the sun
        which is the closest planet to the sun""",
        "the closest planet to the sun / the planet nearest to the sun",
        "which planet is closest to the sun",
    ),
    "farthest": asked(
        """which planet is farthest from the sun
        what is the farthest planet from the sun
        what planet is farthest from the sun
        which one is the farthest planet from the sun
        which planet is the farthest from the sun
        which planet is furthest from the sun
        what planet is furthest from the sun
        name the farthest planet from the sun
        the farthest planet from the sun
        the planet farthest from the sun
        which planet is the last one""",
        """which is the farthest planet from the sun
        what's the farthest planet from the sun
        what is the furthest planet from the sun""",
        "the farthest planet from the sun / the planet furthest from the sun",
        "which planet is farthest from the sun",
    ),
    "red_planet": asked(
        """which planet is red
        which planet is the red planet
        what is the red planet
        what planet is called the red planet
        which one is the red planet
        what do they call the red planet
        name the red planet
        the red planet| is
        which planet looks red""",
        """what planet is red
        which planet is called the red planet
        what planet is the red planet""",
        "the name of the red planet",
        "which planet is red / which planet is the red planet",
    ),
    "rings": asked(
        """which planet has rings
        what planet has big rings
        which planet has the big rings
        what is the planet with the rings
        which planet is the one with rings
        which planet has the biggest rings
        name the planet with rings
        the planet with the rings
        which planet has a ring
        what planet has a ring""",
        """which planet has big rings
        what planet has rings
        what planet has the biggest rings""",
        "the planet with the rings / the planet with rings",
        "which planet has rings / which planet has the biggest rings",
    ),
    "opposite": asked(
        """what is the opposite of {x}
        what's the opposite of {x}
        which word is the opposite of {x}
        what word means the opposite of {x}
        what is the reverse of {x}
        what is the contrary of {x}
        the opposite of {x}
        opposite of {x}
        {x} opposite
        {x} is the opposite of what
        {x} is the opposite of which word
        what is not {x} but the opposite
        what do you call the opposite of {x}
        what would be the opposite of {x}
        if something is not {x} what is it
        say the opposite of {x}
        the opposite to {x}
        what is the opposite to {x}""",
        """whats the opposite of {x}
        what is the opposite word of {x}
        which is the opposite of {x}
        {x} is the opposite of what word
        could you give me the opposite of {x}""",
        "the opposite of {x} / the opposite word of {x}",
        "what the opposite of {x}| is / which word is the opposite of {x}",
    ),
    "body": asked(
        """how many {x} do i have
        how many {x} do people have
        how many {x} does a person have
        how many {x} does a human have
        how many {x} do we have
        how many {x} do you need
        how many {x} has a person
        how many {x} has a human
        how many {x} does everybody have
        how many {x} do humans have
        how many {x} are on a person
        people have how many {x}
        a person has how many {x}
        the number of {x} of a person
        what number of {x} do people have""",
        """how many {x} does a human being have
        how many {x} does somebody have
        humans have how many {x}
        how many {x} have people""",
        "",
        "how many {x} people have / how many {x} a person has / how many {x} we have",
    ),
    "name_country": asked(
        """what is a country in {o}
        which country is in {o}
        what country is in {o}
        which country do you know in {o}
        which countries are in {o}
        what countries are in {o}
        name a country in {o}
        name one country in {o}
        name any country in {o}
        name some country in {o}
        say a country in {o}
        tell me a country from {o}
        give me one country in {o}
        give me a country from {o}
        a country in {o}
        can you name one country in {o}
        can you name a country from {o}
        list some countries in {o}
        name countries in {o}""",
        """which country lies in {o}
        what country lies in {o}
        say one country in {o}
        tell me one country in {o}
        please name one country in {o}""",
        "a country in {o} / some country in {o} / one country in {o}",
        "which country is in {o} / what country is in {o}",
    ),
}
