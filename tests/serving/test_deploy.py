"""Alert rules and dashboard name metrics that exist."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase
from root import ROOT

from gazette.serving.online import metrics


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
def test_every_metric_that_is_named_exists(name: str, tmp_path: Path) -> None:
    counted = [value for value in vars(metrics.get()).values() if isinstance(value, MetricWrapperBase)]
    samples = {family.name for metric in counted for family in metric.describe()}
    suffixes = ("", "_total", "_bucket", "_sum", "_count")
    existing = {f"{sample}{suffix}" for sample in samples for suffix in suffixes}
    named = set(re.findall(r"\bgazette_[a-z_]+", (ROOT / "deploy" / name).read_text()))
    assert named and named <= existing, named - existing


def test_the_dashboard_is_json_with_a_query_in_each_panel() -> None:
    panels = json.loads((ROOT / "deploy" / "dashboard.json").read_text())["panels"]
    assert len(panels) == 12 and all(panel["targets"][0]["expr"] for panel in panels)
