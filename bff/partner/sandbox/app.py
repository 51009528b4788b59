"""Pages and endpoints of the sandbox (RFC 6749, 7636, 9207), one set for each variant."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    json,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from werkzeug.wrappers import Response as AnyResponse

from bff.partner.resources import ASSETS, TEMPLATES
from bff.partner.sandbox import consent_cookies, keys
from bff.partner.sandbox.client_auth import is_our_client
from bff.partner.sandbox.grants import AuthorizationRequest, Grants, Refused, Tokens
from bff.partner.sandbox.settings import Settings
from bff.partner.sandbox.variants import VARIANTS, Variant
from bff.serving.security_headers import BARE

ACCOUNTS: Final = ("ada@sandbox.example", "grace@sandbox.example", "katherine@sandbox.example")
SCOPES: Final = {
    "contacts.read": "Read your contacts",
    "contacts.write": "Add and change contacts",
}
HEADERS: Final = BARE | {
    # No form-action: browsers apply it to the redirect to the client, which may be on any origin.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    ),
}


ISOLATION: Final = {"Cross-Origin-Opener-Policy": "same-origin"}
HOPPED: Final = "hopped"
SCHEME: Final = "Bearer"


def create_app(settings: Settings) -> Flask:
    """Create the sandbox with all its variants."""
    app = Flask("sandbox", static_folder=None, template_folder=str(TEMPLATES / "sandbox"))
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    grants = Grants()
    for variant in VARIANTS:
        app.register_blueprint(_Endpoints(variant, settings, grants).blueprint())
    app.register_blueprint(keys.routes)
    app.add_url_rule("/shops/<shop>/authorize", "no_shop", _no_shop)
    app.add_url_rule("/health/live", "live", lambda: Response("ok", content_type="text/plain"))
    app.add_url_rule("/assets/<name>", "asset", lambda name: send_from_directory(ASSETS, name, max_age=300))
    app.after_request(_with_headers)
    return app


def _no_shop(shop: str) -> AnyResponse:
    del shop
    page = render_template("refused.html", variant=VARIANTS[0], reason="There is no shop of this name here.")
    return make_response(page, 404)


class _Endpoints:
    """The endpoints of one variant."""

    def __init__(self, variant: Variant, settings: Settings, grants: Grants) -> None:
        self.variant = variant
        self.settings = settings
        self.grants = grants
        self.issuer = settings.public_url.rstrip("/") + variant.prefix

    def blueprint(self) -> Blueprint:
        """Make the blueprint with the variant's routes."""
        routes = Blueprint(self.variant.key or "plain", __name__, url_prefix=self.variant.prefix or None)
        routes.add_url_rule("/authorize", "authorize", self.authorize, methods=["GET"])
        routes.add_url_rule("/authorize", "decide", self.decide, methods=["POST"])
        routes.add_url_rule("/token", "token", self.token, methods=["POST"])
        routes.add_url_rule("/revoke", "revoke", self.revoke, methods=["POST"])
        routes.add_url_rule("/userinfo", "userinfo", self.userinfo, methods=["GET"])
        return routes

    def authorize(self) -> AnyResponse:
        """Show the consent page (RFC 6749, section 4.1.1)."""
        client, target = request.args.get("client_id", ""), request.args.get("redirect_uri", "")
        registered = client == self.settings.client_id and target in self.settings.allowed_redirects()
        if not registered or _repeated() & {"client_id", "redirect_uri"}:
            # Do not redirect to an unverified URI (RFC 6749, section 4.1.2.1).
            return self._page(
                "refused.html", 400, reason="The client or its redirect URI is not registered here."
            )
        if error := self._fault():
            return self._answer(target, {"error": error}, request.args.get("state", ""))
        if self.variant.key == "hop" and HOPPED not in request.args:
            # A single redirect with COOP is enough to cut the window off from its opener for good.
            onward = redirect(f"{request.url}&{HOPPED}=1", 302)
            onward.headers.update(ISOLATION)
            return onward
        pending = AuthorizationRequest(
            variant=self.variant.key,
            client_id=client,
            redirect_uri=target,
            scopes=tuple(request.args.get("scope", "").split()),
            state=request.args.get("state", ""),
            challenge=request.args["code_challenge"],
        )
        key, cookie = self.grants.remember(pending)
        scopes = [(scope, SCOPES.get(scope, scope)) for scope in pending.scopes]
        page = self._page("consent.html", 200, key=key, scopes=scopes, account=self._expected_account())
        consent_cookies.give(page, request.cookies, key, cookie)
        return page

    def decide(self) -> AnyResponse:
        """Handle Allow or Deny, and redirect to the client."""
        key = request.form.get("request", "")
        pending = self.grants.take(key, consent_cookies.of(request.cookies, key))
        if pending is None or pending.variant != self.variant.key:
            return self._page(
                "refused.html", 400, reason="This page was used already. Go back and start again."
            )
        if self.variant.key == "silent":
            return self._page("silent.html", 200)
        answer = self._decided(pending)
        consent_cookies.take_away(answer, key)
        return answer

    def _decided(self, pending: AuthorizationRequest) -> AnyResponse:
        account = request.form.get("account", "").strip()[:255]
        if request.form.get("decision") != "allow" or not account:
            return self._answer(pending.redirect_uri, {"error": "access_denied"}, pending.state)
        code = self.grants.allow(pending, account)
        return self._answer(pending.redirect_uri, {"code": code}, pending.state)

    def token(self) -> Response:
        """Issue tokens for a code or a refresh token (RFC 6749, sections 4.1.3 and 6)."""
        if (fault := self._token_fault()) is not None:
            return fault
        form = request.form
        if not is_our_client(self.settings, request.headers, form):
            return _challenge({"error": "invalid_client"}, "Basic")
        if not form.get("grant_type"):
            return _json({"error": "invalid_request"}, 400)
        try:
            match form.get("grant_type"):
                case "authorization_code":
                    tokens = self.grants.exchange(
                        self.variant.key,
                        form.get("code", ""),
                        form.get("redirect_uri", ""),
                        form.get("code_verifier", ""),
                    )
                case "refresh_token":
                    tokens = self.grants.refresh(self.variant.key, form.get("refresh_token", ""))
                case _:
                    return _json({"error": "unsupported_grant_type"}, 400)
        except Refused as refused:
            return _json({"error": refused.error}, 400)
        return _json(_token_response(tokens))

    def revoke(self) -> Response:
        """Revoke the grant of a token (RFC 7009)."""
        if (fault := self._token_fault()) is not None:
            return fault
        if not is_our_client(self.settings, request.headers, request.form):
            return _challenge({"error": "invalid_client"}, "Basic")
        if not (token := request.form.get("token", "")):
            return _json({"error": "invalid_request"}, 400)
        self.grants.revoke(self.variant.key, token)
        return _json({})

    def userinfo(self) -> Response:
        """Return the claims of the access token's user."""
        scheme, _, access = request.headers.get("Authorization", "").partition(" ")
        account = self.grants.account_of(access) if scheme.lower() == "bearer" else None
        if account is None:
            return _challenge({"error": "invalid_token"}, "Bearer")
        return _json({"sub": account, "email": account, "name": account.partition("@")[0].title()})

    def _token_fault(self) -> Response | None:
        match self.variant.key:
            case "broken":
                return _json({"error": "server_error"}, 500)
            case "garbled":
                return Response("<!doctype html><title>Please wait</title>", content_type="text/html")
            case "slow":
                # house-allow: sleep: to be slow is what this variant is for
                time.sleep(self.settings.slow_seconds)
        return None

    def _fault(self) -> str | None:
        query = request.args
        if _repeated():
            return "invalid_request"
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        if (
            query.get("code_challenge_method") != "S256"
            or not 43 <= len(query.get("code_challenge", "")) <= 128
        ):
            return "invalid_request"
        return None

    def _expected_account(self) -> str:
        # The ``stranger`` variant suggests another account after each consent, to test reconnects.
        turn = self.grants.consents(self.variant.key) if self.variant.key == "stranger" else 0
        return ACCOUNTS[turn % len(ACCOUNTS)]

    def _answer(self, target: str, values: dict[str, str], state: str) -> AnyResponse:
        separator = "&" if urlsplit(target).query else "?"
        query = {**values, **({"state": state} if state else {}), "iss": self.issuer}
        return self._isolate(redirect(f"{target}{separator}{urlencode(query)}", 303))

    def _page(self, template: str, status: int, **values: Any) -> AnyResponse:
        return self._isolate(make_response(render_template(template, variant=self.variant, **values), status))

    def _isolate(self, response: AnyResponse) -> AnyResponse:
        if self.variant.key == "isolated":
            response.headers.update(ISOLATION)
        return response


def _repeated() -> set[str]:
    # Parameters must not be repeated (RFC 6749, section 3.1): parsers differ in which value they use.
    return {name for name, values in request.args.lists() if len(values) > 1}


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _token_response(tokens: Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access,
        "token_type": SCHEME,
        "expires_in": 3600,
        "refresh_token": tokens.refresh,
        "scope": " ".join(tokens.scopes),
    }


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _challenge(body: dict[str, Any], scheme: str) -> Response:
    # A 401 names the required scheme (RFC 6749, section 5.2; RFC 6750, section 3).
    response = _json(body, 401)
    response.headers["WWW-Authenticate"] = f'{scheme} realm="sandbox"'
    return response
