"""A Flask application with Flask-WTF's protection and Hitchpost inside.

PORT PARTNER CLIENT_ID CLIENT_SECRET FOLDER.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flask import Flask, Request, session
from flask_wtf import CSRFProtect

from bff import AccountRef, Hitchpost, Principal, User
from bff.settings import load_settings

PORT, PARTNER, CLIENT_ID, CLIENT_SECRET, FOLDER = sys.argv[1:]
URL = f"http://127.0.0.1:{PORT}"
HEARD = Path(__file__).with_name("heard.js").read_text()
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Integrations</title>
  <link rel="icon" href="data:,">
  <script src="/heard.js"></script>
  <script src="/hitchpost/widget/v1/hitchpost.js" data-product="app" defer></script>
</head>
<body>
  <button onclick="integration.innerHTML = integration.innerHTML">Re-render</button>
  <div id="integration"><hitchpost-connect connector="sandbox"></hitchpost-connect></div>
  <p role="status"></p>
</body>
</html>"""


def identify(_request: Request) -> Principal | None:
    """The application's own session says who is signed in."""
    account = session.get("account")
    return Principal("app", AccountRef(account, "Acme"), User("ada", "Ada")) if account else None


app = Flask(__name__)
app.secret_key = "the application's own key"
CSRFProtect(app)
products = Path(FOLDER, "products.toml")
products.write_text(
    f'[[product]]\nkey = "app"\nname = "Host"\norigins = ["{URL}"]\n'
    f'secret_keys = ["sk_{"m" * 24}"]\nconnectors = ["sandbox"]\n'
)
Hitchpost(
    app,
    identify=identify,
    settings=load_settings(
        public_url=f"{URL}/hitchpost",
        database_url=f"sqlite:///{FOLDER}/bff.db",
        secret_keys="k" * 40,
        partner_api_url=PARTNER,
        partner_service_url=PARTNER,
        partner_client_id=CLIENT_ID,
        partner_client_secret=CLIENT_SECRET,
        products=products,
        environment="development",
    ),
)


@app.get("/heard.js")
def heard() -> tuple[str, dict[str, str]]:
    """The recorder of events."""
    return HEARD, {"Content-Type": "text/javascript"}


@app.get("/<account>")
def page(account: str) -> str:
    """The settings page of this account, whose user is signed in by visiting it."""
    session["account"] = account
    return PAGE


if __name__ == "__main__":
    print("ready", flush=True)
    app.run("127.0.0.1", int(PORT), threaded=True)
