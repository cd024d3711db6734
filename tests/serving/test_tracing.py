"""Spans: only of a caller that traces, and only if an exporter is named."""

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prefect_dvc.core.errors import ConfigError
from workers import make_worker, served_by

from gazette.serving.online import metrics, tracing

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    metrics.use_folder(tmp_path_factory.mktemp("metrics") / "metrics")
    for name in tracing.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_a_span_belongs_to_the_trace_of_the_caller_and_has_no_text(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "memory")
    monkeypatch.setattr(tracing.metadata, "entry_points", lambda **_: [SimpleNamespace(load=lambda: lambda: exporter)])
    with served_by(make_worker(tmp_path, bundle)) as client:
        client.post("/v1/predict", json={"texts": ["goal unmistakable"]}, headers={"traceparent": TRACEPARENT})
        client.post("/v1/predict", json={"texts": ["goal"]})
        client.post("/v1/predict", json={"texts": ["goal"]}, headers={"traceparent": "00-0-0-0"})
        trace = inspect.getclosurevars(client.app.trace)  # type: ignore[attr-defined]
    trace.nonlocals["tracer"].span_processor.force_flush()
    (span,) = exporter.get_finished_spans()
    assert span.name == "POST /v1/predict" and f"{span.context.trace_id:032x}" == TRACEPARENT[3:35]
    assert f"{span.parent.span_id:016x}" == TRACEPARENT[36:52] and span.attributes["version"] == "3"
    assert "unmistakable" not in span.to_json()


def test_without_an_exporter_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert tracing.recorder() is None
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert tracing.recorder() is None


def test_an_exporter_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    with pytest.raises(ConfigError, match="install opentelemetry-exporter-otlp-proto-http"):
        tracing.check()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    tracing.check()
