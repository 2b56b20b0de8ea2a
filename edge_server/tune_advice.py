"""What measured speeds mean: whether the machine keeps up with the model's slices, what would help, the options to use.

Pure: numbers in, lines of text out. Times are in seconds, lengths in tokens.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge_server.tune_search import DECODE, PAGE, READ, TICK, Setting, Step, Trial, Weights

# `general.file_type` of a GGUF file (llama.cpp's `llama_ftype`): F32, F16, Q4_1, Q8_0, Q5_0, Q5_1, Q4_K_S, Q4_K_M,
# Q5_K_S, Q5_K_M, Q6_K, BF16.
_LARGER_THAN_Q4_0 = frozenset(map(str, (0, 1, 3, 7, 8, 9, 14, 15, 16, 17, 18, 32)))
_BITS_Q4_0 = 4.7  # a weight, with the output matrix in Q6_K
LEAST_CTX = 256  # a shorter memory is no conversation


@dataclass(frozen=True)
class Line:
    """Seconds that grow with the length of the context: `base` and `slope` more a token."""

    base: float
    slope: float

    @classmethod
    def through(cls, points: Mapping[int, float]) -> Line:
        """Through two measured points, length to seconds. Noise that would make it fall makes it flat."""
        (near, quick), (far, slow) = sorted(points.items())
        slope = max(0.0, (slow - quick) / (far - near))
        return cls(slow - slope * far, slope)

    def at(self, length: float) -> float:
        """Seconds at a context of `length` tokens."""
        return self.base + self.slope * length


@dataclass(frozen=True)
class Speeds:
    """What a machine does with a model, seconds. tick: the prefill of a silent slice. decode: one token.

    beside: a call that decodes for one while so many tokens of another's page are prefilled. together: a call that
    decodes for so many sessions, each at `depth`. sloped: whether more than one length of the context was measured.
    """

    depth: int
    tick: Line
    decode: Line
    beside: Mapping[int, float] = field(default_factory=dict)
    together: Mapping[int, float] = field(default_factory=dict)
    sloped: bool = True

    def slice(self, slice_tokens: float, length: float) -> float:
        """A slice that says `slice_tokens` at a context of `length`."""
        return self.tick.at(length) + slice_tokens * self.decode.at(length)

    def slice_together(self, slice_tokens: int, sessions: int) -> float:
        """A slice of each of several sessions that speak at the same time, at `depth`."""
        return sessions * self.tick.at(self.depth) + slice_tokens * self.together[sessions]


@dataclass(frozen=True)
class Machine:
    """What the advice is for. size: bytes of the weights. file_type: as the GGUF file says. threads: physical cores."""

    slice_seconds: float
    slice_tokens: int
    ctx: int
    sessions: int
    size: int = 0
    parameters: int = 0
    file_type: str = ""
    on_gpu: bool = False
    has_gpu: bool = False


def most_tokens(speeds: Speeds, seconds: float, length: int) -> int:
    """How many tokens a slice may have to be done in time at a context of `length`; 0: not one."""
    return max(0, int((seconds - speeds.tick.at(length)) / speeds.decode.at(length)))


def longest_context(speeds: Speeds, machine: Machine) -> int:
    """The longest context at which slices are done in time, in tokens; 0: at none."""
    at_none = speeds.slice(machine.slice_tokens, 0)
    growth = speeds.tick.slope + machine.slice_tokens * speeds.decode.slope
    if at_none > machine.slice_seconds:
        return 0
    return machine.ctx if not growth else min(machine.ctx, int((machine.slice_seconds - at_none) / growth))


def sessions_that_fit(speeds: Speeds, machine: Machine) -> int:
    """How many of the measured numbers of sessions can speak at the same time, at `depth`; 0: not even one."""
    fit = [n for n in speeds.together if speeds.slice_together(machine.slice_tokens, n) <= machine.slice_seconds]
    return max(fit, default=0)


def best_ration(speeds: Speeds, machine: Machine) -> int | None:
    """The most prefill beside which another's slice is still done in time; the least if none is. None: not measured."""
    if not speeds.beside:
        return None
    tick = speeds.tick.at(speeds.depth)
    fit = [n for n, call in speeds.beside.items() if tick + machine.slice_tokens * call <= machine.slice_seconds]
    return max(fit, default=min(speeds.beside))


def verdict(speeds: Speeds, machine: Machine) -> tuple[bool, str]:
    """Whether one session is answered in time at every length of its context, and a sentence that says so."""
    here = speeds.slice(machine.slice_tokens, speeds.depth)
    full = speeds.slice(machine.slice_tokens, machine.ctx) if speeds.sloped else here
    fits = max(here, full) <= machine.slice_seconds
    word = "keeps up" if fits else "keeps up only with short contexts" if here <= machine.slice_seconds else None
    text = (
        f"{word or 'does not keep up'} with slices of {machine.slice_seconds:g} s: one of {machine.slice_tokens} "
        f"tokens takes {_seconds(here)} at {speeds.depth} tokens of context"
    )
    if speeds.sloped and machine.ctx > speeds.depth:
        text += f", about {_seconds(full)} at {machine.ctx}"
    return fits, text


def advice(speeds: Speeds, machine: Machine) -> list[str]:
    """What would help, if anything has to: one line each, with what it would bring as far as that can be estimated."""
    fits, _ = verdict(speeds, machine)
    together = sessions_that_fit(speeds, machine)
    lines = []
    if not fits:
        if machine.has_gpu and not machine.on_gpu:
            lines.append("--gpu-layers -1: the GPU computes")
        lines += _with_q4_0(speeds, machine)
        lines += _with_fewer_tokens(speeds, machine)
        length = longest_context(speeds, machine)
        if speeds.sloped and LEAST_CTX <= length < machine.ctx:
            lines.append(
                f"--ctx {length // 64 * 64}: it forgets sooner; no slice takes more than {machine.slice_seconds:g} s"
            )
    if machine.sessions > 1 and speeds.together and together < max(speeds.together):
        count = max(1, together)
        less = speeds.slice_together(machine.slice_tokens, max(speeds.together))
        lines.append(
            f"--sessions {count}: {max(speeds.together)} that speak at the same time take {_seconds(less)} a slice, "
            f"{count} {_seconds(speeds.slice_together(machine.slice_tokens, count))}"
        )
    return lines


def _with_q4_0(speeds: Speeds, machine: Machine) -> list[str]:
    known = machine.size and machine.parameters
    if machine.on_gpu or machine.file_type not in _LARGER_THAN_Q4_0 or not known:
        return []
    share = machine.parameters * _BITS_Q4_0 / 8 / machine.size
    if share > 0.99:  # nothing to gain: a type's name says what most tensors are, not all
        return []
    gains = []
    for length in (speeds.depth, *([machine.ctx] if speeds.sloped and machine.ctx > speeds.depth else [])):
        # A decoded token reads all weights once. What grows with the context does not depend on them, and a prefill
        # computes more than it reads.
        token = speeds.decode.at(length) - speeds.decode.base * (1 - share)
        gains.append(f"{_seconds(speeds.tick.at(length) + machine.slice_tokens * token)} at {length}")
    return [
        f"a Q4_0 file (edge-convert --quant q4_0): {1 - share:.0%} fewer bytes to read for each token, so at best "
        f"{', '.join(gains)} tokens of context; let tune measure it"
    ]


def _with_fewer_tokens(speeds: Speeds, machine: Machine) -> list[str]:
    length = machine.ctx if speeds.sloped else speeds.depth
    tokens = most_tokens(speeds, machine.slice_seconds, length)
    if not tokens and length > speeds.depth:
        length = speeds.depth
        tokens = most_tokens(speeds, machine.slice_seconds, length)
    if tokens >= machine.slice_tokens:
        return []
    if not tokens:
        return ["no number of --slice-tokens fits: a smaller model is needed, or a faster machine"]
    return [f"--slice-tokens {tokens}: it says less at a time, and is done in time up to {length} tokens of context"]


def option_line(setting: Setting, ration: int | None, extra: Sequence[str] = ()) -> str:
    """The command with the options to use."""
    words = ["edge-server", "run", *extra, "--threads", str(setting.threads), "--kv-type", setting.kv_type]
    words += ["--flash-attention", setting.flash_attention, "--batch", str(setting.batch)]
    words += ["--ration", str(ration)] if ration is not None else []
    return shlex.join(words)


def table(steps: Sequence[Step], speeds: Speeds | None, weights: Weights, depth: int) -> list[str]:
    """What was tried: a row for each setting, in milliseconds; `*` marks what was chosen."""
    rows = [[f"at {depth} tokens of context", "tick", "token", f"page of {PAGE}", "slice"]]
    rows += [_row(step, trial, weights) for step in steps for trial in step.trials]
    if speeds is not None:
        rows += [[f"  token beside {n} of a page", "", _ms(call), "", ""] for n, call in sorted(speeds.beside.items())]
        several = sorted((n, call) for n, call in speeds.together.items() if n > 1)
        rows += [[f"  token of {n} sessions at once", "", _ms(call), "", ""] for n, call in several]
    width = max(len(row[0]) for row in rows)
    lines = []
    for row in rows:
        cells = "".join(f"{cell:>12}" for cell in row[1:])
        lines.append(f"{row[0]:<{width}}{cells}".rstrip() if len(row) > 2 else f"{row[0]:<{width}}   {row[1]}")
    return lines


def _row(step: Step, trial: Trial, weights: Weights) -> list[str]:
    name = step.axis.name.removeprefix("--")
    value = getattr(trial.setting, name.replace("-", "_"))
    label = f"{'*' if trial.setting == step.chosen else ' '} {step.axis.name} {value}"
    if trial.note or not trial.rounds:
        return [label, trial.note or "no time left"]
    tick, token, page = (trial.median(work) for work in (TICK, DECODE, READ))
    whole = weights.seconds({TICK: tick, DECODE: token}) if tick is not None and token is not None else None
    return [label, *("" if seconds is None else _ms(seconds) for seconds in (tick, token, page, whole))]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f}" if seconds < 0.1 else f"{seconds * 1e3:,.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.{3 if seconds < 0.1 else 2 if seconds < 10 else 0}f} s"
