"""A Django project in one file, with the middleware that ``startproject`` gives: PORT BFF SECRET_KEY."""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import requests
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

PORT, BFF, SECRET_KEY = sys.argv[1:]
HEARD = Path(__file__).with_name("heard.js").read_text()
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Integrations</title>
  <link rel="icon" href="data:,">
  <script src="/heard.js"></script>
  <script src="{bff}/widget/v1/hitchpost.js" data-product="app" data-session-url="/session/{account}"
          defer></script>
</head>
<body>
  <button onclick="integration.innerHTML = integration.innerHTML">Re-render</button>
  <div id="integration"><hitchpost-connect connector="sandbox"></hitchpost-connect></div>
  <p role="status"></p>
</body>
</html>"""


def page(_request: HttpRequest, account: str) -> HttpResponse:
    """The settings page of this account."""
    return HttpResponse(PAGE.format(bff=BFF, account=account))


def session(_request: HttpRequest, account: str) -> JsonResponse:
    """A session token for the page."""
    answer = requests.post(
        f"{BFF}/v1/sessions",
        json={"user": {"id": "ada", "name": "Ada"}, "account": {"id": account, "name": "Acme"}},
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
        timeout=10,
    )
    return JsonResponse(answer.json(), status=answer.status_code)


urlpatterns = [
    path("heard.js", lambda _request: HttpResponse(HEARD, content_type="text/javascript")),
    path("session/<account>", session),
    path("<account>", page),
]

settings.configure(
    SECRET_KEY="a project's own key",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)


class Threads(ThreadingMixIn, WSGIServer):
    """A thread for each connection, as a browser holds some open."""

    daemon_threads = True


if __name__ == "__main__":
    with make_server("127.0.0.1", int(PORT), get_wsgi_application(), server_class=Threads) as server:
        print("ready", flush=True)
        server.serve_forever()
