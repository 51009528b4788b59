"""Deeds of operators in the audit log: on standard error, as standard output is what a command answers."""

from __future__ import annotations

import sys
from typing import Any

import structlog

from bff.common.actors import OPERATOR
from bff.serving.logs import keep_listed


def tell(event: str, **about: Any) -> None:
    """One event, in the form of the servers' own."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            keep_listed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    log.info(event, logger="hitchpost.audit", actor=OPERATOR, **about)
