"""Work is bounded by its input (A77): twice the input is twice the work, and the largest input is small.

Measured is the processor time of the thread, of the input and of four times as much: linear work grows four
times, and work that grows as the square sixteen times. Between them is room for whatever else the machine
does; a round of the larger input that it disturbed is measured again.
"""

from __future__ import annotations

import base64
import contextlib
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from werkzeug.http import parse_cookie, parse_options_header

from bff.common.origins import origin_fault, origin_of
from bff.common.strict_json import loads
from bff.connections.connection import State, Stored
from bff.connections.overview import Overview
from bff.content import content, faults, look, messages, words
from bff.content.cleaning import cleaned
from bff.content.drafts import Draft, Edit, apply, difference
from bff.content.entries import path_of_text, path_of_word
from bff.content.file import write_content
from bff.content.logos.logo import MOST_BYTES, FaultyImage, check_logo
from bff.content.logos.raster import MOST_SCANS, PNG_START
from bff.content.logos.svg import MOST_DRAWN
from bff.content.look_fields import syntax_fault
from bff.content.product import (
    MessageFormat,
    MessageKind,
    MessageTemplate,
    OfferedConnector,
    Product,
    Registration,
)
from bff.content.wording import accepted, is_tag
from bff.identity.jwks import FaultyKey, _usable, public_key
from bff.identity.principal import AccountRef
from bff.partner.providers.answers import document_of
from bff.partner.providers.transport import Reply
from bff.partner.sign_in.visits import _LOOKERS
from bff.partner.sign_in.words import best
from bff.receipt_keys import read_keys
from bff.receipts import FixedKeys, verify
from bff.serving import retry_after
from bff.serving.addresses import client_address
from bff.serving.bounds import head_fault
from bff.serving.hosts import host_name
from bff.serving.logs import _TOKEN
from bff.studio.access import email_fault
from bff.studio.editing import languages_in_use, previews
from bff.upstream import json_reader as partner_json
from bff.upstream.protocol import AccountConnector, Connector, KnownConnector
from bff.web.host_api.calls import NewSession
from bff.web.kit.bodies import validate
from bff.web.kit.in_app import is_in_app
from bff.web.studio.edits import prepared
from bff.web.studio.message_page import rows
from bff.web.studio.unset import word
from bff.web.studio.word_fields import _places
from tests.support.model_partner import at_once
from tests.support.pictures import jpeg, png, riff, segment, svg

SHOP: Final = Registration(
    "shop",
    "Shop",
    ("https://app.example",),
    tuple(OfferedConnector(key, key.upper(), key) for key in ("crm", "mail", "shop")),
)
WORD, MESSAGE = path_of_word("cancel"), path_of_text("default")
NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
SMALL: Final = 1000
TIMES: Final = 4
MOST_GROWTH: Final = 9.0
ROUNDS: Final = 5


@dataclass(frozen=True)
class Row:
    """``of(n)`` makes an input of size n, ``work`` is done with it; whatever it raises is an answer, too."""

    what: str
    of: Callable[[int], Any]
    work: Callable[[Any], Any]
    size: int = SMALL


def jws_part(text: str) -> str:
    """A part of a JWS."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def scans(count: int) -> bytes:
    """A JPEG of many scans."""
    whole = jpeg()
    scan = whole[whole.index(b"\xff\xda") : -2]
    return whole[:-2] + scan * count + b"\xff\xd9"


def account_of(count: int) -> Overview:
    """An account with as many connections, each of a connector of its own."""
    installed = [
        AccountConnector(at, "", at, f"C {at}", authenticated=True, sign_ins=()) for at in range(1, count + 1)
    ]
    partner = SimpleNamespace(list_account_connectors=lambda _account: installed)
    entries = {str(one.id): KnownConnector(Connector(one.id, one.connector_name), NOW) for one in installed}
    catalogue = SimpleNamespace(look_up=lambda *_: entries, named=lambda offered: offered)
    offered = [OfferedConnector(f"c{one.id}", "", str(one.id)) for one in installed]
    ledger = SimpleNamespace(
        store=SimpleNamespace(of_account=lambda *_: {}, running=lambda *_: []),
        blank=lambda account, each, number: Stored(
            account.product, account.id, number, each.key, each.name, State.CONNECTED, NOW, NOW
        ),
        compare=lambda _row, blank, *_: blank,
        touch=lambda *_: None,
    )
    keys = SimpleNamespace(everything=lambda *_: offered)
    return Overview(*cast(Any, (partner, catalogue, ledger, lambda: NOW, at_once, keys)))


def shown(overview: Overview) -> None:
    """A page asks what is connected of all connectors."""
    account = AccountRef("acme", "Acme", "shop")
    overview.states(account, overview._keys.everything("shop"))


def circle(count: int) -> bytes:
    """An SVG of groups that each refer to the one before, twice."""
    groups = "".join(
        f'<g id="a{at}"><use href="#a{at - 1}"/><use href="#a{at - 1}"/></g>' for at in range(1, count + 1)
    )
    return svg(f'<g id="a0"/>{groups}')


def texts_of(count: int) -> dict[str, str]:
    """A draft of many messages, each with texts of its own."""
    found: dict[str, str] = {}
    for at in range(count // 4):
        found |= {
            f"messages/m{at}/kind": "plain",
            f"messages/m{at}/text/*/*": f"done {at}",
            f"messages/m{at}/text/crm/*": f"crm {at}",
            f"words/*/de/x{at}": "Wort",
        }
    return found


def many_words(count: int) -> dict[str, str]:
    """A draft of many words in made-up languages."""
    return {
        f"words/*/x{at % 26:c}{chr(97 + at // 26 % 26)}-x{at}/button": "B {connector_name}"
        for at in range(count)
    }


def edits(count: int) -> tuple[Draft, list[Edit]]:
    """As many changes to an empty draft."""
    return Draft({}), [Edit(f"look/{at}", None, "x") for at in range(count)]


def edited(count: int) -> tuple[list[Edit], dict[str, str]]:
    """As many changes to a draft of as many entries."""
    return edits(count)[1], many_words(count)


def desk_of(content: dict[str, str]) -> Any:
    """The Studio's desk with this draft, all of which is new."""
    draft, changes = Draft(content), difference({}, content)
    return SimpleNamespace(draft=draft, languages=languages_in_use(content), faults={}, changes=changes)


def words_of_keys(count: int) -> Product:
    """A product with words of its own in twenty languages, for any number of connectors."""
    places = [(f"c{at // 20}", f"x{chr(97 + at % 20)}") for at in range(count)]
    return Product("shop", "Shop", (), (), {}, words={"cancel": dict.fromkeys(places, "No")})


def defaults_of(product: Product) -> list[str]:
    """What would be read instead of each of its words."""
    return [word(product, "cancel", place) for place in product.words["cancel"]]


def template(text: str, form: MessageFormat = MessageFormat.TEXT) -> MessageTemplate:
    """A message's text."""
    return MessageTemplate(MessageKind.SEALED, text, form)


def now() -> Any:
    """No receipt gets so far."""
    raise AssertionError


def json_of(names: Any) -> bytes:
    """An object of these names."""
    return b"{" + b",".join(b'"n%d":1' % name for name in names) + b"}"


def json_text(count: int) -> str:
    """An object of many names, as a text."""
    return json_of(range(count)).decode()


def session_of(connectors: list[Any]) -> dict[str, Any]:
    """A body of ``POST /v1/sessions``."""
    return {"user": {"id": "ada"}, "account": {"id": "acme"}, "connectors": connectors}


def rules(count: int) -> str:
    """A stylesheet whose one rule has many selectors and many references."""
    return "<style>" + ",".join([".a"] * count) + "{" + "fill:url(#b);" * count + "}</style><g class='a'/>"


def texts_in_languages(count: int) -> dict[str, str]:
    """One message in many languages."""
    return {"messages/m/text/*/*": "done"} | {f"messages/m/text/*/x{at:04}": "done" for at in range(count)}


def shop_of(count: int) -> Registration:
    """A product with so many connectors and origins."""
    offered = tuple(OfferedConnector(f"c{at}", f"Connector {at}", f"c{at}") for at in range(count))
    return replace(SHOP, connectors=offered, origins=tuple(f"https://a{at}.example" for at in range(count)))


def words_of(written: dict[str, str]) -> Any:
    """What a page shows of a product."""
    product = content.product_of(SHOP, written)
    return words.widget_words(product, ["de"], {key: key for key in ("crm", "mail", "shop")})


def verified(text: str) -> Any:
    """A receipt that was handed in."""
    return verify(text, keys=FixedKeys({}), issuer="https://bff.example", product="shop", clock=now)


LINEAR: Final = (
    # JSON
    Row("json: names that stand twice", lambda n: json_of([*range(n), n - 1]), loads, 200),
    Row("json: names", lambda n: json_of(range(n)), loads, 100),
    Row("json: objects in a list", lambda n: b"[" + b'{"a":1},' * n + b"{}]", loads),
    Row("json: escapes", lambda n: b'["' + b"\\u00e9" * n + b'"]', loads),
    Row("json: strings to look at", lambda n: b'["\\u00e9"' + b',"a"' * n + b"]", loads),
    Row("json: nested lists", lambda n: b"[" * n + b"]" * n, loads, 100),
    Row("json: nested lists without end", lambda n: b"[" * n, loads),
    Row("json: digits", lambda n: b"[" + b"1" * n + b"]", loads),
    Row("json: digits of a fraction", lambda n: b"[0." + b"1" * n + b"]", loads),
    Row("json: many numbers", lambda n: b"[" + b"1," * n + b"1]", loads),
    Row(
        "body: unknown names",
        lambda n: {f"n{at}": 1 for at in range(n)},
        lambda d: validate(NewSession, d),
        100,
    ),
    Row("body: connectors", lambda n: session_of(["a"] * n), lambda d: validate(NewSession, d), 100),
    Row(
        "body: connectors that are none",
        lambda n: session_of([1] * n),
        lambda d: validate(NewSession, d),
        100,
    ),
    # Headers
    Row("user agent: Androids", lambda n: "Android " * n, is_in_app),
    Row("user agent: iPhones", lambda n: "iPhone " * n, is_in_app),
    Row("user agent: Apples without Safari", lambda n: "iPhone AppleWebKit " * n, is_in_app),
    Row("user agent: lookers", lambda n: "cubot" * n, _LOOKERS.search),
    Row("accept-language, BFF: tags", lambda n: "de;q=0.5," * n, accepted),
    Row("accept-language, BFF: spaces", lambda n: "de;" + " " * n + "q=1", accepted),
    Row("accept-language, BFF: hyphens", lambda n: "a-" * n, accepted),
    Row("accept-language, partner: tags", lambda n: "xx;q=0.5," * n, best),
    Row("accept-language, partner: spaces", lambda n: "de;q " + " " * n + "=1", best),
    Row("accept-language, partner: commas", lambda n: "," * n, best),
    Row("language tag", lambda n: "a" + "-a" * n + "!", is_tag),
    Row("host: labels", lambda n: "a." * n + "!", host_name),
    Row("host: digits", lambda n: "1" * n + ":x", host_name),
    Row("x-forwarded-for", lambda n: "1." * n + ":9", client_address),
    Row("cookies", lambda n: "a=b;" * n, parse_cookie),
    Row("cookies: spaces", lambda n: "a" + " " * n + "=b", parse_cookie),
    Row("cookies: quotes", lambda n: 'a="' + "\\1" * n, parse_cookie),
    Row("content-type: parameters", lambda n: "a/b" + ";a=b" * n, parse_options_header),
    Row("content-type: quotes", lambda n: 'a/b;a="' + '\\"' * n, parse_options_header),
    Row("origin: labels", lambda n: "https://" + "a." * n + "!", origin_fault),
    Row("origin: hyphens", lambda n: "https://" + "a-" * n, origin_fault),
    Row("return URL", lambda n: "https://a.example/" + "a?" * n, origin_of),
    Row("return URL: hosts", lambda n: "https://" + "a@" * n, origin_of),
    Row("retry-after: digits", lambda n: "1" * n, retry_after.seconds),
    Row("retry-after: words", lambda n: "Mon, " * n, retry_after.seconds),
    Row("log: long words", lambda n: "a" * n + " ", lambda text: _TOKEN.sub("", text)),
    # Tokens and keys
    Row("receipt: header", lambda n: f"{jws_part(json_text(n))}.e30.AA", verified, 100),
    Row("receipt: dots", lambda n: "." * n, verified),
    Row("key set: keys that are none", lambda n: {"keys": [{}] * n}, read_keys),
    Row(
        "key set: of a host",
        lambda n: [{"kty": "RSA", "n": "AQAB" * n, "e": "AQAB"}],
        lambda k: list(_usable(k)),
    ),
    # Pictures
    Row("png: chunks", lambda n: png(16, 16, *[(b"tEXt", b"")] * n), check_logo),
    Row("png: bytes", lambda n: png(16, 16, (b"tEXt", b"a" * n)), check_logo, 20_000),
    Row("png: chunks cut off", lambda n: PNG_START + b"\0\0\0\0aaaa" * n, check_logo),
    Row(
        "jpeg: fill bytes within a scan",
        lambda n: jpeg()[:-2] + b"\xff" * n + b"\0\xff\xd9",
        check_logo,
        5000,
    ),
    Row("jpeg: fill bytes in many runs", lambda n: jpeg()[:-2] + (b"\xff" * n + b"\0") * 9, check_logo, 2000),
    Row("jpeg: fill bytes before a marker", lambda n: b"\xff\xd8" + b"\xff" * n, check_logo, 5000),
    Row("jpeg: segments", lambda n: jpeg(more=segment(0xE1, b"") * n), check_logo),
    Row("jpeg: scans", scans, check_logo, 30),
    Row("webp: chunks", lambda n: riff(*[(b"ALPH", b"")] * n), check_logo),
    Row("svg: elements", lambda n: svg("<g/>" * n), check_logo),
    Row("svg: nested", lambda n: svg(("<g>" * 60 + "</g>" * 60) * (n // 60)), check_logo),
    Row("svg: classes of one element", lambda n: svg(f"<g class='{'a ' * n}'/>"), check_logo),
    Row(
        "svg: classes within groups",
        lambda n: svg("<g>" * 60 + f"<g class='{'a ' * n}'/>" + "</g>" * 60),
        check_logo,
    ),
    Row("svg: selectors by references", lambda n: svg(rules(n)), check_logo, 500),
    Row("svg: rules", lambda n: svg("<style>" + ".a{fill:url(#b)}" * n + "</style>"), check_logo),
    Row("svg: references", circle, check_logo, 200),
    Row("svg: urls that never end", lambda n: svg(f"<g fill='{'url(' * n}'/>"), check_logo),
    Row("svg: spaces in a url", lambda n: svg(f"<g fill='url({' ' * n}'/>"), check_logo),
    Row("svg: words", lambda n: svg(f"<g fill='{'a' * n}'/>"), check_logo),
    Row(
        "svg: attributes",
        lambda n: svg("<g " + " ".join(f"data-x{at}='a'" for at in range(n)) + "/>"),
        check_logo,
    ),
    # What a team writes
    Row("message: braces", lambda n: template("{" * n), messages.faults),
    Row("message: variables", lambda n: template("{a}" * n), messages.faults),
    Row("message: spaces in a variable", lambda n: template("{" + " " * n + "}"), messages.faults),
    Row("message: JSON", lambda n: template(json_text(n), MessageFormat.JSON), messages.faults),
    Row(
        "message: nested JSON",
        lambda n: template('{"a":' + "[" * n + "]" * n + "}", MessageFormat.JSON),
        messages.faults,
        100,
    ),
    Row("content: messages", texts_of, lambda c: faults.faults(c, SHOP), 400),
    Row("content: one message's texts", texts_in_languages, lambda c: faults.faults(c, SHOP), 50),
    Row("content: words", many_words, lambda c: faults.faults(c, SHOP), 300),
    Row(
        "content: unknown paths",
        lambda n: {f"x/{at}": "" for at in range(n)},
        lambda c: faults.faults(c, SHOP),
        300,
    ),
    Row("content: connectors", shop_of, lambda shop: faults.faults(texts_in_languages(20), shop), 50),
    Row("content: order", lambda n: {"connectors/order": "crm " * n}, lambda c: faults.faults(c, SHOP)),
    Row(
        "content: order of what is none",
        lambda n: {"connectors/order": " ".join(f"c{at}" for at in range(n))},
        lambda c: faults.faults(c, SHOP),
    ),
    Row("content: product", many_words, lambda c: content.product_of(SHOP, c), 300),
    Row("content: widget's words", many_words, words_of, 300),
    Row("content: as a file", texts_of, lambda c: write_content("shop", c), 400),
    Row(
        "content: what is sent",
        texts_in_languages,
        lambda c: previews(c, SHOP, {"crm": "CRM"}, "m"),
        50,
    ),
    Row("draft: edits", edits, lambda pair: apply(*pair, "ada", datetime(2030, 1, 1, tzinfo=UTC)), 300),
    Row("draft: differences", many_words, lambda c: difference({}, c), 300),
    Row("look: font", lambda n: "a " * n + "!", lambda text: syntax_fault("font", text)),
    Row("look: quotes", lambda n: '"' + "a" * n, lambda text: syntax_fault("font", text)),
    Row("look: fields", lambda n: {f"f{at}": "x" for at in range(n)}, look.faults, 100),
    Row("word", lambda n: "{a}" * n, lambda text: words.faults("button", text)),
    Row("word: spaces in a name", lambda n: "a{" + " " * n, lambda text: words.faults("button", text)),
    Row("word: a name without end", lambda n: "{" + "a" * n, lambda text: words.faults("button", text)),
    # Sizes whose largest input is not too long to be cleaned.
    Row("cleaning: spaces in a word", lambda n: "a" + " " * n + "b", partial(cleaned, WORD), 900),
    Row("cleaning: spaces and tabs", lambda n: "a" + "  \t" * (n // 3) + "b", partial(cleaned, WORD), 900),
    Row("cleaning: spaces in a message", lambda n: "a" + " " * n + "b", partial(cleaned, MESSAGE), 900),
    Row("cleaning: JSON quotes", lambda n: '{"a' + "\u201d " * (n // 2), partial(cleaned, MESSAGE), 900),
    Row("cleaning: JSON spaces", lambda n: '{"a\u201d' + " " * n + "b", partial(cleaned, MESSAGE), 900),
    Row("studio: messages", texts_of, lambda c: list(rows(desk_of(c))), 800),
    Row("studio: a search", many_words, lambda c: list(_places(desk_of(c), only_own=False)), 100),
    Row("studio: what holds without a word", words_of_keys, defaults_of, 400),
    Row("cleaning: edits", edited, lambda pair: prepared(*pair)),
    Row("email", lambda n: "a" * n + "@", email_fault),
    # What others answer
    Row("partner: connections of an account", account_of, shown, 200),
    Row("partner: time", lambda n: "2026-01-01T00:00:00." + "1" * n, partner_json.read_moment),
    Row("partner: message", lambda n: {"Message": "\x01" * n}, partner_json.message_of),
    Row(
        "third party: JSON",
        lambda n: Reply(200, "application/json", json_of(range(n))),
        partial(document_of, form="auto"),
        100,
    ),
    Row("third party: form", lambda n: Reply(200, "", b"a=b&" * n), partial(document_of, form="form")),
    Row("head", lambda n: {f"HTTP_X{at}": "a" for at in range(n)}, head_fault),
)


def cost(row: Row, size: int) -> float:
    """Seconds of processor time for this input."""
    given = row.of(size)
    began = time.thread_time()
    with contextlib.suppress(Exception):  # a refusal costs, too
        row.work(given)
    return time.thread_time() - began


def test_a77_no_picture_takes_much_memory() -> None:
    """The largest file that is read, of what made each parser keep most: some times its own size, no more."""
    half = MOST_BYTES // 2
    crafted = {
        "selectors by references": svg(rules(half // 17)),
        "classes": svg(f"<g class='{'a ' * (half - 100)}'/>"),
        "elements": svg("<g/>" * (MOST_DRAWN - 10)),
        "attributes": svg("<g " + " ".join(f"data-x{at}='a'" for at in range(half // 8)) + "/>"),
        "references": svg("<use href='#a'/>" * (half // 9)),
        "fill bytes": jpeg()[:-2] + b"\xff" * (MOST_BYTES - 1000) + b"\0\xff\xd9",
        "chunks": png(16, 16, *[(b"tEXt", b"")] * (half // 6 - 100)),
    }
    for what, data in crafted.items():
        assert len(data) <= MOST_BYTES, what
        tracemalloc.start()
        with contextlib.suppress(FaultyImage):
            check_logo(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 150 * MOST_BYTES, f"{what}: {peak // 1024} KiB"


def test_a77_an_svg_of_many_elements_is_not_read_to_its_end() -> None:
    """It is refused at the one too many."""
    with pytest.raises(FaultyImage, match="draws more than"):
        check_logo(svg("<g/>" * (MOST_DRAWN + 1)))


def test_a77_a_jpeg_of_many_scans_is_refused() -> None:
    """A browser would decode the image once for each."""
    assert check_logo(scans(MOST_SCANS - 1)).media_type == "image/jpeg"
    with pytest.raises(FaultyImage, match="scans; save it anew"):
        check_logo(scans(MOST_SCANS))


@pytest.mark.parametrize("at", [0, 3000])
def test_a77_of_a_header_only_the_beginning_is_looked_at(at: int) -> None:
    """What stands beyond its length changes nothing."""
    instagram = " " * at + "Instagram"
    assert is_in_app(instagram) == (at == 0)
    assert accepted("," * at + "de") == ([] if at else ["de"])
    assert best("," * at + "de").lang == ("en" if at else "de")


def test_a77_a_long_key_verifies_nothing() -> None:
    """Of a host's key set: to verify by it would cost more than the square of its length."""
    with pytest.raises(FaultyKey, match="8192"):
        public_key({"kty": "RSA", "n": "A" * 5000, "e": "AQAB"})


def test_a77_a_text_that_is_too_long_is_not_cleaned() -> None:
    """It is refused for its length, whatever is in it."""
    long = "a\t" * faults.MOST_TEXT
    assert cleaned(WORD, long) == cleaned(MESSAGE, long) == long


@pytest.mark.parametrize("row", LINEAR, ids=lambda row: row.what)
def test_a77_twice_the_input_is_twice_the_work(row: Row) -> None:
    """Whatever reads outside bytes."""
    small = min(cost(row, row.size) for _ in range(ROUNDS))
    grown = []
    for _ in range(4 * ROUNDS):
        # Below a tenth of a millisecond it costs nothing, whichever way it grows.
        grown.append(cost(row, TIMES * row.size) / max(small, 0.0001))
        if grown[-1] < MOST_GROWTH:
            return
    pytest.fail(f"{row.what}: {TIMES} times the input is {min(grown):.1f} times the work")
