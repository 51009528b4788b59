"""Writes docs/shipped-providers.md from the entries that ship; ``scripts/document.py`` does it too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bff.partner.providers.shipped_entries import ShippedEntry, shipped

PAGE = Path(__file__).parent.parent / "docs/shipped-providers.md"

TEXT = """\
# Shipped providers

{count} services ship as entries of the embedded partner service's connector catalogue: {kinds}. Find one and
write it into your own catalogue:

```sh
hitchpost providers search crm            # by words in name, kind of sign-in or category; none lists all
hitchpost providers show hubspot          # the entry, and where its facts come from
hitchpost providers add hubspot --catalogue catalogue.toml
```

`add` appends the entry with a free id. It leaves two values to you: `client_id`, and the environment variable
that holds the client secret (`client_secret_env`). A service with an API key or a password needs neither. It
prints the redirect URI to register at the service, `{{partner origin}}/connector/callback`. A file that is no
TOML, has the service already or cannot be written stays as it was.

Each entry says what the service's public documentation states. **Read** is the day on which a stored copy of
the linked page was read for the entry: as a rule the part about the sign-in, not all of it. Where that part
could not be had, it says what the facts come from instead; look at the page before you rely on them. **Live**
says whether somebody has signed in with the entry: {tried} of them so far.

- Scopes are few: they name the account, and read a little. Ask for those that you need.
- `pkce = false` stands where a service refuses PKCE, has another form of it, or takes JSON and names no
  `code_verifier`.
- An entry without `revocation_url` is of a service that documents none, or one that ends more than the grant.

`make providers` signs in, refreshes and revokes with the shape of each entry against a provider made for
tests, and says what it does not cover.
"""

TITLES = {
    "accounting": "Accounting",
    "ai": "Artificial intelligence",
    "chat": "Chat, calls and meetings",
    "commerce": "Commerce and shipping",
    "crm": "CRM and sales",
    "developer": "Developer tools",
    "hr": "HR",
    "marketing": "Marketing and analytics",
    "payments": "Payments",
    "productivity": "Projects, documents, calendars and mail",
    "social": "Social networks, media and sites",
    "storage": "Storage",
    "support": "Tickets and help desks",
}

KINDS = {
    "oauth2": "OAuth",
    "api_key": "API key",
    "basic": "basic",
    "client_credentials": "client credentials",
}


def page() -> str:
    """docs/shipped-providers.md."""
    entries = shipped()
    counts = Counter(KINDS[entry.auth] for entry in entries)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    tried = sum(entry.about.tried for entry in entries) or "none"
    parts = [TEXT.format(count=len(entries), kinds=kinds, tried=tried)]
    for category in sorted({entry.about.category for entry in entries}):
        rows = [_row(entry) for entry in entries if entry.about.category == category]
        parts.append(f"## {TITLES[category]}\n")
        parts.append(
            "| service | key | kind | read | live |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "\n".join(parts)


def _row(entry: ShippedEntry) -> str:
    about = entry.about
    cells = (
        f"[{entry.name}]({about.docs_url})",
        f"`{entry.key}`",
        KINDS[entry.auth],
        about.read_on or f"no: {about.source}",
        "yes" if about.tried else "no",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page())
