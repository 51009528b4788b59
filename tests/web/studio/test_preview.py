"""The draft as a product of its own: seen in the Studio, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from bff.content.words import LOCALES
from bff.studio.access import Role
from bff.studio.scenes import SCENES
from tests.support.scene_texts import faulty_texts
from tests.support.studio import GRACE, Editor, Page, StudioWorld, open_studio
from tests.support.world import World

pytestmark = pytest.mark.one_database

BUTTON = "words/*/en/button"
TEXT = "messages/default/text/*/*"


def draft_token(editor: Editor) -> str:
    """The session token that the Studio gives its own widget."""
    return str(editor.get("session").json()["token"])


def draft_config(studio: StudioWorld, token: str, **headers: str) -> requests.Response:
    """What the widget in the preview is told."""
    url = f"{studio.world.bff}/v1/config"
    return requests.get(url, headers={"Authorization": f"Bearer {token}", **headers}, timeout=10)


@pytest.fixture
def editor(studio: StudioWorld) -> Editor:
    """Ada, who has written into the draft."""
    ada = studio.editor()
    ada.save("words?locale=en", {BUTTON: "Link {connector_name}"})
    return ada


def test_the_preview_shows_the_draft(studio: StudioWorld, editor: Editor) -> None:
    """The widget there is told the draft's words; users are told the published ones."""
    told = draft_config(studio, draft_token(editor))
    assert told.headers["Cache-Control"] == "no-store"
    assert told.json()["words"]["hubspot button"] == "Link HubSpot"
    editor.save("words?locale=en", {BUTTON: "Join {connector_name}"})
    assert draft_config(studio, draft_token(editor)).json()["words"]["hubspot button"] == "Join HubSpot"
    assert studio.config()["words"]["hubspot button"] == "Connect HubSpot"


def test_the_preview_asks_nothing_of_the_partner_service(studio: StudioWorld, editor: Editor) -> None:
    """It is looked at often: every button is shown as for the first time."""
    before = len(studio.world.partner_calls.seen)
    told = draft_config(studio, draft_token(editor)).json()
    assert {connector["state"] for connector in told["connectors"]} == {"disconnected"}
    assert len(studio.world.partner_calls.seen) == before


def test_a_faulty_entry_is_left_out_of_the_preview(studio: StudioWorld, editor: Editor) -> None:
    """Nothing half-right is shown: the default stands in."""
    editor.save("words?locale=en", {BUTTON: "no name in here"})
    assert draft_config(studio, draft_token(editor)).json()["words"]["hubspot button"] == "Connect HubSpot"


def test_a_draft_is_seen_in_the_studio_only(studio: StudioWorld, editor: Editor) -> None:
    """Not without a session, nor by another product's, nor by a key or a token of the published product."""
    key, bff = f"{studio.product}~draft", studio.world.bff
    stranger = studio.editor(product="demo")
    pages = (
        f"{bff}/connect/opening?product={key}&origin={bff}&connector=hubspot",
        f"{bff}/connect/opening?product={key}&origin={studio.origin}&connector=hubspot",
        f"{bff}/connect/look/{key}/1.css",
    )
    bearer = {"Authorization": f"Bearer {studio.world.session(key=studio.secret_key)}"}
    for page in pages:
        for answer in (
            requests.get(page, timeout=10),
            requests.get(page, headers=bearer, timeout=10),
            stranger.browser.get(page, timeout=10),
        ):
            assert answer.status_code == 404, page
    assert editor.browser.get(pages[0], timeout=10).status_code == 200
    assert editor.browser.get(pages[2], timeout=10).status_code == 200


def test_no_cache_keeps_a_draft(studio: StudioWorld, editor: Editor) -> None:
    """The pages that caches may keep of a published product are never kept of its draft."""
    key, bff = f"{studio.product}~draft", studio.world.bff
    revision = editor.get("news").json()["revision"]
    for path in (
        f"connect/opening?product={key}&origin={bff}&connector=hubspot",
        f"connect/look/{key}/{revision}.css",
    ):
        assert editor.browser.get(f"{bff}/{path}", timeout=10).headers["Cache-Control"] == "no-store"


def test_a_drafts_token_is_the_studios_alone(studio: StudioWorld, editor: Editor) -> None:
    """Only the Studio issues it, to somebody signed in; it works on the BFF's own pages only, and briefly."""
    bff = studio.world.bff
    assert requests.get(f"{bff}/studio/session", timeout=10).status_code == 401
    token = draft_token(editor)
    for origin in (studio.origin, "https://evil.example"):
        assert draft_config(studio, token, Origin=origin).status_code == 403
    begin = {"connector": "hubspot"}
    refused = studio.world.page("POST", "/v1/attempts", token, origin=studio.origin, json=begin)
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/sign-in-urls"])
def test_a_secret_key_never_reaches_a_draft(studio: StudioWorld, editor: Editor, path: str) -> None:
    """What a host's server asks for is of the published product, whatever it adds."""
    body = {"user": {"id": "ada"}, "account": {"id": "acme"}, "product": f"{studio.product}~draft"}
    answer = studio.world.server("POST", path, key=studio.secret_key, json=body)
    assert answer.status_code == 422
    attempt = studio.world.page(
        "POST", "/v1/attempts", draft_token(editor), origin=studio.world.bff, json={"connector": "sandbox"}
    ).json()
    hidden = studio.world.server("GET", f"/v1/attempts/{attempt['id']}", key=studio.secret_key)
    assert hidden.status_code == 404


def test_a_real_run_hears_the_drafts_message(studio: StudioWorld, editor: Editor) -> None:
    """Try it says what the page will hear, and the run says the same; for the Studio's own account."""
    editor.save("messages/default", {TEXT: "draft for {user} in {locale}: {connector_name}"})
    page = editor.page("try?connector=hubspot&message=default&locale=de")
    assert "draft for ada@acme.example in de: HubSpot" in page.words
    assert "hitchpost-studio" in page.words
    token, bff = draft_token(editor), studio.world.bff
    asked = {"connector": "hubspot", "message": "default", "locale": "de"}
    attempt = studio.world.page("POST", "/v1/attempts", token, origin=bff, json=asked).json()
    launched = editor.browser.post(
        f"{bff}/connect/launch",
        data={"launch_token": attempt["launch_token"]},
        headers={"Origin": bff},
        allow_redirects=False,
        timeout=20,
    )
    assert launched.status_code == 303
    studio.world.sign_in(launched.headers["Location"])
    read = studio.world.page("GET", f"/v1/attempts/{attempt['id']}?hint=message", token, origin=None).json()
    assert read["status"] == "connected"
    assert read["message"] == "draft for ada@acme.example in de: HubSpot"
    connections = studio.world.server("GET", "/v1/connections?account=hitchpost-studio")
    assert connections.status_code == 200


@pytest.fixture(scope="module")
def onlooker(shared_world: World) -> Iterator[Editor]:
    """Ada, who looks at her draft and changes nothing more in it."""
    with open_studio(shared_world) as opened:
        ada = opened.editor()
        ada.save("words?locale=en", {BUTTON: "Link {connector_name}"})
        yield ada


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_can_be_looked_at(onlooker: Editor, scene: str) -> None:
    """In every language and scheme, inside a frame of the Studio and of nobody else."""
    for locale in ("en", "ar", "xx-nowhere", "*"):
        answer = onlooker.get(f"preview?scene={scene}&locale={locale}&connector=hubspot&scheme=dark")
        assert answer.status_code == 200
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert "form-action 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("X-Frame-Options") is None


@pytest.mark.parametrize("locale", LOCALES)
def test_an_error_page_says_all_in_its_language(onlooker: Editor, locale: str) -> None:
    """Every text of every error's page is there, and none of them in English where another is chosen."""
    values = {"connector_name": "Sandbox CRM", "product_name": "Ada's <SaaS>"}
    faults = []
    for scene in SCENES.values():
        if scene.page == "error.html":
            page = Page(onlooker.get(f"preview?scene={scene.key}&locale={locale}&connector=sandbox").text)
            of_press = " ".join(item.get("data-copied", "") for _, item in page.elements)
            faults += faulty_texts(f"{page.words} {of_press}", scene, locale, values)
    assert faults == []


def test_what_nobody_knows_is_shown_as_the_button(studio: StudioWorld, editor: Editor) -> None:
    """A scene, connector or language of a stale link."""
    page = Page(editor.get("preview?scene=nothing&connector=nothing&locale=&scheme=pink").text)
    assert page.tags("hitchpost-connect")[0]["connector"] == "sandbox"


def test_an_editor_may_try_what_a_publisher_may(studio: StudioWorld) -> None:
    """Looking and trying changes nothing for users."""
    grace = studio.editor(GRACE, Role.EDITOR)
    assert grace.get("try").status_code == 200
    assert draft_config(studio, draft_token(grace)).status_code == 200
