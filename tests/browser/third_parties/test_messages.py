"""The message that arrives at the host page is, byte for byte, the one that its preview showed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import requests
from flask import Flask
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from selenium.webdriver.remote.webdriver import WebDriver

from bff.content import messages
from bff.content.entries import path_of_text
from bff.content.minted_url import MOST, url_length
from bff.content.product import MessageFormat, MessageKind, MessageTemplate
from bff.content.store import ContentStore
from bff.serving.database import open_database
from tests.support.browsers import missing
from tests.support.own_product import own_host
from tests.support.stack import Stack

ALL: Final = 1000
SHARE: Final = 50
PARTS: Final = range(ALL // SHARE if "TESTS_FUZZ_EXAMPLES" in os.environ else 1)
"""A share is clicked through in each run, other messages every time; all of the thousand by `make fuzz`."""
AT_ONCE: Final = 25
LISTEN: Final = """
const button = document.createElement("button");
button.id = "start";
button.onclick = () => { window.popup = open("about:blank", "_blank", "popup,width=300,height=300"); };
document.body.prepend(button);
"""
RECEIVE: Final = """
const [urls, partner, done] = arguments;
(async () => {
  const heard = [];
  for (const url of urls) {
    heard.push(await new Promise((resolve) => {
      const late = setTimeout(resolve, 15000, null);
      addEventListener("message", function hear({ origin, source, data }) {
        if (origin !== partner || source !== window.popup) return;
        removeEventListener("message", hear);
        clearTimeout(late);
        resolve(data);
      });
      window.popup.location = url;
    }));
    if (heard.at(-1) === null) break;
  }
  // The last page of a sign-in closes its window after a while.
  window.popup.location = "about:blank";
  return heard;
})().then(done, (error) => done(String(error)));
"""


@dataclass(frozen=True)
class Sent:
    """A message as a team wrote it, and the people who click."""

    template: MessageTemplate
    user: str
    account: str
    locale: str


SPOKEN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30)
NASTY = st.sampled_from([*"\"'\\&+%#?={} ", "%20", "<b>", "🎉", "مرحبا"])
VARIABLE = st.sampled_from(messages.VARIABLES).map(lambda name: "{" + name + "}")
TEXT = st.lists(SPOKEN | NASTY | VARIABLE, min_size=1, max_size=6).map("".join)
VALUE = st.recursive(
    TEXT | st.booleans() | st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3)
)
JSON = st.dictionaries(SPOKEN, VALUE, max_size=3).map(json.dumps)
PERSON = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(
    lambda name: name == name.strip() and name not in {".", ".."}
)


@st.composite
def sent(draw: st.DrawFn) -> Sent:
    """Any message that the editor takes, by either kind and format."""
    form = draw(st.sampled_from(MessageFormat))
    text = draw(JSON if form is MessageFormat.JSON else TEXT)
    template = MessageTemplate(draw(st.sampled_from(MessageKind)), text, form)
    return Sent(template, draw(PERSON), draw(PERSON), draw(st.sampled_from(["en", "de-AT", "ar"])))


CORPUS: Final = [
    Sent(MessageTemplate(kind, text, form), 'ada "the" <b>', "acme & söhne + 100 % #1", "ar")
    for kind in MessageKind
    for text, form in (
        ("done", MessageFormat.TEXT),
        ("say \"hi\" \\ 'now' & + %20 # ? = {user}", MessageFormat.TEXT),
        ("🎉 مرحبا {account} {connector_name}", MessageFormat.TEXT),
        ('{"a": ["{user}", "🎉"], "مرحبا": {"b": 1.0}}', MessageFormat.JSON),
        ("</script><!-- {{ 7*7 }} --> {attempt} {locale}", MessageFormat.TEXT),
    )
]


@pytest.fixture(scope="session")
def instant(stack_with_others: Stack) -> Iterator[Stack]:
    """A host, on another site than the BFF, with a product and messages of its own.

    Its third party asks nothing (tests/support/instant_provider.py).
    """
    app = Flask("host")
    app.add_url_rule("/", "page", lambda: "<!doctype html><title>host</title><link rel=icon href=data:,>")
    with own_host(stack_with_others, "messages", app, connectors=["instant"], at="localhost") as running:
        yield running


@pytest.mark.one_engine
def test_a_corpus_arrives_as_it_was_previewed(driver: WebDriver, instant: Stack) -> None:
    """Quotes, emoji, `&+%#`, right-to-left, markup; plain and sealed, text and JSON; in each engine."""
    check(driver, instant, CORPUS)


@pytest.mark.skipif(missing("chromium") is not None, reason="Chromium cannot be driven here")
@pytest.mark.parametrize("engine", ["chromium"])
@pytest.mark.parametrize("part", PARTS)
def test_a_thousand_messages_arrive_as_they_were_previewed(
    driver: WebDriver, instant: Stack, part: int
) -> None:
    """Whatever a team writes and the editor takes; a share of the thousand in each part."""
    found: list[Sent] = []

    @settings(max_examples=SHARE, database=None, suppress_health_check=list(HealthCheck))
    @given(sent())
    def collect(one: Sent) -> None:
        # Two plain messages that say the same are refused: a page could not tell them apart.
        assume(is_taken(one, instant) and one.template not in {other.template for other in found})
        found.append(one)

    collect()
    assert len(found) >= SHARE, f"part {part} has too few messages"
    check(driver, instant, found)


def is_taken(one: Sent, stack: Stack) -> bool:
    """Whether the editor takes the message, and these people's URL is short enough."""
    if messages.faults(one.template):
        return False
    previewed = messages.render_for(one.template, variables(one, "a" * 28), attempt="a" * 28)
    return url_length(stack.partner, stack.host, previewed.callback_message) <= MOST


def variables(one: Sent, attempt: str) -> dict[str, str]:
    """What the template is filled with."""
    return {
        "attempt": attempt,
        "connector": "instant",
        "connector_name": "Instant CRM",
        "account": one.account,
        "user": one.user,
        "locale": one.locale,
    }


def check(driver: WebDriver, stack: Stack, every: Sequence[Sent]) -> None:
    """Publish the messages, click through each, and hold what arrives against its preview."""
    names = publish(stack, every)
    driver.get(stack.host)
    driver.execute_script(LISTEN)
    driver.find_element("id", "start").click()
    driver.set_script_timeout(16 * AT_ONCE)
    for start in range(0, len(every), AT_ONCE):
        some = list(zip(every, names, strict=True))[start : start + AT_ONCE]
        begun = [launched(stack, one, name) for one, name in some]
        heard = driver.execute_async_script(RECEIVE, [url for _, url in begun], stack.partner)
        for (one, _), (attempt, _), data in zip(some, begun, heard, strict=False):
            assert_equal(one, attempt, data)


def assert_equal(one: Sent, attempt: str, data: Any) -> None:
    """What the page heard is what the preview shows; only a sealed one's nonce is its own."""
    nonce = json.loads(data)["nonce"] if one.template.kind is MessageKind.SEALED and data else ""
    shown = messages.render_for(one.template, variables(one, attempt), attempt=attempt, nonce=nonce)
    assert data == shown.callback_message, (one, data)
    if one.template.kind is MessageKind.SEALED:
        assert json.loads(data)["message"] == shown.message
    else:
        assert data == shown.message


def publish(stack: Stack, every: Sequence[Sent]) -> list[str]:
    """Publish the messages in place of all others; their names."""
    engine = open_database(f"sqlite:///{stack.folder}/bff.db")
    store = ContentStore(engine, lambda: datetime.now(UTC))
    start = f"m{time.monotonic_ns()}-"
    content: dict[str, str] = {}
    for number, one in enumerate(every):
        name = f"{start}{number}"
        content[f"messages/{name}/kind"] = one.template.kind.value
        content[f"messages/{name}/format"] = one.template.format.value
        content[path_of_text(name)] = json.dumps({"for others": name})
        content[path_of_text(name, "instant")] = one.template.text
    store.publish(stack.product, content, "test")
    engine.dispose()
    return [f"{start}{number}" for number in range(len(every))]


def launched(stack: Stack, one: Sent, name: str) -> tuple[str, str]:
    """An attempt's id, and its minted URL."""
    secret = {"Authorization": f"Bearer {stack.secret_key}"}
    body = {"user": {"id": one.user}, "account": {"id": one.account}}
    session = requests.post(f"{stack.bff}/v1/sessions", json=body, headers=secret, timeout=20).json()
    page = {"Authorization": f"Bearer {session['token']}", "Origin": stack.host, "X-Hitchpost": "1"}
    asked = {"connector": "instant", "message": name, "locale": one.locale}
    deadline = time.monotonic() + 5
    while True:
        begun = requests.post(f"{stack.bff}/v1/attempts", json=asked, headers=page, timeout=20)
        if begun.status_code == 201 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert begun.status_code == 201, (begun.text, one)
    launch = requests.post(
        f"{stack.bff}/connect/launch",
        data={"launch_token": begun.json()["launch_token"]},
        headers={"Origin": stack.host},
        allow_redirects=False,
        timeout=20,
    )
    assert launch.status_code == 303, (launch.status_code, one)
    return begun.json()["id"], launch.headers["Location"]
