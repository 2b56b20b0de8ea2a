"""How people ask something else about the country that was just talked about, without naming it.

Knows only text; `phrasings.py` tells what the marks in it mean.
"""

from __future__ import annotations

from typing import Final

from lists import Phrasings, phrasings

RELATIONS: Final = ("capital", "continent", "currency", "language")

REFERENCES: Final[dict[str, dict[str, Phrasings]]] = {
    "en": {
        "capital": phrasings(
            """and its capital
            and the capital
            what is its capital
            what's its capital
            what about its capital
            what about the capital
            and what is its capital
            and what is the capital
            which city is its capital
            tell me its capital
            and the capital there
            what is the capital there
            do you know its capital
            how about its capital""",
            """what is the capital of it
            and which city is its capital
            and what's its capital
            can you tell me its capital""",
        ),
        "continent": phrasings(
            """where is it
            and where is it
            where is that
            and where is that
            which continent is it in
            and which continent is it in
            what continent is it in
            on which continent is it
            what about its continent
            and its continent
            and the continent
            where is that country
            tell me where it| is
            in which part of the world is it""",
            """what continent is that in
            on which continent is that
            and where in the world is it
            which continent is that country in""",
        ),
        "currency": phrasings(
            """and its currency
            and the currency
            what is its currency
            what about its currency
            what about the currency
            what about the money
            and the money
            and what is the currency
            what money do they use there
            which currency do they use there
            how do people pay there
            and how do they pay there
            what do they pay with there
            which money do i need there
            tell me its currency
            how about its currency""",
            """what currency do they use there
            and which money do they use there
            what's the currency there
            what do people pay with there""",
        ),
        "language": phrasings(
            """and its language
            and the language
            what is its language
            what about its language
            what about the language
            and the language there
            what do they speak there
            what do people speak there
            and what do they speak there
            which language do they speak there
            what language do they speak there
            what language is spoken there
            and what language do they speak
            how do they talk there
            tell me its language
            how about the language""",
            """which language is spoken there
            and what do people speak there
            what's the language there
            and which language do people speak there""",
        ),
    },
    "zh": {
        "capital": phrasings(
            """首都呢
            那首都呢
            它的首都呢
            它的首都是哪里
            那里的首都是哪里
            那它的首都呢
            首都是哪里
            那里的首都呢""",
            """那首都是哪里
            它的首都叫什么
            那里的首都叫什么""",
        ),
        "continent": phrasings(
            """它在哪里
            它在哪个洲
            那它在哪个洲
            那它在哪里
            在哪个洲
            在哪个洲呢
            那是哪个洲的
            它属于哪个洲""",
            """那个国家在哪里
            它在什么洲
            那在哪个洲""",
        ),
        "currency": phrasings(
            """货币呢
            那货币呢
            它的货币呢
            它的货币是什么
            那里用什么钱
            那里用什么货币
            那里的钱叫什么
            用什么钱
            那里的货币呢""",
            """那用什么钱
            那里的货币是什么
            它的货币叫什么""",
        ),
        "language": phrasings(
            """语言呢
            那语言呢
            它的语言呢
            那里说什么语言
            那里的人说什么语言
            那里的人说什么
            说什么语言
            他们说什么语言
            那里的语言呢""",
            """那说什么语言
            那里的人说什么话
            他们说什么话""",
        ),
    },
}
