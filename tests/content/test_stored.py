"""What one product can store is bounded, and refused at the door (A69)."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import func, insert, select, text, update

from bff.common.errors import RateLimited
from bff.content import store as content_store
from bff.content.draft_limits import NotSaved, refuse_too_much
from bff.content.drafts import Draft, Edit, Touch, apply
from bff.content.entries import path_of_word
from bff.content.faults import MOST_BYTES, MOST_ENTRIES, MOST_LANGUAGES, MOST_MESSAGES, MOST_TEXT, faults
from bff.content.logos.logo import FaultyImage, Logo, check_logo
from bff.content.logos.store import UNREFERENCED_KEPT, DatabaseImages
from bff.content.store import ContentStore
from bff.content.words import CATALOGUE
from bff.purge import SLOW_RULES_EVERY, DatabasePurger
from bff.serving.database import open_database, writing
from bff.storage.schema import SCHEMA
from bff.storage.tables import content_versions, images, products
from bff.web.kit import day_limits
from tests.support.databases import DatabaseUrl
from tests.support.fixtures import Strict
from tests.support.pictures import chunked, head, png
from tests.support.studio import GRACE, StudioWorld
from tests.support.waiting import wait_for
from tests.web.test_growth import SHOP
from tests.web.test_limits import begin, seconds

pytestmark = pytest.mark.one_database

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MESSAGE = "messages/default/text/*/*"
WORD = "words/*/de/button"


UNKNOWN = [
    "x",
    "",
    "/",
    "words/*/de",
    "words/*/de/nothing",
    "words/*/no-such-tag-at-all/button",
    "words/unheard/de/button",
    "messages/A B/text/*/*",
    "messages/done/other",
    "look/none",
    "look/accent/more",
    "connectors/unheard/name",
    "connectors/order/more",
    "a" * 301,
    "words/*/de/button\n",
]


def test_a69_an_entry_that_is_not_known_is_refused_when_it_is_saved(studio: StudioWorld) -> None:
    """By its path and with what to do; nothing of that save is taken."""
    editor = studio.editor()
    for path in UNKNOWN:
        answer = editor.send([(WORD, "", "Los {connector_name}"), (path, "", "x")])
        assert answer.status_code == 422, answer.text
        assert list(answer.json()["faults"]) == [path]
        assert answer.json()["detail"]
    assert editor.page("words?locale=de").fields[WORD].now == ""


def test_a69_a_text_that_is_too_long_is_refused_beside_its_field(studio: StudioWorld) -> None:
    """Without script: the same page, with what was written and why it cannot stay."""
    editor, long = studio.editor(), "a" * (MOST_TEXT + 1)
    answer = editor.save("words?locale=de", {WORD: long})
    assert answer.status_code == 422
    assert f"at most {MOST_TEXT} are kept, so shorten it" in answer.text
    assert long in answer.text
    assert editor.page("words?locale=de").fields[WORD].now == ""
    told = editor.send([(MESSAGE, "", long)])
    assert (told.status_code, list(told.json()["faults"])) == (422, [MESSAGE])
    assert editor.save("words?locale=de", {WORD: "a" * MOST_TEXT}).status_code == 200


def test_a69_a_draft_has_so_many_messages(studio: StudioWorld) -> None:
    """The one too many is refused; one that is taken out makes room."""
    editor = studio.editor()
    names = [f"m{at}" for at in range(MOST_MESSAGES)]
    answer = editor.send([(f"messages/{name}/text/*/*", "", "done") for name in names])
    assert answer.status_code == 422
    assert f"at most {MOST_MESSAGES} are kept, so remove some" in answer.json()["detail"]
    assert editor.send([(f"messages/{name}/text/*/*", "", "x") for name in names[:50]]).status_code == 200


def test_a69_a_draft_has_so_many_languages(studio: StudioWorld) -> None:
    """The Studio's pages list each of them."""
    editor = studio.editor()
    paths = [path_of_word("cancel", "*", f"de-x-{at:05}") for at in range(MOST_LANGUAGES + 1)]
    answer = editor.send([(path, "", "Nein") for path in paths])
    assert answer.status_code == 422
    assert f"at most {MOST_LANGUAGES} are kept" in answer.json()["detail"]
    assert editor.send([(path, "", "Nein") for path in paths[1:]]).status_code == 200
    assert editor.get("words?q=nein").status_code == 200


def test_a69_thirty_saves_make_no_draft_of_megabytes() -> None:
    """Entries and bytes of the whole draft are bounded; a draft that is too large may become smaller."""
    tags = [f"x{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(26 * 26)]
    before: dict[str, str] = {}
    refused: NotSaved | None = None
    for tag in tags:
        after = before | {path_of_word(key, "*", tag): "a" * 500 for key in CATALOGUE}
        try:
            refuse_too_much([Edit(path_of_word("button", "*", tag), None, "a" * 500)], before, after)
        except NotSaved as told:
            refused = told
            break
        before = after
    assert refused is not None
    assert refused.faults.keys() == {path_of_word("button", "*", tag)}
    assert len(before) <= MOST_ENTRIES
    assert sum(len(path) + len(text) for path, text in before.items()) <= MOST_BYTES
    large = {f"words/*/*/x{at}": "a" for at in range(MOST_ENTRIES + 50)}
    refuse_too_much([], large, dict(list(large.items())[:-10]))


def test_a69_an_import_is_held_against_the_same() -> None:
    """A file may say no more than a draft."""
    assert "KiB are kept" in " ".join(faults({MESSAGE: "a" * (MOST_BYTES + 1)}, SHOP)[""])
    many = {f"messages/m{at}/text/*/*": f"done {at}" for at in range(MOST_MESSAGES + 1)}
    assert "messages; at most" in " ".join(faults(many, SHOP)[""])


def test_a69_who_wrote_what_is_not_kept_for_ever() -> None:
    """Entries that come and go leave a note each, of which the newest stay."""
    touched = {f"x{at}": Touch("ada", NOW - timedelta(seconds=at)) for at in range(MOST_ENTRIES)}
    made, _ = apply(Draft({}, touched=touched), [Edit("look/accent", None, "#ffffff")], "ada", NOW)
    assert len(made.touched) == MOST_ENTRIES
    assert "look/accent" in made.touched
    assert f"x{MOST_ENTRIES - 1}" not in made.touched


class Shelf:
    """Images and content of one product in a database of their own."""

    def __init__(self, url: str) -> None:
        self.engine = open_database(url)
        content_store_schema(url)
        self.images = DatabaseImages(self.engine, lambda: datetime.now(UTC))
        self.content = ContentStore(self.engine, lambda: NOW)
        self.purge = DatabasePurger(self.engine, timedelta(days=90))
        with writing(self.engine).begin() as connection:
            row = {"key": "shop", "name": "Shop", "document": {}, "file_content": {}}
            connection.execute(insert(products).values(row))

    def put(self, grey: int, most: int | None = None) -> Logo:
        """A picture of its own."""
        logo = picture(grey)
        self.images.put(logo, "shop", most)
        return logo

    def age(self, logo: Logo, by: timedelta) -> None:
        """Make an image older."""
        aged = update(images).where(images.c.name == logo.name).values(at=datetime.now(UTC) - by)
        with writing(self.engine).begin() as connection:
            connection.execute(aged)

    def names(self) -> set[str]:
        """The images that are kept."""
        with self.engine.connect() as connection:
            return set(connection.execute(select(images.c.name)).scalars())


def content_store_schema(url: str) -> None:
    """The newest tables."""
    SCHEMA.upgrade(open_database(url))


def picture(grey: int) -> Logo:
    """A PNG that differs from every other by a note in it."""
    return check_logo(png(16, 16, (b"tEXt", struct.pack(">I", grey))))


@pytest.fixture
def shelf(tmp_path: Path, database_url: DatabaseUrl) -> Shelf:
    """An empty one."""
    return Shelf(database_url(tmp_path, "bff"))


def test_a69_images_that_nobody_names_go(shelf: Shelf) -> None:
    """After a day; those of the draft, of each kept version and of the product file stay."""
    drafted, published, filed, unnamed, fresh = (shelf.put(at) for at in range(5))
    shelf.content.publish("shop", {"look/logo": published.name}, "ada")
    shelf.content.publish("shop", {}, "ada")
    shelf.content.save("shop", [Edit("look/logo_dark", None, drafted.name)], "ada")
    with writing(shelf.engine).begin() as connection:
        connection.execute(update(products).values(file_content={"look/logo": filed.name}))
    for logo in (drafted, published, filed, unnamed):
        shelf.age(logo, UNREFERENCED_KEPT + timedelta(minutes=1))
    assert shelf.purge.delete_old(datetime.now(UTC), 50)["images"] == 1
    assert shelf.names() == {drafted.name, published.name, filed.name, fresh.name}


def test_a69_an_image_that_is_put_up_again_is_young_again(shelf: Shelf) -> None:
    """Else it would go between its upload and the save that names it."""
    logo = shelf.put(1)
    shelf.age(logo, UNREFERENCED_KEPT + timedelta(minutes=1))
    shelf.put(1)
    assert shelf.purge.delete_old(datetime.now(UTC), 50)["images"] == 0


def test_a69_images_are_looked_at_once_an_hour(shelf: Shelf) -> None:
    """Each look reads every published look."""
    now = datetime.now(UTC)
    assert "images" in shelf.purge.delete_old(now, 50)
    assert "images" not in shelf.purge.delete_old(now + timedelta(minutes=1), 50)
    assert "images" in shelf.purge.delete_old(now + SLOW_RULES_EVERY, 50)


@pytest.mark.both_databases
def test_a69_a_product_has_so_many_images(shelf: Shelf) -> None:
    """One more is refused, with what to do; one that is there already is none more; another has its own."""
    for at in range(3):
        shelf.put(at, most=3)
    shelf.put(2, most=3)
    with pytest.raises(FaultyImage, match="go after a day, so put this one up tomorrow"):
        shelf.put(3, most=3)
    shelf.images.put(picture(3), "other", 3)


@pytest.mark.both_databases
def test_a_picture_that_two_processes_store_at_once_is_stored_once(shelf: Shelf) -> None:
    """Workers that start together with the same product file: none of them fails."""
    if shelf.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    logo, waits = picture(1), text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    row = {"name": logo.name, "media_type": logo.media_type, "data": logo.data, "product_key": "shop"}
    with ThreadPoolExecutor(1) as pool:
        with shelf.engine.begin() as other:
            other.execute(insert(images).values(**row, at=NOW))
            second = pool.submit(shelf.put, 1)
            with shelf.engine.connect() as watching:
                assert wait_for(lambda: watching.execute(waits).scalar_one())
        assert second.result(20) == logo
    assert shelf.names() == {logo.name}


@pytest.mark.both_databases
def test_a69_so_many_versions_are_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest, and the one that a draft stands on."""
    monkeypatch.setattr(content_store, "MOST_VERSIONS", 3)
    shelf.content.publish("shop", {MESSAGE: "0"}, "ada")
    shelf.content.save("shop", [Edit(MESSAGE, "0", "mine")], "ada")
    for at in range(1, 6):
        shelf.content.publish("shop", {MESSAGE: str(at)}, "grace")
    assert [version.number for version in shelf.content.history("shop")] == [6, 5, 4, 1]
    moved, clashes = shelf.content.rebase("shop")
    assert (moved.based_on, clashes[0].theirs) == (6, "5")
    shelf.content.publish("shop", {MESSAGE: "6"}, "grace")
    with shelf.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(content_versions)).scalar_one() == 3


def test_a69_an_upload_too_many_is_told_beside_its_field(
    studio: StudioWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page with the reason, 422; the draft is as it was."""
    monkeypatch.setattr("bff.web.studio.look_page.MOST_IMAGES", 0)
    editor = studio.editor(GRACE)
    data = chunked((b"IHDR", head(17, 17)), (b"IDAT", b"x"), (b"IEND", b""))
    answer = editor.browser.post(
        editor.url("look/logo"),
        data={"csrf": editor.csrf},
        files={"file": ("logo.png", data)},
        headers={"Origin": editor.world.bff},
        timeout=20,
    )
    assert answer.status_code == 422
    assert "put this one up tomorrow" in answer.text


def test_a69_a_product_has_attempts_for_a_day(strict: Strict) -> None:
    """However many users and accounts its host names; another product has its own."""
    world = strict(limit_product_attempts=3)
    made = [
        begin(replace(world, account=f"a{at}"), replace(world, account=f"a{at}").session(user=f"u{at}"))
        for at in range(5)
    ]
    assert [answer.status_code for answer in made] == [201, 201, 201, 429, 429]
    assert made[-1].json()["code"] == "rate_limited"
    assert 3600 < seconds(made[-1]) <= 24 * 3600


def test_a69_one_account_cannot_use_up_its_products_day(strict: Strict) -> None:
    """It has a tenth of it, whichever of its users calls; what is refused costs the others nothing."""
    world = strict(limit_product_attempts=10)
    tokens = [world.session(user=user) for user in ("ada", "grace")]
    assert [begin(world, tokens[at % 2]).status_code for at in range(12)] == [201] + [429] * 11
    for name in ("colleagues", "neighbours"):
        other = replace(world, account=name)
        assert begin(other, other.session()).status_code == 201


def test_a69_what_is_counted_of_a_day_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many accounts come, of few calls each; the product's own count is among the kept."""
    told: list[int] = []

    class Counting(FixedWindowRateLimiter):
        def hit(self, item: object, *identifiers: str, cost: int = 1) -> bool:
            told.append(cost)
            return super().hit(item, *identifiers, cost=cost)

    monkeypatch.setattr(day_limits, "MOST_KEPT", 8)
    days = day_limits.ByDay(Counting(storage_from_string("memory://")), 30_000)
    for account in ("acme", "acme", *(f"a{at}" for at in range(100)), "acme"):
        days.spend("attempts", "shop", account)
    # Three calls of an account would be told, too, had the first two not been forgotten.
    assert told == [30, 30, 30]


def test_a69_a_hosts_server_ends_so_many_sessions_a_day(strict: Strict) -> None:
    """Each is a row, whatever user it names."""
    world = strict(limit_product_attempts=2)
    told = [world.server("POST", "/v1/sessions/end", json={"user": {"id": f"u{at}"}}) for at in range(3)]
    assert [answer.status_code for answer in told] == [200, 200, 429]


def test_a69_a_large_limit_is_counted_in_parcels(monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement for a thousand attempts; what a process has not told yet is the error."""
    told: list[int] = []

    class Counting(FixedWindowRateLimiter):
        def hit(self, item: object, *identifiers: str, cost: int = 1) -> bool:
            told.append(cost)
            return super().hit(item, *identifiers, cost=cost)

    monkeypatch.setattr(day_limits, "PARCELS", 10)
    days = day_limits.ByDay(Counting(storage_from_string("memory://")), 100)
    for _ in range(100):
        days.spend("attempts", "shop")
    assert told == [10] * 10
    refused = 0
    for _ in range(20):
        try:
            days.spend("attempts", "shop")
        except RateLimited:
            refused += 1
    assert refused >= 11
    days.spend("attempts", "other")
