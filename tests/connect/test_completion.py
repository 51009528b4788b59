"""A sign-in is completed by the browser that launched it: what is minted, kept, compared, and told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bff.common.errors import AnotherBrowser, LaunchRefused, NotFound, PartnerUnavailable
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import Attempt, Status
from bff.connect.completion import BrowserBinding, SameBrowser
from bff.connect.context import ConnectContext
from bff.connect.minting import Minter
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import CompletionRequest, Connector, SignInToken
from tests.support.model_partner import NoStore, at_once
from tests.support.watched_core import HOST, PUBLIC, SERVICE, WatchedCore, WatchedPartner

BROWSER, CODE = Secret("what the browser kept"), Secret("the completion code")


@dataclass
class Able(WatchedPartner):
    """A partner service that can have a sign-in completed, or refused, by its browser."""

    able: bool = True
    finish_secret: Secret | None = field(default_factory=lambda: Secret("a/b+c"))
    refuses: bool = True

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionRequest | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """A token, and whether it will be completed."""
        token = super().mint_sign_in_token(account, username, completion, connector)
        self.asked[-1] = ("mint", account, username, completion)
        return replace(token, completes=self.able and completion is not None)

    def complete_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """Where the browser finishes."""
        self._note("complete", account, account_connector_id, token_sha256, code)
        return self.finish_secret

    def refuse_sign_in(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> bool:
        """Whether that was a sign-in that waited."""
        self._note("refuse", account, account_connector_id, token_sha256, code)
        return self.refuses


@dataclass
class Scene:
    """One launched attempt, and what completes it."""

    core: WatchedCore
    partner: Able
    browser_binding: BrowserBinding
    attempt: Attempt


def build(core: WatchedCore, mode: SameBrowser = SameBrowser.WHERE_POSSIBLE) -> Scene:
    """An attempt that was launched by the browser that kept ``BROWSER``."""
    partner = Able(core.clock)
    browser_binding = BrowserBinding(
        core.attempts,
        partner,
        Minter(partner, Catalogue(partner, core.clock, NoStore(), at_once), at_once),
        core.poller,
        core.events,
        mode,
        ConnectContext(core.clock, BROWSER.reveal, PUBLIC, SERVICE),
    )
    launched = core.launched()
    changes = {"browser_sha256": fingerprint(BROWSER.reveal())}
    attempt = core.attempts.transition(launched.id, {Status.LAUNCHED}, changes)  # type: ignore[arg-type]
    assert attempt is not None
    core.events.heard.clear()
    return Scene(core, partner, browser_binding, attempt)


class TestMint:
    """Whether the browser has to keep something depends on the mode and on the partner service."""

    @pytest.mark.parametrize("mode", [SameBrowser.WHERE_POSSIBLE, SameBrowser.REQUIRED])
    def test_the_browser_keeps_a_secret_that_stands_in_no_url(
        self, core: WatchedCore, mode: SameBrowser
    ) -> None:
        """The partner service is told where to complete, and where the sign-in ends."""
        scene = build(core, mode)
        minted = scene.browser_binding.mint(scene.attempt, HOST)
        assert (minted.token.completes, minted.browser_secret) == (True, BROWSER)
        assert minted.account_connector.id == 7
        wish = CompletionRequest(f"{PUBLIC}/connect/complete/{scene.attempt.id}", HOST)
        assert scene.partner.of("mint") == [[scene.attempt.account, "ada", wish]]
        assert core.events.heard == []

    def test_off_means_that_nothing_is_asked_for(self, core: WatchedCore) -> None:
        """Nor told."""
        scene = build(core, SameBrowser.OFF)
        assert scene.browser_binding.mint(scene.attempt, HOST).browser_secret is None
        assert scene.partner.of("mint") == [[scene.attempt.account, "ada", None]]
        assert core.events.heard == []

    def test_a_partner_service_that_cannot_is_told_of_once(self, core: WatchedCore) -> None:
        """Where it is not required, the sign-in goes on without."""
        scene = build(core)
        scene.partner.able = False
        assert scene.browser_binding.mint(scene.attempt, HOST).browser_secret is None
        assert scene.browser_binding.mint(scene.attempt, HOST).browser_secret is None
        assert core.events.heard == [("cannot complete", scene.attempt)]

    def test_where_it_is_required_there_is_no_sign_in_without(self, core: WatchedCore) -> None:
        """Each refusal is told."""
        scene = build(core, SameBrowser.REQUIRED)
        scene.partner.able = False
        for _ in range(2):
            with pytest.raises(PartnerUnavailable):
                scene.browser_binding.mint(scene.attempt, HOST)
        assert core.events.heard == [("cannot complete", scene.attempt)] * 2


class TestComplete:
    """The same browser goes on; another one ends the sign-in."""

    def test_the_launching_browser_goes_on(self, core: WatchedCore) -> None:
        """To the partner service's own last page, by a value that is percent-encoded."""
        scene = build(core)
        core.clock.tick(30)
        url = scene.browser_binding.complete(scene.attempt, BROWSER, CODE)
        assert url.reveal() == f"{SERVICE}/connectorauth/finished/a%2Fb%2Bc"
        asked = [scene.attempt.account, 7, scene.attempt.sign_in_token_sha256, CODE]
        assert scene.partner.of("complete") == [asked]
        assert scene.partner.of("refuse") == []
        noted = {step.name: step.at for step in core.attempts.steps(scene.attempt.id)}
        assert noted["completed"] == core.clock()

    @pytest.mark.parametrize("kept", ["", "another browser's", BROWSER.reveal() + " "])
    def test_another_browser_ends_the_sign_in(self, core: WatchedCore, kept: str) -> None:
        """Its grant is refused at the partner service, the attempt has failed, operators are told."""
        scene = build(core)
        core.clock.tick(30)
        with pytest.raises(AnotherBrowser):
            scene.browser_binding.complete(scene.attempt, Secret(kept), CODE)
        asked = [scene.attempt.account, 7, scene.attempt.sign_in_token_sha256, CODE]
        assert scene.partner.of("refuse") == [asked]
        assert scene.partner.of("complete") == []
        now = core.read(scene.attempt)
        assert (now.status, now.error_code, now.settled_at) == (Status.FAILED, "failed", core.clock())
        assert core.events.heard == [("settled", now), ("completed elsewhere", now)]
        noted = {step.name: step.at for step in core.attempts.steps(scene.attempt.id)}
        assert noted["completed_elsewhere"] == core.clock()

    def test_a_guess_at_a_code_ends_nothing(self, core: WatchedCore) -> None:
        """Only the code of a sign-in that waits does: else anybody could end any attempt."""
        scene = build(core)
        scene.partner.refuses = False
        with pytest.raises(AnotherBrowser):
            scene.browser_binding.complete(scene.attempt, Secret("stranger"), Secret("guess"))
        assert core.read(scene.attempt).status is Status.LAUNCHED
        assert core.events.heard == []

    def test_an_attempt_that_no_browser_keeps_is_completed_by_none(self, core: WatchedCore) -> None:
        """Not even by one that kept nothing."""
        scene = build(core)
        bare = replace(scene.attempt, browser_sha256=None)
        for kept in ("", BROWSER.reveal()):
            with pytest.raises(AnotherBrowser):
                scene.browser_binding.complete(bare, Secret(kept), CODE)

    def test_a_code_is_good_once(self, core: WatchedCore) -> None:
        """The partner service knows it no more."""
        scene = build(core)
        scene.partner.finish_secret = None
        with pytest.raises(LaunchRefused):
            scene.browser_binding.complete(scene.attempt, BROWSER, CODE)
        assert "completed" not in {step.name for step in core.attempts.steps(scene.attempt.id)}

    @pytest.mark.parametrize("lost", ["sign_in_token_sha256", "account_connector_id"])
    def test_without_a_sign_in_there_is_nothing_to_complete(self, core: WatchedCore, lost: str) -> None:
        """And nothing is asked of the partner service."""
        scene = build(core)
        with pytest.raises(NotFound):
            scene.browser_binding.complete(replace(scene.attempt, **{lost: None}), BROWSER, CODE)
        assert scene.partner.asked == []


def test_only_an_attempt_whose_browser_keeps_something_is_found(core: WatchedCore) -> None:
    """An unknown id and an attempt of the other kind are not told apart."""
    scene = build(core)
    assert scene.browser_binding.attempt(scene.attempt.id) == scene.attempt
    for attempt_id in ("att_none", core.launched().id):
        with pytest.raises(NotFound):
            scene.browser_binding.attempt(attempt_id)
