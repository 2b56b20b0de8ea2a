"""What `edge-server doctor` says of llama.cpp's build, beside what the processor has."""

from __future__ import annotations

from dataclasses import replace

from edge_server.doctor_build import AGAIN, REBUILD, judge_build
from edge_server.doctor_facts import Build
from edge_server.doctor_judge import State
from tests.edge_server.doctor_values import APPLE, LINUX, MAC, X86


def cpu(*features: str, flags: str = "avx avx2 fma avx512f") -> Build:
    return Build({"CPU": features}, frozenset(flags.split()))


def test_a_build_that_fits() -> None:
    (found,) = judge_build(X86, LINUX)
    assert (found.state, found.detail) == (State.fine, "llama-cpp-python 1; uses AVX2, AVX512, REPACK")
    (found,) = judge_build(APPLE, MAC)
    assert (found.state, found.detail) == (State.fine, "llama-cpp-python 1; uses NEON, DOTPROD, Metal")


def test_amx_that_was_left_out_is_fine_and_why_is_said() -> None:
    (found,) = judge_build(replace(X86, processor_flags=X86.processor_flags | {"amx_int8"}), LINUX)
    assert found.state is State.fine
    assert "AMX is left out on purpose" in found.detail


def test_amx_that_was_built_in_is_a_note() -> None:
    (found,) = judge_build(cpu("AVX2", "FMA", "AVX512", "AMX_INT8", flags="avx2 fma avx512f amx_int8"), LINUX)
    assert (found.state, found.remedy) == (State.note, REBUILD)


def test_what_the_processor_has_and_the_build_does_not_is_a_note() -> None:
    (found,) = judge_build(cpu("AVX"), LINUX)
    assert (found.state, found.remedy) == (State.note, REBUILD)
    assert "without AVX2, FMA, AVX512," in found.detail
    arm = replace(LINUX, architecture="aarch64")
    (found,) = judge_build(cpu("NEON", flags="asimd asimddp"), arm)
    assert "without DOTPROD," in found.detail


def test_what_the_build_uses_and_the_processor_lacks_is_a_problem() -> None:
    (found,) = judge_build(cpu("AVX", "AVX2", "FMA", "AVX512", flags="avx avx2 fma"), LINUX)
    assert (found.state, found.remedy) == (State.problem, REBUILD)
    assert "has no AVX512, and using it ends the process" in found.detail


def test_a_processor_that_tells_nothing_is_not_judged() -> None:
    assert [one.state for one in judge_build(cpu("AVX", flags=""), LINUX)] == [State.fine]


def test_a_processor_without_avx2_is_a_note() -> None:
    (found,) = judge_build(cpu("AVX", flags="avx sse"), LINUX)
    assert found.state is State.note
    assert "edge-server tune" in found.remedy


def test_a_mac_without_metal_is_a_note() -> None:
    (found,) = judge_build(Build({"CPU": ("NEON",)}), MAC)
    assert found.state is State.note
    assert "Metal" in found.detail
    assert "GGML_METAL=on" in found.remedy
    (found,) = judge_build(replace(APPLE, has_gpu=False), MAC)
    assert "--gpu-layers 0" in found.remedy


def test_bindings_of_another_version_are_a_problem() -> None:
    found = judge_build(X86, replace(LINUX, bindings="llama-cpp-python 2"))
    assert [(one.state, one.remedy) for one in found] == [(State.problem, AGAIN)]
    assert "llama-cpp-python 1 is needed" in found[0].detail
