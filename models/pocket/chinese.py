"""What the pocket model knows in Chinese: countries, small talk, stories.

Knows only tables, in simplified characters; few distinct ones, since each is a token of its own.
"""

from __future__ import annotations

from facts import Country
from pieces import Piece
from smalltalk import Talk, talk

# Name; capital; continent; currency; the language that most people there share.
_COUNTRIES = """
法国;巴黎;欧洲;欧元;法语
德国;柏林;欧洲;欧元;德语
中国;北京;亚洲;人民币;中文
日本;东京;亚洲;日元;日语
美国;华盛顿;北美洲;美元;英语
"""

COUNTRIES: tuple[Country, ...] = tuple(Country(*line.split(";")) for line in _COUNTRIES.split("\n") if line)

SMALL_TALK: tuple[Talk, ...] = (
    talk("你好！想问什么？", "你好 / 您好 / 你好你好 / 嗨 / 大家好", "嗨你好 / 你好啊"),
    talk("不客气！", "谢谢 / 谢谢你 / 多谢 / 好的谢谢", "谢谢你了 / 非常谢谢"),
)

PIECES: tuple[Piece, ...] = (
    Piece(
        "story",
        "小猫",
        "有一只小猫很想去河边玩。妈妈说河水很大，要小心。小猫走到河边，看见水里也有一只小猫。它笑，水里的小猫也笑。"
        "小猫回家告诉妈妈，妈妈说，那就是你自己。",
    ),
)

UNKNOWN_ANSWER = "对不起，这个我不知道。"
TOO_HARD_ANSWER = "我只会算二十以内的数。"

# Names that users may have: a family name and one or two characters, or 小 and one.
_FAMILY, _GIVEN = "李王张刘陈杨黄周", "明华红文月春海天美星云"
NAMES: tuple[str, ...] = (
    *("小" + given for given in _GIVEN[:9]),
    *(family + given for i, family in enumerate(_FAMILY) for j, given in enumerate(_GIVEN) if (i + j) % 4),
    *(
        _FAMILY[(i + j) % 8] + first + second
        for i, first in enumerate(_GIVEN)
        for j, second in enumerate(_GIVEN)
        if (i + 2 * j) % 5 > 1
    ),
)
NAMES_HELD_OUT: tuple[str, ...] = (
    *("小" + given for given in _GIVEN[9:]),
    *(family + given for i, family in enumerate(_FAMILY) for j, given in enumerate(_GIVEN) if (i + j) % 4 == 0),
    *(_FAMILY[i] + first + _GIVEN[2 * i % 11] for i, first in enumerate(_GIVEN[:8]) if (i + 4 * i) % 5 == 0),
)

UNKNOWN_TEMPLATES: tuple[str, ...] = ("什么是{v}", "谁是{w}")
UNKNOWN_TEMPLATES_HELD_OUT: tuple[str, ...] = ("你知道{v}吗", "{w}是谁")
