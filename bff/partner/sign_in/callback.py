"""The third party's answer, as the browser that began brings it, once; then the end of the sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import structlog
from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from bff.partner.account_connectors import properties
from bff.partner.account_connectors.sign_ins import Result
from bff.partner.context import Embedded, embedded
from bff.partner.errors import FlowError
from bff.partner.openapi import describe
from bff.partner.providers import refusals, said, templates
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client
from bff.partner.providers.dotted import LONGEST
from bff.partner.providers.provider import Code
from bff.partner.sign_in import completion, connecting, flow_cookies, flows, stateless, visits
from bff.serving.bounds import MOST_CALLBACK
from bff.serving.logs import about

routes = Blueprint("callback", __name__)

PATH: Final = "/connector/callback"
MOST_TURNS: Final = 3
"""So many times one sign-in is sent to its third party, where an administrator's consent came in between."""
_TOKENS: Final = frozenset({"access_token", "id_token", "refresh_token"})
"""What some send along with a code: never read, and never put into an address."""
_ERRORS: Final = ("error", "error_code", "errorCode")
log = structlog.get_logger("hitchpost.embedded")


@routes.route(PATH, methods=["GET"])
@describe.page(
    *(200, 302, 400, 410),
    query={
        "state": "As it was sent.",
        "code": "The third party's code.",
        "error": "Why there is none.",
        "iss": "Who answers (RFC 9207).",
    },
)
def finish() -> AnyResponse:
    """The answer: credentials, and the end. What is no person's visit, such as HEAD, uses nothing up."""
    if not visits.is_visit(request):
        return visits.not_a_visit(request)
    service, answer = embedded(), request.args.to_dict()
    # A user has already consented: that is not lost because calls cannot be counted.
    service.limits.page("callback", service.settings.limit_address, needed=False)
    state = _state(service, answer)
    if not state and _error(answer) and (begun := flows.alone(service, request.cookies)):
        if stateless.is_to_be_asked(request, begun):
            raise stateless.question(answer)
        if flows.use_up(service, begun):
            return _concluded(service, begun.flow, begun.item, begun.client, answer)
    flow, item, client = flows.take_up(service, state, request.cookies)
    response = _concluded(service, flow, item, client, answer)
    flow_cookies.forget(response, state, request.cookies, secure=flows.is_secure(service))
    return response


def _concluded(
    service: Embedded, flow: flows.Flow, item: CatalogueConnector, client: Client, answer: dict[str, str]
) -> AnyResponse:
    """The end of a sign-in, whatever its answer brings about."""
    try:
        return _finish(service, flow, item, client, answer)
    except FlowError as error:
        raise error.concerns(flow.wanted.target, flow.wanted.message) from None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is an end, and the page is told of it
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold what was sent
        ended = connecting.fail(service, flow.wanted, "failed", "internal_error")
        response = connecting.show(service, flow.wanted, ended)
        if response.status_code == 400:
            response.status_code = 500  # It was nothing that the browser brought.
    return response


@routes.route(PATH, methods=["POST"])
@describe.page(303, 400)
def posted() -> AnyResponse:
    """The answer as a form of the third party's page (``response_mode=form_post``): brought again as a GET.

    Browsers send a cookie that is ``SameSite=Lax`` with no POST of another site, so that nobody could be
    known here; with the GET that this leads to they do. It uses nothing up. The form of our own question
    about an error without a state is the one that ends a sign-in.
    """
    service = embedded()
    service.limits.page("callback", service.settings.limit_address, needed=False)
    if stateless.is_confirmed(request):
        return _declined(service, request.form.to_dict())
    given = {name: value for name, value in request.form.items() if name not in _TOKENS and value}
    query = urlencode(given)
    if not given or len(query) + len(PATH) >= MOST_CALLBACK:
        raise FlowError(400, "stale_flow")
    response = redirect(f"{PATH}?{query}", 303)
    response.headers.update(connecting.PRIVATE)
    return response


def _declined(service: Embedded, answer: dict[str, str]) -> AnyResponse:
    begun = flows.alone(service, request.cookies) if _error(answer) else None
    if begun is None or not flows.use_up(service, begun):
        raise FlowError(400, "stale_flow")
    error_alone = {name: value for name, value in answer.items() if name not in {"code", stateless.CONFIRMED}}
    return _concluded(service, begun.flow, begun.item, begun.client, error_alone)


def _finish(
    service: Embedded, flow: flows.Flow, item: CatalogueConnector, client: Client, answer: dict[str, str]
) -> AnyResponse:
    _check_issuer(service, flow, item)
    if error := _error(answer):
        result: Result = "declined" if refusals.is_declined(item, answer) else "failed"
        told = said.of_answer("authorize", None, {**answer, "error": error}, [answer.get("code", "")])
        ended = connecting.fail(service, flow.wanted, result, error[:100], told)
        return connecting.show(service, flow.wanted, ended)
    if code := answer.get(item.parameter_names.get("code", "code")):
        kept = {name: answer[name] for name in item.keep_from_callback if answer.get(name)}
        kept = {name: value for name, value in kept.items() if len(value) <= LONGEST}
        redirect_uri = service.settings.redirect_uri
        full = Code(code, flow.verifier, redirect_uri, flow.values, kept)
        return completion.go_on(service, item, client, flow.wanted, full)
    if answer.get("admin_consent", "").lower() == "true" and (again := _again(service, flow, item, client)):
        return again
    return connecting.show(service, flow.wanted, connecting.fail(service, flow.wanted, "failed", "no_code"))


def _again(
    service: Embedded, flow: flows.Flow, item: CatalogueConnector, client: Client
) -> AnyResponse | None:
    """An administrator allowed the app, and nobody has signed in yet: now the user does."""
    with service.database.writing() as connection:
        if flows.times_begun(connection, flow.wanted.token_sha256) >= MOST_TURNS:
            return None
        values = properties.values_of(service, connection, flow.wanted.account_connector_id)
        begun = flows.begin(service, connection, item, client, flow.wanted, values)
    return connecting.onward(*begun, request.cookies)


def _state(service: Embedded, answer: Mapping[str, str]) -> str:
    """The state that came back, by its name or by one that an entry of the catalogue has for it."""
    others = {item.parameter_names.get("state", "state") for item in service.catalogue.connectors}
    return next(filter(None, (answer.get(name) for name in ("state", *sorted(others)))), "")


def _error(answer: Mapping[str, str]) -> str:
    """The error of an answer; an empty one is none."""
    return next(filter(None, (answer.get(name) for name in _ERRORS)), "")


def _check_issuer(service: Embedded, flow: flows.Flow, item: CatalogueConnector) -> None:
    # Once an issuer is configured, an answer without one is as wrong as an answer with another (RFC 9207).
    # Where none is, an answer of another connector's issuer is still the answer of another connector.
    given = request.args.getlist("iss")
    foreign = {other.issuer for other in service.catalogue.connectors if other.issuer is not None}
    if item.issuer is None and not foreign.intersection(given):
        return
    if item.issuer is not None and given == [templates.fill(item.issuer, flow.values)]:
        return
    connecting.fail(service, flow.wanted, "failed", "wrong_issuer")
    raise FlowError(400, "wrong_issuer", error="wrong_issuer")
