"""Inline script and styles of the popup's pages, and the Content-Security-Policy that allows only these."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from bff.resources import PAGE_ASSETS
from bff.serving.inlined import Inlined, source_of

STYLES: Final = "pages.css"
FILES: Final = Inlined(PAGE_ASSETS)


class Inside:
    """The inline script (of the template's name) and styles (ours and the product's look) of a page."""

    def __init__(self, template: str, look: str | None) -> None:
        self._script_file = template.replace(".html", ".js")
        self.script: Final = FILES[self._script_file]
        self.styles: Final = [FILES[STYLES]]
        # A look that contains "<" could close the element. The page loads it as a file instead.
        if look and "<" not in look:
            # house-allow: safe-filter: declarations that were checked when they were published
            self.styles.append(Markup(look))  # noqa: S704  # the same reason

    def policy(self, base: str) -> str:
        """``base`` with the hashes of the inline script and styles in ``script-src`` and ``style-src``."""
        allowed = " ".join(map(source_of, self.styles))
        policy = base.replace("script-src 'none'", f"script-src {FILES.sources[self._script_file]}")
        return policy.replace("style-src 'self'", f"style-src 'self' {allowed}")
