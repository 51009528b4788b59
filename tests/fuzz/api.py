"""What both API fuzz tests share: how much, how, and what every answer has to be."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import CoveragePhaseData

IS_LONG: Final = "TESTS_FUZZ_EXAMPLES" in os.environ
"""Whether this is ``make fuzz``."""
EXAMPLES: Final = int(os.environ.get("TESTS_FUZZ_EXAMPLES", "3"))
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
    derandomize=not IS_LONG,
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


_played: dict[tuple[object, ...], str] = {}


def repeats(case: Case[Any]) -> bool:
    """Whether another case of the operation is at the same bound of a value: ``make fuzz`` plays them all."""
    phase = case.meta.phase if case.meta is not None and not IS_LONG else None
    if phase is None or not isinstance(phase.data, CoveragePhaseData):
        return False
    at, label = phase.data, case.operation.label
    kind = (label, at.scenario, at.parameter_location, at.parameter, at.description)
    sent = repr((case.method, case.path_parameters, case.query, case.headers, case.cookies, case.body))
    # One that fails may be played anew.
    return _played.setdefault(kind, sent) != sent


def often(value: object) -> bool:
    """True for about half of all values, always the same ones."""
    return len(str(value)) % 2 == 0
