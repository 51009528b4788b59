"""The OAuth callback: accepts the third party's response once, from the browser that began the sign-in."""

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
from bff.partner.crypto import CannotOpen
from bff.partner.errors import FlowError
from bff.partner.openapi import describe
from bff.partner.providers import body_errors, refusals, said, templates
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
"""How many times one sign-in is sent to the third party, if an administrator had to consent first."""
_TOKENS: Final = frozenset({"access_token", "id_token", "refresh_token"})
"""Tokens that some third parties send with a code. They are ignored, and never put into a URL."""
_ERRORS: Final = ("error", "error_code", "errorCode", "error_reason")
log = structlog.get_logger("hitchpost.embedded")


@routes.route(PATH, methods=["GET"])
@describe.page(
    *(200, 302, 400, 410),
    query={
        "state": "The state of the authorization request.",
        "code": "The authorization code.",
        "error": "The error code, when there is no authorization code.",
        "iss": "The issuer of the response (RFC 9207).",
    },
)
def finish() -> AnyResponse:
    """Exchange the authorization code for credentials and end the sign-in.

    Requests that are not a person's visit, such as HEAD or a link preview, leave the sign-in unchanged.
    """
    if not visits.is_visit(request):
        return visits.not_a_visit(request)
    service, answer = embedded(), request.args.to_dict()
    # The user has already consented, so the request is allowed if the rate limiter is unavailable.
    service.limits.page("callback", service.settings.limit_address, needed=False)
    state = _state(service, answer)
    if not state and _error(answer) and (begun := flows.alone(service, request.cookies)):
        if stateless.needs_confirmation(request, begun):
            raise stateless.question(answer)
        if flows.use_up(service, begun):
            return _conclude(service, begun.flow, begun.item, begun.client, answer)
    flow, item, client = flows.take_up(service, state, request.cookies)
    response = _conclude(service, flow, item, client, answer)
    flow_cookies.forget(response, state, request.cookies, secure=flows.is_secure(service))
    return response


def _conclude(
    service: Embedded, flow: flows.Flow, item: CatalogueConnector, client: Client, answer: dict[str, str]
) -> AnyResponse:
    """End a sign-in and return its last page, also after an unexpected error. Raises ``FlowError``."""
    try:
        return _finish(service, flow, item, client, answer)
    except FlowError as error:
        raise error.concerns(flow.wanted.target, flow.wanted.message) from None
    except Exception as error:  # noqa: BLE001  # any error ends the sign-in, and the page that began it is notified
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold what was sent
        end = connecting.fail(service, flow.wanted, "failed", "internal_error")
        response = connecting.show(service, flow.wanted, end)
        if response.status_code == 400:
            response.status_code = 500  # The error is not the browser's.
    return response


@routes.route(PATH, methods=["POST"])
@describe.page(303, 400)
def posted() -> AnyResponse:
    """Redirect a response sent as a form (``response_mode=form_post``) to the same URL as a GET.

    Browsers send ``SameSite=Lax`` cookies with the GET, but not with a POST from another site. The redirect
    leaves the sign-in unchanged. The form of this service's own question about an error without a ``state``
    ends the sign-in at once.
    """
    service = embedded()
    service.limits.page("callback", service.settings.limit_address, needed=False)
    if stateless.is_confirmed(request):
        return _decline(service, request.form.to_dict())
    fields = {name: value for name, value in request.form.items() if name not in _TOKENS and value}
    query = urlencode(fields)
    if not fields or len(query) + len(PATH) >= MOST_CALLBACK:
        raise FlowError(400, "stale_flow")
    response = redirect(f"{PATH}?{query}", 303)
    response.headers.update(connecting.PRIVATE)
    return response


def _decline(service: Embedded, answer: dict[str, str]) -> AnyResponse:
    begun = flows.alone(service, request.cookies) if _error(answer) else None
    if begun is None or not flows.use_up(service, begun):
        raise FlowError(400, "stale_flow")
    error_alone = {name: value for name, value in answer.items() if name not in {"code", stateless.CONFIRMED}}
    return _conclude(service, begun.flow, begun.item, begun.client, error_alone)


def _finish(
    service: Embedded, flow: flows.Flow, item: CatalogueConnector, client: Client, answer: dict[str, str]
) -> AnyResponse:
    _check_issuer(service, flow, item)
    code = answer.get(item.parameter_names.get("code", "code"), "")
    if error := _error(answer, code):
        result: Result = "declined" if refusals.is_declined(item, answer) else "failed"
        provider_answer = said.of_answer(
            "authorize", None, {**answer, "error": error}, [answer.get("code", "")]
        )
        ended = connecting.fail(service, flow.wanted, result, error[:100], provider_answer)
        return connecting.show(service, flow.wanted, ended)
    if code:
        extra = {name: answer[name] for name in item.keep_from_callback if answer.get(name)}
        extra = {name: value for name, value in extra.items() if len(value) <= LONGEST}
        redirect_uri = service.settings.redirect_uri
        authorization = Code(code, flow.verifier, redirect_uri, flow.values, extra)
        return completion.go_on(service, item, client, flow.wanted, authorization)
    if answer.get("admin_consent", "").lower() == "true" and (
        response := _begin_again(service, flow, item, client)
    ):
        return response
    return connecting.show(service, flow.wanted, connecting.fail(service, flow.wanted, "failed", "no_code"))


def _begin_again(
    service: Embedded, flow: flows.Flow, item: CatalogueConnector, client: Client
) -> AnyResponse | None:
    """Begin a new flow after an administrator's consent; None after ``MOST_TURNS`` flows.

    None also if the properties cannot be decrypted.
    """
    with service.database.writing() as connection:
        if flows.times_begun(connection, flow.wanted.token_sha256) >= MOST_TURNS:
            return None
        try:
            values = properties.values_of(service, connection, flow.wanted.account_connector_id)
        except CannotOpen:
            return None
        begun = flows.begin(service, connection, item, client, flow.wanted, values)
    return connecting.onward(*begun, request.cookies)


def _state(service: Embedded, answer: Mapping[str, str]) -> str:
    """The ``state`` of a response, under its standard name or a name from the catalogue; "" if missing."""
    others = {item.state_name for item in service.catalogue.connectors}
    return next(filter(None, (answer.get(name) for name in ("state", *sorted(others)))), "")


def _error(answer: Mapping[str, str], code: str = "") -> str:
    """The error code of a response; "" if there is none. Some third parties send ``0`` with a ``code``."""
    errors = filter(None, (answer.get(name) for name in _ERRORS))
    return next((error for error in errors if not (code and body_errors.is_none(error))), "")


def _check_issuer(service: Embedded, flow: flows.Flow, item: CatalogueConnector) -> None:
    # With a configured issuer, a response without ``iss`` is rejected as well (RFC 9207, section 2.4).
    # Without one, only an ``iss`` that belongs to another third party is rejected.
    issuers = request.args.getlist("iss")
    if item.issuer is None and not _foreign_issuers(service, item).intersection(issuers):
        return
    if item.issuer is not None and issuers == [templates.fill(item.issuer, flow.values)]:
        return
    connecting.fail(service, flow.wanted, "failed", "wrong_issuer")
    raise FlowError(400, "wrong_issuer", error="wrong_issuer")


def _foreign_issuers(service: Embedded, item: CatalogueConnector) -> set[str]:
    """The issuers of other third parties. Entries with an endpoint of ``item`` are of the same one."""
    endpoints = _fixed_endpoints(item)
    own, foreign = set[str](), set[str]()
    for other in service.catalogue.connectors:
        if other.issuer is not None:
            (foreign if endpoints.isdisjoint(_fixed_endpoints(other)) else own).add(other.issuer)
    return foreign - own


def _fixed_endpoints(item: CatalogueConnector) -> set[str]:
    # The same template is another third party where an account has typed another host.
    urls = (item.authorize_url, item.token_url)
    return {url for url in urls if url is not None and not templates.names_in_origin(url)}
