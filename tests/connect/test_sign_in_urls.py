"""The URL that signs one browser in: percent-encoded, for one connector of one account, to known pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest

from bff.common.errors import InvalidRequest, OriginNotRegistered, UnknownConnector
from bff.common.secret import Secret, fingerprint
from bff.content.minted_url import LONGEST_CONNECTOR_ID, MOST, check_url_of_message, length_fault, sign_in_url
from bff.content.product import MessageKind, MessageTemplate
from bff.identity.principal import User
from bff.studio.access import Role, StudioSession, email_fault
from tests.support.watched_core import ACME, CRM, HOST, PRODUCT, SERVICE, WatchedCore


def test_every_value_survives_its_way_through_the_url() -> None:
    """Tokens are standard base64, and messages are any text: a plus arrives as a plus."""
    message = 'é 🎉 +&%#="'
    url = sign_in_url("https://p.example", 12, Secret("a+b/c="), "https://app.example/x?y=1", message)
    parts = urlsplit(url.reveal())
    assert (parts.scheme, parts.netloc, parts.path) == (
        "https",
        "p.example",
        "/connectorauth/updateaccountconnectoroauth",
    )
    assert parse_qsl(parts.query) == [
        ("id", "12"),
        ("token", "a+b/c="),
        ("targetOrigin", "https://app.example/x?y=1"),
        ("callbackMessage", message),
    ]
    assert "callbackMessage" not in sign_in_url("https://p.example", 1, Secret("t"), HOST, None).reveal()
    assert sign_in_url("https://p.example", 1, Secret("t"), HOST, "").reveal().endswith("&callbackMessage=")


class TestMint:
    """A URL for a host's server, to pages that its product registered."""

    def mint(self, core: WatchedCore, **more: Any) -> str:
        """The URL, for Ada."""
        asked = {"connector": "crm", "target_origin": HOST, "callback_message": "done"} | more
        url, expires_at = core.urls.mint(PRODUCT, ACME, User("ada"), **asked)
        assert expires_at == core.clock() + timedelta(minutes=5)
        return url.reveal()

    def test_the_url_is_for_this_user_and_connector(self, core: WatchedCore) -> None:
        """One token is minted, for the account's own copy of the connector."""
        url = self.mint(core)
        assert url == sign_in_url(SERVICE, 7, Secret("token-0"), HOST, "done").reveal()
        assert core.partner.of("mint") == [[ACME, "ada"]]
        assert core.partner.of("list") == [[ACME]]

    def test_without_a_message_it_may_lead_to_any_page_of_the_product(self, core: WatchedCore) -> None:
        """With one it is the bare origin: a window message has no path."""
        page = f"{HOST}/settings?tab=2"
        assert self.mint(core, target_origin=page, callback_message=None).endswith(
            "&targetOrigin=https%3A%2F%2Fapp.example%2Fsettings%3Ftab%3D2"
        )
        with pytest.raises(InvalidRequest, match=r"bare origin, https://app\.example"):
            self.mint(core, target_origin=page)
        assert self.mint(core, target_origin="https://second.example")

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example",
            "https://app.example.evil.example",
            "https://app.example@evil.example",
            "http://app.example",
            "//app.example",
            "",
        ],
    )
    def test_nowhere_else(self, core: WatchedCore, target: str) -> None:
        """Nothing is minted for it."""
        for message in ("done", None):
            with pytest.raises(OriginNotRegistered, match="demo"):
                self.mint(core, target_origin=target, callback_message=message)
        assert core.partner.of("mint") == []

    def test_for_no_connector_that_is_not_offered(self, core: WatchedCore) -> None:
        """Its key is named."""
        with pytest.raises(UnknownConnector, match=r"'erp'.*demo"):
            self.mint(core, connector="erp")

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ({"callback_message": "x" * 2000}, f"callback_message: .* {MOST} is the most"),
            ({"callback_message": "é" * 400}, "callback_message: .* characters"),
            (
                {"callback_message": None, "target_origin": f"{HOST}/{'x' * 1900}"},
                "target_origin: .* characters",
            ),
            ({"callback_message": "a\x00b"}, "callback_message: there is a control character"),
            ({"callback_message": "a\x1bb"}, "callback_message: there is a control character"),
            ({"callback_message": "\ud800"}, "callback_message: there is a control character"),
            (
                {"callback_message": None, "target_origin": f"{HOST}/\x00"},
                "target_origin: .* is not registered",
            ),
            (
                {"callback_message": None, "target_origin": f"{HOST}/\udfff"},
                "target_origin: .* is not registered",
            ),
        ],
    )
    def test_none_that_not_everything_on_its_way_takes(
        self, core: WatchedCore, said: dict[str, Any], fault: str
    ) -> None:
        """The field is named, and nothing is minted for it."""
        with pytest.raises((InvalidRequest, OriginNotRegistered), match=fault):
            self.mint(core, **said)
        assert core.partner.of("mint") == []


class TestSeveral:
    """A URL for a connector that an account may connect several times."""

    def test_it_adds_an_account_beside_those_that_are_connected(self, core: WatchedCore) -> None:
        """Unless the host's server names the one to reconnect."""
        several = replace(PRODUCT, connectors=(replace(CRM, multiple=True),))
        core.partner.authenticated = True
        asked: dict[str, Any] = {"connector": "crm", "target_origin": HOST, "callback_message": "done"}
        added, _ = core.urls.mint(several, ACME, User("grace"), **asked)
        named, _ = core.urls.mint(several, ACME, User("grace"), **asked, connection=7)
        ids = [dict(parse_qsl(urlsplit(url.reveal()).query))["id"] for url in (added, named)]
        assert ids == ["70", "7"]


class TestLength:
    """No minted URL is longer than what everything on its way takes."""

    @pytest.mark.parametrize("letter", ["x", "+", "é", "€", "🎉"])
    def test_whatever_the_letters(self, letter: str) -> None:
        """One letter more than fits is refused, however many characters it becomes."""
        short = len(sign_in_url(SERVICE, LONGEST_CONNECTOR_ID, Secret("+" * 32), HOST, "").reveal())
        fitting = (MOST - short) // len(quote_plus(letter))
        check_url_of_message(SERVICE, HOST, letter * fitting)
        with pytest.raises(InvalidRequest, match="the sign-in URL would have"):
            check_url_of_message(SERVICE, HOST, letter * (fitting + 1))

    def test_to_the_very_character(self) -> None:
        """2,000 characters are taken, 2,001 are not."""
        short = len(sign_in_url(SERVICE, LONGEST_CONNECTOR_ID, Secret("+" * 32), HOST, "").reveal())
        check_url_of_message(SERVICE, HOST, "x" * (MOST - short))
        with pytest.raises(InvalidRequest, match=f"{MOST + 1} characters"):
            check_url_of_message(SERVICE, HOST, "x" * (MOST + 1 - short))
        fits = MessageTemplate(MessageKind.PLAIN, "x" * (MOST - short))
        long = MessageTemplate(MessageKind.PLAIN, "x" * (MOST + 1 - short))
        assert length_fault(fits, SERVICE, [HOST], [("crm", "CRM")]) == []
        (fault,) = length_fault(long, SERVICE, [HOST], [("crm", "CRM")])
        assert f"{MOST + 1} characters, 1 more" in fault
        assert length_fault(fits, SERVICE, [HOST, HOST + "x"], [("crm", "CRM")])

    def test_the_longest_connector_counts(self) -> None:
        """By key and by name."""
        named = MessageTemplate(MessageKind.PLAIN, "{connector}{connector_name}")
        assert length_fault(named, SERVICE, [HOST], [("a", "b"), ("k" * MOST, "n")])
        assert length_fault(named, SERVICE, [HOST], [("a", "n" * MOST), ("k", "n")])


class TestSecret:
    """A secret shows itself on purpose only."""

    def test_it_prints_as_nothing(self) -> None:
        """In a text, in a list, in a log."""
        assert str(Secret("hidden")) == repr(Secret("hidden")) == "Secret('***')"
        assert "hidden" not in f"{[Secret('hidden')]}"

    def test_it_is_compared_by_its_value(self) -> None:
        """And with nothing but a secret."""
        assert Secret("a") == Secret("a")
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"
        assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
        assert Secret("é") == Secret("é")

    def test_an_empty_one_is_none(self) -> None:
        """As an empty text."""
        assert not Secret("")
        assert Secret("x")

    def test_a_fingerprint_is_its_sha_256(self) -> None:
        """In hexadecimal (FIPS 180-4, the example "abc")."""
        assert fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class TestStudioAccess:
    """Who may be invited, and what they may do."""

    def test_a_publisher_may_publish_and_an_editor_may_not(self) -> None:
        """The role decides."""
        assert StudioSession("demo", "ada@acme.example", Role.PUBLISHER, "csrf").may_publish
        assert not StudioSession("demo", "ada@acme.example", Role.EDITOR, "csrf").may_publish

    @pytest.mark.parametrize("text", ["ada@acme.example", "a+b@x", "zoë@müller.example", "o'neil@x.example"])
    def test_an_address_is_taken(self, text: str) -> None:
        """By its form."""
        assert email_fault(text) is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ada",
            "@x",
            "ada@",
            "a b@x",
            "a@b@c",
            "a@x\n",
            "a@x?bcc=b",
            "a@x,b@y",
            "<a@x>",
            "a@x\u200b",
            "a" * 65 + "@x",
        ],
    )
    def test_anything_else_is_refused_by_name(self, text: str) -> None:
        """Nothing that a mail program would read as more than one address."""
        assert repr(text) in (email_fault(text) or "")
