"""What was played against the scenario that it is to be of: pure."""

from __future__ import annotations

from dataclasses import replace

from clients.eval_played import Played, fits
from tests.clients.scenes import PARIS, Silent, heard, say, scene

TOUR = scene(say("the capital", "question"), say("stop", "stop", slices=2), Silent(2))
WHOLE = heard(TOUR, [PARIS, "", "", ""], ["", ""], ["", ""])


def test_what_was_played_fits_its_scenario_and_so_does_its_beginning() -> None:
    assert fits(WHOLE, TOUR)
    for steps in range(3):
        assert fits(Played(TOUR.id, tuple(one for one in WHOLE.slices if one.step < steps), complete=False), TOUR)
    assert not fits(replace(WHOLE, complete=False), TOUR)


def test_without_a_slice_or_with_other_words_it_does_not_fit() -> None:
    slices = WHOLE.slices
    for other in (
        (),
        slices[:-2],
        slices[:-1],
        slices[:4],
        slices[4:],
        slices[::-1],
        (*slices, slices[-1]),
        (*slices[:-1], replace(slices[-1], step=3)),
        (replace(slices[0], said="else"), *slices[1:]),
        (slices[0], replace(slices[1], said="else"), *slices[2:]),
    ):
        assert not fits(Played(TOUR.id, other), TOUR), other
