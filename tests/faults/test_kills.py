"""Ten random kills of the stand-in, one resume each; the long form is `make faults`."""

from pathlib import Path

import kills
import pytest

pytestmark = pytest.mark.slow


def test_a_run_killed_at_any_moment_is_equal_to_an_undisturbed_one_after_one_more(tmp_path: Path) -> None:
    counts = {"group": 4, "parent": 3, "term": 2, "int": 1}
    trials = kills.campaign(counts, first=1, workers=2, seconds=0.1, box=tmp_path)
    assert [done for done in trials if done.wrong] == []
    assert sum(bool(done.hit) for done in trials) > len(trials) / 2
    assert all(done.seconds < 6 for done in trials if done.kind in ("term", "int"))
