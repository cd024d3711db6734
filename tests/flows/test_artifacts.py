"""What a run says of itself."""

from flows import told
from gazette.pipeline.execution.scheduler import FAILED, RAN, UNCHANGED, Outcome
from gazette.pipeline.plan import Change, Node, plan

OUTCOMES = [
    Outcome("start", UNCHANGED),
    Outcome("train@cnn", RAN, 12.34),
    Outcome("train@lstm", FAILED, 1.0, 3, "ERROR: a | b"),
]


def test_before_a_run_its_waves_are_told() -> None:
    nodes = [Node("a", (), (Change("stage", "a", "new"),)), Node("b", ("a",)), Node("c", ())]
    assert told.briefly(plan(nodes, {})) == "wave 1: a\nwave 2: b"
    assert told.briefly(plan(nodes[2:], {})) == "nothing changed"


def test_after_a_run_it_is_told_in_a_line_and_then_what_failed() -> None:
    assert told.in_a_line(OUTCOMES) == "1 unchanged, 1 ran, 1 failed\ntrain@lstm ended with 3:\nERROR: a | b"
    assert told.in_a_line(OUTCOMES[:1], "flow-1") == "experiment flow-1: 1 unchanged"
    assert told.in_a_line([]) == "no stages"


def test_the_page_has_stages_metrics_and_links() -> None:
    metrics = [("m.json", "f1", 0.5, 0.75), ("m.json", "best", "a", "b|c"), ("m.json", "rows", None, 3)]
    page = told.markdown(OUTCOMES, metrics, {"report": "file:///r.html"})
    assert "| train@cnn | ran | 12.3 |" in page
    assert "| m.json f1 | 0.5000 | 0.7500 | +0.2500 |" in page
    assert "| m.json best | a | b\\|c |  |" in page and "| m.json rows |  | 3 |  |" in page
    assert "`train@lstm` ended with 3:" in page and "report: [file:///r.html](file:///r.html)" in page
