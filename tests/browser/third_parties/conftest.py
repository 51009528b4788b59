"""One demo whose catalogue has the third parties of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.third_parties import test_form_post, test_other_provider
from tests.support import instant_provider
from tests.support.emulations import EMULATIONS
from tests.support.held_port import held_port
from tests.support.provider import open_provider
from tests.support.servers import serve
from tests.support.stack import ROOT, Stack, run_demo


@pytest.fixture(scope="session")
def oidc_port() -> Iterator[int]:
    """The port of test_other_provider.py's third party, kept for it until that test starts it."""
    with held_port() as port:
        yield port


@pytest.fixture(scope="session")
def stack_with_others(tmp_path_factory: pytest.TempPathFactory, oidc_port: int) -> Iterator[Stack]:
    """Another demo, as `make demo` runs it, in whose catalogue are the third parties of single tests too."""
    folder = tmp_path_factory.mktemp("others")
    with (
        open_provider(EMULATIONS[test_form_post.PROVIDER].habits) as poster,
        serve(instant_provider.create_provider) as instant,
    ):
        entries = (
            (ROOT / "bff/partner/demo-catalogue.toml").read_text(),
            test_form_post.connector(poster.url),
            test_other_provider.connector(oidc_port),
            instant_provider.catalogue_entry(instant),
        )
        catalogue = folder / "catalogue.toml"
        catalogue.write_text("\n".join(entries))
        with run_demo(folder / "demo", {"HITCHPOST_DEMO_CATALOGUE": str(catalogue)}) as running:
            yield running
