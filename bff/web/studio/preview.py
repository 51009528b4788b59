"""The preview beside the editor: the draft's button in any state, and the popup's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, request

from bff.connect.attempt import Attempt, Delivery, Status
from bff.content.product import DRAFT, Product
from bff.content.wording import is_tag
from bff.content.words import LOCALES, Words
from bff.identity.principal import User
from bff.studio.scenes import ALL_BUTTONS, BUTTON, SCENES, Scene
from bff.web.kit.rendering import html, render
from bff.web.kit.services import services
from bff.web.popup.page import values_of
from bff.web.studio.access import HEADERS, session
from bff.web.studio.errors import trouble
from bff.web.studio.form_samples import values as form_values
from bff.web.studio.live import account_of
from bff.web.studio.page_context import address

routes = Blueprint("preview", __name__)
SCHEMES: Final = ("light", "dark")
APP: Final = "https://app.example/integrations"
SUPPORT_CODE: Final = "ABCD-2345"
ACCOUNTS: Final = {"account": "ada@acme.example", "other_account": "grace@acme.example"}
HEALED: Final = frozenset({"failed", "partner_unavailable", "rate_limited", "network"})
"""The errors whose page has a button to try again."""
AGAIN: Final[dict[str, str]] = {}
NOTHING: Final = ""
"""Replaces launch tokens, as a preview launches nothing."""
# Forms cannot be submitted. The editor's script disables links.
FRAME_POLICY: Final = (
    HEADERS["Content-Security-Policy"]
    .replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    .replace("form-action 'self'", "form-action 'none'")
)


@routes.errorhandler(Exception)
def in_words(error: Exception) -> Response:
    """The error page, with a policy that lets the preview's frame show it."""
    response = trouble(error)
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


@routes.get("/preview")
def preview() -> Response:
    """One scene of the draft, in one language, for one connector."""
    product = services().products.get(session().product + DRAFT)
    assert product is not None  # noqa: S101  # the session is of this product
    scene = SCENES.get(request.args.get("scene", ""), SCENES[BUTTON])
    connector = request.args.get("connector", "")
    if product.connector(connector) is None:
        connector = product.connectors[0].key
    locale = request.args.get("locale", "")
    words = Words(product, [locale if is_tag(locale) else LOCALES[0]], connector)
    requested = request.args.get("scheme", "")
    scheme = requested if requested in SCHEMES else ""
    draw = _page if scene.page else _button
    response = html(draw(product, scene, words, connector, scheme, locale))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


def _button(product: Product, scene: Scene, words: Words, connector: str, scheme: str, locale: str) -> str:
    offered = product.connector(connector)
    assert offered is not None  # noqa: S101  # for the type checker
    values = {"connector_name": services().catalogue.named(offered).name, "product_name": product.name}
    title, next_step = words.error(scene.code, **values, **ACCOUNTS) if scene.code else ("", "")
    every = (offered.key for offered in product.connectors)
    return render(
        "studio/preview_button.html",
        base=address(),
        bff=services().urls.public_url,
        product=product.key,
        scene=scene,
        connectors=list(every) if scene.key == ALL_BUTTONS else [connector],
        locale=locale if is_tag(locale) else "",
        lang=words.lang,
        dir=words.dir,
        scheme=scheme,
        title=title,
        next_step=next_step,
        support_code=SUPPORT_CODE,
    )


def _page(product: Product, scene: Scene, words: Words, connector: str, scheme: str, _locale: str) -> str:
    offered = product.connector(connector)
    assert offered is not None  # noqa: S101  # for the type checker
    named = services().catalogue.named(offered)
    values: dict[str, Any] = values_of(product, words, named.name)
    accounts = ACCOUNTS if scene.key == "error_accounts_named" else {}
    title, next_step = values["error"](scene.code or "failed", **accounts)
    return render(
        f"hitchpost/{scene.page}",
        **values
        | {
            "attempt": _attempt(product, connector, words.lang),
            "origin": "",
            "scheme": scheme,
            "preview": True,
            "state": scene.state or "",
            "code": scene.code or "",
            "title": title,
            "next_step": next_step,
            "support_code": SUPPORT_CODE,
            "launch_token": NOTHING,
            "confirmation": NOTHING,
            "handed_in": {},
            "seconds": 0,
            "address": APP,
            "again": AGAIN if scene.code in HEALED else None,
        }
        | form_values(scene.state or "", values["text"]),
    )


def _attempt(product: Product, connector: str, lang: str) -> Attempt:
    offered, now = product.connector(connector), datetime.now(UTC)
    assert offered is not None  # noqa: S101  # for the type checker
    return Attempt(
        id="att_preview",
        support_code=SUPPORT_CODE,
        status=Status.CREATED,
        product=product.key,
        account=account_of(session().product),
        user=User("ada", "Ada Lovelace", session().email),
        connector=offered,
        message="",
        callback_message="",
        delivery=Delivery.MESSAGE,
        locale=lang,
        origin="",
        return_url=APP,
        launch_token_sha256=NOTHING,
        created_at=now,
        expires_at=now,
    )
