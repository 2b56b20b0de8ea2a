"""Options that cannot be used are told in one line; what is left open is chosen sensibly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_server.config import (
    Config,
    ConfigError,
    DuplexFacts,
    choose_cells,
    choose_ctx,
    choose_flash_attention,
    choose_idle_bias,
    choose_slice_tokens,
    find_model,
)

MODEL = Path("m.gguf")
GIB = 2**30
METADATA = {
    "duplex.version": "1",
    "duplex.user_marker": "<用户>",
    "duplex.assistant_marker": "<AI>",
    "duplex.idle_token_id": "7",
    "duplex.slice_seconds": "2.000000",
    "duplex.slice_tokens": "10",
}


def test_the_defaults_are_usable() -> None:
    config = Config(MODEL)
    assert (config.host, config.port, config.chat_port, config.sessions) == ("localhost", 8765, 8766, 4)
    assert (config.temperature, config.top_p, config.top_k) == (0.8, 0.8, 0)
    assert choose_slice_tokens(config.slice_tokens, trained=10, ctx=4096) == 15


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"port": -1}, "--port -1"),
        ({"port": 65536}, "--port 65536"),
        ({"chat_port": 70000}, "--chat-port 70000"),
        ({"port": 9000, "chat_port": 9000}, "both 9000"),
        ({"ctx": 10}, "--ctx 10"),
        ({"sessions": 0}, "--sessions 0"),
        ({"slice_tokens": 0}, "--slice-tokens 0"),
        ({"temperature": -0.1}, "--temperature -0.1"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"top_p": 0.0}, "--top-p 0.0"),
        ({"top_p": 1.5}, "--top-p 1.5"),
        ({"top_k": -1}, "--top-k -1"),
        ({"idle_bias": 20.5}, "--idle-bias 20.5"),
        ({"idle_bias": float("nan")}, "--idle-bias nan"),
        ({"idle_bias": float("-inf")}, "--idle-bias -inf"),
        ({"threads": 0}, "--threads 0"),
        ({"kv_cells": 1}, "--kv-cells 1"),
        ({"batch": 0}, "--batch 0"),
        ({"batch": 2**31}, "--batch 2147483648"),
        ({"ration": 0}, "--ration 0"),
        ({"kv_type": "q8_0", "flash_attention": "off"}, "--flash-attention off"),
        ({"assume_wpm": 0.0}, "--assume-wpm 0.0"),
        ({"assume_wpm": float("inf")}, "--assume-wpm inf"),
        ({"resume_window": -1.0}, "--resume-window -1.0"),
        ({"resume_window": 86_400.5}, "--resume-window 86400.5"),
        ({"resume_window": float("nan")}, "--resume-window nan"),
        ({"allow_origins": ("example.com",)}, "--allow-origin example.com"),
        ({"allow_origins": ("https://example.com/",)}, "--allow-origin https://example.com/"),
        ({"allow_origins": ("https://example.com/page",)}, "--allow-origin https://example.com/page"),
        ({"allow_origins": ("https://Example.com",)}, "--allow-origin https://Example.com"),
        ({"allow_origins": ("https://example.com:443",)}, "--allow-origin https://example.com:443"),
        ({"gpu_layers": -2}, "--gpu-layers -2"),
        ({"gpu_layers": 2**32}, "--gpu-layers 4294967296"),
        ({"kv_cells": 2**32 + 64}, "--kv-cells 4294967360"),
        ({"ctx": 2**40}, "--ctx 1099511627776"),
        ({"upstream": True, "slide": False}, "--on-full stop has no effect"),
        ({"upstream": True, "assume_wpm": 180.0}, "--assume-wpm has no effect"),
        ({"upstream": True, "resume_window": 60.0}, "--resume-window has no effect"),
    ],
)
def test_an_option_that_cannot_be_used_is_named_in_one_line(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        Config(MODEL, **options)  # type: ignore[arg-type]
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "origin", ["https://example.com", "http://example.com:8080", "http://[2001:db8::1]:81", "null"]
)
def test_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    assert Config(MODEL, allow_origins=(origin,)).allow_origins == (origin,)


def test_a_slice_must_leave_room_for_what_it_answers() -> None:
    assert choose_slice_tokens(20, trained=10, ctx=64) == 20
    with pytest.raises(ConfigError, match="--slice-tokens 64 leaves no room in a context of 64"):
        choose_slice_tokens(64, trained=10, ctx=64)


def test_two_free_ports_are_no_clash() -> None:
    assert Config(MODEL, port=0, chat_port=0).port == 0


def test_a_model_file_says_how_its_conversations_are_written() -> None:
    facts = DuplexFacts.read(METADATA, MODEL, n_vocab=8)
    assert facts == DuplexFacts("<用户>", "<AI>", 7, 2.0, 10)


def test_a_plain_chat_model_has_no_idle_token() -> None:
    metadata = {key: value for key, value in METADATA.items() if key != "duplex.idle_token_id"}
    assert DuplexFacts.read(metadata, MODEL, n_vocab=8).idle is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"duplex.version": None}, "make it with edge-convert"),
        ({"duplex.version": "2"}, "convert it again"),
        ({"duplex.user_marker": None}, "broken duplex metadata"),
        ({"duplex.user_marker": ""}, "broken duplex metadata"),
        ({"duplex.assistant_marker": "<用户>"}, "broken duplex metadata"),
        ({"duplex.idle_token_id": "8"}, "broken duplex metadata"),
        ({"duplex.idle_token_id": "x"}, "broken duplex metadata"),
        ({"duplex.slice_seconds": "0"}, "broken duplex metadata"),
        ({"duplex.slice_seconds": "nan"}, "broken duplex metadata"),
        ({"duplex.slice_tokens": "0"}, "broken duplex metadata"),
        ({"duplex.idle_bias": "20.5"}, "broken duplex metadata"),
        ({"duplex.idle_bias": "nan"}, "broken duplex metadata"),
        ({"duplex.idle_bias": "much"}, "broken duplex metadata"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(change: dict[str, str | None], told: str) -> None:
    metadata = {key: value for key, value in {**METADATA, **change}.items() if value is not None}
    with pytest.raises(ConfigError, match=told):
        DuplexFacts.read(metadata, MODEL, n_vocab=8)


def test_the_bias_on_silence_is_the_models_unless_it_is_given_or_the_reference_is_copied() -> None:
    facts = DuplexFacts.read({**METADATA, "duplex.idle_bias": "1.500000"}, MODEL, n_vocab=8)
    assert choose_idle_bias(None, facts.idle_bias, upstream=False) == 1.5
    assert choose_idle_bias(None, facts.idle_bias, upstream=True) == 0.0
    assert choose_idle_bias(0.0, facts.idle_bias, upstream=False) == 0.0
    assert choose_idle_bias(-2.0, facts.idle_bias, upstream=True) == -2.0
    assert DuplexFacts.read(METADATA, MODEL, n_vocab=8).idle_bias == 0.0


def test_ctx_defaults_to_the_smaller_of_4096_and_what_the_model_was_trained_on() -> None:
    assert choose_ctx(None, 1024) == 1024
    assert choose_ctx(None, 32768) == 4096
    assert choose_ctx(2048, 1024) == 2048


def test_the_pool_holds_a_whole_context_for_each_session_if_memory_allows() -> None:
    assert choose_cells(None, 1024, 4, cell_bytes=1000, memory_bytes=64 * GIB) == 4096


def test_the_pool_takes_at_most_a_quarter_of_the_memory() -> None:
    cells = choose_cells(None, 4096, 4, cell_bytes=360 * 1024, memory_bytes=8 * GIB)
    assert 4096 <= cells <= 2 * GIB // (360 * 1024)


def test_a_machine_too_small_for_one_context_is_told_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"--ctx 4096 needs 1\.4 GiB.*smaller --ctx.*--kv-cells 4096 to insist$"):
        choose_cells(None, 4096, 4, cell_bytes=360 * 1024, memory_bytes=4 * GIB)
    with pytest.raises(ConfigError, match=r"or --kv-type q8_0$"):  # insisting would be refused
        choose_cells(None, 4096, 4, cell_bytes=360 * 1024, memory_bytes=GIB)


def test_a_pool_smaller_than_one_context_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not hold one context"):
        choose_cells(1000, 1024, 4, cell_bytes=1, memory_bytes=None)
    assert choose_cells(1024, 1024, 4, cell_bytes=1, memory_bytes=None) == 1024


def test_a_pool_that_the_memory_does_not_hold_is_refused_even_if_it_was_asked_for() -> None:
    assert choose_cells(1000, 512, 4, 2**20, GIB) == 1000
    with pytest.raises(ConfigError, match=r"--kv-cells 2000 needs 2\.0 GiB.*: give fewer than 1024"):
        choose_cells(2000, 512, 4, 2**20, GIB)
    assert choose_cells(2000, 512, 4, 2**20, None) == 2000


def test_an_error_has_what_is_wrong_and_the_remedy() -> None:
    with pytest.raises(ConfigError) as caught:
        Config(MODEL, port=70000)
    assert caught.value.what == "--port 70000 cannot be used"
    assert caught.value.remedy == "give a port from 0 (any free one) to 65535"
    assert str(caught.value) == f"{caught.value.what}: {caught.value.remedy}"


def test_the_newest_duplex_model_that_is_not_the_pocket_model_is_found(tmp_path: Path) -> None:
    for age, name in enumerate(["pocket-q4_k_m.gguf", "chat.gguf", "new.gguf", "old.gguf", "pocket-f16.gguf", "a.txt"]):
        path = tmp_path / name
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "folder.gguf").mkdir()

    def is_duplex(path: Path) -> bool:
        return path.name != "chat.gguf"

    assert find_model((tmp_path, tmp_path / "missing"), is_duplex).name == "new.gguf"
    (tmp_path / "new.gguf").unlink()
    (tmp_path / "old.gguf").unlink()
    assert find_model((tmp_path,), is_duplex).name == "pocket-q4_k_m.gguf"


def test_no_model_at_all_is_told_with_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make setup"):
        find_model((tmp_path,), lambda path: True)


@pytest.mark.parametrize(
    ("asked", "kv_type", "on_gpu", "chosen"),
    [
        ("auto", "f16", False, False),
        ("auto", "f32", False, False),
        ("auto", "q8_0", False, None),  # llama.cpp takes it where it must
        ("auto", "f16", True, None),
        ("on", "f16", False, True),
        ("off", "f16", True, False),
    ],
)
def test_flash_attention_is_for_gpus(asked: str, kv_type: str, on_gpu: bool, chosen: bool | None) -> None:
    assert choose_flash_attention(asked, kv_type, on_gpu=on_gpu) is chosen
