"""A strict stand-in for Cyclr: what is documented of it, and nothing that only our embedded service has.

`Cyclr` (``control.py``) is the object that tests hold: what exists there, how it behaves, what it was asked.
`open_cyclr` (``running.py``) serves it: the API domain, the service domain and a third party to sign in at.
``world.py`` adds a BFF to it, ``stack.py`` a host page for browsers. The stand-in itself imports nothing of
Hitchpost: it was written from what is known of Cyclr.
"""

from tests.support.cyclr.control import Cyclr, Habits, Installed, Release, Seen
from tests.support.cyclr.running import open_cyclr

__all__ = ["Cyclr", "Habits", "Installed", "Release", "Seen", "open_cyclr"]
