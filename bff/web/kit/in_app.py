"""Detects in-app browsers, which open no windows and in which some third parties refuse sign-ins."""

from __future__ import annotations

import re
from typing import Final

from bff.content.product import OfferedConnector

LONGEST_AGENT: Final = 2048
"""Characters of a ``User-Agent`` that are examined. Real ones have a few hundred at most."""

# Only the user agent identifies these browsers. The list is on the server, so that it can be extended without
# an update of the widget. Patterns have at most one wildcard: with two, matching takes quadratic time.
_NAMED: Final = re.compile(
    r"\b(FBA[NV]|FB_IAB|Instagram|LinkedInApp|Line/|MicroMessenger|Snapchat|Pinterest/|TikTok|musical_ly"
    r"|BytedanceWebview|KAKAOTALK|Twitter for|GSA/)"
)
_ANDROID: Final = re.compile(r"\bAndroid\b")
_APPLE_MOBILE: Final = re.compile(r"\b(iPhone|iPad|iPod)\b")
_APPLE_ENGINE: Final = re.compile(r"\bAppleWebKit/")
_REFUSING: Final = re.compile(r"\b(google|gmail|youtube)\b", re.IGNORECASE)


def is_in_app(user_agent: str) -> bool:
    """Whether this is an in-app browser, in which a sign-in has to use the page's own tab.

    Safari on an iPhone has ``Safari/`` in its user agent; an app's web view (WKWebView) does not.
    """
    agent = user_agent[:LONGEST_AGENT]
    if _NAMED.search(agent):
        return True
    android, apple = _ANDROID.search(agent), _APPLE_MOBILE.search(agent)
    if android and agent.find("; wv)", android.end()) >= 0:
        return True
    return bool(apple and _APPLE_ENGINE.search(agent, apple.end()) and "Safari/" not in agent)


def refuses_in_app(connector_name: str, connector_key: str) -> bool:
    """Whether this third party refuses sign-ins in in-app browsers, as Google does.

    Google returns the error ``disallowed_useragent`` to such browsers.
    """
    return bool(_REFUSING.search(f"{connector_name} {re.sub(r'[-_.]', ' ', connector_key)}"))


def refuses_browser(user_agent: str, offered: OfferedConnector) -> bool:
    """Whether the third party would refuse a sign-in in this browser."""
    return is_in_app(user_agent) and refuses_in_app(offered.name, offered.key)
