"""Every call to the partner service leaves a line in the log and a count, that for an access token too."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import structlog

from bff.serving import metrics

log = structlog.get_logger("hitchpost.partner")


@contextlib.contextmanager
def logged(method: str, template: str) -> Iterator[dict[str, Any]]:
    """Around one call: what comes back is put into the note as ``status``.

    ``template`` is the path's; no header, query or body is logged: nothing of those is fit for it.
    """
    note: dict[str, Any] = {"status": "none"}
    began = time.monotonic()
    try:
        yield note
    finally:
        spent = round((time.monotonic() - began) * 1000)
        status = note["status"]
        metrics.upstream(template, status if isinstance(status, int) else None, spent / 1000)
        log.info("partner call", method=method, path=template, ms=spent, **note)
