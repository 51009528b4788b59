"""The service domain, where browsers go, and the third party that they sign in at."""

from __future__ import annotations

import json
import secrets
import time
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Flask, Response, redirect, request
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from tests.support.cyclr.api import add_token
from tests.support.cyclr.control import Cyclr, SignIn

PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"
CONSENT = """<p>Cyclr wants access to {name}.</p>
<form method="post"><input type="hidden" name="request" value="{state}">
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button>
</form>"""
POST_MESSAGE = """<script>
const target = {target};
if (target) target.postMessage({message}, {origin});
{after}
</script>"""
TARGETS = {"opener": "window.opener", "parent": "window.parent === window ? null : window.parent"}


def create_service(cyclr: Cyclr) -> Flask:
    """The pages of the service domain."""
    app = Flask("cyclr-service")
    add_token(app, cyclr)

    @app.get("/connectorauth/updateaccountconnectoroauth")
    def begin() -> AnyResponse:
        return _begin(cyclr)

    @app.get("/connector/callback")
    def callback() -> AnyResponse:
        flow = cyclr.flows.pop(request.args.get("state", ""), None)
        if flow is None or flow.installed not in cyclr.installed:
            return _page("403 - Forbidden: Access is denied.", "", 403)
        if "Slow" in flow.installed.name:
            # house-allow: test-sleep: a third party that takes its time to give its tokens
            time.sleep(1)
        cyclr.knew_at = time.time()
        if "code" in request.args:
            flow.installed.authenticated = True
            return _finish(cyclr, flow)
        return _denied(cyclr, flow, request.args.get("error", "server_error"))

    return app


def create_third_party(cyclr: Cyclr) -> Flask:
    """A third party with a consent page: the buttons Allow and Deny.

    What the connector is called says how it misbehaves: Isolated (COOP on its pages), Silent (never back).
    """
    app = Flask("third-party")

    @app.after_request
    def isolate(response: Response) -> Response:
        flow = cyclr.flows.get(request.values.get("state", request.values.get("request", "")))
        if flow and flow.installed and "Isolated" in flow.installed.name:
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    @app.get("/authorize")
    def ask() -> Response:
        state = request.args["state"]
        flow = cyclr.flows.get(state)
        name = flow.installed.name if flow and flow.installed else "an application"
        return _page(f"Sign in to {name}", CONSENT.format(name=escape(name), state=escape(state)))

    @app.post("/authorize")
    def decide() -> AnyResponse:
        flow = cyclr.flows.get(request.form["request"])
        if flow and flow.installed and "Silent" in flow.installed.name:
            return _page("Please wait", "")
        allowed = request.form.get("decision") == "allow"
        told = {"code": secrets.token_hex(16)} if allowed else {"error": "access_denied"}
        query = urlencode({**told, "state": request.form["request"]})
        return redirect(f"{cyclr.service}/connector/callback?{query}", 302)

    return app


def _begin(cyclr: Cyclr) -> AnyResponse:
    asked = request.args
    sign_in = cyclr.sign_ins.get(asked.get("token", ""))
    if sign_in is None or sign_in.used or sign_in.ends < time.time():
        return _page("403 - Forbidden: Access is denied.", "", 403)
    sign_in.used = True
    number = asked.get("id", "")
    item = next((item for item in cyclr.of(sign_in.account) if str(item.id) == number), None)
    target = asked.get("targetOrigin", "")
    if item is None or not target or any(key not in item.properties for key in item.release.keys):
        return _page("Bad Request", "", 400)
    sign_in.installed, sign_in.target, sign_in.message = item, target, asked.get("callbackMessage")
    if item.release.oauth2_type != "AuthorisationCode":
        item.authenticated = True
        return _finish(cyclr, sign_in)
    state = secrets.token_hex(16)
    cyclr.flows[state] = sign_in
    back = f"{cyclr.service}/connector/callback"
    query = urlencode({"response_type": "code", "client_id": "cyclr", "redirect_uri": back, "state": state})
    return redirect(f"{cyclr.third_party}/authorize?{query}", 302)


def _finish(cyclr: Cyclr, flow: SignIn) -> AnyResponse:
    if not flow.message:
        return redirect(flow.target, 302)
    script = POST_MESSAGE.format(
        target=TARGETS[cyclr.habits.posts_to],
        message=_literal(flow.message),
        origin=_literal(flow.target),
        after="window.close();" if cyclr.habits.closes_itself else "",
    )
    return _page("Authentication complete", script)


def _denied(cyclr: Cyclr, flow: SignIn, error: str) -> AnyResponse:
    habit = cyclr.habits.on_denial
    if habit == "bare":
        return _finish(cyclr, flow)
    if habit == "error" and not flow.message:
        parts = urlsplit(flow.target)
        query = "&".join(filter(None, [parts.query, urlencode({"error": error})]))
        return redirect(urlunsplit(parts._replace(query=query)), 302)
    return _page("Something went wrong", f"<p>{escape(error)}</p>", 400)


def _literal(text: str) -> str:
    return json.dumps(text).replace("<", "\\u003c")


def _page(title: str, body: str, status: int = 200) -> Response:
    return Response(PAGE.format(title=escape(title), body=body), status, mimetype="text/html")
