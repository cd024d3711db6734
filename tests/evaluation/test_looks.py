"""Looks at one test set share the gate's level."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazette.evaluation.gate.looks import level_of


@given(st.integers(1, 200), st.floats(0.001, 0.4))
def test_the_looks_that_are_planned_spend_the_level_and_no_more(planned: int, alpha: float) -> None:
    levels = [level_of(look, planned, alpha) for look in range(1, planned + 1)]
    assert sum(levels) == pytest.approx(alpha)
    assert all(0 < later <= earlier for earlier, later in pairwise(levels))
    assert level_of(planned + 1, planned, alpha) == 0


def test_a_single_look_has_the_whole_level_and_the_first_of_five_what_the_formula_says() -> None:
    assert level_of(1, 1, 0.05) == pytest.approx(0.05)
    assert level_of(1, 5, 0.05) == pytest.approx(0.01477, abs=1e-5)  # Pocock's type: alpha·ln(1 + (e − 1)/5)
