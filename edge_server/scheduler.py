"""Who gets how much of the next decode call. Pure; knows no threads and no llama.cpp.

A call reads all weights once, however many sequences it feeds, so every session that wants something is in every call:
nobody starves, and a token costs several sessions hardly more than one. On a CPU a prefilled token costs a third to a
fifth of a decoded one (docs/tuning.md), so while somebody decodes, others' prefill is rationed: the next token must not
wait for a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Want:
    """What one session lacks: `tokens` (at least 1) before it can sample. urgent: somebody waits for its first word."""

    tokens: int
    urgent: bool = False


def share(wants: Sequence[Want], *, batch: int, ration: int) -> list[int]:
    """How many tokens each gets in the next call, in the order of `wants`; together at most `batch`.

    Each of the first `batch` wants gets at least one. Those who want one token decode. While any does, all the others
    together get `ration` tokens beyond their first, else whatever the call holds: the urgent as much as they want, in
    order, what is left in equal parts.
    """
    grants = [1] * min(len(wants), batch)
    room = batch - len(grants)
    if any(want.tokens == 1 for want in wants[: len(grants)]):
        room = min(room, ration)
    for index, want in enumerate(wants[: len(grants)]):
        if want.urgent:
            more = min(want.tokens - 1, room)
            grants[index] += more
            room -= more
    hungry = [index for index, grant in enumerate(grants) if grant < wants[index].tokens]
    while room and hungry:
        part = max(1, room // len(hungry))
        for index in hungry:
            more = min(wants[index].tokens - grants[index], part, room)
            grants[index] += more
            room -= more
        hungry = [index for index in hungry if grants[index] < wants[index].tokens]
    return grants + [0] * (len(wants) - len(grants))


def fitting(grants: Sequence[int], room: int) -> list[int]:
    """`grants` as far as a pool with `room` free cells holds them, in order; what does not fit whole is cut."""
    cut = []
    for grant in grants:
        given = min(grant, max(0, room))
        cut.append(given)
        room -= given
    return cut
