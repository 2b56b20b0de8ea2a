"""Replies aloud, by real processes, of a stand-in: the test must know what it read, and when it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients import voice as voice_module
from clients.pace import Heard
from clients.voice import NO_SPEECH, Voice
from tests.clients.properties import texts
from tests.clients.voices import ENDS, STAND_IN, WAITS, is_there, program, silent, speaking, until

pytestmark = pytest.mark.real


async def test_words_are_joined_to_phrases_and_come_on_the_standard_input(tmp_path: Path) -> None:
    async with speaking(tmp_path) as (speaker, scene):
        place = 0
        for text in (
            "--version",
            " is",
            " 3.5! ",
            "$(rm x)",
            "\x1b[2J [[slnc 99]]",
            "\n",
            "'Ok?' Well, ",
            "你好。再见",
        ):
            speaker.say("a", place, text)
            place += len(text)
        assert speaker.speaking
        await scene.speaks()
        scene.go()
        await until(lambda: len(scene.phrases) == 4)
        assert scene.phrases == ["--version is 3.5! ", "$(rm x)[2J [ slnc 99]]\n", "'Ok?' ", "Well, 你好。"]
        assert set(scene.lines("calls")) == {"--stdin -b 1 -s 450", "--voices=zh"}
        speaker.flush()
        speaker.flush()
        await silent(speaker)
        assert scene.phrases[4:] == ["再见"]
        assert scene.heard == "--version is 3.5! $(rm x)\x1b[2J [[slnc 99]]\n'Ok?' Well, 你好。再见"
        assert scene.troubles == []


async def test_within_a_phrase_words_are_heard_by_estimate_but_the_last_only_at_its_end(tmp_path: Path) -> None:
    async with speaking(tmp_path) as (speaker, scene):
        speaker.say("a", 7, "abcde fghij klmno")
        speaker.flush()
        await until(lambda: scene.heard == "abcde fghij ")
        assert scene.told[0] == Heard("a", 7, 13, "abcde ")
        await asyncio.sleep(0.3)  # the estimate is over
        assert scene.heard == "abcde fghij "
        assert speaker.speaking
        scene.go()
        await silent(speaker)
        assert scene.told[-1] == Heard("a", 19, 24, "klmno")


async def test_the_rate_of_the_phrases_before_is_what_the_next_one_is_estimated_by(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with speaking(tmp_path) as (speaker, scene):
        begun = loop.time()
        speaker.say("a", 0, "abcde. ")
        await scene.speaks()
        await asyncio.sleep(0.8)  # in place of the 0.13 that a word has at 450 a minute
        slow = loop.time() - begun
        scene.go()
        await silent(speaker)
        scene.wait()
        begun = loop.time()
        speaker.say("a", 7, "fghij klmno")
        speaker.flush()
        await until(lambda: scene.heard == "abcde. fghij ")
        assert loop.time() - begun >= slow * 0.7
        scene.go()
        await silent(speaker)


async def test_stopped_it_is_silent_at_once_and_what_was_not_heard_is_never_told(tmp_path: Path) -> None:
    async with speaking(tmp_path) as (speaker, scene):
        speaker.stop()  # nothing was said
        speaker.say("a", 0, "abcde fghij. Never this. ")
        speaker.say("a", 25, "Nor this")
        pid = await scene.speaks()
        await until(lambda: scene.told)
        speaker.stop()
        assert not speaker.speaking
        heard = scene.heard
        await until(lambda: not is_there(pid))
        scene.go()
        speaker.say("b", 0, "abcde. ")
        await silent(speaker)
        assert scene.heard == heard + "abcde. "
        assert scene.told[-1].item == "b"
        assert len(scene.phrases) == 2
        assert scene.troubles == []


async def test_stopped_before_it_began_it_says_nothing(tmp_path: Path) -> None:
    async with speaking(tmp_path) as (speaker, scene):
        speaker.say("a", 0, "abcde. ")
        await asyncio.sleep(0)
        speaker.stop()
        speaker.say("b", 0, "你好。")  # now the voices are listed
        await until(lambda: scene.lines("calls"))
        speaker.stop()
        assert not speaker.speaking
        scene.go()
        speaker.say("c", 0, "fghij")
        speaker.flush()
        await silent(speaker)
        assert scene.told == [Heard("c", 0, 5, "fghij")]


async def test_a_program_that_does_not_care_to_stop_is_ended_by_force(tmp_path: Path) -> None:
    async with speaking(tmp_path, f"trap '' TERM\n{WAITS}") as (speaker, scene):
        speaker.say("a", 0, "Never. ")
        await scene.speaks()
        speaker.stop()
        scene.wait()
        speaker.say("b", 0, "Then. ")
        await scene.speaks(2)  # only when the first is gone
        assert not is_there(int(scene.lines("pids")[0]))


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("echo 'ALSA lib: no card' >&2; echo 'no \x1b[31mdevice' >&2; exit 1", "exit code 1: no [31mdevice"),
        ("kill -9 $$", "signal 9"),
        ("sleep 0.2; echo 'error: No such file' >&2; exit 0", "error: No such file"),
        (ENDS, "it ends at once"),
        ("sleep 300", "it does not come to an end"),
    ],
)
async def test_where_the_voice_fails_that_is_said_once_and_the_words_are_heard_without_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, told: str
) -> None:
    monkeypatch.setattr(voice_module, "PATIENCE", -4.0 if "300" in does else 10.0)
    async with speaking(tmp_path, does, rate=600, no_speech=10 if does == ENDS else NO_SPEECH) as (speaker, scene):
        text = "abcde fghij klmno, pqrst uvwxy abcde fghij klmno pqrst. Abcde, fghij"
        speaker.say("a", 0, text)
        await until(lambda: scene.troubles)
        speaker.flush()
        speaker.say("a", len(text), " klmno. Pqrst")
        await silent(speaker)
        assert scene.heard == text + " klmno. Pqrst"
        [line] = scene.troubles
        assert line == (
            f"espeak-ng cannot speak ({told}); going on without sound. Is there a sound device? Try: espeak-ng hello"
        )
        assert len(scene.lines("pids")) <= 1  # a busy machine may not have begun it
        speaker.say("b", 0, "never " * 50)
        speaker.stop()
        assert not speaker.speaking


async def test_a_program_that_is_gone_is_said(tmp_path: Path) -> None:
    async with speaking(tmp_path, voice=Voice("espeak-ng", str(tmp_path / "gone"))) as (speaker, scene):
        speaker.say("a", 0, "Abcde. ")
        await silent(speaker)
        assert scene.heard == "Abcde. "
        assert "espeak-ng cannot speak (No such file or directory)" in scene.troubles[0]


async def test_a_voice_that_spoke_once_may_have_nothing_to_say_to_a_phrase(tmp_path: Path) -> None:
    async with speaking(tmp_path, no_speech=NO_SPEECH) as (speaker, scene):
        speaker.say("a", 0, "Abcde fghij. ")
        await scene.speaks()
        await asyncio.sleep(0.3)
        scene.go()
        text = "안녕하세요 여러분 만나서 반갑습니다. "
        speaker.say("a", 13, text)
        speaker.say("a", 13 + len(text), "🙂 . ")
        await silent(speaker)
        assert scene.troubles == []
        assert scene.heard == f"Abcde fghij. {text}🙂 . "
        assert len(scene.phrases) <= 2  # what has no words is not spoken


async def test_chinese_has_a_voice_of_its_own_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "voices").write_text(" 5  cmn  --/M  Chinese_(Mandarin)  sit/cmn  (zh-cmn 5)(zh 5)\n")
    async with speaking(tmp_path, "sleep 0.3") as (speaker, scene):
        text = "你好。Hello there. 我叫 Bob。カメラ。The word 你好 means hello. "
        speaker.say("a", 0, text)
        await silent(speaker)
        assert scene.heard == text
        own, chinese = "--stdin -b 1 -s 450", "--stdin -b 1 -s 450 -v cmn"
        assert scene.lines("calls") == ["--voices=zh", chinese, own, chinese, own, own]


async def test_say_of_macos_is_called_in_its_own_way(tmp_path: Path) -> None:
    (tmp_path / "voices").write_text("Albert  en_US  # Hello!\nTingting  zh_CN  # 你好！\n")
    say = Voice("say", program(tmp_path, STAND_IN.format(does="sleep 0.1")).path)
    async with speaking(tmp_path, voice=say, rate=200) as (speaker, scene):
        speaker.say("a", 0, "Hello there. 你好。")
        await silent(speaker)
        assert scene.heard == "Hello there. 你好。"
        assert scene.phrases == ["Hello there. ", "你好。"]
        assert scene.lines("calls") == ["-r 200 -f -", "-v ?", "-r 200 -v Tingting -f -"]


@settings(max_examples=8, deadline=None)
@given(st.data())
async def test_all_that_is_not_stopped_is_heard_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("voice")
    does = data.draw(st.sampled_from(["sleep 0.05", ENDS, 'exit $(( $(wc -l < "$here/pids") / 3 ))']))
    said, sent = "", {"a": 0, "b": 0}
    async with speaking(folder, does, rate=100_000) as (speaker, scene):
        for _ in range(data.draw(st.integers(1, 8))):
            action = data.draw(st.sampled_from(("say", "say", "flush", "wait", "stop", "silent")))
            if action == "say":
                item, text = data.draw(st.sampled_from("ab")), data.draw(texts | st.just("Abcde. Fg. ")) + "."
                speaker.say(item, sent[item], text)
                sent[item] += len(text)
                said += text
            elif action == "flush":
                speaker.flush()
            elif action == "stop":
                speaker.stop()
                assert not speaker.speaking
                said = scene.heard
            elif action == "wait":
                await asyncio.sleep(data.draw(st.floats(0, 0.1)))
            else:
                speaker.flush()
                await silent(speaker)
                assert scene.heard == said
            assert said.startswith(scene.heard)
        speaker.flush()
        await silent(speaker)
        assert scene.heard == said
        assert all(one.end - one.start == len(one.text) > 0 for one in scene.told)
        assert len(scene.troubles) <= 1
