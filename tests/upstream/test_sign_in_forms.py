"""How a connector is connected, as the catalogue has it; and what becomes of a user's values."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.common.secret import Secret
from bff.connect.forms import ShownForm
from bff.upstream.form_reader import read_form
from bff.upstream.json_reader import read_not_taken
from bff.upstream.sign_in_forms import (
    AuthKind,
    Choice,
    Fault,
    FormField,
    SignInForm,
    credentials_of,
    with_standard_fields,
)
from bff.web.popup.form_fields import key_of, shapes, typed

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)


def parameter(name: str, **more: Any) -> dict[str, Any]:
    """A required property, as Cyclr tells it."""
    return {
        "Name": name,
        "IsAccountConnectorProperty": True,
        "IsOptional": False,
        "IsSensitive": False,
        **more,
    }


@pytest.mark.parametrize(
    ("told", "auth", "fields"),
    [
        ({"AuthType": "OAuth2"}, AuthKind.OAUTH, []),
        ({"AuthType": "OAuth1"}, AuthKind.OAUTH, []),
        ({}, AuthKind.OAUTH, []),
        ({"AuthType": "ApiKey"}, AuthKind.API_KEY, ["api_key"]),
        ({"AuthType": "Basic"}, AuthKind.BASIC, ["username", "password"]),
        (
            {"AuthType": None, "Authentication": [{"AuthType": "Basic"}]},
            AuthKind.BASIC,
            ["username", "password"],
        ),
        ({"AuthType": "None"}, AuthKind.UNSUPPORTED, []),
        ({"AuthType": "AuthFields"}, AuthKind.UNSUPPORTED, []),
        ({"AuthType": "Something new"}, AuthKind.UNSUPPORTED, []),
        ({"AuthType": "OAuth2", "Parameters": [parameter("Domain")]}, AuthKind.OAUTH, ["Domain"]),
        ({"AuthType": "OAuth2", "Parameters": [parameter("Domain", IsOptional=True)]}, AuthKind.OAUTH, []),
        (
            {"AuthType": "OAuth2", "Parameters": [parameter("Of a step", IsAccountConnectorProperty=False)]},
            AuthKind.OAUTH,
            [],
        ),
        ({"AuthType": "ApiKey", "Hitchpost": {"Auth": "none", "Fields": []}}, AuthKind.NONE, []),
        ({"Hitchpost": {"Auth": "two_step"}}, AuthKind.UNSUPPORTED, []),
        (
            {"Hitchpost": {"Auth": "client_credentials"}},
            AuthKind.CLIENT_CREDENTIALS,
            ["client_id", "client_secret"],
        ),
        (
            {"Hitchpost": {"Auth": "oauth2", "Fields": [{"Name": f"f{n}"} for n in range(21)]}},
            AuthKind.UNSUPPORTED,
            [],
        ),
    ],
)
def test_what_the_catalogue_says(told: dict[str, Any], auth: AuthKind, fields: list[str]) -> None:
    """Cyclr by its AuthType and Parameters, the embedded service by an object of its own."""
    form = read_form(told)
    assert form.auth is auth
    assert [one.name for one in form.fields] == fields


def test_a_help_link_leads_to_a_page() -> None:
    """A script, a file or a page without TLS is no help."""
    links = ["https://help.example/key", "javascript:alert(1)", "http://help.example", "//x", "https://", 7]
    told = [{"Name": f"f{number}", "HelpUrl": link} for number, link in enumerate(links)]
    form = read_form({"Hitchpost": {"Auth": "oauth2", "Fields": told}})
    assert [one.help_url for one in form.fields] == ["https://help.example/key", "", "", "", "", ""]


def test_a_key_is_a_secret_whatever_is_said() -> None:
    """Where the catalogue describes it itself, and forgets to say so."""
    form = with_standard_fields(
        SignInForm(AuthKind.BASIC, (FormField("password", "Token"), FormField("team")))
    )
    assert [(one.name, one.sensitive) for one in form.fields] == [
        ("password", True),
        ("team", False),
        ("username", False),
    ]
    assert [one.name for one in form.property_fields] == ["team"]


def asked(**more: Any) -> FormField:
    """A field as the embedded service tells it: a region, unless ``more`` says otherwise."""
    listed = [{"Value": "api", "Label": "World"}, {"Value": "eu.api", "Label": "Europe"}]
    told = {"Name": "region", "Label": "Region", "Choices": listed, **more}
    (field,) = read_form({"Hitchpost": {"Auth": "oauth2", "Fields": [told]}}).fields
    return field


def test_the_first_choice_is_the_usual_one() -> None:
    """Of a value that may be left out there is none; a secret is typed, whatever is said."""
    regions = (Choice("api", "World"), Choice("eu.api", "Europe"))
    assert (asked().choices, asked().default) == (regions, "api")
    assert (asked(Optional=True).choices, asked(Optional=True).default) == (regions, "")
    assert asked(Sensitive=True).choices == ()
    key = with_standard_fields(SignInForm(AuthKind.API_KEY, (replace(asked(), name="api_key"),))).fields[0]
    assert (key.sensitive, key.choices, key.default) == (True, (), "")


@pytest.mark.parametrize(
    ("values", "choices"),
    [
        (["true", "false"], ["true", "false"]),
        ([], []),
        (None, []),
        (["true", {"Value": "false"}], []),
        (["true", ""], []),
        ([str(number) for number in range(501)], []),
    ],
)
def test_cyclr_lists_the_values_of_a_property(values: Any, choices: list[str]) -> None:
    """Which one is usual it does not say. What cannot be understood is typed; its name is the target's."""
    told = parameter("Is Sandbox?", TargetName="isSandbox", Values=values)
    (field,) = read_form({"AuthType": "OAuth2", "Parameters": [told]}).fields
    assert (field.name, field.label, field.default) == ("isSandbox", "Is Sandbox?", "")
    assert [one.value for one in field.choices] == choices


@pytest.mark.parametrize(
    ("optional", "values", "chosen", "lacks"),
    [
        (False, {}, "api", True),
        (False, {"region": "eu.api"}, "eu.api", False),
        (False, {"region": "gone"}, "", True),
        (True, {}, "", False),
        (True, {"region": "eu.api"}, "eu.api", False),
        (True, {"region": "gone"}, "", False),
    ],
)
def test_what_was_chosen_is_shown_while_it_is_a_choice(
    optional: bool, values: dict[str, str], chosen: str, lacks: bool
) -> None:
    """One that is offered no more is asked for again, and nothing takes its place unseen."""
    form = SignInForm(AuthKind.OAUTH, (asked(Optional=optional),))
    (shape,) = shapes(ShownForm(form, 0, values, frozenset()), str)
    assert (shape.value, form.lacks(values)) == (chosen, lacks)


@given(ANYTHING)
def test_any_entry_is_read(document: Any) -> None:
    """Whatever is in it, it is one way or another."""
    ours, listed = {"Auth": "oauth2", "Fields": [{"Name": "a", "Choices": document}]}, parameter("a")
    for told in (
        {"Hitchpost": document},
        {"Hitchpost": ours},
        {"Parameters": document, "Authentication": document},
        {"AuthType": "Basic", "Parameters": [{**listed, "Values": document, "TargetName": document}]},
        document,
    ):
        if isinstance(told, dict):
            assert isinstance(read_form(told).auth, AuthKind)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("north", "north"),
        (" north\t", "north"),
        ("north.shop.example", "north"),
        ("https://north.shop.example/", "north"),
        ("http://north.shop.example", "north"),
        ("shop.example", "shop.example"),
        ("https://north.shop.example/admin/products", "north"),
        ("https://north.shop.example?from=mail", "north"),
        ("HTTPS://North.Shop.Example/#top", "north"),
        ("north.shop.example/admin", "north"),
        ("North", "north"),
    ],
)
def test_people_paste_whole_addresses(sent: str, kept: str) -> None:
    """What is shown beside the field is taken off, and all of the address bar that is no part of the host."""
    form = SignInForm(AuthKind.OAUTH, (FormField("shop", prefix="https://", suffix=".shop.example"),))
    assert typed(form, {key_of(0): sent})["shop"].reveal() == kept


@pytest.mark.parametrize(
    ("prefix", "suffix", "sent", "kept"),
    [
        ("", ".example.com/api", "https://north.example.com/api/v2", "north"),
        ("https://", "/", "HTTPS://Cloud.Example/Team/", "cloud.example"),
        ("https://", "", "HTTPS://Cloud.Example/Team/", "cloud.example/Team"),
        ("www.", "", "https://WWW.Example.com.br", "example.com.br"),
        ("app.example.com/", "", "https://app.example.com/North", "North"),
        ("app.example.com/", "", "North", "North"),
        ("key_", "", "key_AbC", "AbC"),
        ("", "@example.com", "Ada@example.com", "Ada"),
        ("", "", "https://Cloud.Example/Team/?a=B", "https://Cloud.Example/Team/?a=B"),
    ],
)
def test_only_what_is_no_part_of_the_value_is_taken_off(
    prefix: str, suffix: str, sent: str, kept: str
) -> None:
    """A path may belong to it, and case may matter outside of a host."""
    form = SignInForm(AuthKind.OAUTH, (FormField("place", prefix=prefix, suffix=suffix),))
    assert typed(form, {key_of(0): sent})["place"].reveal() == kept


def test_a_password_is_taken_as_it_is() -> None:
    """A blank at its end may belong to it; one around a key never does."""
    form = with_standard_fields(SignInForm(AuthKind.BASIC))
    values = typed(form, {key_of(0): " ada ", key_of(1): " a b "})
    given_ = credentials_of(form, values, "t")
    assert given_.auth_value is not None
    assert base64.b64decode(given_.auth_value.reveal()) == b"ada: a b "


def test_a_client_is_kept_under_cyclrs_names() -> None:
    """Where its grant is looked for when it is renewed."""
    form = with_standard_fields(SignInForm(AuthKind.CLIENT_CREDENTIALS, (FormField("team"),)))
    values = {"client_id": Secret("i"), "client_secret": Secret("s"), "team": Secret("t")}
    given_ = credentials_of(form, values, "t")
    assert set(given_.properties) == {"ClientId", "ClientSecret", "team"}
    assert given_.auth_value is None


def test_a86_nothing_typed_is_shown_by_accident() -> None:
    """Not even by a trace."""
    form = with_standard_fields(SignInForm(AuthKind.API_KEY))
    assert "hidden" not in repr(credentials_of(form, {"api_key": Secret("hidden")}, "t"))


@pytest.mark.parametrize(
    ("fields", "unreachable", "told", "whole"),
    [
        ({"host": "unreachable"}, True, {"host": Fault.UNREACHABLE}, Fault.UNREACHABLE),
        ({}, True, {}, Fault.UNREACHABLE),
        (
            {"host": "refused", "api_key": "refused"},
            False,
            {"host": Fault.REFUSED, "api_key": Fault.REFUSED},
            None,
        ),
        ({}, False, {}, Fault.REFUSED),
    ],
)
def test_a_host_where_nothing_answers_is_told_beside_its_field(
    fields: dict[str, str], unreachable: bool, told: dict[str, Fault], whole: Fault | None
) -> None:
    """And for the whole form, so that nobody takes the key for wrong."""
    found = read_not_taken({"Hitchpost": {"Fields": fields}}, unreachable=unreachable)
    assert (found.fields, found.form_fault) == (told, whole)
