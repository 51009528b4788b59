"""OpenTelemetry traces (the extra ``opentelemetry``), with spans reduced to an allowlist of attributes.

The instrumentations record whole URLs, which have sign-in tokens in queries and secrets in paths, and the
messages of exceptions. The exporter therefore builds new spans from harmless attributes only.
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
    """Exports spans without attributes that may contain secrets."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the scrubbed spans."""
        return self._exporter.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        """Shut down the wrapped exporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the wrapped exporter."""
        return self._exporter.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """A copy of the span, named after its route, with the attributes in ``ATTRIBUTES`` and without events."""
    attributes: Mapping[str, Any] = span.attributes or {}
    kept = {name: value for name, value in attributes.items() if name in ATTRIBUTES}
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
    """Trace the app's requests and outgoing calls. Exports to OTEL_EXPORTER_OTLP_ENDPOINT by default."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(ScrubbedExporter(exporter or OTLPSpanExporter())))
    # No baggage propagation: what a browser sends must not reach the partner service.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    FlaskInstrumentor().instrument_app(app, tracer_provider=provider)  # type: ignore[no-untyped-call]
    # urllib3 instead of requests, as the calls to the partner service use the adapter without a session.
    URLLib3Instrumentor().instrument(tracer_provider=provider)
    return provider
