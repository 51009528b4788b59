"""At the door: which text comes in (A74), and how long a request's head may be (A77)."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from bff.cli import main as cli
from bff.common.faulty_file import FaultyFile
from bff.common.strict_json import FaultyJson, loads
from bff.common.text import id_fault, text_fault
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.principals import principal_fault
from bff.partner.paths import AnyText, EncodedSlashes
from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue
from bff.products.file import read_products
from bff.serving.addresses import client_address, counted_address
from bff.serving.bounds import MOST_FIELDS, MOST_HEADERS, MOST_TARGET, head_fault
from bff.serving.edge import Edge
from tests.support.studio import StudioWorld
from tests.support.world import CATALOGUE, CLIENT_ID, CLIENT_SECRET, HOST, PRODUCTS, World

pytestmark = pytest.mark.one_database

RESERVED = "\ue000"
HALF = "\ud800"
JSON = {"Content-Type": "application/json"}
UNKEPT = {"NUL": "\\u0000", "half a pair": "\\ud83d", "the other half": "\\udc00"}
IDS = {**UNKEPT, "what stands for a slash": "\\ue000"}


def session(**fields: str) -> bytes:
    """A body of ``POST /v1/sessions``; the values are as they stand in JSON."""
    values = {
        "user.id": "ada",
        "user.name": "Ada",
        "user.email": "a@b.example",
        "account.id": "acme",
    } | fields
    values.setdefault("account.name", "Acme")
    parts: dict[str, dict[str, str]] = {"user": {}, "account": {}}
    for field, value in values.items():
        of, _, name = field.partition(".")
        parts[of][name] = value
    made = {
        of: ",".join(f'"{name}":"{value}"' for name, value in found.items()) for of, found in parts.items()
    }
    return f'{{"user":{{{made["user"]}}},"account":{{{made["account"]}}}}}'.encode()


@pytest.mark.parametrize("text", IDS.values(), ids=IDS)
@pytest.mark.parametrize("field", ["user.id", "account.id"])
def test_a74_an_id_that_cannot_be_kept_is_refused(world: World, field: str, text: str) -> None:
    """A clear refusal, on both databases: nothing is stored under another name."""
    answer = world.server("POST", "/v1/sessions", data=session(**{field: f"a{text}b"}), headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert any(word in answer.json()["detail"] for word in ("NUL", "surrogate", "U+E000", "control", "match"))


@pytest.mark.parametrize("text", UNKEPT.values(), ids=UNKEPT)
@pytest.mark.parametrize("field", ["user.name", "user.email", "account.name"])
def test_a74_a_name_that_cannot_be_kept_is_refused(world: World, field: str, text: str) -> None:
    """Names as well."""
    answer = world.server("POST", "/v1/sessions", data=session(**{field: f"a{text}b"}), headers=JSON)
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("body", [b'{"user":"\xed\xa0\x80"}', '{"user":"a"}'.encode("utf-16"), b"\xff"])
def test_a74_bytes_that_are_no_utf8_are_no_json(body: bytes) -> None:
    """Half of a surrogate pair has no bytes in UTF-8, and another encoding is none of JSON's (RFC 8259)."""
    with pytest.raises(FaultyJson):
        loads(body)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 501, "-" + "1" * 5000])
def test_a74_a_number_that_no_reader_keeps_is_refused(number: str) -> None:
    """As large as infinity, or with more digits than any id."""
    with pytest.raises(FaultyJson):
        loads(f'{{"a": {number}}}')


def test_a74_text_that_only_looks_odd_is_taken() -> None:
    """Whole pairs, marks of direction, private use that is nobody's, and what stands for a letter."""
    for text in ("\U0001f600", "\u200f", "\ue001", "\uf8ff", "\ufffd", "", "é"):
        assert text_fault(text) is None
        assert id_fault(text) is None
        assert loads(json.dumps([text])) == [text]
        assert loads(json.dumps([text], ensure_ascii=False)) == [text]


def test_a74_other_queries_of_accounts_are_refused(world: World) -> None:
    """In a query, an id is looked at in the same way."""
    answer = world.server("GET", f"/v1/connections?account=acme{quote(RESERVED)}eu")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a74_ended_sessions_are_of_ids_that_can_be_kept(world: World) -> None:
    """Another route that stores ids."""
    for text in IDS.values():
        body = f'{{"user":{{"id":"a{text}"}}}}'.encode()
        assert world.server("POST", "/v1/sessions/end", data=body, headers=JSON).status_code in {400, 422}


@pytest.mark.parametrize("text", ["\x00", HALF, RESERVED, "\x07", " "])
def test_a74_a_host_apps_own_principal_is_looked_at(text: str) -> None:
    """What the host's own code says comes through a door, too."""
    sound = Principal("shop", AccountRef("acme", "Acme"), User("ada", "Ada", "a@b.example"))
    assert principal_fault(sound) is None
    for account, user in (
        (AccountRef(f"a{text}", "Acme"), User("ada")),
        (AccountRef("acme", "Acme"), User(f"a{text}")),
        (AccountRef("a" * 256, "Acme"), User("ada")),
        (AccountRef("", "Acme"), User("ada")),
        (AccountRef("acme", "A" * 256), User("ada")),
    ):
        assert principal_fault(Principal("shop", account, user)) is not None


@pytest.fixture
def partner(world: World) -> Iterator[requests.Session]:
    """An API client of the embedded service."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    told = requests.post(f"{world.partner}/oauth/token", data=form, timeout=10).json()
    with requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {told['access_token']}"
        yield client


def test_a74_an_account_overwrites_no_other_by_what_stands_for_a_slash(
    world: World, partner: requests.Session
) -> None:
    """``acme<U+E000>eu`` is not ``acme/eu``: in no body and in no path."""
    slashed, reserved = f"{world.account}/eu", f"{world.account}{RESERVED}eu"
    base = f"{world.partner}/v1.0/accounts"
    assert partner.post(base, json={"Id": slashed, "Name": "Slashed"}, timeout=10).status_code == 200
    refused = partner.post(base, json={"Id": reserved, "Name": "Reserved"}, timeout=10)
    assert (refused.status_code, "U+E000" in refused.json()["Message"]) == (400, True)
    for sent in (quote(reserved, safe=""), quote(reserved, safe="").replace("%EE", "%ee")):
        assert partner.put(f"{base}/{sent}", json={"Name": "Taken"}, timeout=10).status_code == 404
        minted = partner.post(f"{base}/{sent}/signintoken", json={"Username": "eve"}, timeout=10)
        assert minted.status_code in {400, 404}
    told = partner.get(f"{base}/{quote(slashed, safe='')}", timeout=10).json()
    assert (told["Id"], told["Name"]) == (slashed, "Slashed")


@pytest.mark.parametrize(
    "text", ["a/b", "a\ue000b", "\ue000s", "\ue000i", "a\ue000s/b\ue000i", "/", "\ue000\ue000/", "é/\ue000"]
)
@pytest.mark.parametrize("raw", [True, False])
def test_a74_the_paths_own_encoding_means_one_text_only(text: str, raw: bool) -> None:
    """What is escaped comes back as it was, whatever characters are in it."""
    seen: list[str] = []

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"].encode("latin-1").decode())
        return []

    if not raw and "/" in text:
        return  # a server that does not tell the raw path decodes the slash
    environ = {"PATH_INFO": "/" + text.encode().decode("latin-1")}
    if raw:
        environ["RAW_URI"] = "/" + quote(text, safe="")
    EncodedSlashes(app)(environ, None)
    assert AnyText(None).to_python(seen[0][1:]) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [256, 1000])
def test_a74_an_account_that_no_column_holds_is_made_by_no_sign_in(
    world: World, partner: requests.Session, length: int
) -> None:
    """On PostgreSQL it would be a fault of ours."""
    url = f"{world.partner}/v1.0/accounts/{'a' * length}/signintoken"
    assert partner.post(url, json={"Username": "ada"}, timeout=10).status_code in {400, 404}


def test_a74_a_callback_message_with_nul_is_a_bad_link(world: World) -> None:
    """Before the token is used."""
    query = f"id=1&token=x&targetOrigin={quote(HOST)}&callbackMessage=a%00b"
    answer = requests.get(
        f"{world.partner}/connectorauth/updateaccountconnectoroauth?{query}",
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 400
    assert "callbackMessage" in answer.text


def test_a74_a_form_with_nul_is_refused(world: World, studio: StudioWorld) -> None:
    """Of the popup's pages, and of the Studio."""
    own = {"Origin": world.bff}
    answer = requests.post(
        f"{world.bff}/connect/launch", data={"launch_token": "a\x00b"}, headers=own, timeout=10
    )
    assert answer.status_code == 400
    editor = studio.editor()
    assert editor.save("words?locale=de", {"words/*/de/button": "a\x00 {connector_name}"}).status_code == 400
    assert editor.page("words?locale=de").fields["words/*/de/button"].now == ""


def test_a74_half_a_pair_leaves_the_studio_as_it_was(studio: StudioWorld) -> None:
    """A script that sends one is told so; every page goes on."""
    editor = studio.editor()
    answer = editor.send([("messages/default/text/*/*", "", "a\ud83d")])
    assert answer.status_code == 400
    assert "surrogate" in answer.json()["detail"]
    for page in ("messages", "messages/default", "words", "changes", "look", "history"):
        assert editor.get(page).status_code == 200


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_a74_a_version_that_no_column_holds_is_not_there(studio: StudioWorld, number: int) -> None:
    """404, on both databases."""
    assert studio.editor().get(f"history/{number}").status_code == 404


def test_a74_files_hold_no_nul(tmp_path: Path) -> None:
    """Neither a product file nor a catalogue: PostgreSQL would keep neither."""
    for source, read, fault in (
        (PRODUCTS, read_products, FaultyFile),
        (CATALOGUE, read_catalogue, FaultyCatalogue),
    ):
        text = source if isinstance(source, str) else Path(source).read_text()
        file = tmp_path / "file.toml"
        file.write_text(text.replace('name = "', 'name = "\\u0000', 1))
        with pytest.raises(fault, match="NUL"):
            read(file)


def test_a74_arguments_that_are_no_text_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no UTF-8 on a command line: exit status 2, and what is wrong."""
    assert cli.main(["studio", "end-sessions", "ada\udcff@acme.example"]) == 2
    assert "UTF-8" in capsys.readouterr().err
    assert sys.argv


@pytest.mark.parametrize(
    ("given", "bare"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ('"[2001:db8::9]:4711"', "2001:db8::9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("unknown", None),
        ("_hidden", None),
        ("203.0.113.9:", None),
        ("203.0.113.999:1", None),
        ("", None),
        ("1" * 1000, None),
    ],
)
def test_a_clients_address_is_bare(given: str, bare: str | None) -> None:
    """Some proxies write its port, too (RFC 7239, section 6)."""
    assert client_address(given) == bare


def test_of_an_ipv6_address_the_network_counts() -> None:
    """With a port or without; an IPv4 address in it is one."""
    assert counted_address("[2001:db8::9]:80") == counted_address("2001:db8::a") == "2001:db8::"
    assert counted_address("::ffff:203.0.113.9") == "203.0.113.9"
    assert counted_address(None) == counted_address("@") == "local"


def seen_through(forwarded: str, hops: int = 1) -> str:
    """The address that a program sees behind proxies which sent this X-Forwarded-For."""
    seen: list[str] = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        start("200 OK", [])
        return [b""]

    edge = Edge(app, hosts=["a.example"], hops=hops, max_body_bytes=1, refuse=lambda *_: app)
    environ = {
        "HTTP_HOST": "a.example",
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_FOR": forwarded,
        "wsgi.input": io.BytesIO(),
    }
    with contextlib.closing(edge(environ, lambda *_: None)) as body:  # type: ignore[type-var]
        list(body)
    return seen[0]


def test_clients_behind_a_proxy_that_writes_ports_are_apart() -> None:
    """They were all one, whose limit each of them used up."""
    assert seen_through("203.0.113.9:4711") == "203.0.113.9"
    assert seen_through("203.0.113.10:4711") == "203.0.113.10"
    assert seen_through('"[2001:db8::9]:1"') == "2001:db8::9"
    assert seen_through("198.51.100.1, 203.0.113.9:4711, 10.0.0.2:99", hops=2) == "203.0.113.9"


def test_what_is_no_address_counts_as_the_proxys() -> None:
    """A proxy that hides its client: the connection's own address is known at least."""
    assert seen_through("unknown") == seen_through("x" * 5000) == "10.0.0.1"


LONG: dict[str, tuple[dict[str, str], int]] = {
    "path": ({"PATH_INFO": "/" * (MOST_TARGET + 1)}, 414),
    "query": ({"QUERY_STRING": "a" * (MOST_TARGET + 1)}, 414),
    "fields": ({"QUERY_STRING": "&" * MOST_FIELDS}, 414),
    "cookies": ({"HTTP_COOKIE": "a" * (MOST_HEADERS + 1)}, 431),
    "all headers": ({f"HTTP_X{at}": "a" * 4000 for at in range(9)}, 431),
    "content type": ({"CONTENT_TYPE": "a" * (MOST_HEADERS + 1)}, 431),
}


@pytest.mark.parametrize(("head", "status"), LONG.values(), ids=LONG)
def test_a77_a_head_has_a_length(head: dict[str, str], status: int) -> None:
    """Path, query and headers: refused before anything of them is read."""
    found = head_fault(dict(head))
    assert found is not None
    assert found[0] == status
    assert head_fault({name: value[: len(value) // 2] for name, value in list(head.items())[:6]}) is None


def test_a77_a_trace_that_is_too_long_is_dropped() -> None:
    """It is a hint, and no reason to refuse anybody."""
    environ = {"HTTP_TRACESTATE": "a=b" * 1000, "HTTP_TRACEPARENT": "00-" + "0" * 53}
    assert head_fault(environ) is None
    assert list(environ) == ["HTTP_TRACEPARENT"]


def test_a77_a_query_of_many_fields_is_refused_by_both_programs(world: World) -> None:
    """In the form of each; a person is shown a page."""
    query = "&".join(f"a{at}=b" for at in range(MOST_FIELDS + 1))
    told = requests.get(f"{world.bff}/v1/config?{query}", timeout=10)
    assert (told.status_code, told.json()["code"]) == (414, "malformed_request")
    told = requests.get(f"{world.partner}/v1.0/connectors?{query}", timeout=10)
    assert (told.status_code, "fields" in told.json()["Message"]) == (414, True)
    for page in (f"{world.bff}/connect/opening", f"{world.partner}/connector/callback"):
        shown = requests.get(f"{page}?{query}", timeout=10)
        assert (shown.status_code, shown.headers["Content-Type"]) == (414, "text/html; charset=utf-8")


def test_a77_forms_that_anybody_may_send_are_small(world: World) -> None:
    """They hold a token and a few words."""
    long = "&".join(["a=b"] * 5000)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": world.bff}
    for path in ("/connect/launch", "/v1/press"):
        assert requests.post(f"{world.bff}{path}", data=long, headers=form, timeout=10).status_code == 413
    told = requests.post(f"{world.partner}/oauth/token", data=long, headers=form, timeout=10)
    assert told.status_code == 413


def test_a77_many_faults_of_a_body_are_not_all_told(world: World) -> None:
    """An answer is no larger than what was asked."""
    body = json.dumps({f"n{at}": 1 for at in range(5000)})
    answer = world.server("POST", "/v1/sessions", data=body, headers=JSON)
    assert answer.status_code == 400
    assert len(answer.content) < 2000
