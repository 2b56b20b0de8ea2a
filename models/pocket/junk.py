"""What is heard where nothing was said: by a microphone, or by whoever types it down.

Knows only text. Recognizers write noise down in many ways, so most of what is trained is made up; no held-out one, and
no sound that one of them names, is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lists import Phrasings, phrases, words

if TYPE_CHECKING:
    from random import Random

JUNK: Final[dict[str, Phrasings]] = {
    "en": Phrasings(
        phrases(
            "um / uh / er / erm / ah / eh / uh um / um um / uh uh / mm / [noise] / [music] / [inaudible] / (coughs) / "
            "(laughs) / (noise) / *cough* / ... / .. / tsk / la la / brr / ahem / sh / a a / ha / hm hm / [laughter] / "
            "(music) / [door] / (typing) / [silence] / uhm / er er / hum / pff / eh eh / -- / ?"
        ),
        phrases(
            "umm / err / uhh / [background noise] / (sneezes) / *sigh* / cough cough / er um / [applause] / la la la"
        ),
    ),
    "zh": Phrasings(
        phrases(
            "呃 / 额 / 啊啊 / 嗯啊 / 呃呃 / 那个 / [noise] / [music] / ... / 。。。 / 呃那个 / 啦啦 / （音乐） / （咳）"
        ),
        phrases("额额 / 呃嗯 / （笑） / [背景音乐] / 那个那个 / 啦啦啦"),
    ),
}

_SOUNDS: Final = {
    "en": phrases(
        "laugh / laughs / laughing / cough / coughs / coughing / clears throat / throat clearing / breath / breathing "
        "/ breathes heavily / yawn / yawns / snore / snoring / sniff / sniffs / hiccup / burp / hum / humming / "
        "whistle / whistling / groan / groans / moan / gasp / gasps / giggle / giggles / chuckle / chuckles / snort / "
        "click / clicks / beep / beeping / ring / ringing / phone ringing / knock / knocking / bang / thud / crash / "
        "clatter / typing / keyboard / wind / wind blowing / rain / thunder / traffic / car / car passing / horn / "
        "siren / static / crackle / hiss / buzz / buzzing / echo / feedback / bark / dog / dog barking / cat / bird / "
        "birds / door / door closes / footsteps / chair / paper / water / plates / dishes / noise / loud noise / "
        "noises / sound / sounds / music / soft music / music playing / song / singing / radio / television / voices "
        "/ chatter / crosstalk / speaking in the distance / people talking / baby crying / crying / sobbing / "
        "screaming / shouting / cheering / clapping / clap / silence / pause / long pause / no audio / blank / "
        "unclear / unintelligible / indistinct / inaudible / mumbling / mumbles / whispering / whispers / foreign "
        "language / microphone / mic noise / hmm / uh"
    ),
    "zh": phrases(
        "音乐 / 声音 / 噪音 / 杂音 / 噪声 / 咳嗽 / 咳嗽声 / 鼓掌 / 掌声 / 敲门 / 敲门声 / 电话 / 电话铃 / 铃声 / 风声 "
        "/ 雨声 / 车声 / 狗叫 / 鸟叫 / 脚步声 / 键盘声 / 打字 / 关门 / 水声 / 哭声 / 歌声 / 说话声 / 人声 / 听不清 / "
        "听不见 / 没有声音 / 安静 / 停顿 / 呼吸 / 打哈欠 / 喷嚏 / 唱歌 / 小声说话 / 电视 / 广播 / 回声 / noise / "
        "music / cough"
    ),
}
_BRACKETS: Final = {
    "en": ("[]", "[]", "()", "()", "**", "**", "__", "--", "~~", "//"),
    "zh": ("[]", "（）", "【】", "()", "**"),
}
_FILLERS: Final = {
    "en": words("um uh er ah eh mm hm erm uhm hmm uhh umm err ahh ehh mmm hmmm ummm uhhh errr ahem hum huh"),
    "zh": words("呃 嗯 啊 哦 额 哈 啦 呀 这个 那个 就是"),
}
_BARE: Final = words("cough click beep clap knock bang buzz ring snore sniff tick tap ding thud pop boom hiss whoosh")
_ONSETS: Final = words("b d g k l m n p r t v z br gr dr bl fl kr tr w")
_NO_BABBLE: Final = frozenset(words("no go to do me we be re te ma pa"))  # these say something, or might
_LONG: Final = "amuezrofn"
_SIGNS: Final = (".", "...", "....", "..", "-", "--", "---", "?", "??", "!", "~", "*", "#", "…", "_", "/", ",")


def _babble(rng: Random, language: str) -> str:
    """Syllables over and over, or one sound held: no word of any language, or hardly."""
    pick = rng.random()
    if pick < 0.3:
        return rng.choice(_LONG) * rng.randint(2, 5)
    while (syllable := rng.choice(_ONSETS) + rng.choice("aeou")) in _NO_BABBLE:
        pass
    if pick < 0.5:
        return syllable + syllable[-1] * rng.randint(1, 3)
    return (" " if language == "en" or rng.random() < 0.5 else "").join([syllable] * rng.randint(2, 4))


def _made_up(rng: Random, language: str) -> str:
    pick = rng.random()
    if pick < 0.5:
        sound = rng.choice(_SOUNDS[language])
        if language == "en" and rng.random() < 0.3:
            sound = rng.choice((sound.capitalize(), sound.upper()))
        brackets = rng.choice(_BRACKETS[language])
        space = " " if rng.random() < 0.1 else ""
        return brackets[0] + space + sound + space + brackets[1]
    if pick < 0.78:
        fillers = _FILLERS[language]
        one, two = rng.choice(fillers), rng.choice(fillers)
        count = rng.choice((1, 2, 2, 2, 3, 3, 4)) if language == "en" or len(one) == 1 else 2
        said = [one] * count if rng.random() < 0.65 else [one, two, rng.choice((one, two))][: rng.randint(2, 3)]
        space = " " if language == "en" else rng.choice(("", "", "", "，"))
        return space.join(said)
    if pick < 0.86 and language == "en":
        return " ".join([rng.choice(_BARE)] * rng.choice((2, 2, 3)))
    return rng.choice(_SIGNS) if pick > 0.95 else _babble(rng, language)


def _bare(text: str) -> str:
    return "".join(char for char in text.lower() if char not in ".?!…,，。 ")


def heard_junk(rng: Random, language: str, *, held_out: bool) -> str:
    """What a recognizer makes of no words at all; in training mostly made up."""
    table = JUNK[language]
    if held_out:
        return rng.choice(table.held_out)
    if rng.random() < 0.35:
        return rng.choice(table.trained)
    kept = {_bare(text) for text in table.held_out}
    while _bare(text := _made_up(rng, language)) in kept:
        pass
    return text
