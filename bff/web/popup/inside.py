"""The script and the styles inside a page of the popup, and the policy that allows these and no others."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from bff.resources import PAGE_ASSETS
from bff.serving.inlined import Inlined, source_of

STYLES: Final = "pages.css"
FILES: Final = Inlined(PAGE_ASSETS)


class Inside:
    """What goes into a template's page: the script of its name, our styles, the product's look."""

    def __init__(self, template: str, look: str | None) -> None:
        self._script_file = template.replace(".html", ".js")
        self.script: Final = FILES[self._script_file]
        self.styles: Final = [FILES[STYLES]]
        # Nothing that could end the element; such a look is loaded as a file.
        if look and "<" not in look:
            # house-allow: safe-filter: declarations that were checked when they were published
            self.styles.append(Markup(look))  # noqa: S704  # nosec B704  # the same reason

    def policy(self, base: str) -> str:
        """``base``, whose ``script-src`` is none and ``style-src`` self, naming what is inside."""
        allowed = " ".join(map(source_of, self.styles))
        policy = base.replace("script-src 'none'", f"script-src {FILES.sources[self._script_file]}")
        return policy.replace("style-src 'self'", f"style-src 'self' {allowed}")
