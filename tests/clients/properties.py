"""How the properties of this folder are tried: not very often, since they are many, and without a clock."""

from __future__ import annotations

from hypothesis import settings

a_few = settings(max_examples=20, deadline=None)
