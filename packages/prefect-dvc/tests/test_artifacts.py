"""Text about a run."""

import re

from prefect_dvc.execution.scheduler import FAILED, RAN, UNCHANGED, StageOutcome
from prefect_dvc.flows import artifacts
from prefect_dvc.plan import Change, Node, plan

OUTCOMES = [
    StageOutcome("start", UNCHANGED),
    StageOutcome("train@cnn", RAN, 12.34),
    StageOutcome("train@lstm", FAILED, 1.0, 3, "ERROR: a | b"),
]


def test_a_plan_is_summarized_by_waves() -> None:
    nodes = [Node("a", (), (Change("stage", "a", "new"),)), Node("b", ("a",)), Node("c", ())]
    assert artifacts.summarize_plan(plan(nodes, {})) == "wave 1: a\nwave 2: b"
    assert artifacts.summarize_plan(plan(nodes[2:], {})) == "nothing changed"


def test_outcomes_are_counted_and_failures_follow() -> None:
    assert (
        artifacts.summarize_outcomes(OUTCOMES) == "1 unchanged, 1 ran, 1 failed\ntrain@lstm ended with 3:\nERROR: a | b"
    )
    assert artifacts.summarize_outcomes(OUTCOMES[:1], "flow-1") == "experiment flow-1: 1 unchanged"
    assert artifacts.summarize_outcomes([]) == "no stages"


def test_the_page_has_stages_metrics_and_links() -> None:
    metrics = [("m.json", "f1", 0.5, 0.75), ("m.json", "best", "a", "b|c"), ("m.json", "rows", None, 3)]
    page = re.sub(" +", " ", artifacts.render_page(OUTCOMES, metrics, {"report": "file:///r.html"}))
    assert "| train@cnn | ran | 12.3 |" in page
    assert "| m.json f1 | 0.5000 | 0.7500 | +0.2500 |" in page
    assert "| m.json best | a | b\\|c | |" in page and "| m.json rows | | 3 | |" in page
    assert "`train@lstm` ended with 3:" in page and "report: [file:///r.html](file:///r.html)" in page
