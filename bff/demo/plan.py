"""The demo's configuration: addresses, secrets, files and the environment of its programs."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bff.common.faulty_file import FaultyFile
from bff.serving.text_files import text_of

DEFAULT_FOLDER: Final = ".demo"
DEFAULT_PORT: Final = 8000
SANDBOX_IN_FILES: Final = "http://127.0.0.1:8003"
PRODUCT: Final = "demo"
ACCOUNT: Final = "acme"
SANDBOX_KEY: Final = "sandbox-demo-secret"
"""Public, as the demo listens on loopback only."""
UNHURRIED: Final = {
    "HITCHPOST_LIMIT_USER_ATTEMPTS": "6000",
    "HITCHPOST_LIMIT_USER_LAUNCHES": "6000",
    "HITCHPOST_LIMIT_ACCOUNT_ATTEMPTS": "6000",
    "HITCHPOST_LIMIT_ACCOUNT_LAUNCHES": "6000",
}
"""High rate limits, as the demo has one user, and is often driven by automated tests."""
CATALOGUE: Final = Path(__file__).parent.parent / "partner" / "demo-catalogue.toml"


@dataclass(frozen=True)
class Plan:
    """One demo: the folder of its files, and the first of its four ports."""

    folder: Path
    port: int
    catalogue: Path
    extra_products: Path | None
    secrets: dict[str, str]

    @property
    def host(self) -> str:
        """The host page. Another site than the other programs, so that cookies are cross-site."""
        return f"http://localhost:{self.port}"

    @property
    def bff(self) -> str:
        """The BFF."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def partner(self) -> str:
        """The embedded partner service."""
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def sandbox(self) -> str:
        """The sandbox third party."""
        return f"http://127.0.0.1:{self.port + 3}"

    @property
    def database_url(self) -> str:
        """The BFF's database."""
        return f"sqlite:///{self.folder.resolve() / 'bff.db'}"


def make_plan(environ: Mapping[str, str]) -> Plan:
    """Read the plan from the environment. Raises ``FaultyFile`` for faulty settings."""
    faults = []
    folder = Path(environ.get("HITCHPOST_DEMO_DIR") or DEFAULT_FOLDER)
    text = environ.get("HITCHPOST_DEMO_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1 <= int(text) <= 65532:
        faults.append(f"HITCHPOST_DEMO_PORT: {text!r} is no port with three more after it; write 8000, say")
    named = {name: environ.get(f"HITCHPOST_DEMO_{name}") for name in ("CATALOGUE", "PRODUCTS")}
    for name, path in named.items():
        if path and not Path(path).is_file():
            faults.append(f"HITCHPOST_DEMO_{name}: there is no file {path}")
    if faults:
        raise FaultyFile(faults)
    folder.mkdir(parents=True, exist_ok=True)
    return Plan(
        folder=folder,
        port=int(text),
        catalogue=Path(named["CATALOGUE"] or CATALOGUE),
        extra_products=Path(named["PRODUCTS"]) if named["PRODUCTS"] else None,
        secrets=_secrets(folder / "secrets.json"),
    )


def write_files(plan: Plan) -> list[dict[str, Any]]:
    """Write the demo's catalogue and product file; return the catalogue's connectors."""
    try:
        text = text_of(plan.catalogue.read_bytes()).replace(SANDBOX_IN_FILES, plan.sandbox)
        connectors: list[dict[str, Any]] = tomllib.loads(text).get("connector", [])
    except ValueError as error:
        raise FaultyFile([f"{plan.catalogue}: is no TOML: {error}"]) from None
    (plan.folder / "catalogue.toml").write_text(text, encoding="utf-8")
    usable = [item for item in connectors if isinstance(item, dict) and isinstance(item.get("key"), str)]
    (plan.folder / "products.toml").write_text(_products(plan, usable), encoding="utf-8")
    return usable


def write_summary(plan: Plan) -> None:
    """Write ``demo.json``, for programs that drive the demo: URLs, keys and credentials."""
    summary = {
        "host": plan.host,
        "bff": plan.bff,
        "partner": plan.partner,
        "sandbox": plan.sandbox,
        "product": PRODUCT,
        "secret_key": plan.secrets["secret_key"],
        "account": ACCOUNT,
        "partner_client_id": plan.secrets["partner_client_id"],
        "partner_client_secret": plan.secrets["partner_client_secret"],
    }
    path = plan.folder / "demo.json"
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(summary, indent=2) + "\n")
    unfinished.replace(path)


def write_environment(plan: Plan) -> None:
    """Write ``env``, which a shell sources to run commands on the demo. Readable by its owner only."""
    path = plan.folder / "env"
    path.touch(mode=0o600)
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in _own(plan).items())
    path.write_text("".join(lines), encoding="utf-8")


def environment(plan: Plan) -> dict[str, str]:
    """The environment of the demo's programs, added to the caller's."""
    return UNHURRIED | os.environ | _own(plan)


def _own(plan: Plan) -> dict[str, str]:
    folder = plan.folder.resolve()
    secret = plan.secrets
    return {
        "HITCHPOST_PUBLIC_URL": plan.bff,
        "HITCHPOST_BIND": plan.bff.removeprefix("http://"),
        "HITCHPOST_DATABASE_URL": plan.database_url,
        "HITCHPOST_SECRET_KEYS": secret["signing_key"],
        "HITCHPOST_LOG_FORMAT": "console",
        "HITCHPOST_PARTNER_API_URL": plan.partner,
        "HITCHPOST_PARTNER_SERVICE_URL": plan.partner,
        "HITCHPOST_PARTNER_CLIENT_ID": secret["partner_client_id"],
        "HITCHPOST_PARTNER_CLIENT_SECRET": secret["partner_client_secret"],
        "HITCHPOST_EMBEDDED_PUBLIC_URL": plan.partner,
        "HITCHPOST_EMBEDDED_LOG_FORMAT": "console",
        "HITCHPOST_EMBEDDED_BIND": plan.partner.removeprefix("http://"),
        "HITCHPOST_EMBEDDED_DATABASE_URL": f"sqlite:///{folder / 'partner.db'}",
        "HITCHPOST_EMBEDDED_CATALOGUE": str(folder / "catalogue.toml"),
        "HITCHPOST_EMBEDDED_CLIENT_ID": secret["partner_client_id"],
        "HITCHPOST_EMBEDDED_CLIENT_SECRET": secret["partner_client_secret"],
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": secret["encryption_key"],
        "HITCHPOST_SANDBOX_BIND": plan.sandbox.removeprefix("http://"),
        "HITCHPOST_SANDBOX_PUBLIC_URL": plan.sandbox,
        "HITCHPOST_SANDBOX_CLIENT_ID": "hitchpost",
        "HITCHPOST_SANDBOX_CLIENT_SECRET": secret["sandbox_client_secret"],
        "HITCHPOST_SANDBOX_REDIRECT_URIS": f"{plan.partner}/connector/callback",
        "HITCHPOST_DEMO_DIR": str(folder),
        "HITCHPOST_DEMO_PORT": str(plan.port),
        "HITCHPOST_DEMO_COOKIE_KEY": secret["cookie_key"],
    }


def _secrets(path: Path) -> dict[str, str]:
    # Kept between runs, as the database contains values encrypted with them.
    if path.is_file():
        stored: dict[str, str] = json.loads(path.read_text())
        return _with_webhook_secret(path, stored)
    created = {
        "signing_key": secrets.token_hex(32),
        "secret_key": "sk_demo_" + secrets.token_urlsafe(24),
        "partner_client_id": "demo-" + secrets.token_hex(8),
        "partner_client_secret": secrets.token_hex(32),
        "encryption_key": "demo:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "sandbox_client_secret": SANDBOX_KEY,
        "cookie_key": secrets.token_hex(32),
    }
    path.touch(mode=0o600)
    return _with_webhook_secret(path, created)


def _with_webhook_secret(path: Path, values: dict[str, str]) -> dict[str, str]:
    # The file of an earlier release has none.
    if "webhook_secret" not in values:
        values["webhook_secret"] = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        path.write_text(json.dumps(values, indent=2) + "\n")
    return values


def _products(plan: Plan, connectors: list[dict[str, Any]]) -> str:
    keys = ", ".join(json.dumps(item["key"]) for item in connectors)
    named = "\n".join(
        f"[product.connector.{item['key']}]\nname = {json.dumps(item.get('name', item['key']))}"
        for item in connectors
    )
    return f"""\
[[product]]
key = "{PRODUCT}"
name = "Demo SaaS"
origins = ["{plan.host}"]
secret_keys = ["{plan.secrets["secret_key"]}"]
connectors = [{keys}]
{named}
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
[product.messages.crm-connected]
kind = "plain"
text = "crm-connected"
[[product.webhook]]
url = "{plan.host}/hitchpost"
secret = "{plan.secrets["webhook_secret"]}"
events = ["*"]
"""
