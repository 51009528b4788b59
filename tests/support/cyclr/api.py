"""The API domain. A route is known to tests by the name of its function."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from flask import Flask, Response, g, jsonify, request

from tests.support.cyclr import rendering
from tests.support.cyclr.control import Cyclr, Installed, NameInUse, Release, Seen

DENIED = "Authorization has been denied for this request."
TOKEN_SECONDS = 1_209_599


class Refused(Exception):
    """The answer is this status, with this ``Message``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def create_api(cyclr: Cyclr) -> Flask:
    """The API. Whatever it does not know in a request it passes over, as Cyclr does."""
    app = Flask("cyclr-api")
    app.register_error_handler(Refused, lambda no: (jsonify({"Message": no.message}), no.status))
    app.register_error_handler(404, lambda _: (jsonify({"Message": "No HTTP resource was found."}), 404))
    _add_manners(app, cyclr)
    add_token(app, cyclr)
    _add_accounts(app, cyclr)
    _add_catalogue(app, cyclr)
    _add_installed(app, cyclr)
    _add_properties(app, cyclr)
    return app


def _add_manners(app: Flask, cyclr: Cyclr) -> None:
    @app.before_request
    def behave() -> Response | None:
        g.bearer = request.headers.get("Authorization", "").removeprefix("Bearer ") or None
        route = request.endpoint or ""
        # house-allow: test-sleep: a partner service that takes its time
        time.sleep(cyclr.habits.slow.get(route, cyclr.habits.slow.get("*", 0.0)))
        if hold := cyclr.habits.held.get(route):
            hold()
        busy = cyclr.habits.busy.get(route) or cyclr.habits.busy.get("*")
        if busy:
            headers = {"Retry-After": busy[1]} if busy[1] is not None else {}
            return Response('{"Message":"Busy"}', busy[0], headers, mimetype="application/json")
        if route != "token" and g.bearer not in cyclr.bearers:
            raise Refused(401, DENIED)
        return None

    @app.after_request
    def note(response: Response) -> Response:
        cyclr.seen.append(
            Seen(
                request.method,
                request.path,
                request.endpoint or "",
                _named_account(),
                g.bearer,
                response.status_code,
                time.monotonic(),
            )
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.endpoint in cyclr.habits.lost_answers:
            cyclr.habits.lost_answers.remove(request.endpoint)
            return Response('{"Message":"Lost"}', 503, {"Retry-After": "0"}, mimetype="application/json")
        return response


def add_token(app: Flask, cyclr: Cyclr) -> None:
    """``/oauth/token``, which the service domain answers too."""

    @app.post("/oauth/token")
    def token() -> tuple[Response, int]:
        ours = {
            "grant_type": "client_credentials",
            "client_id": cyclr.client_id,
            "client_secret": cyclr.client_secret,
        }
        if any(request.form.get(name) != value for name, value in ours.items()):
            return jsonify({"error": "invalid_client"}), 400
        told = {"token_type": "bearer", "expires_in": TOKEN_SECONDS, "clientId": cyclr.client_id}
        return jsonify({**told, "access_token": cyclr.new_bearer(), ".refresh": "True"}), 200


def _add_accounts(app: Flask, cyclr: Cyclr) -> None:
    def known(account: str) -> str:
        if account not in cyclr.accounts:
            raise Refused(cyclr.habits.unknown_account_path, "Account not found")
        return account

    @app.get("/v1.0/accounts")
    def list_accounts() -> Response:
        return _page(cyclr, [{"Id": account, "Name": name} for account, name in cyclr.accounts.items()])

    @app.post("/v1.0/accounts")
    def create_account() -> Response:
        asked = _body()
        account, name = asked.get("Id") or f"account-{len(cyclr.accounts)}", asked.get("Name")
        if not isinstance(name, str) or not name:
            raise Refused(400, "Name is required")
        with cyclr.lock:
            if account in cyclr.accounts:
                raise Refused(400, "ID already in use")
            cyclr.accounts[account] = name
        return jsonify({"Id": account, "Name": name, "Timezone": "UTC"})

    @app.get("/v1.0/accounts/<path:account>")
    def get_account(account: str) -> Response:
        return jsonify({"Id": known(account), "Name": cyclr.accounts[account], "Timezone": "UTC"})

    @app.post("/v1.0/accounts/<path:account>/signintoken")
    def sign_in_token(account: str) -> Response:
        username = _body().get("Username")
        made = cyclr.new_sign_in(known(account), str(username))
        ends = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(made.ends))
        return jsonify({"Token": made.token, "ExpiresAtUtc": f"{ends}.7436471Z"})


def _add_catalogue(app: Flask, cyclr: Cyclr) -> None:
    def look() -> None:
        if cyclr.habits.catalogue_needs_account:
            _account(cyclr)

    @app.get("/v1.0/connectors")
    def list_connectors() -> Response:
        look()
        wanted = request.args.get("query", "").lower()
        found = [release for release in cyclr.releases if wanted in release.name.lower()]
        return _page(cyclr, [rendering.connector(cyclr, release) for release in found])

    @app.get("/v1.0/connectors/<reference>")
    @app.get("/v1.0/connectors/<reference>/<version>")
    def get_connector(reference: str, version: str | None = None) -> Response:
        look()
        if reference.isdecimal():
            return jsonify(rendering.connector(cyclr, _release(cyclr, int(reference))))
        if not (found := _releases(cyclr, reference, version)):
            raise Refused(404, "Connector not found")
        return jsonify([rendering.connector(cyclr, release) for release in found])

    @app.post("/v1.0/connectors/<int:number>/install")
    def install(number: int) -> Response:
        account, asked, release = _account(cyclr), _body(), _release(cyclr, number)
        if release.status == "Draft":
            raise Refused(400, f"Connector {number} is a draft and cannot be installed.")
        try:
            made = cyclr.install(account, release, asked.get("Name") or release.name)
        except NameInUse as name:
            raise Refused(400, f"Account connector name '{name}' is in use.") from None
        _change(made, asked)
        return jsonify(rendering.installed(cyclr, made, changed=True))


def _add_installed(app: Flask, cyclr: Cyclr) -> None:
    one = partial(_installed, cyclr)

    @app.get("/v1.0/account/connectors")
    def list_installed() -> Response:
        found = cyclr.of(_account(cyclr))
        return _page(cyclr, [rendering.installed(cyclr, item, listed=True) for item in found])

    @app.get("/v1.0/account/connectors/<int:number>")
    def get_installed(number: int) -> Response:
        return jsonify(rendering.installed(cyclr, one(number)))

    @app.put("/v1.0/account/connectors/<int:number>")
    def change_installed(number: int) -> Response:
        item, asked = one(number), _body()
        if asked.get("AuthValue") in cyclr.habits.refused_values:
            raise Refused(400, "The authentication value was not accepted.")
        _change(item, asked)
        return jsonify(rendering.installed(cyclr, item, changed=True))

    @app.delete("/v1.0/account/connectors/<int:number>")
    def delete_installed(number: int) -> Response:
        cyclr.installed.remove(item := one(number))
        return jsonify({"Message": f"Connector '{item.name}' successfully deleted."})

    @app.put("/v1.0/account/connectors/<int:number>/deauthenticate")
    def deauthenticate(number: int) -> Response:
        item = one(number)
        item.authenticated, item.auth_value = False, None
        return jsonify({"Message": f"Connector '{item.name}' successfully de-authenticated."})


def _add_properties(app: Flask, cyclr: Cyclr) -> None:
    one = partial(_installed, cyclr)

    @app.get("/v1.0/account/connectors/<int:number>/properties")
    def list_properties(number: int) -> Response:
        return _page(cyclr, rendering.properties(one(number)))

    @app.post("/v1.0/account/connectors/<int:number>/properties")
    def set_property(number: int) -> Response:
        item, asked = one(number), _body()
        _change(item, {"Properties": [asked]})
        return jsonify(next(told for told in rendering.properties(item) if told["Name"] == asked.get("Name")))


def _installed(cyclr: Cyclr, number: int) -> Installed:
    account = _account(cyclr)
    found = next((item for item in cyclr.of(account) if item.id == number), None)
    if found is None:
        raise Refused(404, "Account connector not found")
    return found


def _change(item: Installed, asked: dict[str, Any]) -> None:
    told_all = asked.get("Properties") or []
    known = {*item.release.needed, "ClientId", "ClientSecret"}
    for told in told_all:
        if told.get("Name") not in known:
            raise Refused(400, f"There is not a connector property that matches name '{told.get('Name')}'.")
    for told in told_all:
        item.properties[str(told.get("Name"))] = str(told.get("Value"))
    if isinstance(asked.get("AuthValue"), str):
        item.auth_value, item.authenticated = asked["AuthValue"], True


def _releases(cyclr: Cyclr, name: str, version: str | None) -> list[Release]:
    found = [one for one in cyclr.releases if one.name == name and version in {None, one.version}]
    return [one for one in found if cyclr.habits.name_finds_all_releases or one.status == "Approved"]


def _release(cyclr: Cyclr, number: int) -> Release:
    found = next((release for release in cyclr.releases if release.id == number), None)
    if found is None:
        raise Refused(404, "Connector not found")
    return found


def _named_account() -> str | None:
    named = request.headers.get("X-Cyclr-Account")
    return named.encode("latin-1").decode("utf-8", "replace") if named else None


def _account(cyclr: Cyclr) -> str:
    account = _named_account()
    if account is None:
        raise Refused(401, DENIED)
    if account not in cyclr.accounts:
        raise Refused(cyclr.habits.unknown_account, "Account not found")
    return account


def _body() -> dict[str, Any]:
    found = request.get_json(force=True, silent=True)
    return found if isinstance(found, dict) else {}


def _page(cyclr: Cyclr, items: list[dict[str, Any]]) -> Response:
    size = min(request.args.get("pageSize", 25, int), cyclr.habits.longest_page)
    page, last = request.args.get("page", 1, int), max(1, -(-len(items) // size))
    if cyclr.habits.repeats_last_page:
        page = min(page, last)
    response = jsonify(items[(page - 1) * size : page * size])
    if cyclr.habits.total_pages:
        response.headers["Total-Pages"] = str(last)
    return response
