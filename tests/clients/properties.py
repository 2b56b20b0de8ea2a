"""How the properties of this folder are tried: not very often, since they are many, and without a clock."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

a_few = settings(max_examples=20, deadline=None)

# What makes a difference somewhere: spaces, line ends, controls, invisible characters, scripts, widths.
texts = st.text('ab./<>!?" \t\r\n\x00\x1b\x07\x7f\x85\x9b\u00ad\u200b\u200d\u202e\u2028\ud800é你。안👩\ufe0f')
