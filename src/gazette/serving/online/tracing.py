"""A span for each request whose caller traces it (`traceparent`), sent to the exporter that the environment names."""

import os
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from prefect_dvc.core.errors import ConfigError

VARIABLES = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_GROUP, _OTLP = "opentelemetry_traces_exporter", "otlp_proto_http"


def exporter() -> str:
    """Return the name of the exporter, empty if the environment names none."""
    name, *endpoints = (os.environ.get(variable, "") for variable in VARIABLES)
    return {"": _OTLP if any(endpoints) else "", "otlp": _OTLP, "none": ""}.get(name, name)


def check() -> None:
    """Raise ConfigError if an exporter is named that is not installed."""
    if (name := exporter()) and not metadata.entry_points(group=_GROUP, name=name):
        package = "opentelemetry-exporter-otlp-proto-http" if name == _OTLP else "the package that has it"
        raise ConfigError(f"{' or '.join(VARIABLES)} names the exporter {name}: install {package}, or unset it")


def recorder() -> Callable[[str, dict[str, Any], float], None] | None:
    """Return what records a request that took some seconds, None if no exporter is named."""
    if not exporter():
        return None
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    (entry,) = metadata.entry_points(group=_GROUP, name=exporter())
    provider = TracerProvider(resource=Resource.create({"service.name": "gazette"}))  # it flushes when Python ends
    provider.add_span_processor(BatchSpanProcessor(entry.load()()))
    tracer, propagator = provider.get_tracer("gazette"), TraceContextTextMapPropagator()

    def record(traceparent: str, fields: dict[str, Any], seconds: float) -> None:
        if context := propagator.extract({"traceparent": traceparent}):
            end, name = time.time_ns(), f"{fields['method']} {fields['route']}"
            tracer.start_span(name, context, SpanKind.SERVER, fields, start_time=end - int(seconds * 1e9)).end(end)

    return record
