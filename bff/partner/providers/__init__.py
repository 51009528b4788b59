"""The connector catalogue, and the HTTP calls to third parties."""
