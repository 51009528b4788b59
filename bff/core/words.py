"""What a person reads, in one catalogue of keys with English defaults; a product may replace each."""

from __future__ import annotations

from typing import Final

from bff.core.model import Product

WIDGET: Final = {
    "button": "Connect {connector_name}",
    "opening": "Opening the sign-in window…",
    "waiting": "Continue in the window that opened.",
    "finishing": "Finishing…",
    "connected": "Connected",
    "declined": "Not connected: access was declined.",
    "failed": "Not connected.",
    "expired": "Not connected: the time ran out.",
    "cancelled": "Cancelled",
    "unsure": "Did you close the sign-in window?",
    "popup_blocked": "Your browser blocked the sign-in window.",
    "open_again": "Open again",
    "cancel": "Cancel",
    "continue_here": "Continue in this tab",
    "account_mismatch": "Not changed: another account signed in.",
    "use_account": "Use this account instead",
    "try_again": "Try again",
}
"""The words that the widget shows, by key."""

ERRORS: Final = {
    "popup_blocked": (
        "The sign-in window was blocked",
        "Allow pop-ups for this site, or continue in this tab.",
    ),
    "cancelled": ("Cancelled", "Start again whenever you like."),
    "declined": ("Access was declined", "To connect, start again and allow access."),
    "failed": ("The sign-in did not work", "Try again. If it keeps failing, tell support the code shown."),
    "expired": ("The time ran out", "Start again, and finish signing in within 15 minutes."),
    "not_signed_in": ("You are signed out", "Sign in to this page again, then connect."),
    "connector_unavailable": ("This connection is not available", "Try again later, or ask support."),
    "partner_unavailable": ("The connection service does not answer", "Wait a minute, then try again."),
    "network": ("No connection to the internet", "Check your network; we keep trying."),
    "invalid_request": ("This page asked for something impossible", "Tell the people who run this page."),
    "account_mismatch": (
        "Another account signed in",
        "The account from before is still connected. Choose which one to use.",
    ),
    "launch_refused": ("This sign-in link is no longer good", "Go back to the page and press Connect again."),
    "not_found": ("There is nothing here", "Go back to the page that you came from."),
}
"""Title and next step, by error code: what went wrong and what to do."""

PAGES: Final = {
    "page_opening": "Opening {connector_name}…",
    "page_opening_hint": "This takes a moment.",
    "page_stranded": "Go on in {product_name}",
    "page_stranded_hint": "This window has lost the page that opened it. Close it and go back: there you can"
    " continue in the same tab, or press Connect again.",
    "page_interstitial_title": "Connect {connector_name} to {product_name}?",
    "page_interstitial_warning": "Go on only if you started this yourself. Whatever you sign in to now will"
    " be connected for the account and the person named here.",
    "page_interstitial_button": "Continue to {connector_name}",
    "page_return_title": "Finishing…",
    "page_return_done": "Done. You can close this window.",
    "page_return_back": "Back to {product_name}",
    "page_in_app_title": "Open this page in your browser",
    "page_in_app_hint": "{connector_name} does not allow signing in inside another app. Open the page in"
    " Safari, Chrome or Firefox: copy its address, or use the menu of the app you are in.",
    "page_in_app_address": "Address of the page",
    "page_in_app_copy": "Copy the address",
    "page_in_app_copied": "Copied",
    "page_in_app_anyway": "Try it here anyway",
    "page_close": "Close this window",
    "page_account": "Account",
    "page_user": "Signed in as",
    "page_support_code": "Support code:",
}
"""The words of the pages in the popup, by key."""


def for_product(product: Product | None, key: str, **values: str) -> str:
    """The text of ``key`` for this product, its placeholders filled. Values are inserted as plain text."""
    default = WIDGET.get(key) or PAGES.get(key) or ""
    text = product.words.get(key, default) if product else default
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def for_error(product: Product | None, code: str) -> tuple[str, str]:
    """Title and next step of an error code, as an end user should read them."""
    title, next_step = ERRORS.get(code, ERRORS["failed"])
    words = product.words if product else {}
    return words.get(f"error_{code}_title", title), words.get(f"error_{code}_next_step", next_step)


def widget_words(product: Product) -> dict[str, str]:
    """Every word that the widget may show, the product's own where it has some."""
    return {key: product.words.get(key, text) for key, text in WIDGET.items()}


def known_keys() -> frozenset[str]:
    """Every key that a product may replace."""
    errors = {f"error_{code}_{part}" for code in ERRORS for part in ("title", "next_step")}
    return frozenset(WIDGET) | frozenset(PAGES) | errors
