"""What the pocket model knows in Chinese: countries, calendar, colors, animals, stories, names.

Knows only tables, in simplified characters; few distinct ones, since each is a token of its own.
"""

from __future__ import annotations

from facts import Country
from lists import words
from pieces import Piece

# Name; capital; continent; currency; the language that most people there share.
_COUNTRIES = """
中国;北京;亚洲;人民币;中文
日本;东京;亚洲;日元;日语
韩国;首尔;亚洲;韩元;韩语
印度;新德里;亚洲;卢比;印地语
泰国;曼谷;亚洲;泰铢;泰语
越南;河内;亚洲;越南盾;越南语
新加坡;新加坡;亚洲;新加坡元;英语
伊朗;德黑兰;亚洲;里亚尔;波斯语
土耳其;安卡拉;亚洲;里拉;土耳其语
法国;巴黎;欧洲;欧元;法语
德国;柏林;欧洲;欧元;德语
英国;伦敦;欧洲;英镑;英语
意大利;罗马;欧洲;欧元;意大利语
西班牙;马德里;欧洲;欧元;西班牙语
葡萄牙;里斯本;欧洲;欧元;葡萄牙语
荷兰;阿姆斯特丹;欧洲;欧元;荷兰语
瑞士;伯尔尼;欧洲;瑞士法郎;德语
瑞典;斯德哥尔摩;欧洲;瑞典克朗;瑞典语
挪威;奥斯陆;欧洲;挪威克朗;挪威语
丹麦;哥本哈根;欧洲;丹麦克朗;丹麦语
希腊;雅典;欧洲;欧元;希腊语
奥地利;维也纳;欧洲;欧元;德语
爱尔兰;都柏林;欧洲;欧元;英语
俄罗斯;莫斯科;欧洲;卢布;俄语
埃及;开罗;非洲;埃及镑;阿拉伯语
美国;华盛顿;北美洲;美元;英语
加拿大;渥太华;北美洲;加元;英语
墨西哥;墨西哥城;北美洲;比索;西班牙语
古巴;哈瓦那;北美洲;比索;西班牙语
巴西;巴西利亚;南美洲;雷亚尔;葡萄牙语
智利;圣地亚哥;南美洲;比索;西班牙语
澳大利亚;堪培拉;大洋洲;澳元;英语
新西兰;惠灵顿;大洋洲;新西兰元;英语
"""

COUNTRIES: tuple[Country, ...] = tuple(Country(*line.split(";")) for line in _COUNTRIES.split("\n") if line)

# Places that are asked about in training only to be answered with "I do not know"; the second list never is.
UNKNOWN_PLACES: tuple[str, ...] = words(
    "波兰 南非 加州 火星 月亮 上海 南京 东北 马里 加纳 安哥拉 海地 老家 我家 你家 天上 山东 河南 米兰 东海 "
    "大西洋 西非 中东 北非 西亚 东亚 黄河 长城 西湖 太平洋 白山 山上"
)
UNKNOWN_PLACES_HELD_OUT: tuple[str, ...] = words("马耳他 尼日利亚 河北 广东 木星 山西 巴拿马 哥斯达 长江 海南")

NUMBERS: tuple[str, ...] = words("零 一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十")
DAYS: tuple[str, ...] = words("星期一 星期二 星期三 星期四 星期五 星期六 星期日")
MONTHS: tuple[tuple[str, int], ...] = (
    ("一月", 31), ("二月", 28), ("三月", 31), ("四月", 30), ("五月", 31), ("六月", 30), ("七月", 31), ("八月", 31),
    ("九月", 30), ("十月", 31), ("十一月", 30), ("十二月", 31),
)  # fmt: skip

# The larger unit, how many of the smaller ones it has, and these with their measure word.
UNITS: tuple[tuple[str, int, str], ...] = (
    ("一年", 12, "个月"),
    ("一年", 365, "天"),
    ("一个星期", 7, "天"),
    ("一天", 24, "个小时"),
    ("一个小时", 60, "分钟"),
    ("一分钟", 60, "秒"),
    ("一米", 100, "厘米"),
    ("一公里", 1000, "米"),
    ("一公斤", 1000, "克"),
)

COLORS: tuple[tuple[str, str], ...] = (
    ("天空", "蓝色"), ("草", "绿色"), ("太阳", "黄色"), ("雪", "白色"), ("血", "红色"), ("香蕉", "黄色"),
    ("西红柿", "红色"),
    ("大海", "蓝色"), ("牛奶", "白色"), ("树叶", "绿色"), ("橙子", "橙色"), ("苹果", "红色"),
    ("黄瓜", "绿色"), ("盐", "白色"), ("月亮", "白色"), ("火", "红色"),
)  # fmt: skip

# Name, what it says, how many legs it has.
ANIMALS: tuple[tuple[str, str, str], ...] = (
    ("狗", "汪汪", "四"), ("猫", "喵喵", "四"), ("牛", "哞哞", "四"), ("羊", "咩咩", "四"), ("鸡", "咯咯", "两"),
    ("鸭子", "嘎嘎", "两"), ("马", "", "四"),
    ("鸟", "", "两"), ("鱼", "", "零"),
)  # fmt: skip

PIECES: tuple[Piece, ...] = (
    Piece(
        "story",
        "小猫",
        "有一只小猫很想去河边玩。妈妈说河水很大，要小心。小猫走到河边，看见水里也有一只小猫。它笑，水里的小猫也笑。"
        "它哭，水里的小猫也哭。小猫回家告诉妈妈，妈妈说，那就是你自己。从那天起，小猫每天都对自己笑一笑。",
    ),
    Piece(
        "story",
        "月亮",
        "从前有一个小女孩，她很喜欢月亮。她每天晚上都问月亮，你吃饭了吗。月亮不说话，只是一天比一天大。有一天，月"
        "亮又大又圆。女孩高兴地说，你吃得真好。后来月亮又一天比一天小，女孩就在窗边放了一个苹果。",
    ),
    Piece(
        "story",
        "老人和树",
        "山上有一个老人，他每天都种一棵树。村里的人笑他，说树长大的时候你已经不在了。老人说，我小时候吃的苹果，也"
        "是别人种的。过了很多年，山上都是树。孩子们在树下玩，大家都记得那个老人。",
    ),
    Piece(
        "recipe",
        "西红柿炒鸡蛋",
        "先准备两个西红柿和三个鸡蛋。把西红柿洗好，切成小块。鸡蛋里放一点盐，打好。锅里放油，油热了以后放鸡蛋，炒"
        "一分钟，拿出来。再放一点油，炒西红柿，放一点糖。最后把鸡蛋放进去，再炒一分钟，就可以吃了。",
    ),
    Piece(
        "recipe",
        "茶",
        "想喝好茶，先把水烧开。杯子用热水洗一下，再放一小把茶叶。绿茶的水不能太热，开了以后等三分钟。红茶可以用开水。"
        "水慢慢地倒进去，盖好，等两分钟。第一杯可以倒掉，第二杯最好喝。",
    ),
)

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
