"""Where the embedded service's requests can go: nowhere that its operator would not send them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bff.partner.app import create_app
from bff.partner.grants import key_check
from bff.partner.providers import transport
from bff.partner.providers.catalogue import Catalogue, FaultyCatalogue
from bff.partner.providers.catalogue_faults import ENDPOINTS
from bff.partner.providers.credentials import Client
from bff.partner.providers.entries import AskedField, Check
from bff.partner.providers.outbound import policy_of
from bff.partner.providers.provider import Code, Provider, ProviderFailed
from bff.serving.destinations import ForbiddenUrl, Policy, networks_of
from tests.support.raw_server import answers, play
from tests.support.third_party import Connection, ThirdParty
from tests.support.tls import Front, TlsFault, serve_tls, trust
from tests.support.world import World

pytestmark = pytest.mark.one_database

FORBIDDEN = [
    "http://third.example/token",
    "ftp://third.example/token",
    "file:///etc/passwd",
    "//third.example/token",
    "third.example/token",
    "https://",
    "https:///token",
    "https://user@third.example/token",
    "https://user:password@third.example/token",
    "http://localhost:80@attacker.test/token",
    "https://@third.example/token",
    "https://third.example\\@127.0.0.1/token",
    "https://third.example/token#fragment",
    "https://third.example:0/token",
    "https://third.example:99999/token",
    "https://third.example /token",
    "https://third.example/\ttoken",
    "https://thírd.example/token",
    "https://2130706433/token",
    "https://0x7f000001/token",
    "https://0x7f.1/token",
    "https://0177.0.0.1/token",
    "https://127.1/token",
    "https://1.2.3.4.5/token",
    "https://127.0.0.1/token",
    "https://127.0.0.1./token",
    "https://0.0.0.0/token",
    "https://10.0.0.1/token",
    "https://172.16.0.1/token",
    "https://192.168.1.1/token",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/token",
    "https://192.0.0.8/token",
    "https://198.18.0.1/token",
    "https://224.0.0.1/token",
    "https://255.255.255.255/token",
    "https://[::1]/token",
    "https://[::]/token",
    "https://[::ffff:127.0.0.1]/token",
    "https://[::ffff:8.8.8.8]/token",
    "https://[::127.0.0.1]/token",
    "https://[64:ff9b::7f00:1]/token",
    "https://[2002:7f00:1::]/token",
    "https://[2001:0:7f00:1::]/token",
    "https://[2001:db8::1]/token",
    "https://[fe80::1]/token",
    "https://[fe80::1%25eth0]/token",
    "https://[fc00::1]/token",
    "https://[ff02::1]/token",
]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "0.0.0.0",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "fe80::1%eth0",
    "fd00::1",
]


def url_of(port: int) -> str:
    """A URL of this machine."""
    return f"http://localhost:{port}/token"


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a43_a_url_that_leads_elsewhere_than_it_says_is_refused(url: str) -> None:
    """https, no user, and a host that is a name or a public address, written in its one form."""
    with pytest.raises(ForbiddenUrl):
        Policy().check(url)


@pytest.mark.parametrize(
    "url", ["https://third.example/token?a=b", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/token"]
)
def test_a43_a_public_url_is_allowed(url: str) -> None:
    """Names, and public addresses of both families."""
    assert Policy().check(url).scheme == "https"


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost:1/", "http://[::1]/"])
def test_a43_this_machine_is_for_a_service_on_this_machine(url: str) -> None:
    """http, and loopback, only where the service's own public URL is http on it."""
    assert policy_of("http://localhost:8002", ()).check(url)
    for public in ("https://partner.example", "https://localhost", "http://partner.example"):
        with pytest.raises(ForbiddenUrl):
            policy_of(public, ()).check(url)


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("position", [0, 1])
def test_a43_a_name_with_one_address_that_is_not_public_is_refused(address: str, position: int) -> None:
    """Whichever of its addresses it is: nothing is connected to."""
    found = ["93.184.215.14"]
    found.insert(position, address)
    policy = Policy(resolver=lambda _host, _port: found)
    with pytest.raises(transport.NoReply, match="third_party_url_forbidden"):
        transport.send(policy, "GET", "https://third.example/token", headers={})


def test_a43_a_mapped_address_is_not_this_machine() -> None:
    """Not even where this machine may be called."""
    for address in ("::ffff:127.0.0.1", "0.0.0.0", "::"):
        policy = Policy(loopback=True, resolver=lambda _host, _port, address=address: [address])
        with pytest.raises(ForbiddenUrl):
            policy.addresses("localhost", 80)


def test_a43_named_networks_are_allowed_and_no_others() -> None:
    """`allowed_networks` opens what it names."""
    networks = networks_of("10.1.0.0/16, fd00:1::/32")
    policy = Policy(networks=networks)
    assert policy.check("https://10.1.2.3/token")
    assert policy.check("https://[fd00:1::1]/token")
    for url in ("https://10.2.0.1/", "https://[fd00:2::1]/", "https://127.0.0.1/"):
        with pytest.raises(ForbiddenUrl):
            policy.check(url)
    with pytest.raises(ValueError, match=r"write networks such as 10\.1\.0\.0/16"):
        networks_of("10.1.2.3/16")


def test_a43_the_address_that_was_looked_at_is_the_one_connected_to() -> None:
    """A resolver that answers otherwise the second time is not asked a second time (rebinding)."""
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    with socket.create_server(("127.0.0.2", 0)) as listening, _answering(listening) as requests:
        policy = Policy(loopback=True, resolver=resolver)
        reply = transport.send(policy, "GET", url_of(listening.getsockname()[1]), headers={})
    assert (reply.status, reply.body) == (200, b"{}")
    assert asked == ["localhost"]
    assert b"\r\nHost: localhost:" in requests[0]


def test_a44_a_resolver_that_does_not_answer_delays_no_call() -> None:
    """A third party's name servers are no reason to wait longer than for the third party itself."""
    answers = threading.Event()

    def resolver(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if answers.wait(3.0) else []

    policy, limits = Policy(loopback=True, resolver=resolver), transport.Limits(connect=0.2)
    with pytest.raises(transport.NoReply, match="third_party_unreachable"):
        transport.send(policy, "GET", "https://third.example/token", headers={}, limits=limits)
    answers.set()


def test_a43_a_resolver_that_rebinds_to_a_private_address_reaches_nothing() -> None:
    """Public when the URL was configured, private when it is called: the call is what counts."""
    found = iter([["93.184.215.14"], ["127.0.0.1"]])
    policy = Policy(resolver=lambda _host, _port: next(found))
    assert policy.addresses("third.example", 443) == ["93.184.215.14"]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        with pytest.raises(transport.NoReply, match="third_party_url_forbidden"):
            transport.send(policy, "GET", f"https://third.example:{port}/token", headers={})
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_a43_no_redirect_is_followed() -> None:
    """Not to another path, and not to another host."""
    with play(answers(302, b"", "Location: /elsewhere")) as (url, requests):
        assert transport.send(Policy(loopback=True), "GET", f"{url}/token", headers={}).status == 302
    assert len(requests) == 1


def test_a43_the_certificate_must_be_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pinning the address does away with nothing that TLS checks: the name in the URL, and who vouches."""
    front = Front(tmp_path)
    trust(monkeypatch, front.authorities)
    policy = Policy(networks=networks_of("127.0.0.0/8"), resolver=lambda *_: ["127.0.0.1"])
    with serve_tls(front.context) as (served, heard):
        url = served.replace("127.0.0.1", "other.example")
        front.show(TlsFault.WRONG_HOST)
        assert transport.send(policy, "GET", url, headers={}).status == 200
        heard.clear()
        for shown, called in ((None, url), (TlsFault.WRONG_HOST, served), (TlsFault.UNTRUSTED, served)):
            front.show(shown)
            with pytest.raises(transport.NoReply, match="third_party_unreachable") as raised:
                transport.send(policy, "GET", called, headers={})
            assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value.__cause__)
        assert not any(heard)


def test_a43_the_keys_of_a_call_are_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may name a file for the keys of TLS; they would open every secret that is sent."""
    front, keys = Front(tmp_path), tmp_path / "tls-keys"
    trust(monkeypatch, front.authorities)
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    policy = Policy(networks=networks_of("127.0.0.0/8"), loopback=True)
    with serve_tls(front.context) as (url, _):
        assert transport.send(policy, "GET", url, headers={}).status == 200
    assert not keys.exists()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a43_a_service_does_not_start_with_a_url_that_it_must_not_call(
    world: World, third: ThirdParty, name: str
) -> None:
    """Each fault is named: http in production, whichever endpoint it is."""
    item = third.offer(world)
    good = dict.fromkeys(ENDPOINTS, "https://third.example/x")
    faulty = Catalogue([item.model_copy(update={**good, name: f"{third.url}/x"})])
    settings = world.partner_service.settings.model_copy(update={"public_url": "https://partner.example"})
    with pytest.raises(FaultyCatalogue, match=f"connector {item.key}: {name}: write https://"):
        create_app(settings, faulty)


def test_a43_every_call_of_a_third_party_goes_by_the_policy(world: World, third: ThirdParty) -> None:
    """Token, refresh, revocation and user info: none reaches an address that is forbidden."""
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo")
    connection = Connection(world, item).connect()
    kept, asked = connection.credentials(), len(third.asked)
    allowed = world.partner_service.provider.policy
    provider = Provider(replace(allowed, resolver=lambda *_: ["169.254.169.254"]), "r")
    client = Client("hitchpost", "secret")
    calls = (
        lambda: provider.exchange_code(item, client, Code("c", "v", "r", {}, {})),
        lambda: provider.client_credentials(item, client, {}),
        lambda: provider.refresh(item, client, kept),
        lambda: provider.revoke(item, client, "t", "refresh_token", {}),
    )
    for call in calls:
        with pytest.raises(ProviderFailed, match="third_party_url_forbidden"):
            call()
    assert provider.identify(item, kept, None).account is None
    assert len(third.asked) == asked


@pytest.mark.parametrize(
    ("origin", "more", "error"),
    [
        ("https://crm.corp.example:1", {}, "third_party_unreachable"),
        ("https://{team}.corp.example:1", {}, "third_party_unreachable"),
        ("https://{host}:1", {"allowed_hosts": ["*.corp.example"]}, "third_party_unreachable"),
        ("https://{host}:1", {}, "third_party_url_forbidden"),
        ("https://{address}:1", {}, "third_party_url_forbidden"),
        ("{store}", {}, "third_party_url_forbidden"),
    ],
)
def test_a43_hosts_that_users_type_are_in_no_network_of_the_operators(
    world: World, third: ThirdParty, origin: str, more: dict[str, Any], error: str
) -> None:
    """An allowed network is for hosts of the catalogue's choice: token, user info, check and revocation."""
    values = {"team": "a", "host": "a.corp.example", "address": "127.0.0.2", "store": "https://a.example:1"}
    calls = {"token_url": f"{origin}/t", "userinfo_url": f"{origin}/u", "revocation_url": f"{origin}/r"}
    fields = [AskedField(name=name, label=name, pattern=".+") for name in values]
    check = Check(url=f"{origin}/check")
    entry = {**calls, **more, "fields": fields, "check": check}
    item = third.offer(world).model_copy(update=entry)
    networks = networks_of("127.0.0.0/8")
    provider = Provider(Policy(networks=networks, resolver=lambda *_: ["127.0.0.2"]), "r")
    client = Client("hitchpost", "secret")
    for call in (
        lambda: provider.client_credentials(item, client, values),
        lambda: provider.revoke(item, client, "t", "refresh_token", values),
    ):
        with pytest.raises(ProviderFailed, match=error):
            call()
    with pytest.raises(transport.NoReply, match=error):
        key_check.ask(provider, item, values)
    credentials = replace(Connection(world, third.offer(world)).connect().credentials(), values=values)
    said = provider.identify(item, credentials, None).said
    assert said is not None
    assert said.error == error


@contextlib.contextmanager
def _answering(listening: socket.socket) -> Iterator[list[bytes]]:
    requests: list[bytes] = []

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            requests.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield requests
    thread.join(30)
