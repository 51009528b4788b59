"""A bare Flask handler: the one call to the partner service and the redirect, nothing else.

Run by gunicorn as ours is: one worker, threads, connections kept alive. ``PARTNER`` is the service's URL.
"""

import os

import requests
from flask import Flask, redirect
from requests.adapters import HTTPAdapter
from werkzeug.wrappers import Response

MINT = os.environ["PARTNER"] + "/v1.0/accounts/acme/signintoken"
PAGES = "https://partner.example.com/connectorauth/updateaccountconnectoroauth"

app = Flask(__name__)
partner = requests.Session()
partner.headers["Authorization"] = "Bearer " + "a" * 64
partner.mount("http://", HTTPAdapter(pool_maxsize=64))


@app.post("/connect/launch")
def launch() -> Response:
    """Mint a sign-in token and send the browser on."""
    answer = partner.post(MINT, json={"Username": "ada"}, timeout=10)
    answer.raise_for_status()
    return redirect(f"{PAGES}?id=1001&token={answer.json()['Token']}", 303)
