"""The word of a verdict from its findings, and its record for JSON."""

import json
import math

import pytest

from gazette.registry.verdict import Finding, Verdict, decide


def test_a_rule_that_only_warns_rejects_nothing_and_a_failure_goes_before_an_unknown() -> None:
    warns, blocks = (Finding("a", "fail", 1, 2, blocks=blocking) for blocking in (False, True))
    unsure = Finding("b", "unknown", 1, 2)
    assert [decide(some) for some in ([], [warns], [warns, unsure], [unsure, blocks])] == [
        "accept", "accept", "inconclusive", "reject",
    ]  # fmt: skip


@pytest.mark.parametrize(("word", "code"), [("accept", 0), ("reject", 1), ("inconclusive", 1)])
def test_only_an_accepted_bundle_ends_with_exit_code_0(word: str, code: int) -> None:
    assert Verdict(word, "digest", "revision", "tiny", None, []).code == code


def test_the_record_is_json_with_six_decimals_and_null_for_what_is_not_finite() -> None:
    figures = {"share": 2 / 3, "none": math.nan, "bounds": (-math.inf, 1.25), "rows": 7, "part": [{"p": 0.12345678}]}
    record = Verdict(
        "accept", "digest", "revision", "tiny", None, [Finding("a", "pass", 1 / 3, "any")], figures
    ).record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["figures"] == {
        "share": 0.666667, "none": None, "bounds": [None, 1.25], "rows": 7, "part": [{"p": 0.123457}],
    }  # fmt: skip
    assert record["findings"] == [
        {"rule": "a", "blocks": True, "outcome": "pass", "observed": 0.333333, "expected": "any", "why": ""}
    ]
    assert list(record) == ["word", "digest", "revision", "corpus", "baseline", "findings", "figures"]
