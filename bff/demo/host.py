"""The demo's host application: a page with the widget's tag, and a server with a secret key."""

from __future__ import annotations

import json
import os
from typing import Any, Final

import requests
from flask import (
    Flask,
    Response,
    abort,
    jsonify,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
)
from werkzeug.wrappers import Response as AnyResponse

from bff.demo.pause import pause
from bff.demo.plan import ACCOUNT, PRODUCT, Plan, make_plan
from bff.demo.rehearsals import BY_KEY, CONTROLS, EVERYDAY, PAUSE_SECONDS, REHEARSALS, Rehearsal
from bff.demo.webhook_receiver import PATH as RECEIVER
from bff.demo.webhook_receiver import add_receiver
from bff.resources import DEMO_ASSETS, TEMPLATES
from bff.serving.server import Server, Serving

USERS: Final = {
    "ada": {"id": "ada", "name": "Ada Lovelace", "email": "ada@acme.example"},
    "grace": {"id": "grace", "name": "Grace Hopper", "email": "grace@acme.example"},
}
LANGUAGES: Final = {
    "": "as the page",
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "ja": "日本語",
    "ar": "العربية",
}
BRIEF: Final = {"expires_in": 1}


def create_host(plan: Plan, cookie_key: str) -> Flask:
    """Create the host application. It uses the BFF's public API only."""
    app = Flask("demo", static_folder=None, template_folder=str(TEMPLATES / "demo"))
    app.secret_key = cookie_key
    app.config.update(SESSION_COOKIE_NAME="demo", SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True)

    _add_pages(app, plan)
    _add_session(app, plan)
    _add_controls(app, plan)
    add_receiver(app, plan.secrets["webhook_secret"])
    app.add_url_rule("/assets/<name>", "asset", lambda name: send_from_directory(DEMO_ASSETS, name))
    app.add_url_rule("/health/live", "live", lambda: "ok")
    return app


def _add_pages(app: Flask, plan: Plan) -> None:
    @app.get("/")
    def page() -> Response:
        rehearsal = BY_KEY.get(request.args.get("rehearse", ""), EVERYDAY)
        session["rehearsal"] = rehearsal.key
        if (language := request.args.get("language")) is not None:
            session["language"] = language if language in LANGUAGES else ""
        return _page(plan, rehearsal, USERS.get(session.get("user", "")))

    @app.get("/framed")
    def framed() -> Response:
        # Served at 127.0.0.1, so that the framed page at localhost is cross-site.
        source = f"{plan.host}/in-frame?user={session.get('user', 'ada')}"
        return Response(
            render_template("framed.html", source=source, back=plan.host),
            headers={"Content-Security-Policy": f"default-src 'self'; frame-src {plan.host}"},
        )

    @app.get("/in-frame")
    def in_frame() -> Response:
        # A cross-site frame gets no cookies, so the user is in the URL and the session token in the tag.
        return _page(plan, BY_KEY["framed"], USERS.get(request.args.get("user", "")))


def _add_session(app: Flask, plan: Plan) -> None:
    @app.post("/sign-in")
    def sign_in() -> AnyResponse:
        chosen = request.form.get("user", "")
        if chosen in USERS:
            session["user"] = chosen
        elif not chosen:
            session.pop("user", None)
        # Return to the current rehearsal, which may have signed its user out.
        rehearsal = session.get("rehearsal", "")
        return redirect(f"/?rehearse={rehearsal}" if rehearsal in BY_KEY else "/", 303)

    @app.get("/hitchpost-session")
    def hitchpost_session() -> tuple[Response, int]:
        user = USERS.get(session.get("user", ""))
        if user is None:
            return jsonify({"error": "sign in first"}), 401
        if BY_KEY.get(session.get("rehearsal", ""), EVERYDAY).brief_sessions:
            # Without ``expires_at``, so that the widget renews the token only after a 401.
            return jsonify({"token": _session(plan, user, BRIEF)["token"]}), 200
        return jsonify(_session(plan, user)), 200


def _add_controls(app: Flask, plan: Plan) -> None:
    @app.before_request
    def from_our_own_page() -> None:
        # The webhook is sent by a server, and authenticated by its signature.
        if request.path == RECEIVER:
            return
        if request.method == "POST" and request.headers.get("Origin") != plan.host:
            abort(403)

    @app.post("/control")
    def control() -> tuple[Response, int]:
        action = request.form.get("do", "")
        if action == "sign-out":
            session.pop("user", None)
        elif action in {"bff", "partner"}:
            pause(plan, action, PAUSE_SECONDS)
        else:
            abort(400)
        return jsonify({"done": action}), 200


def _page(plan: Plan, rehearsal: Rehearsal, user: dict[str, str] | None) -> Response:
    try:
        token = _session(plan, user)["token"] if user else None
        connectors = _connectors(plan, token) if token else []
    except requests.RequestException:
        return _away(user)
    body = render_template(
        "host.html",
        user=user,
        users=USERS,
        connectors=connectors,
        plan=plan,
        product=PRODUCT,
        rehearsals=REHEARSALS,
        rehearsal=rehearsal,
        token=token if rehearsal.framed else None,
        controls=CONTROLS,
        languages=LANGUAGES,
        language=session.get("language", ""),
    )
    return Response(body, headers=_headers(plan, rehearsal) | rehearsal.headers)


def _away(user: dict[str, str] | None) -> Response:
    """The page while a rehearsal has paused a program that it needs. Reloads itself."""
    body = render_template("away.html", user=user, seconds=PAUSE_SECONDS)
    return Response(body, 503, headers={"Retry-After": "3", "Refresh": "3", "Cache-Control": "no-store"})


def _session(plan: Plan, user: dict[str, str], more: dict[str, Any] | None = None) -> dict[str, Any]:
    account = {"id": ACCOUNT, "name": "Acme Inc."}
    answer = requests.post(
        f"{plan.bff}/v1/sessions",
        json={"user": user, "account": account, **(more or {})},
        headers={"Authorization": f"Bearer {plan.secrets['secret_key']}"},
        timeout=5,
        allow_redirects=False,
    )
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


def _connectors(plan: Plan, token: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{plan.bff}/v1/config", headers=headers, timeout=20, allow_redirects=False)
    answer.raise_for_status()
    connectors: list[dict[str, Any]] = answer.json()["connectors"]
    return connectors


def _headers(plan: Plan, rehearsal: Rehearsal) -> dict[str, str]:
    # A strict policy, to show that the tag works with it.
    connect = "'self'" if rehearsal.unconnected else f"'self' {plan.bff}"
    ancestors = f"http://127.0.0.1:{plan.port}" if rehearsal.framed else "'none'"
    policy = (
        f"default-src 'self'; script-src 'self' {plan.bff}; connect-src {connect};"
        " img-src 'self' data:;"
        f" base-uri 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }


def main() -> None:
    """Serve the host application on the plan's first port."""
    plan = make_plan(os.environ)
    key = os.environ.get("HITCHPOST_DEMO_COOKIE_KEY") or json.dumps(plan.secrets)
    Server(Serving(lambda _: create_host(plan, key), bind=f"127.0.0.1:{plan.port}", threads=8)).run()


if __name__ == "__main__":
    main()
