"""What both API fuzz tests share: how much, how, and what every answer has to be."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, not_a_server_error
from schemathesis.config import SchemathesisConfig

EXAMPLES: Final = int(os.environ.get("HITCHPOST_FUZZ_EXAMPLES", "5"))
"""Cases for each operation beside those at the bounds of its schema; ``make fuzz`` takes many more."""

NAMES: Final = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)

bounded = settings(
    max_examples=EXAMPLES,
    # The same cases in each run of the tests; `make fuzz` looks for new ones.
    derandomize="HITCHPOST_FUZZ_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def checks(*more: str) -> list[Any]:
    """No 500, nothing undocumented, 405 with ``Allow``, and 401 without credentials; and ``more`` by name."""
    return [not_a_server_error, *CHECKS.get_by_names([*NAMES, *more])]


def load(document: dict[str, Any], credentials: type, request: pytest.FixtureRequest) -> Any:
    """A schema whose cases are made from ``document``, good ones and bad ones, when ``request``'s test runs.

    They take seconds to make. If they were made for the collection of tests, each process would spend those.
    """
    config = SchemathesisConfig.from_dict({"generation": {"mode": "all"}})
    loaded = schemathesis.openapi.from_dict(document, config=config)
    loaded.auth(refresh_interval=None)(credentials)
    # schemathesis 4.32 reads and writes this name, which pytest 9.2 has given up.
    request.node._nodeid = request.node.nodeid  # type: ignore[attr-defined]
    return loaded


def often(value: object) -> bool:
    """True for about half of all values, always the same ones."""
    return len(str(value)) % 2 == 0
