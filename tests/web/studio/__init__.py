"""Rules of the Studio's pages."""
