"""The little that a team writes by itself: one Flask route that mints a sign-in URL for whoever is signed in.

It speaks to the same partner service as Hitchpost, knows the account connector's id and the access token
already, and lets its page call it from another origin, or serves the page itself.
"""

import os
from urllib.parse import urlencode

import requests
from flask import Flask, Response, request

PARTNER = os.environ["PARTNER"]
PAGES = os.environ["PARTNER_PAGES"]
HOST = os.environ["HOST"]
FOLDER = os.environ["FOLDER"]
SESSION = "a-session-that-is-known"

app = Flask(__name__, static_folder=FOLDER, static_url_path="/")
upstream = requests.Session()
upstream.headers["Authorization"] = "Bearer known"


@app.post("/sign-in-url")
def sign_in_url() -> Response | tuple[str, int]:
    if request.headers.get("Authorization") != f"Bearer {SESSION}":
        return "who are you?", 401
    answer = upstream.post(f"{PARTNER}/v1.0/accounts/acme/signintoken", json={"Username": "ada"}, timeout=10)
    answer.raise_for_status()
    values = {"id": "1001", "token": answer.json()["Token"], "targetOrigin": HOST, "callbackMessage": "done"}
    return {"url": f"{PAGES}/connectorauth/updateaccountconnectoroauth?{urlencode(values)}"}


@app.after_request
def share(response: Response) -> Response:
    if request.headers.get("Origin") == HOST:
        response.headers["Access-Control-Allow-Origin"] = HOST
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
    return response
