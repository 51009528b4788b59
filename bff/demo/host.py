"""The demo's host application: a SaaS page of its own that pastes the tag, and a server with a secret key."""

from __future__ import annotations

import json
import os
from typing import Any, Final

import requests
from flask import Flask, Response, jsonify, redirect, render_template, request, send_from_directory, session
from werkzeug.wrappers import Response as AnyResponse

from bff.demo.plan import ACCOUNT, PRODUCT, Plan, make_plan
from bff.resources import DEMO_ASSETS, TEMPLATES
from bff.server import Server

USERS: Final = {
    "ada": {"id": "ada", "name": "Ada Lovelace", "email": "ada@acme.example"},
    "grace": {"id": "grace", "name": "Grace Hopper", "email": "grace@acme.example"},
}


def create_host(plan: Plan, cookie_key: str) -> Flask:
    """The host application. It knows the BFF by its public contract only."""
    app = Flask("demo", static_folder=None, template_folder=str(TEMPLATES / "demo"))
    app.secret_key = cookie_key
    app.config.update(SESSION_COOKIE_NAME="demo", SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True)

    @app.get("/")
    def page() -> Response:
        user = USERS.get(session.get("user", ""))
        offered = _connectors(plan, user) if user else []
        body = render_template(
            "host.html", user=user, users=USERS, connectors=offered, plan=plan, product=PRODUCT
        )
        return Response(body, headers=_headers(plan))

    @app.post("/sign-in")
    def sign_in() -> AnyResponse:
        chosen = request.form.get("user", "")
        if chosen in USERS:
            session["user"] = chosen
        return redirect("/", 303)

    @app.get("/hitchpost-session")
    def hitchpost_session() -> tuple[Response, int]:
        user = USERS.get(session.get("user", ""))
        if user is None:
            return jsonify({"error": "sign in first"}), 401
        return jsonify(_session(plan, user)), 200

    @app.get("/assets/<name>")
    def asset(name: str) -> Response:
        return send_from_directory(DEMO_ASSETS, name)

    @app.get("/health/live")
    def live() -> str:
        return "ok"

    return app


def _session(plan: Plan, user: dict[str, str]) -> dict[str, Any]:
    account = {"id": ACCOUNT, "name": "Acme Inc."}
    answer = requests.post(
        f"{plan.bff}/v1/sessions",
        json={"user": user, "account": account},
        headers={"Authorization": f"Bearer {plan.secrets['secret_key']}"},
        timeout=10,
    )
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def _connectors(plan: Plan, user: dict[str, str]) -> list[dict[str, Any]]:
    token = _session(plan, user)["token"]
    answer = requests.get(f"{plan.bff}/v1/config", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["connectors"]
    return found


def _headers(plan: Plan) -> dict[str, str]:
    # As strict as a host may wish: the tag works under it.
    policy = (
        f"default-src 'self'; script-src 'self' {plan.bff}; connect-src 'self' {plan.bff};"
        " base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def main() -> None:
    """Serve the host page on the plan's first port."""
    plan = make_plan(os.environ)
    key = os.environ.get("HITCHPOST_DEMO_COOKIE_KEY") or json.dumps(plan.secrets)
    Server(lambda: create_host(plan, key), bind=f"127.0.0.1:{plan.port}", threads=8).run()


if __name__ == "__main__":
    main()
