"""Whatever is sent to the BFF, it answers as its OpenAPI document says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import schemathesis.pytest
from schemathesis import AuthContext, Case

from bff.app import api_document
from tests.fuzz.api import bounded, checks, load, often, repeats
from tests.support.world import HOST, SECRET_KEY, World

document = schemathesis.pytest.from_fixture("schema")


@dataclass
class Caller:
    """A page of a signed-in user, and their host's server."""

    world: World
    session: str
    attempt: str
    current: ClassVar[Caller | None] = None


@pytest.fixture(scope="module", autouse=True)
def caller(fuzz_world: World) -> Iterator[Caller]:
    """Signed in, with an attempt of their own."""
    session = fuzz_world.session()
    Caller.current = Caller(fuzz_world, session, str(fuzz_world.begin(session)["id"]))
    yield Caller.current
    Caller.current = None


class Credentials:
    """A server's secret key where a server calls, a page's session token and Origin elsewhere."""

    def get(self, case: Case, ctx: AuthContext) -> Caller | None:
        """Who calls."""
        return Caller.current

    def set(self, case: Case, data: Caller, ctx: AuthContext) -> None:
        """Say who calls."""
        by_server = "server" in case.operation.definition.raw["tags"]
        case.headers["Authorization"] = f"Bearer {SECRET_KEY if by_server else data.session}"
        if case.operation.path.startswith("/v1/") and not by_server:
            case.headers["Origin"] = HOST


@pytest.fixture
def schema(request: pytest.FixtureRequest) -> Any:
    """The OpenAPI document, with these credentials."""
    return load(api_document("http://127.0.0.1"), Credentials, request)


@document.parametrize()
@bounded
def test_the_bff_keeps_its_word(case: Case, caller: Caller) -> None:
    """No 500; no undocumented status, media type, header or shape; 405 with `Allow`; 401 to strangers."""
    if repeats(case):
        return
    if "attempt_id" in case.path_parameters and often(case.path_parameters["attempt_id"]):
        case.path_parameters["attempt_id"] = caller.attempt
    if isinstance(case.body, dict) and "launch_token" in case.body and often(case.body["launch_token"]):
        case.body["launch_token"] = launch_token(caller)
    case.call_and_validate(base_url=caller.world.bff, checks=checks(), allow_redirects=False, timeout=30)


def launch_token(caller: Caller) -> Any:
    """One that is good."""
    return caller.world.begin(caller.session)["launch_token"]
