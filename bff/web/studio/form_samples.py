"""Sample values for the preview of sign-in forms: one field of each kind, and each fault."""

from __future__ import annotations

from typing import Any, Final

from bff.connect.forms import ShownForm
from bff.upstream.sign_in_forms import AuthKind, Choice, Fault, FormField, SignInForm, with_standard_fields
from bff.web.popup.form_fields import WORDS, Shape, Text, label_of, shapes

ADDRESS: Final = FormField(
    "address",
    label="example",
    prefix="https://",
    suffix=".example.com",
    help_url="https://www.example.com/",
    optional=True,
)
REGION: Final = FormField("region", label="example", choices=(Choice("example", "example"),))
NO_TOKEN: Final = ""
"""Replaces form tokens, as a preview submits nothing."""
_AUTH_KINDS: Final = {
    "basic": AuthKind.BASIC,
    "client": AuthKind.CLIENT_CREDENTIALS,
    "continue": AuthKind.OAUTH,
}


def values(state: str, text: Text) -> dict[str, Any]:
    """The template variables of the form for one of its scenes."""
    form = with_standard_fields(SignInForm(_AUTH_KINDS.get(state, AuthKind.API_KEY), (ADDRESS,)))
    common: dict[str, Any] = {"form_token": NO_TOKEN, "goes_on": form.auth is AuthKind.OAUTH, "whole": []}
    if state != "faults":
        return common | {"fields": shapes(ShownForm(form, 0, {}, frozenset()), text)}
    messages = [text(WORDS[fault]) for fault in Fault if fault is not Fault.UNREACHABLE]
    messages.append(text("page_form_no_address"))
    named = [FormField(name, sensitive=True) for name in ("api_key", "client_secret", "password")]
    samples = [*named, FormField("client_id"), FormField("username"), ADDRESS, REGION]
    messages += ["", text("page_form_choice")]
    fields = [
        Shape(
            f"v{place}",
            label_of(one, text),
            one,
            fault=fault,
            kept=place == 0,
        )
        for place, (one, fault) in enumerate(zip(samples, messages, strict=True))
    ]
    form_messages = [text(key) for key in ("page_form_unreachable", "page_form_lost", "page_form_again")]
    return common | {"fields": fields, "whole": form_messages}
