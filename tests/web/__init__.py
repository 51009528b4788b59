"""Rules of the routes."""
