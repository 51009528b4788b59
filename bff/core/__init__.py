"""What Hitchpost decides, in the standard library only: no web, no database, no network."""
