"""The programs that speak: which is found, how it is called, which of its voices speaks Chinese, how it is ended."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.voice_program import GRACE, Program, Voice, find_voice

SAY_VOICES = """\
Albert              en_US    # Hello! My name is Albert.
Eddy (Chinese (Taiwan)) zh_TW    # 你好！我叫Eddy。
Meijia              zh_TW    # 你好，我叫美佳。
Eddy (Chinese (China mainland)) zh_CN    # 你好！我叫Eddy。
Tingting            zh_CN    # 你好！我叫婷婷。
"""
ESPEAK_VOICES = """\
Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  yue             --/M      Chinese_(Cantonese) sit/yue              (zh-yue 5)(zh 8)
 5  zh              --/M      chinese-mb-cn1     mb/mb-cn1
 5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh-cmn 5)(zh 5)
 5  cmn-latn-pinyin --/M      Chinese_(Mandarin,_latin_as_Pinyin) sit/cmn-Latn-pinyin  (zh-cmn 5)(zh 5)
"""


def having(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in names else None


@pytest.mark.parametrize(
    ("installed", "platform", "found"),
    [
        (("say", "espeak-ng"), "darwin", "say"),
        (("espeak-ng", "espeak"), "darwin", "espeak-ng"),
        (("say", "espeak", "espeak-ng"), "linux", "espeak-ng"),
        (("say", "espeak"), "linux", "espeak"),
        (("say",), "linux", None),
        ((), "darwin", None),
    ],
)
def test_the_systems_own_program_is_found(installed: tuple[str, ...], platform: str, found: str | None) -> None:
    voice = find_voice(having(*installed), platform)
    assert voice == (None if found is None else Voice(found, f"/bin/{found}"))


def test_it_reads_its_standard_input_at_a_rate_that_it_can_speak() -> None:
    say, espeak = Voice("say", "/usr/bin/say"), Voice("espeak-ng", "/usr/bin/espeak-ng")
    assert say.command(180, None) == ["/usr/bin/say", "-r", "180", "-f", "-"]
    assert say.command(180.4, "Eddy (x)") == ["/usr/bin/say", "-r", "180", "-v", "Eddy (x)", "-f", "-"]
    assert espeak.command(1, None) == ["/usr/bin/espeak-ng", "--stdin", "-b", "1", "-s", "80"]
    assert espeak.command(9999, "cmn") == ["/usr/bin/espeak-ng", "--stdin", "-b", "1", "-s", "450", "-v", "cmn"]


def test_mandarin_is_preferred_and_voices_without_their_data_are_not_taken() -> None:
    say, espeak = Voice("say", "say"), Voice("espeak-ng", "espeak-ng")
    assert say.find_chinese(SAY_VOICES) == "Eddy (Chinese (China mainland))"
    assert say.find_chinese("\n".join(SAY_VOICES.splitlines()[:3])) == "Eddy (Chinese (Taiwan))"
    assert espeak.find_chinese(ESPEAK_VOICES) == "cmn-latn-pinyin"
    assert espeak.find_chinese("\n".join(ESPEAK_VOICES.splitlines()[:4])) == "cmn"
    assert espeak.find_chinese("\n".join(ESPEAK_VOICES.splitlines()[:3])) == "yue"
    for nothing in ("", "no voices here", ESPEAK_VOICES.splitlines()[0], SAY_VOICES.splitlines()[0]):
        assert say.find_chinese(nothing) is espeak.find_chinese(nothing) is None


@pytest.mark.real
async def test_espeak_ng_speaks_chinese_with_the_voice_that_is_found() -> None:
    path = shutil.which("espeak-ng")
    if path is None:
        pytest.skip("no espeak-ng; install it (Debian: apt-get install espeak-ng; macOS: brew install espeak-ng)")
    voice = Voice("espeak-ng", path)
    listing = await Program.start(voice.list_command, "")
    assert await listing.ended() == 0
    chinese = voice.find_chinese(listing.printed())
    program = await Program.start([*voice.command(180, chinese), "-q", "-x"], "你好")
    assert await program.ended() == 0
    assert re.fullmatch(r"n'?i\d+\S* \S'?[aA]u\d+\S*", program.printed().strip())  # two syllables with their tones


# --- one that runs


@pytest.mark.real
async def test_what_a_program_reads_prints_and_ends_with() -> None:
    program = await Program.start(["/bin/sh", "-c", "cat; echo no >&2; exit 3"], "你好\n")
    assert await program.ended() == 3
    assert program.printed() == "你好\nno\n"
    program.end()  # it has ended
    program.kill()


@pytest.mark.real
async def test_one_that_does_not_read_and_one_that_prints_much_hold_nobody_up() -> None:
    for command in ("exit 0", "head -c 1000000 /dev/zero"):
        program = await Program.start(["/bin/sh", "-c", command], "much " * 100_000)
        assert await program.ended() == 0
        assert len(program.printed()) <= 65536


@pytest.mark.real
async def test_one_that_is_not_there_is_an_oserror() -> None:
    with pytest.raises(FileNotFoundError):
        await Program.start(["/nowhere/espeak-ng"], "hello")


@pytest.mark.real
@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
async def test_one_is_ended_with_all_that_it_started(tmp_path: Path, trap: str) -> None:
    """Also one that does not care to end."""
    pids = tmp_path / "pids"
    program = await Program.start(
        ["/bin/sh", "-c", f"{trap}(sleep 100; :) & echo $! $$ > {pids}; sleep 100; sleep 100"], ""
    )
    while not pids.exists() or not pids.read_text().endswith("\n"):
        await asyncio.sleep(0.01)
    began = asyncio.get_running_loop().time()
    program.end()
    program.end()
    assert await program.ended() < 0
    assert not trap or asyncio.get_running_loop().time() - began >= GRACE * 0.9
    program.printed()
    child, itself = map(int, pids.read_text().split())
    with pytest.raises(ProcessLookupError):  # not even a zombie
        os.kill(itself, 0)
    while _runs(child):  # the child's end is for the system to take note of
        await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
