"""Traces (OpenTelemetry), as the extra ``opentelemetry``: spans with attributes from a list and nothing else.

The instrumentations put whole URLs into spans, with sign-in tokens in their queries and secrets in their
paths, and the texts of exceptions. So what is exported is made anew from what is known to be harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ATTRIBUTES: Final = frozenset(
    {
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "http.scheme",
        "http.status_code",
        "error.type",
        "net.host.port",
        "server.port",
        "url.scheme",
    }
)
METHODS: Final = ("http.request.method", "http.method")


class ScrubbedExporter(SpanExporter):
    """Exports each span without what may be a secret in it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand on what is left of the spans."""
        return self._exporter.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        """The end."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what is waiting."""
        return self._exporter.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """The same span with listed attributes only, named after its route; of exceptions, nothing."""
    given: Mapping[str, Any] = span.attributes or {}
    kept = {name: value for name, value in given.items() if name in ATTRIBUTES}
    method = next((str(kept[name]) for name in METHODS if name in kept), "HTTP")
    return ReadableSpan(
        name=f"{method} {kept.get('http.route', '(none)')}",
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=kept,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def instrument(app: Any, service: str, exporter: SpanExporter | None = None) -> TracerProvider:
    """Trace this app's requests and its calls to others. OTEL_EXPORTER_OTLP_ENDPOINT says where to."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(ScrubbedExporter(exporter or OTLPSpanExporter())))
    # Not baggage: what a browser sends must not travel on to the partner service.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    FlaskInstrumentor().instrument_app(app, tracer_provider=provider)  # type: ignore[no-untyped-call]
    # Below requests, as the calls to the partner service go by its adapter without a session.
    URLLib3Instrumentor().instrument(tracer_provider=provider)
    return provider
