"""Lists of tokens, compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_server.tokens import common_prefix


@given(st.lists(st.integers(0, 2), max_size=8), st.lists(st.integers(0, 2), max_size=8))
def test_the_common_prefix_is_common_and_cannot_be_longer(left: list[int], right: list[int]) -> None:
    length = common_prefix(left, right)
    assert left[:length] == right[:length]
    assert length in (len(left), len(right)) or left[length] != right[length]
