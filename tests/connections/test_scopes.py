"""Which of the wanted scopes a third party has not granted, whatever it calls them."""

from __future__ import annotations

import pytest

from bff.connections.scopes import missing_scopes

GRAPH, GOOGLE = "https://graph.microsoft.com/", "https://www.googleapis.com/auth/"
GRANTED = {
    "as asked": ("contacts.read", "contacts.read"),
    "Google's names for who signed in": ("openid email profile", f"openid {GOOGLE}userinfo.email"),
    "and asked by those names": (f"{GOOGLE}userinfo.email {GOOGLE}drive", f"email {GOOGLE}drive"),
    "Microsoft's API before each": ("User.Read Mail.Read", f"{GRAPH}User.Read {GRAPH}Mail.Read"),
    "asked with it, and answered without": (f"{GRAPH}User.Read", "User.Read"),
    "in another case": ("User.Read", f"{GRAPH}user.read"),
    "no refresh token listed": ("offline_access User.Read", f"profile openid {GRAPH}User.Read"),
    "what is configured at Microsoft": (f"{GRAPH}.default", f"{GRAPH}User.Read"),
    "a slash at the end": ("https://mail.google.com/", "https://mail.google.com"),
    "included in one that is granted": ("user user:email read:org", "user write:org"),
    "reading included in writing": ("read_products write_products", "write_products"),
    "and written the other way round": ("insight:read insight:write", "insight:write"),
}
MISSING = {
    "another right": ("contacts.read contacts.write", "contacts.read", ["contacts.write"]),
    "one of Google's": (f"email {GOOGLE}drive", f"{GOOGLE}drive.readonly", [f"{GOOGLE}drive"]),
    "one of Microsoft's": ("User.Read Mail.Read", f"{GRAPH}User.Read", ["Mail.Read"]),
    "the same name in another API": (
        "https://outlook.office.com/Mail.Read",
        f"{GRAPH}Mail.Read",
        ["https://outlook.office.com/Mail.Read"],
    ),
    "writing, where reading is granted": ("write_products", "read_products", ["write_products"]),
    "reading of something else": ("read:org", "write:user read:orgs read", ["read:org"]),
    "everything": ("contacts.read", "", ["contacts.read"]),
}


@pytest.mark.parametrize("how", GRANTED)
def test_nothing_is_missing_that_is_granted_by_another_name(how: str) -> None:
    """A host that asks for a reconnect while something is missing would ask for ever."""
    wanted, granted = GRANTED[how]
    assert missing_scopes(wanted.split(), granted.split()) == []


@pytest.mark.parametrize("what", MISSING)
def test_what_the_user_left_out_is_missing(what: str) -> None:
    """In the words in which it was asked for."""
    wanted, granted, missing = MISSING[what]
    assert missing_scopes(wanted.split(), granted.split()) == missing
