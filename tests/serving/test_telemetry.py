"""Traces hold no secret: whatever the instrumentations put into spans, only what is listed leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from bff.serving.telemetry import ATTRIBUTES, instrument
from tests.support.databases import DatabaseUrl
from tests.support.servers import serve
from tests.support.world import World, build_bff, open_world

Traced = tuple[World, InMemorySpanExporter, TracerProvider]
CANARY = "canary-3f1d9c27ab5e84f06d2b7c9e51a08f43"


@pytest.fixture
def traced(tmp_path: Path, database_url: DatabaseUrl) -> Iterator[Traced]:
    """A BFF that traces into memory, with a route that breaks."""
    exporter, made = InMemorySpanExporter(), []

    def build(url: str, partner: str) -> Flask:
        app = build_bff(url, tmp_path, partner, database=database_url(tmp_path, "bff"))
        app.add_url_rule("/v1/broken", "broken", broken)
        made.append(instrument(app, "hitchpost", exporter))
        return app

    def broken() -> str:
        raise ValueError(CANARY)

    with (
        open_world(tmp_path, database_url=database_url) as outer,
        serve(lambda url: build(url, outer.partner)) as bff,
    ):
        world = World(bff, outer.partner, "", outer.bff_app, tmp_path, outer.partner_calls, "", "")
        yield world, exporter, made[0]
    URLLib3Instrumentor().uninstrument()


def test_no_span_holds_a_secret(traced: Traced) -> None:
    """A whole click, and canaries in query, path, header and exception, on 200, 404 and 500 alike."""
    world, exporter, provider = traced
    token = world.session()
    begun = world.begin(token)
    minted = world.launch(begun["launch_token"]).headers["Location"]
    for path in ("/v1/config", "/v1/nothing", "/v1/broken", f"/connect/return/{CANARY}", f"/{CANARY}"):
        headers = {"User-Agent": CANARY, "Authorization": f"Bearer {CANARY}", "baggage": f"a={CANARY}"}
        requests.get(f"{world.bff}{path}?token={CANARY}", headers=headers, timeout=30)
    provider.force_flush()
    found = exporter.get_finished_spans()
    text = "\n".join(json.dumps(json.loads(span.to_json())) for span in found)
    for secret in (CANARY, token, begun["launch_token"], minted.partition("token=")[2][:40], "?", "acme-"):
        assert secret not in text, secret
    statuses = {span.attributes.get("http.status_code") for span in found if span.attributes}
    statuses |= {span.attributes.get("http.response.status_code") for span in found if span.attributes}
    assert {201, 303, 401, 404, 500} <= statuses
    assert "POST /connect/launch" in {span.name for span in found}
    assert "GET /connect/return/<secret>" in {span.name for span in found}
    assert all(set(span.attributes or {}) <= ATTRIBUTES for span in found)
    assert not any(span.events for span in found)


def test_a_call_to_the_partner_service_belongs_to_its_click(traced: Traced) -> None:
    """Of a slow launch an operator sees how much of it was spent there."""
    world, exporter, provider = traced
    world.launch(world.begin(world.session())["launch_token"])
    provider.force_flush()
    spans = exporter.get_finished_spans()
    (launch,) = (
        span for span in spans if span.name == "POST /connect/launch" and span.kind is SpanKind.SERVER
    )
    ours = [span for span in spans if span.parent and span.parent.span_id == launch.context.span_id]
    assert [span.kind for span in ours] == [SpanKind.CLIENT] * len(ours)
    assert ours
