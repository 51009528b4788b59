"""What the Studio's preview can show."""

from __future__ import annotations

from bff.content.words import CATALOGUE
from bff.studio.scenes import SCENES


def test_every_text_is_in_the_picture_that_shows_it() -> None:
    """No key stands on no page, but for those of the mail."""
    without = {key.name for key in CATALOGUE.values() if key.scene not in SCENES}
    assert without == {key for key in CATALOGUE if key.startswith("mail_")}
