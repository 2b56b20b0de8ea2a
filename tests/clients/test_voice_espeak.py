"""espeak-ng itself speaks replies: before a sink that takes the time that its sound takes, and before none."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from clients.pace import count_standard_words
from clients.voice import NO_SPEECH
from tests.clients.voices import program, silent, speaking

pytestmark = pytest.mark.real


def espeak_ng() -> str:
    path = shutil.which("espeak-ng")
    if path is None:
        pytest.skip("no espeak-ng; install it (Debian: apt-get install espeak-ng; macOS: brew install espeak-ng)")
    return path


async def test_espeak_ng_is_heard_as_long_as_its_sound_is(tmp_path: Path) -> None:
    """A sink in place of the sound device: it takes 2 bytes of 22,050 Hz at a time, as long as they sound."""
    sink = f"""#!/bin/sh
{espeak_ng()} --stdout "$@" > "$0.wav" || exit
bytes=$(wc -c < "$0.wav")
echo "$bytes" >> "$(dirname "$0")/sizes"
sleep "$(echo "$bytes" | awk '{{ print $1 / 44100 }}')"
"""
    loop = asyncio.get_running_loop()
    async with speaking(tmp_path, voice=program(tmp_path, sink), rate=300, no_speech=NO_SPEECH) as (speaker, scene):
        text = "Once there was a fox. It lived in an old wood, 你好, far away"
        begun = loop.time()
        speaker.say("a", 0, text)
        speaker.flush()
        await silent(speaker)
        taken = loop.time() - begun
        assert (scene.heard, scene.troubles) == (text, [])
        assert len(scene.told) > 2  # word by word
        seconds = sum(map(int, scene.lines("sizes"))) / 44100
        assert len(scene.lines("sizes")) == 2
        assert taken >= seconds
        # It speaks at about the rate that it was told, so that the estimate of the first phrase is of the right size.
        assert 0.4 < count_standard_words(text) / (seconds / 60) / 300 < 2


async def test_espeak_ng_without_a_sound_device_is_said_though_it_ends_with_0(tmp_path: Path) -> None:
    deaf = f"""#!/bin/sh
ALSA_CONFIG_PATH=/dev/null PULSE_SERVER=/dev/null PULSE_CLIENTCONFIG=/dev/null exec {espeak_ng()} "$@"
"""
    async with speaking(tmp_path, voice=program(tmp_path, deaf), no_speech=NO_SPEECH) as (speaker, scene):
        speaker.say("a", 0, "Hm. Once there was a fox who lived in a wood. ")
        await silent(speaker)
        assert scene.heard == "Hm. Once there was a fox who lived in a wood. "
        [line] = scene.troubles
        assert line.startswith("espeak-ng cannot speak (error: ")
