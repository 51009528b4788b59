"""Every parser of outside bytes: whatever comes gives a value, or the error that the parser is known for."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bff.common.errors import PartnerUnavailable
from bff.common.faulty_file import FaultyFile
from bff.common.origins import origin_fault, origin_of
from bff.common.secret import Secret, fingerprint
from bff.common.strict_json import FaultyJson, loads
from bff.connect.receipts import Receipts
from bff.content.file import read_content
from bff.content.logos.logo import FaultyImage, check_logo
from bff.content.look_fields import FIELDS
from bff.content.wording import accepted, canonical, choose, is_tag
from bff.identity.jwks import FaultyKey, public_key
from bff.partner.paths import AnyText, EncodedSlashes
from bff.partner.providers import answers, said
from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue
from bff.partner.providers.credentials import Client
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.transport import Reply
from bff.partner.sign_in.words import LOCALES, best
from bff.products.file import read_products
from bff.receipts import FixedKeys, ReceiptRefused, verify
from bff.serving import retry_after
from bff.serving.addresses import client_address, counted_address
from bff.upstream import json_reader as partner_json
from tests.fuzz.strategies import TEXTS, damaged, quick, values, with_another
from tests.support.pictures import jpeg, lossy, png, riff, svg
from tests.support.world import CATALOGUE, PRODUCTS

PROVIDER: Final = CatalogueConnector(
    id=1, key="provider", name="Provider", keep_from_token=["scope", "a.b"], token_root=None
)
KEYS: Final = Receipts([Secret("k" * 40)], "https://bff.example").public_keys()
SIGN_IN: Final = {
    "TokenSha256": "a" * 64,
    "Result": "connected",
    "Error": None,
    "AtUtc": "2026-01-02T03:04:05.1234567Z",
    "ExternalAccount": "ada@example.com",
}
CONNECTOR: Final = {"Id": 7, "Name": "CRM"}
ACCOUNT_CONNECTOR: Final = {
    **CONNECTOR,
    "Authenticated": True,
    "Connector": {"Id": 101, "Name": "CRM"},
    "Hitchpost": {"LastSignIn": SIGN_IN, "RecentSignIns": [SIGN_IN]},
}
TOKENS: Final = {
    "access_token": "a",
    "token_type": "Bearer",
    "expires_in": 3600,
    "refresh_token": "r",
    "scope": "a b",
}
CLIENT = Client("hitchpost", None)


@quick
@given(
    TEXTS | st.sampled_from(["https://a.example", "http://[::1]:80"]).flatmap(lambda u: st.just(u) | TEXTS)
)
def test_origins(text: str) -> None:
    """An origin is one, or there is a reason; the origin of a URL is itself one, or None."""
    fault, found = origin_fault(text), origin_of(text)
    assert fault is None or fault
    assert found is None or found.startswith(("http://", "https://"))


@quick
@given(
    st.sampled_from(["http://", "https://", "HTTPS://", "//", "javascript:", "https:\\\\"]),
    TEXTS | st.from_regex(r"[\[\]@:/\\?#a-z0-9.%]{0,20}", fullmatch=True),
)
def test_origins_of_what_looks_like_a_url(scheme: str, rest: str) -> None:
    """Never another exception, and never an origin with a user or a path."""
    found = origin_of(scheme + rest)
    assert found is None or not set("@\\?#") & set(found)


@quick
@given(TEXTS | st.from_regex(r"([a-zA-Z*-]{1,9}(;q=[0-9.]{1,5})?,){0,9}", fullmatch=True))
@example("de;q " + " " * 900 + "=1," * 90)
@example("-" * 2000)
def test_accept_language(header: str) -> None:
    """Tags, of which each is one; and words in a language that there is."""
    assert best(header).lang in LOCALES
    tags = accepted(header)
    assert all(is_tag(tag) and canonical(tag) for tag in tags)
    assert choose(tags, ["de", "fr"]) in {"de", "fr", "en"}


@quick
@given(TEXTS | st.from_regex(r"(Mon|Tue), [0-9]{1,2} (Jan|Feb) [0-9]{1,5} [0-9:]{1,12} [+-]?[0-9A-Z]{1,9}"))
@example("Mon, 1 Jan 2030 99999999999:0:0 GMT")
@example("Mon, 1 Jan 2030 0:0:99999999999 -0000")
@example("Mon, 1 Jan 0001 0:0:0 +2359")
@example("Mon, 31 Dec 9999 23:59:59 -2359")
def test_retry_after(text: str) -> None:
    """Seconds that are not too many, or None."""
    found = retry_after.seconds(text)
    assert found is None or 0 <= found <= 3600


@quick
@given(st.binary() | damaged(b'{"a": [1, {"b": "\xc3\xa9"}]}'))
@example(b'["\\ud800"]')
@example(b'{"\\udfff": 1}')
@example(b'"\xed\xa0\x80"')
@example(b"[1e999]")
@example(b"9" * 5000)
@example(b'["\\u0000"]')
@example("[1]".encode("utf-16"))
def test_strict_json(data: bytes) -> None:
    """A value whose texts can be kept, or ``FaultyJson``."""
    with contextlib.suppress(FaultyJson):
        json.dumps(loads(data), ensure_ascii=False, allow_nan=False).encode()


@quick
@given(TEXTS | st.from_regex(r"\"?\[?[0-9a-fA-F:.%]{0,45}\]?(:[0-9]{0,6})?\"?", fullmatch=True))
@example("[fe80::1%eth0]:443")
@example("203.0.113.9:4711")
@example("[::ffff:203.0.113.9]:1")
def test_a_clients_address(text: str) -> None:
    """An address without its port, which is its own address; or None."""
    bare = client_address(text)
    assert bare is None or client_address(bare) == bare
    assert counted_address(text)


@quick
@given(TEXTS | st.text("a/\ue000si%", max_size=20))
@example("\ue000s")
@example("/\ue000i/")
def test_an_id_in_a_path(text: str) -> None:
    """What was percent-encoded is what the route is told, whatever is in it."""
    given = "".join(character for character in text if not "\ud800" <= character <= "\udfff")
    seen: list[str] = []

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"].encode("latin-1").decode())
        return []

    path = given.encode().decode("latin-1")
    EncodedSlashes(app)({"RAW_URI": "/" + quote(given, safe=""), "PATH_INFO": "/" + path}, None)
    assert AnyText(None).to_python(seen[0][1:]) == given  # type: ignore[arg-type]


def signed_in(record: Any) -> dict[str, Any]:
    """An account connector with this sign-in."""
    return {**ACCOUNT_CONNECTOR, "Hitchpost": {"RecentSignIns": [record]}}


@quick
@given(
    values(*SIGN_IN).map(signed_in)
    | with_another(ACCOUNT_CONNECTOR)
    | with_another(SIGN_IN).map(
        lambda record: {**ACCOUNT_CONNECTOR, "Hitchpost": {"RecentSignIns": [record]}}
    )
    | values("Id", "Name", "Connector", "Authenticated", "Hitchpost", "RecentSignIns", "LastSignIn", "AtUtc")
)
def test_what_the_partner_service_says_of_a_connector(document: Any) -> None:
    """What is read can be stored and hashed; all else is ``PartnerUnavailable``."""
    with contextlib.suppress(PartnerUnavailable):
        partner_json.read_connector(document)
    with contextlib.suppress(PartnerUnavailable):
        found = partner_json.read_account_connector(document)
        assert 0 <= found.id < 2**31
        storable(found.name, *(record.token_sha256 for record in found.sign_ins or ()))
        storable(*(record.external_account or "" for record in found.sign_ins or ()))
    partner_json.message_of(document).encode()


@quick
@given(
    with_another({"Token": "t", "ExpiresAtUtc": "2026-01-02T03:04:05Z", "Hitchpost": {"Completion": True}})
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})").map(
        lambda moment: {"Token": "t", "ExpiresAtUtc": moment}
    )
    | values("Token", "ExpiresAtUtc", "Hitchpost")
)
def test_what_the_partner_service_says_of_a_token(document: Any) -> None:
    """The same for tokens and their times."""
    with contextlib.suppress(PartnerUnavailable):
        found = partner_json.read_sign_in_token(document)
        assert found.expires_at.tzinfo is UTC
        fingerprint(found.value.reveal())


def storable(*texts: str) -> None:
    """Fails for a text that no table can hold."""
    assert all("\x00" not in text and text.encode() is not None for text in texts)


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_at_the_end_of_time(year: str) -> None:
    """Its zone would lead out of the calendar."""
    moments = (f"{year}-01-01T00:00:00+14:00", f"{year}-12-31T23:59:59-14:00")
    for moment in moments:
        with contextlib.suppress(PartnerUnavailable):
            partner_json.read_moment(moment)


@quick
@given(
    st.binary()
    | values(*TOKENS).map(json.dumps).map(str.encode)
    | with_another(TOKENS).map(json.dumps).map(str.encode),
    st.sampled_from(["application/json", "application/problem+json", "text/html", ""]),
)
def test_a_providers_token_answer(body: bytes, media_type: str) -> None:
    """Credentials that can be sealed, or none; and whatever it is, an error that can be shown."""
    document = answers.document_of(Reply(200, media_type, body), "auto")
    found = answers.tokens_of(document, PROVIDER, CLIENT)
    if found is not None:
        answers.is_usable(document, PROVIDER, found)
        storable(found.access_token, found.refresh_token or "", found.scope or "", *found.extra.values())
    told = said.of_answer("token", 200, document, ["secret"])
    assert all(text.isprintable() for text in (told.error or "", told.description or ""))


@quick
@given(
    with_another({"kty": "OKP", "crv": "Ed25519", "x": KEYS["keys"][0]["x"]})
    | values("kty", "crv", "x", "keys")
)
def test_a_jwk_set_for_receipts(jwk: Any) -> None:
    """What is no key of ours is passed over."""
    FixedKeys({"keys": [jwk]})
    if isinstance(jwk, dict):
        FixedKeys(jwk)


@quick
@given(
    with_another({"kty": "RSA", "n": "sXch" * 90, "e": "AQAB"})
    | with_another({"kty": "EC", "crv": "P-256", "x": "f83O", "y": "x_FE"})
    | values("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg")
)
def test_a_hosts_jwk(jwk: Any) -> None:
    """A key, or ``FaultyKey``."""
    with contextlib.suppress(FaultyKey):
        public_key(jwk)


def part(value: Any) -> str:
    """A part of a JWS."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


HEADER: Final = {"alg": "EdDSA", "typ": "hitchpost-receipt+jwt", "kid": KEYS["keys"][0]["kid"]}


@quick
@given(
    TEXTS
    | st.builds(
        lambda header, payload, signature: f"{part(header)}.{part(payload)}.{signature}",
        with_another(HEADER) | st.just(HEADER) | values("alg", "kid", "typ", "crit", "b64"),
        values("iss", "aud", "iat"),
        st.from_regex(r"[A-Za-z0-9_-]{0,86}", fullmatch=True),
    )
)
def test_a_receipt(text: str) -> None:
    """None of these is signed: each is refused as what it is."""
    with pytest.raises(ReceiptRefused):
        verify(text, keys=FixedKeys(KEYS), issuer="https://bff.example", product="demo")


@quick
@given(
    st.sampled_from([png(), jpeg(), riff((b"VP8 ", lossy(20, 20))), svg('<path d="M0 0h24v24z"/>')]).flatmap(
        damaged
    )
    | st.binary()
)
@example(jpeg()[:-2] + b"\xff" * 5000 + b"\0\xff\xd9")
@example(svg("<style>" + ",".join([".a"] * 500) + "{" + "fill:url(#b);" * 500 + "}</style><g class='a'/>"))
@example(svg("<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>"))
@example(svg("<g id='a'><g id='b'><use href='#a'/></g></g>"))
def test_an_image(data: bytes) -> None:
    """A logo, or ``FaultyImage``."""
    with contextlib.suppress(FaultyImage):
        check_logo(data)


TEAMS: Final = f"""{PRODUCTS}
[product.words]
button = "Go {{connector_name}}"
[product.look]
{next(iter(FIELDS))} = "#004080"
"""


@quick
@given(damaged(PRODUCTS.encode()) | damaged(TEAMS.encode()) | st.binary())
def test_a_product_file(data: bytes) -> None:
    """Products, or ``FaultyFile`` with what is wrong."""
    path = written(data)
    for read in (read_products, read_content):
        with contextlib.suppress(FaultyFile):
            read(path)


@quick
@given(damaged(CATALOGUE.read_bytes()) | st.binary())
def test_a_catalogue_file(data: bytes) -> None:
    """A catalogue, or ``FaultyCatalogue``."""
    with contextlib.suppress(FaultyCatalogue):
        read_catalogue(written(data), {"HITCHPOST_SANDBOX_CLIENT_SECRET": "x"})


BEYOND: Final = ("[" * 5000, "9" * 5000, "0001-01-01T00:00:00+24:00", "\x00", "{b = " * 5000)
READERS: Final = ((read_products, FaultyFile), (read_content, FaultyFile), (read_catalogue, FaultyCatalogue))


@pytest.mark.parametrize("value", BEYOND, ids=lambda value: value[:9])
@pytest.mark.parametrize(("read", "faulty"), READERS, ids=["products", "content", "catalogue"])
def test_a_file_beyond_all_bounds(read: Any, faulty: type[Exception], value: str) -> None:
    """Deep, long or out of the calendar: faulty, and no crash."""
    with pytest.raises(faulty):
        read(written(f"a = {value}".encode()))


FOLDER: Path


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the files lie."""
    global FOLDER  # noqa: PLW0603  # Hypothesis has no fixtures for each example
    FOLDER = tmp_path_factory.mktemp("files")


def written(data: bytes) -> Path:
    """A file of these bytes."""
    path = FOLDER / "file.toml"
    path.write_bytes(data)
    return path


def test_the_sound_ones_are_sound() -> None:
    """What is damaged above can be read as it stands: the tests begin at something good."""
    assert read_products(written(PRODUCTS.encode()))
    assert read_content(written(TEAMS.encode()))
    assert partner_json.read_account_connector(ACCOUNT_CONNECTOR).sign_ins
    found = answers.tokens_of(TOKENS, PROVIDER, CLIENT)
    assert found is not None
    assert found.expires_at is not None
    assert found.expires_at > datetime.now(UTC)
    assert verify_header_is_taken()


def verify_header_is_taken() -> bool:
    """The header of the receipts above gets as far as the signature."""
    with pytest.raises(ReceiptRefused) as refused:
        verify(f"{part(HEADER)}.{part({})}.AAAA", keys=FixedKeys(KEYS), issuer="", product="")
    return refused.value.code == "bad_signature"
